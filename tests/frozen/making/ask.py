"""Asked the frozen ledger all that there was to ask, twice; kept like make.py, to say how.

    .venv/bin/python tests/frozen/making/ask.py

What differs between two openings hangs on the moment or the machine: those places are listed in `momentary.json`.
"""

import json
import shutil
import sys
import tempfile
from contextlib import contextmanager
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from frozen.making.asked import everything, forgotten_commands, forgotten_routes
from frozen.comparing import differences
from frozen.opening import LEDGER, PRESENT, REAL, SIMULATED, Frozen, drop_database, restore_database, unpack
from frozen.running import environment
from frozen.standing_clock import StandingClock
from frozen.transcripts import Asking, Record, ask_all, name_of, write_records
from ledger.postgres import EmbeddedPostgres
from ledger.http.app import create_app
from ledger.app import opened


@contextmanager
def asking(server_dsn: str) -> Iterator[Asking]:
    name, dsn = restore_database(server_dsn)
    work = Path(tempfile.mkdtemp(prefix="frozen-asked-"))
    try:
        StandingClock(dsn, PRESENT)
        unpack("home.tar.xz", work / "home")
        unpack("outside.tar.xz", work / "outside")
        tokens = json.loads((LEDGER / "tokens.json").read_text())["tokens"]
        yield Asking(Frozen(name, dsn, work / "home", name), work, tokens)
    finally:
        drop_database(server_dsn, name)
        shutil.rmtree(work)


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="frozen-server-"))
    home.chmod(0o711)
    answers: list[list[Record]] = []
    try:
        with EmbeddedPostgres(home).join() as server:
            for _ in range(2):
                with asking(server.superuser_dsn) as one:
                    documents = {}
                    with environment(one.settings):
                        for book in (REAL, SIMULATED):
                            with opened(book) as wiring:
                                documents[book] = create_app(wiring).openapi()
                                records = everything(
                                    documents | ({SIMULATED: documents[REAL]} if book == REAL else {})
                                )
                                lacking = forgotten_routes(wiring, records) | forgotten_commands(records)
                                assert not lacking, lacking
                    answers.append(ask_all(one, everything(documents)))
    finally:
        shutil.rmtree(home)
    momentary: dict[str, set[str]] = {}
    for first, second in zip(*answers, strict=True):
        for found in differences(first, second):
            momentary.setdefault(name_of(first), set()).add(found.path)
            print(name_of(first)[:70], found.path, str(found.was)[:60], "|", str(found.now)[:60])
    write_records(LEDGER / "transcripts.jsonl.xz", answers[0])
    told = {name: sorted(paths) for name, paths in sorted(momentary.items())}
    (LEDGER / "momentary.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    odd = [record for record in answers[0] if record.get("code", 0) > 1 or record.get("status", 0) >= 400]
    for record in odd:
        print(
            name_of(record)[:110],
            record.get("code", record.get("status")),
            str(record.get("err") or record.get("body"))[:150],
        )
    print(len(answers[0]), "records")


if __name__ == "__main__":
    main()
