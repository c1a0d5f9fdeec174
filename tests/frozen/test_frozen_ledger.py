"""A ledger of before opens with the code of today: same roots, same streams, same answers, same letters."""

import hashlib
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from frozen.opening import LEDGER, REAL, SIMULATED, Frozen, head, kept, unpack, values
from frozen.running import typed
from ledger.store.canonical import stream_id, stream_ref

BOOKS = (REAL, SIMULATED)
PROOFS = sorted((LEDGER / "proofs").iterdir())
SENT = [json.loads(line) for line in lzma.decompress((LEDGER / "answers.jsonl.xz").read_bytes()).splitlines()]


def printed(*words: str, code: int = 0, stdin: bytes = b"") -> Any:  # noqa: ANN401  # whatever is printed
    ended = typed(*words, "--json", stdin=stdin)
    assert ended.code == code, ended
    return json.loads(ended.out)


@pytest.mark.parametrize("book", BOOKS)
def test_the_head_is_the_one_that_was_kept(frozen: Frozen, book: str) -> None:
    assert frozen.home.is_dir()
    assert typed("checkpoint", "--book", book).out == head(book, "6-at-last").read_text()


def test_every_stream_has_the_id_that_its_number_gives(frozen: Frozen) -> None:
    rows = values(frozen.superuser_dsn, "select distinct book, stream, stream_id::text from ledger.events")
    assert len(rows) > 200
    assert [row for row in rows if str(stream_id(str(row[0]), stream_ref(str(row[1])))) != row[2]] == []


@pytest.mark.parametrize("book", BOOKS)
def test_the_log_is_verified_from_the_payloads_up_to_each_head_that_still_holds(
    frozen: Frozen, book: str
) -> None:
    told = printed(
        "verify",
        "--book",
        book,
        "--since",
        str(head(book, "3-after-rotation")),
        "--since",
        str(head(book, "5-after-restore")),
        "--since",
        str(head(book, "6-at-last")),
    )
    size = int(head(book, "6-at-last").read_text().splitlines()[1])
    assert (told["verified"], told["size"], told["proven"]) == (True, size, size)
    assert frozen.home.is_dir()


@pytest.mark.parametrize("book", BOOKS)
def test_old_ids_are_answered_as_the_first_time(frozen: Frozen, book: str) -> None:
    rows = [row for row in SENT if row["book"] == book and "at" in row.get("line", ())]
    assert len(rows) > 20
    lines = sorted((row["line"] for row in rows), key=lambda line: line["at"])
    sent = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    ended = typed("import", "-", "--book", book, "--json", stdin=sent.encode())
    answers = {told["command_id"]: told for told in map(json.loads, ended.out.splitlines())}
    assert frozen.home.is_dir()
    for row in rows:
        assert as_repeated(row["answer"]) == {
            key: value for key, value in answers[row["line"]["command_id"]].items() if key != "line"
        }


def test_old_ids_of_single_commands_too(frozen: Frozen) -> None:
    rows = [row for row in SENT if "words" in row]
    assert len(rows) > 10
    assert frozen.home.is_dir()
    for row in rows:
        line = row["line"]
        ended = typed(
            "submit",
            line["command"],
            json.dumps(line["data"]),
            "--id",
            line["command_id"],
            "--book",
            row["book"],
            "--json",
            *row["words"],
        )
        assert json.loads(ended.out) == as_repeated(row["answer"])


def as_repeated(first: dict[str, Any]) -> dict[str, Any]:
    """What a repeated command is answered."""
    told = {"status": first["status"], "code": first.get("code")}
    repeated = {key: value for key, value in first.items() if key not in {"line", "status"}}
    return repeated | {"status": "repeated", "first": {key: value for key, value in told.items() if value}}


def test_letters_open_and_names_are_read_but_of_whoever_was_erased(frozen: Frozen, tmp_path: Path) -> None:
    letters = [letter for letter in printed("letters", "list") if letter["sha256"]]
    assert len(letters) > 5
    for letter in letters:
        file = tmp_path / f"{letter['letter']}.pdf"
        opened = typed("letters", "open", letter["letter"], "--output", str(file), "--reason", "a look")
        assert opened.code == 0, opened.err
        assert hashlib.sha256(file.read_bytes()).hexdigest() == letter["sha256"]
    assert frozen.home.is_dir()
    hers = typed("subject", "export", "P-ADA", "--reason", "right of access", "--json").out
    assert "Ada Wauters" in hers
    assert "BE68539007547034" in hers
    gone = typed("subject", "export", "P-GONE-1", "--reason", "right of access", "--json").out
    assert "Weggegaan" not in gone


@pytest.mark.parametrize("file", PROOFS, ids=lambda file: file.stem)
def test_a_contracts_proof_verifies_offline_with_the_key_that_the_auditor_was_given(file: Path) -> None:
    book, moment, _ = file.name.split(".", 2)
    key = kept("keys.json")[book]["before_rotation" if moment.startswith("2") else "after_restore"]
    told = typed("verify", str(file), "--key", key, "--json")
    assert (told.code, json.loads(told.out)["verified"]) == (0, True)
    other = kept("keys.json")[SIMULATED if book == REAL else REAL]["before_rotation"]
    assert typed("verify", str(file), "--key", other).code == 1


@pytest.mark.parametrize(
    ("bundle", "book", "key"),
    [
        ("bundle-before", REAL, "before_rotation"),
        (f"bundle-{REAL}", REAL, "after_restore"),
        (f"bundle-{SIMULATED}", SIMULATED, "after_restore"),
    ],
)
def test_a_bundle_verifies_offline_with_the_head_that_was_kept(
    bundle: str, book: str, key: str, tmp_path: Path
) -> None:
    folder = unpack(f"{bundle}.tar.xz", tmp_path / bundle)
    moment = "1-at-first" if bundle == "bundle-before" else "5-after-restore"
    told = typed(
        "verify",
        str(folder),
        "--key",
        kept("keys.json")[book][key],
        "--since",
        str(head(book, moment)),
        "--json",
    )
    assert (told.code, json.loads(told.out)["verified"]) == (0, True), told
