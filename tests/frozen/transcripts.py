"""Asking the ledger as it was asked when it was frozen, and writing down what it answers.

A record says what was asked and what came: of a command line its exit code, what it printed and what it said;
of a request its status, the headers that its answer has beside the server's own, and the body. A transcript
is a list of records in the order of asking, each of which may depend on those before.
"""

import csv
import io
import json
import lzma
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import openpyxl
from fastapi.testclient import TestClient

from coverledger.composition import opened
from frozen.opening import LEDGER, Frozen
from frozen.running import environment, typed
from ledger.app import App
from ledger.http.app import create_app

Record = dict[str, Any]

_SERVERS_OWN = {"date", "server", "content-length", "connection", "x-request-id"}
_JSON = re.compile(r"application/([a-z.+-]*\+)?json")

VOLATILE = (
    (r"cl[tslc]_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", "{token}"),
    (r"whsec_[A-Za-z0-9+/=]+", "{secret}"),
    (r"-?\b[0-9]+(\.[0-9]+)?(e-[0-9]+)? s\b", "{seconds} s"),
    (r"\bPostgres [0-9]+(\.[0-9]+)?", "Postgres {version}"),
    (r"\bhost=\S+ port=[0-9]+", "host={host} port={port}"),
)
"""What differs from one run to the next wherever it stands, and how it is written."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The frozen ledger, opened, and a folder to work in."""

    frozen: Frozen
    work: Path
    tokens: Mapping[str, Mapping[str, str]]

    @property
    def settings(self) -> dict[str, str]:
        outside = self.work / "outside"
        return self.frozen.settings | {
            "checkpoint_folders": str(outside / "heads"),
            "digest_folder": str(outside / "digests"),
            "letters_carrier": str(outside / "print-house"),
            "webhooks_allow_private": "yes",
        }

    def plain(self, text: str) -> str:
        """Write a text as it would be on any machine."""
        for path, name in ((self.frozen.home, "{home}"), (self.work, "{work}"), (LEDGER, "{ledger}")):
            text = text.replace(str(path), name)
        for name in (self.frozen.database, self.frozen.roles):  # the one may begin with the other
            text = text.replace(name, "{database}")
        for pattern, name in VOLATILE:
            text = re.sub(pattern, name, text)
        return text

    def word(self, word: str) -> str:
        for name, path in (("{work}", self.work), ("{ledger}", LEDGER)):
            word = word.replace(name, str(path))
        return word


def ask_all(asking: Asking, wanted: Iterable[Record]) -> list[Record]:
    """Ask for everything in order; the records with their answers."""
    answered: list[Record] = []
    with environment(asking.settings):
        for book, records in groupby(wanted, lambda record: record.get("book") if "path" in record else None):
            if book is None:
                answered += [_typed(asking, record) for record in records]
                continue
            with opened(book) as wiring, _client(wiring) as client:
                answered += [_requested(asking, client, record) for record in records]
    return answered


def name_of(record: Record) -> str:
    """Say in a line what was asked."""
    if "words" in record:
        return " ".join(record["words"])
    return f"{record['method']} {record['path']} ({record.get('as', 'nobody')} of {record['book']})"


def read_records(path: Path) -> list[Record]:
    return [json.loads(line) for line in lzma.decompress(path.read_bytes()).splitlines()]


def write_records(path: Path, records: Iterable[Record]) -> None:
    text = "".join(json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n" for record in records)
    path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def _client(wiring: App) -> TestClient:
    return TestClient(create_app(wiring), base_url="http://ledger.test", follow_redirects=False)


def _typed(asking: Asking, record: Record) -> Record:
    ended = typed(*map(asking.word, record["words"]), stdin=record.get("stdin", "").encode())
    said = asking.plain(ended.err)
    return record | {"code": ended.code, "out": _printed(asking.plain(ended.out)), "err": said}


def _printed(text: str) -> Any:  # noqa: ANN401  # whatever was printed
    """Read what was printed: JSON, JSON Lines, or text."""
    for read in (json.loads, lambda lines: [json.loads(line) for line in lines.splitlines()]):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _requested(asking: Asking, client: TestClient, record: Record) -> Record:
    shown = record.get("as")
    headers = dict(record.get("sends", {}))
    if shown == "cookie":
        headers["Cookie"] = asking.tokens[record["book"]]["cookie"]
    elif shown is not None:
        headers["Authorization"] = f"Bearer {asking.tokens[record['book']][shown]}"
    path = record["path"]
    for name, token in asking.tokens[record["book"]].items():
        path = path.replace(f"{{{name}}}", token)
    answer = client.request(
        record["method"], path, headers=headers, json=record.get("json"), data=record.get("form")
    )
    client.cookies.clear()
    kept = {name: asking.plain(value) for name, value in answer.headers.items() if name not in _SERVERS_OWN}
    media = answer.headers.get("content-type", "").partition(";")[0]
    return record | {
        "status": answer.status_code,
        "headers": kept,
        "body": _body(asking, media, answer.content),
    }


def _body(  # noqa: PLR0911  # a form a media type
    asking: Asking, media: str, content: bytes
) -> Any:  # noqa: ANN401  # whatever was answered
    if _JSON.fullmatch(media):
        return json.loads(asking.plain(content.decode()))
    if media.endswith("spreadsheetml.sheet"):
        sheets = openpyxl.load_workbook(io.BytesIO(content)).worksheets
        return [
            [
                [None if cell is None else str(cell) for cell in row]
                for row in sheet.iter_rows(values_only=True)
            ]
            for sheet in sheets
        ]
    if media == "text/csv":
        return list(csv.reader(io.StringIO(content.decode())))
    if media == "text/html":
        return None  # a page's words are the tests' of the site
    if media == "text/plain" and content.startswith(b"# HELP"):
        return sorted(
            {line.split()[2] for line in content.decode().splitlines() if line.startswith("# TYPE")}
        )
    if media == "application/octet-stream":
        return content.hex()
    return asking.plain(content.decode()).splitlines() if content else None
