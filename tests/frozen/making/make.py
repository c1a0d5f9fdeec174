"""Made the frozen ledger; kept to say how. It speaks the program of the commit that made it, and is not run again.

    .venv/bin/python tests/frozen/making/make.py FOLDER

Two books live from 2 November to 1 December 2026 on a clock that the maker sets. What Postgres fills in by
itself (column defaults) bears the day of the making, 30 November 2026.
"""

import asyncio
import io
import json
import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2

sys.path.insert(0, str(Path(__file__).parents[2]))

from fastapi.testclient import TestClient

from fixtures.desk import claim, contract
from frozen.opening import NAME, PRESENT, REAL, SIMULATED, admit_logins, create_database, Frozen
from frozen.running import environment, typed
from frozen.standing_clock import SCHEMA, StandingClock
from ledger.backup.dump import Tools
from ledger.domain.calendar import add_months
from ledger.domain.calendar import last_timely_letter
from ledger.postgres import EmbeddedPostgres
from ledger.webhooks.dispatcher import Dispatcher, DispatchSettings
from ledger.http.app import create_app
from ledger.migrate import migrate
from ledger.auth.tokens import LINK_LASTS, Tokens
from ledger.config import Settings
from ledger.app import opened
from projections.views.registry import VIEWS
from projections.runner.follower import ViewFollower
from projections.web.cancellation_mailer import LinkSender

SAMPLE = Path(__file__).parents[3] / "src/ledger/samples/book.jsonl"
LAST_SALE = date(2026, 6, 30)


def day(text: str, hour: int = 9) -> datetime:
    return datetime.fromisoformat(f"{text}T{hour:02}:00:00+00:00")


def does(*words: str, code: int = 0, stdin: bytes = b"") -> str:
    """Run one command line that must end so; what it printed."""
    ended = typed(*words, stdin=stdin)
    assert ended.code == code, (words, ended)
    print("  ", *words[:3], file=sys.stderr)
    return ended.out


def reads(*words: str, stdin: bytes = b"") -> Any:
    return json.loads(does(*words, "--json", stdin=stdin))


@dataclass
class Sent:
    """Commands that were sent, with their first answers."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def lines(self, book: str, lines: Sequence[dict[str, Any]], *words: str) -> None:
        """Import lines; each answer is kept."""
        typed_lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        ended = typed("import", "-", "--book", book, "--json", *words, stdin=typed_lines.encode())
        assert ended.code in {0, 1}, ended
        answers = {}
        for text in ended.out.splitlines():
            told = json.loads(text)
            if "command_id" in told:
                answers[told["command_id"]] = told
        for line in lines:
            self.rows.append({"book": book, "line": line, "answer": answers[line["command_id"]]})


def lines(*commands: tuple[str, str, dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    """Lines of an import: name, day, fields."""
    made = [
        {
            "command": name,
            "at": f"{on}T{10 + number // 50:02}:{number % 50:02}:00+01:00",
            "actor": "desk-17",
            "data": data,
            "command_id": f"{prefix}-{number:03}",
        }
        for number, (name, on, data) in enumerate(commands)
    ]
    return sorted(made, key=lambda line: str(line["at"]))


def starts_with_letter_due(last_timely_on: date) -> str:
    """Give the start of a contract whose termination letter can be posted until about this day."""
    ends_on = add_months(last_timely_on + timedelta(days=1), 3)
    years = 1
    while add_months(ends_on, -12 * years) > LAST_SALE:
        years += 1
    assert last_timely_letter(ends_on, 3)
    return add_months(ends_on, -12 * years).isoformat()


def person(number: str, name: str, **more: str) -> dict[str, Any]:
    return {"policyholder": {"person": f"P-{number}", "name": name} | more}


ADDRESS = "Rue de l'Église 7\n4000 Liège"


def first_year() -> list[dict[str, Any]]:
    """What the real book brought with it."""
    from ledger_acquaintances import ACTS  # the maker puts its folder on the path

    return lines(*ACTS, prefix="old") + lines(
        ("StartContract", "2026-03-01", contract("A/1.json", "2026-02-01")),
        (
            "StartContract",
            "2026-03-01",
            contract(
                "CC-é 9",
                "2025-05-31",
                language="fr",
                **person("CC-9", "Zoë Ünal-Désiré", email="zoe@example.org"),
            ),
        ),
        ("OpenClaim", "2026-03-02", claim("K/é 3", "A/1.json", "2026-02-15")),
        ("OpenClaim", "2026-03-02", claim("K-none", "NONE", "2026-02-15")),  # refused
        ("IssueRefund", "2026-03-02", {"claim": "K/é 3", "payment_reference": "PAY-X"}),  # refused
        ("RecordRecovery", "2026-03-10", {"claim": "K-1", "amount_cents": 20_000, "payer": "card_issuer"}),
        (
            "StartContract",
            "2026-03-11",
            contract(
                "GONE-1", "2026-01-01", **person("GONE-1", "Greet Weggegaan", email="greet@example.org")
            ),
        ),
        ("GiveNotice", "2026-03-12", {"contract": "CC-2", "received_on": "2026-03-12", "channel": "email"}),
        prefix="spring",
    )


def letters_book() -> list[dict[str, Any]]:
    made = []
    for number, days, language, more in (
        ("L-1", 10, "nl", {"address": ADDRESS}),
        ("L-2", 12, "fr", {"address": ADDRESS}),
        ("L-3", 28, "en", {"address": ADDRESS}),
        ("L-4", 15, "nl", {}),
        ("L-5", 14, "fr", {"address": ADDRESS}),
    ):
        starts_on = starts_with_letter_due(date(2026, 11, 20) + timedelta(days=days))
        fields = contract(
            number, starts_on, language=language, **person(number, f"Mila Brief-{number}", **more)
        )
        made.append(("StartContract", "2026-03-20", fields))
    return lines(*made, prefix="letters")


def submits(
    book: str, command_id: str, name: str, data: dict[str, Any], sent: Sent | None, *words: str
) -> Any:
    ended = typed("submit", name, json.dumps(data), "--id", command_id, "--book", book, "--json", *words)
    answer = json.loads(ended.out)
    assert ended.code in {0, 1}, ended
    if sent is not None:
        sent.rows.append(
            {
                "book": book,
                "line": {"command": name, "data": data, "command_id": command_id},
                "words": list(words),
                "answer": answer,
            }
        )
    return answer


class Maker:
    def __init__(self, frozen: Frozen, clock: StandingClock, work: Path, out: Path) -> None:
        self.frozen, self.clock, self.work, self.out = frozen, clock, work, out
        self.sent = Sent()
        self.keys: dict[str, dict[str, str]] = {REAL: {}, SIMULATED: {}}
        self.tokens: dict[str, dict[str, str]] = {REAL: {}, SIMULATED: {}}

    def head(self, moment: str) -> None:
        for book in (REAL, SIMULATED):
            (self.out / "heads" / f"{book}.{moment}.checkpoint").write_text(
                does("checkpoint", "--book", book)
            )

    def proof(self, moment: str, book: str, number: str, name: str) -> None:
        does(
            "proof",
            number,
            "--book",
            book,
            "--out",
            str(self.out / "proofs" / f"{book}.{moment}.{name}.json"),
        )

    def caught_up(self) -> None:
        for book in (REAL, SIMULATED):
            does("projections", "list", "--book", book)
            with opened(book) as wiring:
                wiring.catch_up()

    def live(self) -> None:
        clock = self.clock
        clock.set(day("2026-11-02"))
        reads("init")
        reads("init", "--simulated", "--book", SIMULATED)
        sample = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
        self.sent.lines(SIMULATED, sample, "--until", "2026-03-01")
        self.sent.lines(REAL, first_year())
        self.sent.lines(REAL, letters_book())
        does("deadlines", "sweep")
        self.caught_up()
        for book in (REAL, SIMULATED):
            self.keys[book]["before_rotation"] = reads("checkpoint", "--vkey", "--book", book)["verifier_key"]
        self.head("1-at-first")

        clock.set(day("2026-11-04"))
        submits(
            SIMULATED,
            "sim-1",
            "LodgeComplaint",
            {
                "complaint": "X-7",
                "contract": "CC-7-00062",
                "received_on": "2026-03-02",
                "subject": "Nobody calls me back",
            },
            self.sent,
            "--at",
            "2026-03-02T09:00:00+01:00",
        )
        submits(
            SIMULATED,
            "sim-2",
            "AcknowledgeComplaint",
            {"complaint": "X-7", "on": "2026-03-04"},
            self.sent,
            "--at",
            "2026-03-04T09:00:00+01:00",
        )
        submits(
            SIMULATED,
            "sim-3",
            "RecordRecovery",
            {"claim": "CL-7-00037-0", "amount_cents": 5_000, "payer": "card_issuer"},
            self.sent,
        )
        submits(SIMULATED, "sim-4", "IssueRefund", {"claim": "CL-none", "payment_reference": "P"}, self.sent)
        does("subject", "erase", "P-7-00108", "--reason", "asked for it", "--book", SIMULATED)
        does(
            "contract",
            "start",
            "CC-20",
            "--starts-on",
            "2026-06-01",
            "--concluded-on",
            "2026-05-28",
            "--at",
            "2026-06-01T09:00:00+02:00",
            "--person",
            "P-CC-20",
            "--name",
            "Iñaki Østergård",
            "--id",
            "cli-1",
        )
        for number, (name, fields) in enumerate(
            (
                ("OpenClaim", claim("K-20", "CC-20", "2026-10-30T14:00:00+01:00")),
                ("IdentifyClaimant", {"claim": "K-20", "method": "callback"}),
                ("GiveAdvice", {"claim": "K-20", "topics": ["change_passwords"]}),
                ("CompleteSubmission", {"claim": "K-20", "completed_at": "2026-11-03"}),
                ("AcceptClaim", {"claim": "K-20", "loss_cents": 48_000}),
                ("AcceptClaim", {"claim": "K-20", "loss_cents": 48_000}),
                ("OpenClaim", claim("K-21", "CC-20", "2026-11-01T14:00:00+01:00")),
                (
                    "LodgeComplaint",
                    {"complaint": "X-2", "contract": "L-2", "received_on": "2026-11-03", "subject": "Late"},
                ),
            )
        ):
            submits(REAL, f"desk-{number}", name, fields, self.sent)
        for book in (REAL, SIMULATED):
            for role in ("admin", "auditor", "back_office", "importer", "subscriber", "monitor", "calendar"):
                self.tokens[book][role] = reads(
                    "token", "create", "--role", role, "--name", f"{role}-1", "--book", book
                )["token"]
        gone = reads("token", "create", "--role", "auditor", "--name", "left", "--days", "30")
        does("token", "revoke", gone["id"])
        self.http_commands()
        self.subscribe()
        does("checkpoint", "--send")
        self.proof("2-before-rotation", REAL, "CC-1", "CC-1")
        self.proof("2-before-rotation", SIMULATED, "CC-7-00062", "CC-7-00062")
        does("export", str(self.work / "bundle-before"), "--book", REAL)
        self.head("2-before-rotation")
        shutil.copytree(self.frozen.home / "secrets", self.work / "secrets-before-rotation")

        clock.set(day("2026-11-06"))
        for book in (REAL, SIMULATED):
            rotated = reads("keys", "rotate", "--signing", "--book", book)
            self.keys[book]["after_rotation"] = rotated["verifier_key"]
        does("keys", "rotate", "--json")
        does("keys", "kept", "stick in the safe")
        submits(
            REAL,
            "rotated-1",
            "IssueRefund",
            {"claim": "K-20", "payment_reference": "PAY-20", "iban": "BE71096123456769"},
            self.sent,
        )
        submits(
            SIMULATED,
            "sim-5",
            "AnswerComplaint",
            {"complaint": "X-7", "on": "2026-03-05"},
            self.sent,
            "--at",
            "2026-03-05T09:00:00+01:00",
        )
        does("subject", "hold", "CC-3", "--reason", "lawsuit 2026/114", "--actor", "legal-2")
        does("subject", "hold", "CC-2", "--reason", "lawsuit 2026/99", "--actor", "legal-2")
        does("subject", "lift-hold", "CC-2", "--reason", "judgment is final", "--actor", "legal-2")
        does("deadlines", "sweep")
        self.caught_up()
        self.head("3-after-rotation")
        does("backup", str(self.work / "before.dump"), "--vault", str(self.work / "vault-before.dump"))

        clock.set(day("2026-11-10"))  # what is done today is lost
        submits(REAL, "lost-1", "OpenClaim", claim("K-99", "CC-20", "2026-11-09"), None)
        submits(
            SIMULATED,
            "lost-2",
            "LodgeComplaint",
            {"complaint": "X-99", "contract": "CC-7-00062", "received_on": "2026-03-06", "subject": "Lost"},
            None,
            "--at",
            "2026-03-06T09:00:00+01:00",
        )
        does("subject", "erase", "P-GONE-1", "--reason", "asked for it")
        self.caught_up()
        self.head("4-before-restore-lost")

        clock.set(day("2026-11-11"))
        restored = reads("restore", str(self.work / "before.dump"), "--yes")
        assert {book["book"]: book["epoch_begun"] for book in restored["books"]} == {REAL: 2, SIMULATED: 2}
        for book in (REAL, SIMULATED):
            vkey = reads("checkpoint", "--vkey", "--book", book)
            self.keys[book]["after_restore"] = vkey["verifier_key"]
        self.head("5-after-restore")
        submits(REAL, "after-1", "RejectClaim", {"claim": "K-21", "code": "OUTSIDE_COVER"}, self.sent)
        submits(
            SIMULATED,
            "sim-6",
            "EscalateToOmbudsman",
            {"complaint": "X-7", "on": "2026-03-06"},
            self.sent,
            "--at",
            "2026-03-06T10:00:00+01:00",
        )

        clock.set(day("2026-11-20"))
        does("deadlines", "sweep")
        submits(REAL, "answered-1", "AnswerComplaint", {"complaint": "X-2", "on": "2026-11-20"}, self.sent)
        self.letters()
        clock.set(day("2026-11-25"))
        does("deadlines", "sweep")
        self.cancellations()
        self.accesses()
        self.deliver()
        self.park()
        clock.set(day("2026-11-30"))
        does("deadlines", "sweep")
        for book in (REAL, SIMULATED):
            does("deadlines", "digest", "--send", "--book", book)
        does("checkpoint", "--send")
        clock.set(PRESENT)
        does("deadlines", "sweep")
        for book in (REAL, SIMULATED):
            does("letters", "list", "--book", book)
        self.caught_up()
        self.head("6-at-last")
        for number, name in (("CC-1", "CC-1"), ("A/1.json", "A-1"), ("CC-20", "CC-20")):
            self.proof("6-at-last", REAL, number, name)
        for number in ("CC-7-00062", "CC-7-00108"):
            self.proof("6-at-last", SIMULATED, number, number)
        for book in (REAL, SIMULATED):
            does("export", str(self.work / f"bundle-{book}"), "--book", book)
            does("verify", "--book", book)
        does("verify", "--views", "--book", SIMULATED)
        self.sessions()

    def http_commands(self) -> None:
        """Two commands over HTTP: a repeat has the id of its sender."""
        with opened(REAL) as wiring, TestClient(create_app(wiring), base_url="http://ledger.test") as client:
            for key, name, data in (
                ("http-1", "OpenClaim", claim("K-30", "CC-20", "2026-11-02T10:00:00+01:00")),
                ("http-2", "IssueRefund", {"claim": "K-30", "payment_reference": "PAY-30"}),
            ):
                answered = client.post(
                    f"/v1/{REAL}/commands/{name}",
                    json=data,
                    headers={
                        "Authorization": f"Bearer {self.tokens[REAL]['back_office']}",
                        "Idempotency-Key": key,
                    },
                )
                self.sent.rows.append(
                    {
                        "book": REAL,
                        "http": {"key": key, "role": "back_office", "name": name, "data": data},
                        "status": answered.status_code,
                        "answer": answered.json(),
                    }
                )

    def subscribe(self) -> None:
        self.secrets = {
            name: reads("subscriptions", "add", name, "--webhook", url, "--after", after)["secret"]
            for name, url, after in (
                ("erp", "http://127.0.0.1:9/claims", "40"),
                ("paused", "https://pay.example/hook", "-1"),
            )
        }
        does("subscriptions", "pause", "paused", "--because", "not ready")

    def deliver(self) -> None:
        """Try to deliver where nobody listens: the deliveries wait."""
        with opened(REAL) as wiring:
            terms = DispatchSettings(allow_private=True, now=lambda: PRESENT - timedelta(hours=1))
            dispatch = Dispatcher(wiring.pool, wiring.webhook_secrets, REAL, terms)

            def tried() -> bool:
                with wiring.pool.connection() as connection, connection.cursor() as cursor:
                    cursor.execute("select count(*) from ledger.deliveries")
                    return bool(cursor.fetchone()[0])  # type: ignore[index]

            asyncio.run(dispatch.deliver(tried))

    def letters(self) -> None:
        for book in (REAL, SIMULATED):
            does("letters", "prepare", "--book", book)
        answer = next(row for row in reads("letters", "list") if row["kind"] == "complaint_answer")
        text = self.work / "answer.txt"
        text.write_text("Wij bellen u morgen terug.\n")
        does("letters", "answer", answer["letter"], "--text", str(text))
        of = {
            row["contract"]: row["letter"]
            for row in reads("letters", "list")
            if row["kind"] != "complaint_answer"
        }
        does(
            "letters",
            "open",
            of["L-1"],
            "--output",
            str(self.work / "letter.pdf"),
            "--reason",
            "a look",
            "--actor",
            "desk-17",
        )
        does("letters", "hand-over", "--json")
        self.clock.set(day("2026-11-24"))
        does("letters", "confirm", of["L-1"], "--posted-on", "2026-11-23", "--tracking", "RR1BE")
        does("letters", "confirm", of["L-5"], "--posted-on", "2026-11-23", "--tracking", "RR5BE")
        self.clock.set(day("2026-11-25", 8))
        does("letters", "confirm", of["L-5"], "--returned-on", "2026-11-25")

    def cancellations(self) -> None:
        with opened(REAL) as wiring:
            with TestClient(
                create_app(wiring), base_url="http://ledger.test", follow_redirects=False
            ) as client:
                for number in ("CC-3", "CC-é 9", "NONE-1"):
                    answered = client.post("/cancel", data={"number": number})
                    assert answered.status_code == 303, answered.text
            LinkSender(wiring, lambda *_: None, "http://ledger.test").send_waiting()

    def accesses(self) -> None:
        why = ("--actor", "dpo-1", "--reason", "right of access, letter 4712")
        does("subject", "export", "P-BEN", *why)
        does("person", "find", "Peeters", *why)
        does("contract", "show", "CC-1", "--names", *why)
        does("claim", "show", "K-1", "--names", *why)
        does("person", "find", "Peeters", "--book", SIMULATED, *why)

    def park(self) -> None:
        """A complaint that its view cannot fold: it is parked, and what follows in its stream with it."""
        submits(
            REAL,
            "parked-1",
            "LodgeComplaint",
            {"complaint": "X-3", "contract": "CC-20", "received_on": "2026-11-25", "subject": "Odd"},
            self.sent,
        )
        sound = VIEWS["complaints"]

        def fold(memory: Any, event: Any, since: Any) -> Any:
            if event.stream == "complaint/X-3" or "X-3" in str(event.stream):
                message = "no rule for this complaint"
                raise ArithmeticError(message)
            return sound.fold(memory, event, since)

        with opened(REAL) as wiring:
            wiring.__dict__["followers"] = {
                **wiring.followers,
                "complaints": ViewFollower(replace(sound, fold=fold), REAL),
            }
            wiring.catch_up()
            parked = wiring.runner("complaints").parked()
            assert parked, "nothing was parked"

    def sessions(self) -> None:
        """Sign a browser in, whose cookie the transcripts bear."""
        for book in (REAL, SIMULATED):
            with (
                opened(book) as wiring,
                TestClient(
                    create_app(wiring), base_url="http://ledger.test", follow_redirects=False
                ) as client,
            ):
                _, code = Tokens(wiring.pool, book).create(
                    "link", role="admin", name="admin-1", created_by="frozen", lasts=LINK_LASTS
                )
                assert client.get("/sign-in", params={"code": code}).status_code == 303
                [(name, value)] = client.cookies.items()
                self.tokens[book]["cookie"] = f"{name}={value}"
            with opened(book) as wiring:
                _, self.tokens[book]["link"] = Tokens(wiring.pool, book).create(
                    "link", role="auditor", name="auditor-2", created_by="frozen", lasts=LINK_LASTS
                )

    def pack(self) -> None:
        out = self.out
        tools = Tools.find(None, self.frozen.superuser_dsn)
        plain = tools.run("pg_dump", "--no-password", f"--exclude-schema={SCHEMA}")
        (out / "database.sql.xz").write_bytes(xz(plain.encode()))
        does("backup", str(out / "data.dump"), "--vault", str(out / "vault.dump"))
        for number, name in ((1, "before.dump"), (2, "vault-before.dump")):
            for end in ("", ".json"):
                shutil.copy(self.work / f"{name}{end}", out / f"{name}{end}")
        (out / "home.tar.xz").write_bytes(tarred(self.frozen.home, "."))
        (out / "outside.tar.xz").write_bytes(tarred(self.work / "outside", "."))
        (out / "secrets-before-rotation.tar.xz").write_bytes(
            tarred(self.work / "secrets-before-rotation", ".")
        )
        for name in ("bundle-before", f"bundle-{REAL}", f"bundle-{SIMULATED}"):
            (out / f"{name}.tar.xz").write_bytes(tarred(self.work / name, "."))
        answers = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.sent.rows)
        (out / "answers.jsonl.xz").write_bytes(xz(answers.encode()))
        (out / "keys.json").write_text(json.dumps(self.keys, indent=1) + "\n")
        (out / "tokens.json").write_text(
            json.dumps({"tokens": self.tokens, "webhook_secrets": self.secrets}, indent=1) + "\n"
        )


def xz(content: bytes) -> bytes:
    return lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)


def tarred(folder: Path, name: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:

        def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            return info

        archive.add(folder, name, filter=plain)
    return xz(made.getvalue())


def main() -> None:
    out = Path(sys.argv[1]).absolute()
    for folder in (out, out / "heads", out / "proofs"):
        folder.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(Path(__file__).parents[2] / "ledger/privacy"))
    sys.modules["ledger_acquaintances"] = __import__("acquaintances")
    server_home = Path(tempfile.mkdtemp(prefix="frozen-server-"))
    server_home.chmod(0o711)
    work = Path(tempfile.mkdtemp(prefix="frozen-work-"))
    try:
        with EmbeddedPostgres(server_home).join() as server:
            dsn = create_database(server.superuser_dsn, NAME)
            frozen = Frozen(NAME, dsn, work / "home", NAME)
            migrate(frozen.dsn("owner"))
            admit_logins(dsn, NAME)
            clock = StandingClock(dsn, day("2026-11-02"))
            more = {
                "head_folders": str(work / "outside/heads"),
                "digest_folder": str(work / "outside/digests"),
                "letters_carrier": str(work / "outside/print-house"),
                "webhooks_private": "yes",
            }
            for folder in ("heads", "digests", "print-house"):
                (work / "outside" / folder).mkdir(parents=True)
            maker = Maker(frozen, clock, work, out)
            with environment(frozen.settings | more):
                maker.live()
                maker.pack()
    finally:
        shutil.rmtree(server_home)
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
