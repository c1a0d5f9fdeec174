"""`letters` as typed: each command says what it did, and what is wrong in one line."""

from dataclasses import replace
from pathlib import Path

import pytest
from letter_desk import all_letters, start_due_in, today

from fixtures.desk import send
from fixtures.program import CommandLine
from ledger.app import App
from ledger.domain.calendar import is_working_day, roll_back
from schedulers.digest import compose_digest, render_text
from schedulers.letters.queries import list_page


@pytest.fixture
def typed(wiring: App, command_line: CommandLine) -> CommandLine:
    """A book with two notices due, one of them without an address."""
    start_due_in(wiring, "CC-1", days=10)
    start_due_in(wiring, "CC-2", days=10, policyholder={"person": "P-CC-2", "name": "Ada Peeters"})
    return command_line


def test_a_letter_is_prepared_opened_handed_over_and_confirmed(
    wiring: App, typed: CommandLine, tmp_path: Path
) -> None:
    prepared = typed("letters", "prepare", "--json").json
    assert prepared["prepared"] == 1
    assert [letter["contract"] for letter in prepared["waiting"]] == ["CC-2"]
    [letter] = [row for row in typed("letters", "list", "--json").json if row["status"] == "prepared"]

    file = tmp_path / "letter.pdf"
    opened = typed("letters", "open", letter["letter"], "--output", str(file), "--reason", "a look")
    assert (opened.exit_code, file.read_bytes()[:5]) == (0, b"%PDF-")
    assert typed("letters", "hand-over", "--json").json == {"handed_over": 1}
    assert "handed over" in typed("letters", "list").out

    day = today(wiring).isoformat()
    confirmations = tmp_path / "confirmations.csv"
    confirmations.write_text(f"reference,posted_on,tracking\n{letter['letter']},{day},RR1BE\n")
    confirmed = typed("letters", "confirm", "--file", str(confirmations), "--json").json_lines
    assert [answer["status"] for answer in confirmed] == ["recorded"]
    shown = typed("contract", "show", "CC-1", "--json").json
    assert shown["status"] == "termination_notified"
    [posted] = typed("letters", "list", "--status", "posted", "--json").json
    assert (posted["posted_on"], posted["tracking"]) == (day, "RR1BE")
    logged = [row["what"] for row in typed("subject", "log", "P-CC-1", "--json").json]
    assert logged == ["letters", "letters open", "letters hand-over"]


def test_a_person_is_given_their_letters_with_all_that_is_held_on_them(typed: CommandLine) -> None:
    typed("letters", "prepare")
    why = ("--reason", "right of access, letter 4712")
    (hers,) = typed("subject", "export", "P-CC-1", *why).json["letters"]
    (listed,) = typed("letters", "list", "--contract", "CC-1", "--json").json
    assert {name: hers[name] for name in listed} == listed
    assert hers["facts"]["ends_on"]
    (waiting,) = typed("subject", "export", "P-CC-2", *why).json["letters"]
    assert (waiting["contract"], waiting["status"], waiting["sha256"]) == ("CC-2", "wanted", None)


def test_the_answer_to_a_complaint_is_written_with_its_text(
    wiring: App, typed: CommandLine, tmp_path: Path
) -> None:
    day = today(wiring).isoformat()
    complaint = {"complaint": "X-1", "contract": "CC-1", "received_on": day, "subject": "Slow"}
    send(wiring, "LodgeComplaint", complaint)
    send(wiring, "AnswerComplaint", {"complaint": "X-1", "on": day})
    typed("letters", "prepare")
    [waiting] = [
        letter for letter in all_letters(wiring.pool, wiring.book) if letter.kind == "complaint_answer"
    ]
    text = tmp_path / "answer.txt"
    text.write_text("Wij betreuren dit.")
    assert typed("letters", "answer", waiting.reference, "--text", str(text)).exit_code == 0
    again = typed("letters", "answer", waiting.reference, "--no-text")
    assert (again.exit_code, "is prepared already" in again.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("letters", "confirm"), 2, "Name one letter, or give a --file."),
        (("letters", "confirm", "L-NONE"), 2, "Say what the post says"),
        (("letters", "confirm", "L-NONE", "--posted-on", "2026-06-01"), 1, "There is no letter 'L-NONE'"),
        (("letters", "open", "L-NONE", "--reason", "a look"), 1, "There is no letter 'L-NONE'"),
        (("letters", "answer", "L-NONE", "--no-text"), 1, "is no answer to a complaint"),
        (("letters", "answer", "L-NONE"), 2, "Give the answer's --text FILE, or --no-text."),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    command_line: CommandLine, words: tuple[str, ...], code: int, said: str
) -> None:
    ended = command_line(*words)
    assert (ended.exit_code, ended.err.count("\n"), ended.out) == (code, 1, "")
    assert said in ended.err


def test_a_carriers_file_that_cannot_be_read_changes_nothing(typed: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "confirmations.csv"
    for content, said in (
        ("who,when\na,b\n", "Its columns are reference, posted_on, tracking, returned_on"),
        (
            "reference,posted_on\nL-1,yesterday\n,2026-06-01\nL-2,\n",
            "line 2: 'yesterday' must be a date like 2025-03-01",
        ),
    ):
        file.write_text(content)
        ended = typed("letters", "confirm", "--file", str(file))
        assert (ended.exit_code, ended.err.count("\n")) == (2, 1)
        assert said in ended.err


@pytest.mark.parametrize(
    "written",
    [
        "reference;posted_on;tracking\r\n{letter};{day:%d/%m/%Y};RR1BE\r\n",
        "\ufeffreference\tposted_on\ttracking\n{letter}\t{day.day}-{day.month}-{day.year}\tRR1BE\n",
        '"reference","returned_on","posted_on","tracking"\n\n"{letter}","","{day:%d.%m.%Y}"," RR1BE "\n',
    ],
)
def test_fault_39_a_carriers_file_is_read_as_import_reads_csv(
    wiring: App, typed: CommandLine, tmp_path: Path, written: str
) -> None:
    typed("letters", "prepare")
    [letter] = [row for row in typed("letters", "list", "--json").json if row["status"] == "prepared"]
    file, day = tmp_path / "confirmations.csv", today(wiring)
    file.write_bytes(written.format(letter=letter["letter"], day=day).encode())
    [answer] = typed("letters", "confirm", "--file", str(file), "--json").json_lines
    assert answer["status"] == "recorded"
    [posted] = typed("letters", "list", "--status", "posted", "--json").json
    assert (posted["posted_on"], posted["tracking"]) == (day.isoformat(), "RR1BE")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"reference;posted_on\nL-1;13/25/2026\n", "line 2: '13/25/2026' is no day of the calendar"),
        (b"reference;posted_on\nL-1;2026-02-30\n", "line 2: '2026-02-30' is no day of the calendar"),
        (b"reference;posted_on\nL-1;1/2/0001\n", "line 2: '1/2/0001' lies outside the years 1900 to 2199"),
        (b"reference;posted_on\nL-1;1;2\n", "line 2: has 3 cells where the header has 2 columns"),
        (b"reference;posted_on\nL-1;\xff\n", "line 2: is not UTF-8 text"),
        (b"reference;posted_on\nL-1;\x00\n", "line 2: holds NUL bytes"),
        (b'reference;posted_on\n"L-1;2026-02-03\n', "line 2: is no CSV row"),
        (b"posted_on\n2026-02-03\n", "line 1: is no CSV header: it lacks reference"),
    ],
)
def test_fault_39_what_import_would_not_read_is_told_in_the_same_words(
    command_line: CommandLine, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "confirmations.csv"
    file.write_bytes(content)
    ended = command_line("letters", "confirm", "--file", str(file))
    assert (ended.exit_code, ended.err.count("\n"), ended.out) == (2, 1, "")
    assert said in ended.err


def test_fault_23_post_by_is_a_working_day_in_the_list_and_the_digest(
    wiring: App, command_line: CommandLine
) -> None:
    day = today(wiring)
    days = {"CC-1": 10, "CC-2": 11, "CC-3": 12, "CC-4": 13, "CC-5": 14, "CC-6": 15, "CC-7": 16}
    raw = {number: start_due_in(wiring, number, in_days) for number, in_days in days.items()}
    assert not all(is_working_day(last) for last in raw.values())
    command_line("letters", "prepare")
    command_line("letters", "hand-over")
    wanted = {number: roll_back(last).isoformat() for number, last in raw.items()}
    listed = command_line("letters", "list", "--json").json
    assert {letter["contract"]: letter["post_by"] for letter in listed} == wanted
    shown_rows = list_page(wiring, {"status": "handed_over"})["rows"]
    assert {row["contract"]: row["post_by"] for row in shown_rows} == wanted  # type: ignore[attr-defined]  # rows
    table = command_line("letters", "list").out
    assert all(last in table for last in wanted.values())
    digest = render_text(
        replace(compose_digest(wiring), letters_unconfirmed=all_letters(wiring.pool, wiring.book), day=day)
    )
    assert all(f"contract/{number}, to be posted by {last}" in digest for number, last in wanted.items())


def test_a_simulated_books_letters_go_to_nobody(simulated: App, command_line: CommandLine) -> None:
    start_due_in(simulated, "CC-1", days=10)
    refused = command_line("letters", "hand-over", "--book", simulated.book)
    assert (refused.exit_code, "is simulated" in refused.err) == (1, True)


def test_letters_that_are_not_there_are_said_kindly(command_line: CommandLine) -> None:
    assert "no letter" in command_line("letters", "list").err
