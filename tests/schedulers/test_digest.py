"""The digest: warned from the alert date on, told as missed once, sent once each working day."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from fixtures.desk import Fields, contract, send
from ledger.app import App
from ledger.attempts import failing
from ledger.config import Settings
from ledger.domain.calendar import brussels_date
from ledger.domain.deadlines import Deadline
from ledger.domain.identifiers import claim_ref, contract_ref
from schedulers.digest import (
    MOST_LINES,
    NEAR,
    Digest,
    compose_digest,
    digest_targets,
    missed_from,
    render_text,
    split_deadlines,
)
from schedulers.digest import send as send_digest

DAY = date(2026, 6, 10)
REFUND = Deadline(
    claim_ref("K-1"), "refund", "R7", 1, date(2026, 6, 13), date(2026, 6, 15), date(2026, 6, 12)
)
LETTER = Deadline(
    contract_ref("CC-1"),
    "termination_letter",
    "R6",
    1,
    date(2026, 6, 14),
    date(2026, 6, 12),
    date(2026, 6, 12),
)
END = Deadline(contract_ref("CC-1"), "term_end", "R3", 1, DAY, DAY, DAY)


def on(day: date, *rows: Deadline, last: date | None = None) -> tuple[int, int, int]:
    missed, new, due = split_deadlines(rows, day, last)
    return len(missed), len(new), len(due)


def test_a_deadline_is_warned_of_from_its_alert_date_on_and_an_end_never() -> None:
    assert on(date(2026, 6, 11), REFUND, LETTER, END) == (0, 0, 0)
    assert on(date(2026, 6, 12), REFUND, LETTER, END) == (0, 0, 2)


@pytest.mark.parametrize(("row", "first"), [(REFUND, date(2026, 6, 16)), (LETTER, date(2026, 6, 15))])
def test_a_missed_deadline_is_escalated_in_one_digest_and_no_other(row: Deadline, first: date) -> None:
    missed = replace(row, status="missed")
    assert missed_from(missed) == first
    assert on(first, missed, last=first - timedelta(days=1)) == (1, 1, 0)
    assert on(first + timedelta(days=1), missed, last=first) == (1, 0, 0)


def test_no_digest_over_a_weekend_loses_an_escalation() -> None:
    missed = replace(LETTER, status="missed")  # at 00:00 of Monday 15 June; the last digest was Friday's
    assert on(date(2026, 6, 15), missed, last=date(2026, 6, 12)) == (1, 1, 0)


def test_the_first_digest_does_not_dig_up_the_past() -> None:
    old = replace(REFUND, status="missed")
    assert on(date(2026, 6, 20), old) == (1, 1, 0)
    assert on(date(2026, 7, 20), old) == (1, 0, 0)


def test_a_calm_day_says_so() -> None:
    calm = Digest("cyber-care", DAY, [], [], [])
    assert calm.is_calm
    assert "nothing waits" in render_text(calm)
    assert "No deadline was missed" in render_text(calm)


def test_the_text_names_what_waits_and_how_to_see_all_of_it() -> None:
    rows = [replace(REFUND, seq=n) for n in range(1, MOST_LINES + 11)]
    missed = replace(LETTER, status="missed")
    told = render_text(
        Digest(
            "cyber-care",
            DAY,
            [missed],
            [missed],
            rows,
            erasures=3,
            clock_apart_seconds=86400.0,
            stopped=["due"],
        )
    )
    assert "1 missed since the last digest, 60 to do, erasures proposed: 3, clocks apart" in told
    assert "ALARM: this machine's clock is +86400.0 s apart" in told
    assert "ALARM: due could not take some events" in told
    assert "… and 10 more" in told
    assert "coverledger due --status missed" in told


@contextmanager
def mail_server(taken: list[bytes]) -> Iterator[int]:
    """An SMTP server on loopback that takes mail."""

    class Desk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 test\r\n")
            while line := self.rfile.readline():
                if line.upper().startswith(b"DATA"):
                    self.wfile.write(b"354 go on\r\n")
                    lines = []
                    while (given := self.rfile.readline()) != b".\r\n":
                        lines.append(given)
                    taken.append(b"".join(lines))
                    self.wfile.write(b"250 taken\r\n")
                elif line.upper().startswith(b"QUIT"):
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 well\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Desk) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def using(wiring: App, **more: object) -> Settings:
    held = wiring.settings
    return Settings.load(
        home=held.home, dsn=held.dsn, migrate_dsn=held.migrate_dsn, sealer_dsn=held.sealer_dsn, **more
    )


def late_claim(wiring: App) -> None:
    """A claim whose refund was missed yesterday, and one that is due."""
    today = brussels_date(wiring.now())
    send(wiring, "StartContract", contract("CC-1", "2026-01-01"), "2026-01-01T09:00:00+01:00")
    for number, ago in (("K-missed", 20), ("K-due", 15)):
        day = today - timedelta(days=ago)
        at = f"{day.isoformat()}T12:00:00+01:00"
        victim = {"person": "P-CC-1", "name": "Ada", "relation": "policyholder", "same_roof": True}
        opened: Fields = {
            "claim": number,
            "contract": "CC-1",
            "guarantee": "payment",
            "cause": "fraud",
            "occurred_at": day.isoformat(),
            "channel": "phone",
            "victim": victim,
        }
        for name, fields in (
            ("OpenClaim", opened),
            ("CompleteSubmission", {"claim": number, "completed_at": day.isoformat()}),
        ):
            answer = send(wiring, name, fields, at)
            assert answer.status == "recorded", answer


@pytest.mark.usefixtures("clock")
def test_the_books_digest_is_mailed_and_written_once_a_day_and_names_nobody(
    wiring: App, tmp_path: Path
) -> None:
    late_claim(wiring)
    taken: list[bytes] = []
    folder = tmp_path / "digests"
    with mail_server(taken) as port:
        settings = using(
            wiring,
            digest_folder=str(folder),
            digest_mail=f"smtp://127.0.0.1:{port}/?from=ledger@example.be&to=desk@example.be",
        )
        wanted = digest_targets(settings)
        assert send_digest(wiring, wanted) == {str(folder): "sent", "mailto:desk@example.be": "sent"}
        assert send_digest(wiring, wanted) == {}
    [mailed] = [message_from_bytes(one) for one in taken]
    [file] = list(folder.iterdir())
    written = file.read_text()
    assert "refund                     claim/K-missed" in written
    assert "refund                     claim/K-due" in written
    assert "Ada" not in written
    assert mailed["To"] == "desk@example.be"
    for name in ("From", "To", "Date", "Message-ID", "Subject"):  # fault 40
        assert len(mailed.get_all(name, [])) == 1, name
    assert str(mailed["Message-ID"]).endswith("@example.be>")
    assert "missed since the last digest" in str(mailed["Subject"])


@pytest.mark.usefixtures("clock")
def test_a_place_that_is_away_gets_its_digest_later_and_keeps_no_other_waiting(
    wiring: App, tmp_path: Path
) -> None:
    settings = using(
        wiring,
        digest_folder=str(tmp_path / "digests"),
        digest_mail="smtp://127.0.0.1:9/?from=ledger@example.be&to=desk@example.be",
    )
    first = send_digest(wiring, digest_targets(settings))
    again = send_digest(wiring, digest_targets(settings))
    assert first[str(tmp_path / "digests")] == "sent"
    assert "was not taken" in first["mailto:desk@example.be"]
    assert list(again) == ["mailto:desk@example.be"]


@pytest.mark.usefixtures("clock")
def test_fault_02_a_place_that_breaks_in_a_way_nobody_foresaw_keeps_no_other_waiting(
    wiring: App, tmp_path: Path
) -> None:
    class Breaks:
        name = "breaks"

        def take(self, digest: Digest) -> None:
            raise KeyError(digest.book)

    folder = tmp_path / "digests"
    whole = digest_targets(using(wiring, digest_folder=str(folder)))
    assert send_digest(wiring, [Breaks(), *whole]) == {"breaks": "could not be sent", str(folder): "sent"}
    with wiring.pool.connection() as connection:
        [failed] = failing(connection, wiring.book)
    assert (failed.worker, failed.item, failed.error.split()[0]) == ("digest", "breaks", "KeyError")


def test_what_time_owes_takes_effect_before_the_digest_is_put_together(wiring: App) -> None:
    late_claim(wiring)
    found = compose_digest(wiring)
    assert [row.subject.number for row in found.missed_now] == ["K-missed"]
    assert [row.subject.number for row in found.due if row.kind == "refund"] == ["K-due"]
    assert timedelta(days=5) == NEAR
