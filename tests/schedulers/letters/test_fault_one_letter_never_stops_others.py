"""Row 1: a letter that cannot be written or handed over waits alone, with a remark; the others go."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pypdf
import pytest
from letter_desk import PRESS, all_letters, fetched, start_due_in, today, with_settings
from structlog.testing import capture_logs

from fixtures.desk import send
from fixtures.program import CommandLine
from fixtures.small_font import small_font
from ledger.app import App
from ledger.attempts import failing, replay
from schedulers.digest import compose_digest
from schedulers.digest import render_text as digest_text
from schedulers.letters.config import store_of
from schedulers.letters.pdf import DOES_NOT_FIT, LACKS_CHARACTERS, TOO_MANY_MARKS, Press
from schedulers.letters.queries import Letter
from schedulers.letters.worker import hand, prepare

ADDRESS = "Rue Haute 2\n1000 Bruxelles"
CANARY = "Kanarienvogel"
HAN = "王小明"


def holder(number: str, name: str, address: str = ADDRESS) -> dict[str, object]:
    return {"policyholder": {"person": f"P-{number}", "name": name, "address": address}}


def by_contract(wiring: App) -> dict[str, Letter]:
    return {letter.contract: letter for letter in all_letters(wiring.pool, wiring.book)}


ODD: dict[str, tuple[str, str, str]] = {
    "CC-han": (f"{CANARY} {HAN}", ADDRESS, LACKS_CHARACTERS),
    "CC-street": (CANARY, f"{HAN} 1\n1000 Bruxelles", LACKS_CHARACTERS),
    "CC-emoji": (f"{CANARY} \N{WOMAN}\u200d\N{WOMAN}", ADDRESS, LACKS_CHARACTERS),
    "CC-private": (f"{CANARY} \ue000", ADDRESS, LACKS_CHARACTERS),
    "CC-marks": (f"{CANARY}{chr(0x301) * 12}", ADDRESS, TOO_MANY_MARKS),
    "CC-lines": (CANARY, "\n".join(f"Line {line}" for line in range(20)), DOES_NOT_FIT),
    "CC-long": (f"{CANARY} " * 300, ADDRESS, DOES_NOT_FIT),
}
"""Contract: name, address, and the remark that its letter waits with."""


def test_fault_01_what_cannot_be_set_waits_alone_with_its_remark_and_the_others_go(
    wiring: App, command_line: CommandLine
) -> None:
    for number, (name, address, _) in ODD.items():
        start_due_in(wiring, number, days=10, **holder(number, name, address))
    start_due_in(wiring, "CC-plain", days=10)
    with capture_logs() as logged:
        assert (prepare(wiring, PRESS), hand(wiring)) == (1, 1)
        digest = digest_text(compose_digest(wiring))
        assert (prepare(wiring, PRESS), hand(wiring)) == (0, 0)
    assert [line["event"] for line in logged] == ["item_failed"] * len(ODD)
    assert CANARY not in str(logged)
    assert HAN not in str(logged)

    letters = by_contract(wiring)
    assert letters.pop("CC-plain").status == "handed_over"
    remarks = {number: remark for number, (_, _, remark) in ODD.items()}
    assert {number: letter.told for number, letter in letters.items()} == remarks
    assert {letter.status for letter in letters.values()} == {"wanted"}
    with wiring.pool.connection() as connection:
        parked = {one.item: one.error for one in failing(connection, wiring.book) if one.is_parked}
    assert parked == {letter.reference: letter.told for letter in letters.values()}
    assert all(f"{letter.about.name}: {letter.told}" in digest for letter in letters.values())
    listed = command_line("letters", "list", "--status", "wanted", "--json").json
    assert {letter["contract"]: letter["told"] for letter in listed} == remarks

    for number in ODD:
        fields = {"contract": number, "person": f"P-{number}", "name": "Wang Xiaoming", "address": ADDRESS}
        assert send(wiring, "CorrectPerson", fields).status == "recorded"
    assert (prepare(wiring, PRESS), hand(wiring)) == (len(ODD), len(ODD))
    with wiring.pool.connection() as connection:
        assert failing(connection, wiring.book) == []


def test_fault_01_with_a_folder_of_fonts_that_have_it_the_letter_goes_out(
    wiring: App, tmp_path: Path
) -> None:
    start_due_in(wiring, "CC-han", days=10, **holder("CC-han", HAN))
    assert prepare(wiring, PRESS) == 0
    fonts = Press(small_font(tmp_path / "fonts", HAN))
    assert prepare(wiring, fonts) == 0  # Parked: nothing tries it by itself.
    with wiring.pool.connection() as connection:
        assert replay(connection, wiring.book, worker="letters") == 1
    assert (prepare(wiring, fonts), hand(wiring)) == (1, 1)
    [file] = wiring.settings.letters_folder.glob("outbox/*/*.pdf")
    assert HAN in pypdf.PdfReader(io.BytesIO(file.read_bytes())).pages[0].extract_text()


def test_fault_01_the_setting_names_the_folder_of_fonts(
    wiring: App, command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_due_in(wiring, "CC-han", days=10, **holder("CC-han", HAN))
    waiting = command_line("letters", "prepare", "--json").json["waiting"]
    assert [letter["told"] for letter in waiting] == [LACKS_CHARACTERS]
    monkeypatch.setenv("COVERLEDGER_LETTERS_FONTS", str(small_font(tmp_path / "fonts", HAN)))
    assert command_line("letters", "prepare", "--json").json == {"prepared": 1, "waiting": []}
    monkeypatch.setenv("COVERLEDGER_LETTERS_FONTS", str(tmp_path / "none"))
    ended = command_line("letters", "prepare")
    assert (ended.exit_code, ended.err.count("\n")) == (2, 1)
    assert "COVERLEDGER_LETTERS_FONTS: there is no folder" in ended.err


def test_fault_01_a_file_that_cannot_be_written_keeps_no_other_letter_waiting(wiring: App) -> None:
    start_due_in(wiring, "CC-1", days=10)
    start_due_in(wiring, "CC-2", days=10, **holder("CC-2", "Ada Peeters"))
    prepare(wiring, PRESS)
    store = store_of(wiring)
    digest = by_contract(wiring)["CC-1"].digest
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("update schedulers.letters set status = 'wanted', sha256 = null")
    for written in (digest, by_contract_digest(wiring, "CC-2") or digest):
        store.path(written).unlink(missing_ok=True)
    in_the_way = store.path(digest).parent
    in_the_way.rmdir()
    in_the_way.write_text("no folder")

    prepare(wiring, PRESS)
    letters = by_contract(wiring)
    assert (letters["CC-1"].status, letters["CC-2"].status) == ("wanted", "prepared")
    assert "Error in" in str(letters["CC-1"].told)
    in_the_way.unlink()
    let_time_pass(wiring)
    prepare(wiring, PRESS)
    assert (by_contract(wiring)["CC-1"].status, by_contract(wiring)["CC-1"].told) == ("prepared", None)


def by_contract_digest(wiring: App, number: str) -> str | None:
    return by_contract(wiring)[number].sha256


def let_time_pass(wiring: App) -> None:
    """Bring each next try forward to now."""
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("update ledger.attempts set next_at = clock_timestamp() where next_at is not null")


def test_fault_01_a_file_that_was_altered_keeps_no_other_letter_from_being_handed_over(
    wiring: App,
) -> None:
    start_due_in(wiring, "CC-1", days=10)
    start_due_in(wiring, "CC-2", days=10, **holder("CC-2", "Ada Peeters"))
    prepare(wiring, PRESS)
    path = store_of(wiring).path(by_contract(wiring)["CC-1"].digest)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))

    assert hand(wiring) == 1
    letters = by_contract(wiring)
    assert (letters["CC-1"].status, letters["CC-2"].status) == ("prepared", "handed_over")
    assert "was altered" in str(letters["CC-1"].told)
    path.write_bytes(whole)
    let_time_pass(wiring)
    assert hand(wiring) == 1
    assert by_contract(wiring)["CC-1"].told is None


@contextmanager
def picky_carrier(dislikes: str) -> Iterator[str]:
    """A carrier that refuses one letter, and quotes the addressee as it does."""

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            refused = self.headers["Idempotency-Key"] == dislikes
            self.send_response(422 if refused else 202)
            self.end_headers()
            self.wfile.write(f"no such person: {CANARY}".encode() if refused else b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's own
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/letters"
        finally:
            server.shutdown()
            thread.join(10)


def test_fault_01_a_letter_that_the_carrier_refuses_is_counted_and_the_others_go(
    wiring: App,
) -> None:
    start_due_in(wiring, "CC-1", days=10, **holder("CC-1", CANARY))
    start_due_in(wiring, "CC-2", days=10)
    prepare(wiring, PRESS)
    with picky_carrier(by_contract(wiring)["CC-1"].reference) as url:
        other = with_settings(wiring, letters_carrier=url)
        with capture_logs() as logged:
            assert (hand(other), hand(other)) == (1, 0)
        other.close()
    assert CANARY not in str(logged)
    letters = by_contract(wiring)
    assert (letters["CC-1"].status, letters["CC-2"].status) == ("staged", "handed_over")
    assert letters["CC-1"].told == f"{url} answered 422"
    with wiring.pool.connection() as connection:
        [failed] = failing(connection, wiring.book)
    assert (failed.tries, failed.is_parked) == (1, False)


def test_fault_01_a_carrier_that_is_away_is_no_letters_fault(wiring: App) -> None:
    start_due_in(wiring, "CC-1", days=10)
    prepare(wiring, PRESS)
    (wiring.settings.letters_folder / "outbox").write_text("no folder")
    assert hand(wiring) == 0
    with wiring.pool.connection() as connection:
        assert [(failed.worker, failed.item) for failed in failing(connection, wiring.book)] == [
            ("carrier", "folder")
        ]
    (wiring.settings.letters_folder / "outbox").unlink()
    assert hand(wiring) == 1  # At once: the carrier is asked at every look.
    with wiring.pool.connection() as connection:
        assert failing(connection, wiring.book) == []
    assert len(fetched(wiring.settings.letters_folder / "outbox")) == 1


def test_fault_01_the_text_of_an_answer_that_cannot_be_set_is_told_in_one_line(
    wiring: App, command_line: CommandLine, tmp_path: Path
) -> None:
    start_due_in(wiring, "CC-1", days=200)
    day = today(wiring).isoformat()
    complaint = {"complaint": "X-1", "contract": "CC-1", "received_on": day, "subject": "Slow"}
    send(wiring, "LodgeComplaint", complaint)
    send(wiring, "AnswerComplaint", {"complaint": "X-1", "on": day})
    prepare(wiring, PRESS)
    [waiting] = [
        letter for letter in all_letters(wiring.pool, wiring.book) if letter.kind == "complaint_answer"
    ]
    text = tmp_path / "answer.txt"
    text.write_text(f"{CANARY} {HAN}", encoding="utf-8")
    ended = command_line("letters", "answer", waiting.reference, "--text", str(text))
    assert (ended.exit_code, ended.err.count("\n")) == (1, 1)
    assert LACKS_CHARACTERS in ended.err
    assert CANARY not in ended.err
    text.write_text("Wij betreuren dit.")
    assert command_line("letters", "answer", waiting.reference, "--text", str(text)).exit_code == 0
