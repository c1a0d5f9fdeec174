"""Requests as they are typed: no client that tidies an address up first."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

WAIT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Raw:
    status: int
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401  # whatever was answered
        return json.loads(self.text)


def answered(address: str, target: str, token: str, **headers: str) -> Raw:
    """What a true server answers to a target, which goes over the wire as it is."""
    parts = urlsplit(address)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=WAIT_SECONDS)
    try:
        connection.request("GET", target, headers={"Authorization": f"Bearer {token}"} | headers)
        response = connection.getresponse()
        return Raw(response.status, response.read().decode())
    finally:
        connection.close()
