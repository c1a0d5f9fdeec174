"""1,000 persons whose names and addresses are foreign, odd or hostile go through everything.

Each is refused with its reason, waits alone with its remark, or comes out right; none stops another, and no
log quotes any. All are recorded, or refused, in every run; FAULTS_FULL=1 also writes all letters and mails.
"""

import email
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from email.policy import default
from html.parser import HTMLParser
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any
from unicodedata import category, normalize
from uuid import uuid4

import icalendar
import openpyxl
import psycopg2
import pytest
from structlog.testing import capture_logs

from fixtures.database import Database
from fixtures.hostile_text import HostilePerson, hostile_persons
from fixtures.moved_clock import NOON
from fixtures.program import CommandLine, Typed
from fixtures.served import Served, serving
from fixtures.visited import visiting
from ledger.app import App
from ledger.attempts import failing
from ledger.domain.calendar import add_months, brussels_date
from ledger.domain.refusals import Invalid
from ledger.domain.registry import read_command
from ledger.mail import MailFolder, address_on_file
from projections.cancellation_requests import receive, requests
from projections.web.cancellation_mailer import LinkSender
from schedulers.letters.pdf import DOES_NOT_FIT, LACKS_CHARACTERS, TOO_MANY_MARKS, Press
from schedulers.letters.queries import letters
from schedulers.letters.worker import hand, prepare

pytestmark = [pytest.mark.test_all, pytest.mark.usefixtures("clock")]

PERSONS = 1_000
REASON = re.compile(
    r"policyholder\.(name|address|email): (must hold|must be one e-mail|String should have at least 1)"
    r"|a lone surrogate"
)
NOTO = Path("/usr/share/fonts/truetype/noto")
"""Where Debian has fonts for most scripts; without them more letters wait, and that is as right."""
LANGUAGES = ("nl", "fr", "en")
REMARKS = {LACKS_CHARACTERS, DOES_NOT_FIT, TOO_MANY_MARKS}
TODAY = brussels_date(NOON)
DUE = add_months(add_months(TODAY + timedelta(days=11), 3), -24)
"""First day of a contract whose notice must be posted within ten days."""
NOT_DUE = add_months(DUE, 6)


def started(person: HostilePerson, starts_on: date) -> dict[str, object]:
    return {
        "contract": f"CC-{person.number}",
        "product": "cyber-care",
        "starts_on": starts_on.isoformat(),
        "language": LANGUAGES[person.number % 3],
        "policyholder": {
            "person": f"P-{person.number}",
            "name": person.name,
            "address": person.address,
            "email": person.email,
        },
    }


def refusal(fields: dict[str, object]) -> str | None:
    try:
        read_command("StartContract", fields)
    except Invalid as invalid:
        return invalid.message
    return None


def spared(fields: dict[str, object]) -> Iterator[dict[str, object]]:
    """The same with each text that is refused left out, so that the others of the person go on alone."""
    holder: dict[str, Any] = dict(fields["policyholder"])  # type: ignore[call-overload]  # an object
    for name, instead in (("name", "Ada Peeters"), ("address", None), ("email", None)):
        alone = {"person": "P", "name": "Ada Peeters", name: holder[name]}
        if refusal(fields | {"policyholder": alone}) is not None:
            holder[name] = instead
    yield fields | {"policyholder": {key: value for key, value in holder.items() if value is not None}}


def as_line(fields: dict[str, object]) -> str:
    at = "2026-01-02T09:00:00+01:00"
    line = {"command_id": f"start-{fields['contract']}", "command": "StartContract", "at": at, "data": fields}
    return json.dumps(line)


def test_fault_01_02_a_thousand_persons_of_all_kinds_go_through_and_none_stops_another(  # its steps
    database: Database,
    wiring: App,
    command_line: CommandLine,
    tmp_path: Path,
    full: bool,  # noqa: FBT001  # a fixture
) -> None:
    many = PERSONS if full else 100
    persons = list(hostile_persons(PERSONS))
    asked = [started(person, DUE if person.number < many else NOT_DUE) for person in persons]
    said: list[Typed] = []

    with capture_logs() as logged, serving(wiring) as served:
        refused = refused_everywhere(served, command_line, tmp_path, asked, said)
        taken = [fields for whole in asked for fields in spared(whole)]
        file = tmp_path / "taken.jsonl"
        file.write_text("".join(f"{as_line(fields)}\n" for fields in taken), encoding="utf-8")
        said.append(command_line("import", str(file)))
        assert said[-1].exit_code == 0, said[-1].err
        wiring.seal()

        remarks = letters_of(wiring, taken[:many], tmp_path)
        mailed = mails_of(wiring, taken[:many], tmp_path / "mail")
        said += read_everywhere(served, command_line, taken[: len(taken) if full else 25], tmp_path)

    assert 100 < len(refused) < PERSONS
    assert remarks["waits"] > many / 10
    assert remarks["went"] > many / 10
    assert mailed > many / 3
    canaries = [person.canary for person in persons]
    kept = "\n".join([str(logged), *(typed.err for typed in said), server_log(database)])
    assert [canary for canary in canaries if canary in kept] == []


def refused_everywhere(
    served: Served, command_line: CommandLine, folder: Path, asked: list[dict[str, object]], said: list[Typed]
) -> set[int]:
    """What the command's own shape refuses, the import and HTTP refuse in the same words, quoting nothing."""
    wrong = {line: why for line, fields in enumerate(asked, 1) if (why := refusal(fields)) is not None}
    assert [why for why in wrong.values() if not REASON.search(why)] == []
    file = folder / "all.jsonl"
    file.write_text("".join(f"{as_line(fields)}\n" for fields in asked), encoding="utf-8")
    dry = command_line("import", str(file), "--dry-run", "--json")
    said.append(dry)
    assert dry.exit_code == 2
    told = [json.loads(line) for line in dry.out.splitlines()]
    assert {one["line"] for one in told if one["status"] == "invalid"} == set(wrong)
    for line in list(wrong)[:20]:
        answer = served.client.post(
            served.path("/commands/StartContract"),
            content=json.dumps(asked[line - 1]),
            headers=served.bearing("admin")
            | {"Idempotency-Key": f"refused-{line}", "Content-Type": "application/json"},
        )
        assert answer.status_code == 422
        assert "Kanari" not in answer.text
        assert REASON.search(answer.json()["detail"]), answer.text
    return set(wrong)


def letters_of(wiring: App, taken: Sequence[dict[str, object]], folder: Path) -> Counter[str]:
    """Each letter goes out with the name that was given, or waits with its remark."""
    del folder
    press = Press(NOTO if NOTO.is_dir() else None)
    prepared = prepare(wiring, press)
    assert hand(wiring) == prepared
    with wiring.pool.connection() as connection:
        known = {letter.contract: letter for letter in letters(connection, wiring.book)}
        failed = {one.item: one for one in failing(connection, wiring.book)}
    outbox = wiring.settings.letters_folder / "outbox"
    files = {file.stem: file for file in outbox.glob("*/*.pdf")}
    came: Counter[str] = Counter()
    for fields in taken:
        letter = known[str(fields["contract"])]
        holder: dict[str, str] = fields["policyholder"]  # type: ignore[assignment]  # an object
        if "address" not in holder:
            assert (letter.status, failed.get(letter.reference)) == ("wanted", None)
            assert str(letter.told).startswith("no address on file")
            came["no address"] += 1
        elif letter.status == "wanted":
            assert letter.told in REMARKS, letter.told
            assert failed[letter.reference].is_parked
            came["waits"] += 1
        else:
            assert letter.status == "handed_over"
            assert holds(printed(files[letter.reference]), holder["name"]), ascii(holder["name"])
            came["went"] += 1
    return came


def printed(file: Path) -> str:
    import pypdf  # noqa: PLC0415  # only here

    return "\n".join(page.extract_text() for page in pypdf.PdfReader(file).pages)


def holds(text: str, name: str) -> bool:
    """Whether a text holds a name, whatever its lines and forms, and in whichever order it was drawn."""
    wanted, found = _bare(name), _bare(text)
    if wanted in found:
        return True
    if any(category(character) == "Mn" for character in wanted) and _once(wanted) in _once(found):
        return True
    # Right to left, a reader of PDF gives what stands on the page in its order there: the same letters.
    return _is_rtl(wanted) and not Counter(wanted) - Counter(found)


def _bare(text: str) -> str:
    kept = (
        c for c in normalize("NFKC", text) if category(c) not in {"Cf", "Zs", "Cc", "Cn"} and c != "\u034f"
    )
    return normalize("NFC", "".join(c for c in kept if not "\ufe00" <= c <= "\ufe0f" and c != "-"))


def _once(text: str) -> str:
    """The letters alone, each run of one once: a reader gives a letter again for each mark on it."""
    letters = (c for c in normalize("NFD", text) if category(c) not in {"Mn", "Me"})
    return "".join(letter for letter, _ in groupby(letters))


def _is_rtl(text: str) -> bool:
    return bool(re.search(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]", text))


def mails_of(wiring: App, taken: Sequence[dict[str, object]], folder: Path) -> int:
    """Each link is mailed to the one address that was given."""
    wanted = {}
    for fields in taken:
        holder: dict[str, str] = fields["policyholder"]  # type: ignore[assignment]  # an object
        number = str(fields["contract"])
        with wiring.pool.connection() as connection:
            receive(connection, wiring.book, uuid4(), number.lower().replace("-", " "), wiring.now())
        if "email" in holder:
            wanted[number] = str(address_on_file(holder["email"]))
    assert LinkSender(wiring, MailFolder(folder), "https://ledger.example").send_waiting() == len(wanted)
    with wiring.pool.connection() as connection:
        known = requests(connection, wiring.book, limit=10_000)
    told = {request.request: request.contract for request in known}
    assert {request.contract for request in known} == {str(fields["contract"]) for fields in taken}
    for file in folder.iterdir():
        mail = email.message_from_string(file.read_text(encoding="utf-8"), policy=default)
        assert mail.defects == []
        contract = told[file.stem.removeprefix("cancellation-")]
        assert [str(address) for address in mail["To"].addresses] == [wanted.pop(str(contract))]
        assert [mail[name] is not None for name in ("From", "Date", "Message-ID", "Subject")] == [True] * 4
        assert (mail["Cc"], mail["Bcc"]) == (None, None)
    assert wanted == {}
    return len(list(folder.iterdir()))


def read_everywhere(
    served: Served, command_line: CommandLine, taken: Sequence[dict[str, object]], folder: Path
) -> list[Typed]:
    """Names open where somebody asks for them, and stand in no list, sheet or calendar."""
    served.wiring.catch_up()
    calendar = served.client.get(served.path("/due.ics"), params={"token": served_calendar(served)})
    assert calendar.status_code == 200
    assert icalendar.Calendar.from_ical(calendar.text) is not None
    lists = [
        calendar.text,
        *(served.get(path).text for path in ("/contracts.csv", "/due.csv", "/limits.csv")),
    ]
    sheet = openpyxl.load_workbook(BytesIO(served.get("/contracts.xlsx").content), read_only=True)
    lists += [str(row) for row in sheet.worksheets[0].iter_rows(values_only=True)]
    assert "Kanari" not in "".join(lists)

    with visiting(served, "admin") as visitor:
        for fields in taken:
            holder: dict[str, str] = fields["policyholder"]  # type: ignore[assignment]  # an object
            number = str(fields["contract"])
            shut = visitor.get(f"/contracts/{number}").text
            assert "Kanari" not in shut
            csrf = re.search(r'name="csrf" value="([^"]+)"', shut)
            assert csrf
            page = visitor.post(f"/contracts/{number}/names", {"csrf": csrf[1], "reason": "a test"})
            assert " ".join(holder["name"].split()) in words_of(page.text), ascii(holder["name"])
            assert tags_of(page.text)["script"] == tags_of(shut)["script"]
    said = []
    for fields in taken[:10]:
        exported = command_line("subject", "export", f"P-{str(fields['contract'])[3:]}", "--reason", "a test")
        said.append(Typed(exported.exit_code, "", exported.err))
        holder = fields["policyholder"]  # type: ignore[assignment]  # an object
        assert json.dumps(holder["name"], ensure_ascii=False)[1:-1] in exported.out or (
            json.dumps(holder["name"])[1:-1] in exported.out
        )
    del folder
    return said


def served_calendar(served: Served) -> str:
    return served.bearing("calendar")["Authorization"].removeprefix("Bearer ")


class _Words(HTMLParser):
    """The words of a page, and how many of each element there are."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.tags: Counter[str] = Counter()

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags[tag] += 1


def _read(html: str) -> _Words:
    words = _Words()
    words.feed(html)
    return words


def words_of(html: str) -> str:
    return " ".join("".join(_read(html).words).split())


def tags_of(html: str) -> Counter[str]:
    return _read(html).tags


def server_log(database: Database) -> str:
    """What the database's server has logged, where its folder is ours to read."""
    with closed(database.superuser_dsn) as connection, connection.cursor() as cursor:
        cursor.execute("show data_directory")
        [(folder,)] = cursor.fetchall()
    log = Path(folder).parent / "server.log"
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


@contextmanager
def closed(dsn: str) -> Iterator[Any]:
    connection = psycopg2.connect(dsn)
    try:
        yield connection
    finally:
        connection.close()
