"""After a restore a new epoch begins, under a new name; who read the old one is told where the two part."""

from collections.abc import Callable

import pytest
from signed_log import Log

from fixtures.database import BOOK, ORIGIN, Database, execute
from ledger.feed.reader import Cursor, EpochsPart, EpochUnknown, NotACursor, check_cursor
from ledger.proofs.checkpoints import open_checkpoint, peek_checkpoint
from ledger.proofs.errors import KeyFileRefused, LogForked
from ledger.sealing.epochs import begin_epoch
from ledger.sealing.sealer import Sealer
from ledger.sealing.signing_keys import SigningFiles
from ledger.store.log import Epoch, newest_checkpoint, select_epochs

MakeLog = Callable[[SigningFiles], Log]
PutBack = Callable[[int], None]

BECAUSE = "restored from last night's backup"


def epochs(log: Log) -> list[Epoch]:
    with log.pool.connection() as connection:
        return select_epochs(connection, BOOK)


def newest(log: Log) -> str:
    with log.pool.connection() as connection:
        return newest_checkpoint(connection, BOOK) or ""


def test_a_new_epoch_goes_on_from_what_the_database_holds(
    log: Log, make_log: MakeLog, put_back: PutBack
) -> None:
    log.grow("a", "b", "c")
    log.grow("d", "e")
    lost = log.place.kept(log.place.keys())
    assert lost is not None
    put_back(3)
    begun = begin_epoch(log.pool, BOOK, log.place, BECAUSE)
    assert begun is not None
    assert (begun.epoch, begun.origin, begun.from_position) == (2, f"{ORIGIN}/epoch-2", 3)
    assert (begun.because, begun.lost_size, begun.lost_root) == (BECAUSE, 5, lost.root)
    assert epochs(log)[1:] == log.place.kept_epochs()[1:] == [begun]

    again = make_log(log.place)
    again.grow("f")
    assert peek_checkpoint(newest(again)).text.startswith(f"{ORIGIN}/epoch-2\n4\n")


def test_the_old_epoch_s_key_and_head_are_put_away_and_its_heads_verify_for_ever(
    log: Log, put_back: PutBack
) -> None:
    log.grow("a", "b", "c")
    old_note = newest(log)
    log.grow("d")
    lost_note = log.place.kept_note()
    put_back(3)
    begin_epoch(log.pool, BOOK, log.place, BECAUSE)
    away = log.place.of_epoch(1)
    assert away.kept_note() == lost_note
    assert open_checkpoint(old_note, away.keys().verifier_keys).size == 3


def test_the_first_head_of_the_new_epoch_may_have_the_size_of_one_of_the_old(
    log: Log, put_back: PutBack
) -> None:
    log.grow("a", "b", "c")
    log.grow("d")
    put_back(3)
    begin_epoch(log.pool, BOOK, log.place, BECAUSE)
    assert log.signer.sign() is not None
    assert peek_checkpoint(newest(log)).size == 3
    assert log.signer.check()


def test_a_log_that_extends_what_was_signed_needs_no_epoch(log: Log) -> None:
    log.grow("a")
    assert begin_epoch(log.pool, BOOK, log.place, BECAUSE) is None
    assert [epoch.epoch for epoch in epochs(log)] == [1]


def test_what_is_not_shown_to_be_what_was_signed_counts_as_parted(
    log: Log, make_log: MakeLog, put_back: PutBack
) -> None:
    log.grow("a", "b")
    log.grow("c", "d", "e")
    put_back(2)
    log.record("x", "y", "z")
    Sealer(log.pool, BOOK).seal_all()
    begun = begin_epoch(log.pool, BOOK, log.place, BECAUSE)
    assert begun is not None
    assert begun.from_position == 2
    make_log(log.place).grow("f")


def test_epochs_go_on_counting_when_the_database_has_forgotten_one(
    log: Log, make_log: MakeLog, put_back: PutBack, database: Database
) -> None:
    log.grow("a", "b", "c")
    log.grow("d")
    put_back(3)
    assert begin_epoch(log.pool, BOOK, log.place, "first") is not None
    second = make_log(log.place)
    second.grow("e")
    second.grow("f")
    put_back(3)
    execute(
        database.superuser_dsn,
        "alter table ledger.epochs disable trigger append_only",
        "delete from ledger.epochs where epoch > 1",
        "alter table ledger.epochs enable always trigger append_only",
        f"update ledger.books set epoch = 1, origin = '{ORIGIN}'",
    )
    third = begin_epoch(log.pool, BOOK, log.place, "second")
    assert third is not None
    assert (third.epoch, third.from_position, third.origin) == (3, 3, f"{ORIGIN}/epoch-3")
    assert [epoch.epoch for epoch in epochs(log)] == [1, 2, 3]
    make_log(log.place).grow("g")


def test_broken_off_between_database_and_key_file_it_is_finished_by_the_next_try(
    log: Log, make_log: MakeLog, put_back: PutBack
) -> None:
    log.grow("a", "b")
    log.grow("c")
    put_back(2)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("ledger.sealing.epochs._take_the_new_name", _power_fails)
        with pytest.raises(PowerCut):
            begin_epoch(log.pool, BOOK, log.place, BECAUSE)
    with pytest.raises(LogForked, match=r"signs for the log .* restore --accept"):
        make_log(log.place).sealer.keep_up()
    begun = begin_epoch(log.pool, BOOK, log.place, BECAUSE)
    assert begun is not None
    assert begun.epoch == 2
    make_log(log.place).grow("d")
    assert [epoch.epoch for epoch in epochs(log)] == [1, 2]


class PowerCut(Exception):
    pass


def _power_fails(*_: object) -> None:
    raise PowerCut


def test_a_key_lost_for_ever_is_replaced_in_a_new_epoch(log: Log, make_log: MakeLog) -> None:
    log.grow("a")
    log.place.key.unlink()
    begun = begin_epoch(log.pool, BOOK, log.place, "the key was lost")
    assert begun is not None
    assert begun.epoch == 2
    make_log(log.place).grow("b")
    assert peek_checkpoint(newest(log)).size == 2


def test_the_files_of_another_log_begin_no_epoch_here(log: Log, make_log: MakeLog) -> None:
    log.grow("a")
    other = SigningFiles(log.place.key.with_name("other.key"))
    other.create_keys("claims-ledger.somewhere-else/cyber-care")
    with pytest.raises(KeyFileRefused, match="are those of the log claims-ledger"):
        begin_epoch(log.pool, BOOK, other, BECAUSE)
    assert make_log(log.place).signer.check()


def three_epochs(log: Log) -> list[Epoch]:
    [first] = epochs(log)
    second = first._replace(epoch=2, origin="2", from_position=100, because="a restore")
    return [first, second, second._replace(epoch=3, origin="3", from_position=80, because="another restore")]


def test_a_reader_from_before_is_told_where_the_epochs_part_and_where_to_read_on(log: Log) -> None:
    [first, second, third] = three_epochs(log)
    with pytest.raises(
        EpochsPart, match=r"epoch 2 parts from it at position 100 .*read again after 2:99"
    ) as told:
        check_cursor(Cursor.parse("1:120"), [first, second])
    assert told.value.again == Cursor(2, 99)
    with pytest.raises(EpochsPart, match=r"at position 80 .*read again after 3:79"):
        check_cursor(Cursor.parse("1:80"), [first, second, third])
    with pytest.raises(EpochsPart, match="at position 80"):
        check_cursor(Cursor.parse("2:150"), [first, second, third])


@pytest.mark.parametrize("cursor", ["1:99", "2:120", "99", "-1", "1:-1"])
def test_a_reader_who_has_read_only_what_both_epochs_hold_goes_on(log: Log, cursor: str) -> None:
    check_cursor(Cursor.parse(cursor), three_epochs(log)[:2])
    assert str(Cursor.parse(cursor)) == cursor.removeprefix("1:")


def test_a_cursor_of_an_epoch_that_never_was_is_refused(log: Log) -> None:
    with pytest.raises(EpochUnknown, match="no epoch 4 here, the present one is 2"):
        check_cursor(Cursor.parse("4:1"), three_epochs(log)[:2])


@pytest.mark.parametrize("text", ["", "x", "1:", ":1", "0:1", "1:1:1", "01", "-2", "1.5", "\u0661"])
def test_what_is_no_cursor_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(NotACursor, match="write it as 4711, or with its epoch as 1:4711"):
        Cursor.parse(text)
