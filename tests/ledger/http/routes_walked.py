"""Every operation of the OpenAPI document as a request that passes all checks but, perhaps, the rights."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fixtures.served import Served
from ledger.http.openapi import RIGHT, operations

PATHS = {
    "number": "CC-1",
    "path": "0/000.p/1",
    "event_type": "coverledger.claim.RefundIssued.v1",
    "code": "LIMIT_COUNT",
}
HEADERS = {"Idempotency-Key": "walked", "Access-Reason": "a test of rights"}


@dataclass(frozen=True, slots=True)
class Walked:
    method: str
    path: str
    url: str
    right: str
    body: Any

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


def walked(served: Served) -> Iterator[Walked]:
    document = served.client.get("/openapi.json").json()
    for method, path, operation in operations(document):
        url = path.replace("{book}", served.wiring.book)
        for name, value in PATHS.items():
            url = url.replace(f"{{{name}}}", value)
        assert "{" not in url, url
        body = None
        if "requestBody" in operation:
            body = operation["requestBody"]["content"]["application/json"]["example"]
            url += "?dry_run=true"
        if path.endswith("/stream"):
            url += "?after=nowhere"  # refused once the rights are settled: a stream itself would not end
        yield Walked(method, path, url, operation[RIGHT], body)


def ask(served: Served, route: Walked, headers: dict[str, str]) -> int:
    asked = HEADERS | headers
    return int(served.client.request(route.method, route.url, headers=asked, json=route.body).status_code)
