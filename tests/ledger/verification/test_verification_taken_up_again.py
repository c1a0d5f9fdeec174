"""A pass that was broken off goes on where it was; what it trusts then, and what it does not."""

from pathlib import Path

import pytest

from fixtures.database import Database, execute
from fixtures.signed_book import record_signed_book, seal_and_sign
from ledger.app import App
from ledger.verification import chunks
from ledger.verification.database import DatabaseProof, verify_database
from ledger.verification.findings import NotVerified
from ledger.verification.progress import ProgressFile
from ledger.verification.trust_anchors import anchors_beside_key

PORTION = 16


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_POSITIONS", PORTION)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "verification" / "training.json"


def verify(wiring: App, file: Path, *, break_off_at: int | None = None) -> DatabaseProof:
    memory = ProgressFile(file.parent, wiring.book)

    def watch(done: int, _total: int) -> None:
        if break_off_at is not None and done >= break_off_at:
            raise KeyboardInterrupt

    try:
        return verify_database(
            wiring.pool, wiring.book, anchors_beside_key(wiring.signing_place), memory=memory, progress=watch
        )
    except KeyboardInterrupt:
        memory.flush()
        raise


def broken_off(wiring: App, file: Path, at: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        verify(wiring, file, break_off_at=at)


def test_a_pass_broken_off_is_taken_up_where_it_was_and_comes_to_the_same(simulated: App, file: Path) -> None:
    record_signed_book(simulated, seed=1)
    whole = verify(simulated, file)
    broken_off(simulated, file, 3 * PORTION)
    again = verify(simulated, file)
    # The portion during which it was broken off is read again: it was not kept yet.
    assert again.resumed_at == 2 * PORTION
    assert (again.root, again.streams, again.heads, again.proven) == (
        whole.root,
        whole.streams,
        whole.heads,
        whole.proven,
    )


def test_what_was_recorded_meanwhile_is_read_too(simulated: App, file: Path) -> None:
    record_signed_book(simulated, seed=2, waiting=20)
    broken_off(simulated, file, 2 * PORTION)
    seal_and_sign(simulated)
    again = verify(simulated, file)
    assert again.resumed_at == PORTION
    assert again.proven == again.size


def test_the_file_is_closed_to_others_and_one_that_is_open_is_not_taken_up(
    simulated: App, file: Path
) -> None:
    record_signed_book(simulated, seed=3)
    broken_off(simulated, file, 2 * PORTION)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    assert verify(simulated, file).resumed_at == 0


def test_a_file_that_is_not_of_this_log_is_not_taken_up(simulated: App, file: Path) -> None:
    record_signed_book(simulated, seed=4, steps=40)
    broken_off(simulated, file, 2 * PORTION)
    text = file.read_text(encoding="utf-8")
    for altered in (
        text.replace("verification@v2", "verification@v1"),
        text.replace('"origin": "', '"origin": "another.'),
        text.replace('"size": 16', '"size": 17'),
        text.replace('"nodes": {"4": "', '"nodes": {"4": "00'),
        text[:40],
        "[]",
        "",
    ):
        assert altered != text
        file.write_text(altered, encoding="utf-8")
        assert verify(simulated, file).resumed_at == 0
    file.write_text(text, encoding="utf-8")
    assert verify(simulated, file).resumed_at == PORTION


def test_what_was_altered_below_since_is_found_by_reading_it_all_again_only(
    simulated: App, file: Path, database: Database
) -> None:
    record_signed_book(simulated, seed=5)
    broken_off(simulated, file, 2 * PORTION)
    execute(
        database.superuser_dsn,
        "alter table ledger.events disable trigger append_only",
        "update ledger.events e set actor = 'desk-99' from ledger.log l"
        " where l.stream_id = e.stream_id and l.version = e.version and l.position = 3",
    )
    assert verify(simulated, file).resumed_at == PORTION
    ProgressFile(file.parent, simulated.book).forget()
    with pytest.raises(NotVerified, match=r"position 3 .*actor is 'desk-99'"):
        verify(simulated, file)
