"""The way of one command, through the store to its answer."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest

from fixtures.database import Database, execute
from fixtures.desk import asked, at, claim, contract, ready_to_accept, send
from ledger.app import App
from ledger.clock import BEGINNING
from ledger.command_handler import AnsweredEvent
from ledger.domain.contract.events import ContractStarted
from ledger.domain.event import RecordedEvent
from ledger.domain.identifiers import claim_ref, contract_ref
from ledger.domain.refusals import Invalid
from ledger.store.errors import VersionConflict
from ledger.store.events import Appended, Commit


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(database.superuser_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_a_command_is_recorded_with_its_events_by_stream_version_and_type(wiring: App) -> None:
    answer = send(wiring, "StartContract", contract(), "2026-01-01T09:00:00+01:00")

    assert answer.status == "recorded"
    assert answer.events[0] == AnsweredEvent("contract/CC-1", 1, "contract.ContractStarted")


def test_an_acceptance_names_its_events_on_both_streams_with_the_contract_as_correlation(
    wiring: App, database: Database
) -> None:
    send(wiring, "StartContract", contract(), "2026-01-01T09:00:00+01:00")
    ready_to_accept(wiring, "K-1")
    answer = send(wiring, "AcceptClaim", {"claim": "K-1", "loss_cents": 300_000}, "2026-02-04T09:00:00+01:00")

    assert [(event.stream, event.type) for event in answer.events] == [
        ("claim/K-1", "claim.ClaimAccepted"),
        ("contract/CC-1", "contract.LimitConsumed"),
    ]
    assert len(rows(database, "select distinct correlation_id from ledger.events")) == 1
    ((accepted, cause),) = rows(
        database,
        "select a.event_id, c.causation_id from ledger.events a, ledger.events c "
        "where a.type = 'claim.ClaimAccepted' and c.type = 'contract.LimitConsumed'",
    )
    assert accepted == cause


def test_the_same_command_sent_again_is_repeated_with_its_first_answer(wiring: App) -> None:
    command = asked("StartContract", contract(), "2026-01-01T09:00:00+01:00")
    first = wiring.ledger.submit(command)
    again = wiring.ledger.submit(command)

    assert (again.status, again.first_status, again.events) == ("repeated", "recorded", first.events)
    assert again.as_json()["first"] == {"status": "recorded"}


def test_a_refusal_is_remembered_and_records_no_event(wiring: App, database: Database) -> None:
    command = asked("GiveNotice", {"contract": "none", "received_on": "2026-01-01", "channel": "email"})
    first = wiring.ledger.submit(command)
    again = wiring.ledger.submit(command)

    assert (first.status, first.code, first.events) == ("refused", "UNKNOWN", ())
    assert (again.status, again.first_status, again.first_code) == ("repeated", "refused", "UNKNOWN")
    assert rows(database, "select count(*) from ledger.events") == [(0,)]


def test_a_refusal_stands_even_when_what_it_missed_has_come_to_be(wiring: App) -> None:
    notice = asked("GiveNotice", {"contract": "CC-1", "received_on": "2026-01-01", "channel": "email"})
    wiring.ledger.submit(notice)
    send(wiring, "StartContract", contract(), "2026-01-01T09:00:00+01:00")

    assert wiring.ledger.submit(notice).first_code == "UNKNOWN"


def test_an_id_used_for_other_content_is_refused_as_ID_REUSED_and_the_first_stands(wiring: App) -> None:
    send(wiring, "StartContract", contract("CC-1"), command_id="one")
    reused = send(wiring, "StartContract", contract("CC-2"), command_id="one")

    assert (reused.status, reused.code) == ("refused", "ID_REUSED")
    assert send(wiring, "StartContract", contract("CC-1"), command_id="one").status == "repeated"
    assert send(wiring, "StartContract", contract("CC-2")).status == "recorded"


def test_content_is_the_same_whatever_the_order_of_its_fields_or_who_repeats_it(wiring: App) -> None:
    fields = contract()
    send(wiring, "StartContract", fields, command_id="one", actor="a-1")
    turned = dict(reversed(fields.items())) | {"language": None}

    assert send(wiring, "StartContract", turned, command_id="one", actor="a-2").status == "repeated"


def test_ids_are_scoped_by_who_sends(wiring: App) -> None:
    send(wiring, "StartContract", contract("CC-1"), command_id="one", sender="portal")

    assert (
        send(wiring, "StartContract", contract("CC-2"), command_id="one", sender="desk").status == "recorded"
    )


def test_a_future_is_invalid_in_a_real_book_and_leaves_no_trace(wiring: App, database: Database) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    answer = send(wiring, "StartContract", contract(), tomorrow.isoformat())

    assert (answer.status, answer.code) == ("invalid", None)
    assert "future" in str(answer.message)
    assert rows(database, "select count(*) from ledger.commands") == [(0,)]


def test_a_past_needs_the_right_to_import(wiring: App) -> None:
    answer = send(wiring, "StartContract", contract(), "2026-01-01T09:00:00+01:00", may_backdate=False)

    assert answer.status == "invalid"
    assert "right to import" in str(answer.message)


def test_a_date_after_its_at_is_invalid(wiring: App) -> None:
    send(wiring, "StartContract", contract(), "2026-01-01T09:00:00+01:00")
    notice = {"contract": "CC-1", "received_on": "2026-03-02", "channel": "email"}

    assert send(wiring, "GiveNotice", notice, "2026-03-01T23:30:00+01:00").status == "invalid"


def test_a_command_earlier_than_its_streams_last_event_is_OUT_OF_ORDER(wiring: App) -> None:
    send(wiring, "StartContract", contract(), "2026-01-02T09:00:00+01:00")
    notice = {"contract": "CC-1", "received_on": "2026-01-01", "channel": "email"}

    assert send(wiring, "GiveNotice", notice, "2026-01-02T08:59:59+01:00").code == "OUT_OF_ORDER"


def test_what_time_owes_is_recorded_first_under_times_own_name(wiring: App, database: Database) -> None:
    send(wiring, "StartContract", contract(starts_on="2024-01-01"), "2024-01-01T09:00:00+01:00")
    answer = send(wiring, "OpenClaim", claim(occurred_at="2025-01-02"), "2025-01-03T09:00:00+01:00")

    assert [event.type for event in answer.events] == ["claim.ClaimOpened", "contract.ClaimRegistered"]
    owed = rows(
        database,
        "select type, command_id, actor, at from ledger.events where actor = 'time' order by version",
    )
    assert [row[0] for row in owed] == ["contract.DeadlineMissed", "contract.ContractRenewed"]
    assert owed[1][1] == "time:contract/CC-1@2024-12-31T23:00:00Z"
    assert owed[1][3] == at("2025-01-01T00:00:00+01:00")


def test_what_a_contract_recorded_late_catches_up_on_is_times_own_and_not_in_the_answer(
    wiring: App, database: Database
) -> None:
    answer = send(wiring, "StartContract", contract(starts_on="2024-01-01"), "2025-03-03T09:00:00+01:00")

    assert [event.type for event in answer.events] == ["contract.ContractStarted"]
    caught_up = rows(
        database,
        "select type, actor, command_id, effective_on::text from ledger.events where version > 1"
        " order by version",
    )
    assert caught_up == [
        ("contract.DeadlineMissed", "time", "time:contract/CC-1@2025-03-03T08:00:00Z", "2024-10-01"),
        ("contract.ContractRenewed", "time", "time:contract/CC-1@2025-03-03T08:00:00Z", "2025-01-01"),
    ]


def test_a_refused_command_records_not_even_what_time_owes(wiring: App, database: Database) -> None:
    send(wiring, "StartContract", contract(starts_on="2024-01-01"), "2024-01-01T09:00:00+01:00")
    before = rows(database, "select count(*) from ledger.events")
    send(wiring, "StartContract", contract(starts_on="2024-01-01"), "2025-06-01T09:00:00+02:00")

    assert rows(database, "select count(*) from ledger.events") == before


def test_a_dry_run_decides_and_records_nothing(wiring: App, database: Database) -> None:
    command = asked("StartContract", contract(), "2026-01-01T09:00:00+01:00")

    assert wiring.ledger.dry_run(command).status == "recorded"
    assert rows(database, "select count(*) from ledger.events") == [(0,)]
    assert rows(database, "select count(*) from ledger.commands") == [(0,)]


def test_while_an_import_is_open_others_are_told_IMPORT_OPEN_and_nothing_is_remembered(
    wiring: App, database: Database
) -> None:
    opened = wiring.books.open_import(wiring.book, b"x" * 32)
    command = asked("StartContract", contract())
    answer = wiring.ledger.submit(command)

    assert (answer.status, answer.code) == ("refused", "IMPORT_OPEN")
    assert "import --abandon" in str(answer.message)
    assert rows(database, "select count(*) from ledger.commands") == [(0,)]

    wiring.books.abandon_import(wiring.book, opened.import_id)
    assert wiring.ledger.submit(command).status == "recorded"


def test_the_first_live_command_lets_a_held_books_time_go_on(wiring: App) -> None:
    wiring.books.hold(wiring.book, at("2026-03-01T00:00:00+01:00"))
    send(wiring, "GiveNotice", {"contract": "none", "received_on": "2026-01-01", "channel": "email"})
    assert wiring.book_row().held_at is not None  # a refusal is no life

    send(wiring, "StartContract", contract())
    assert wiring.book_row().held_at is None


def test_a_simulated_books_clock_stands_still_until_a_later_command(simulated: App) -> None:
    assert simulated.book_row().clock_at == BEGINNING
    send(simulated, "StartContract", contract(), "2026-01-01T09:00:00+01:00")
    send(simulated, "OpenClaim", claim(occurred_at="2026-01-01"))

    assert simulated.book_row().clock_at == at("2026-01-01T09:00:00+01:00")
    future = send(simulated, "WithdrawClaim", {"claim": "K-1"}, "2031-01-01T09:00:00+01:00")
    assert future.status == "recorded"
    assert simulated.book_row().clock_at == at("2031-01-01T09:00:00+01:00")


def test_bringing_streams_up_to_a_day_records_each_deadline_once_at_its_own_instant(
    wiring: App, database: Database
) -> None:
    send(wiring, "StartContract", contract(starts_on="2024-01-01"), "2024-01-01T09:00:00+01:00")
    streams = [contract_ref("CC-1"), claim_ref("none")]

    recorded = wiring.ledger.bring_up_to(streams, at("2025-01-01T00:00:00+01:00"))
    again = wiring.ledger.bring_up_to(streams, at("2025-01-01T00:00:00+01:00"))

    assert (recorded, again) == (2, 0)
    assert rows(database, "select max(at) from ledger.events") == [(at("2025-01-01T00:00:00+01:00"),)]


def test_a_command_decided_on_what_has_moved_on_is_loaded_and_decided_again(
    wiring: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = wiring.ledger.record
    conflicts = iter([True, True, False])

    def record_after_conflicts(commit: Commit) -> Appended:
        if next(conflicts):
            raise VersionConflict
        return record(commit)

    monkeypatch.setattr(wiring.ledger, "record", record_after_conflicts)

    assert send(wiring, "StartContract", contract()).status == "recorded"


def test_a_shape_that_is_wrong_never_becomes_a_command() -> None:
    with pytest.raises(Invalid, match="loss_cents"):
        asked("AcceptClaim", {"claim": "K-1", "loss_cents": 10.5})
    with pytest.raises(Invalid, match="extra"):
        asked("WithdrawClaim", {"claim": "K-1", "extra": 1})
    with pytest.raises(Invalid, match="NoSuchCommand"):
        asked("NoSuchCommand", {})


def test_the_ledger_is_an_application_whose_notification_log_holds_what_is_sealed(wiring: App) -> None:
    send(wiring, "StartContract", contract(), "2026-01-01T09:00:00+01:00")
    assert wiring.ledger.recorder.max_notification_id() is None
    wiring.seal()

    (started,) = wiring.ledger.notification_log.select(start=1, limit=1)
    assert (started.id, started.topic) == (1, "contract.ContractStarted")
    event = wiring.ledger.mapper.to_domain_event(started)
    assert isinstance(event, RecordedEvent)
    assert isinstance(event.event, ContractStarted)
    assert (event.position, event.actor) == (0, "local")
    (read,) = list(wiring.ledger.events.get(event.originator_id))[:1]
    assert read == event


def erase(database: Database, person: str) -> None:
    execute(
        database.superuser_dsn,
        "update vault.subjects set wrapped = null, master_id = null, erased_at = now(), "
        f"erased_because = 'asked for' where person = '{person}'",
    )


def test_what_is_personal_of_an_erased_person_is_refused_and_all_else_goes_on(
    wiring: App, database: Database
) -> None:
    send(wiring, "StartContract", contract(), "2026-01-01T09:00:00+01:00")
    erase(database, "P-CC-1")
    command = asked("OpenClaim", claim(), "2026-02-02T09:00:00+01:00")

    assert wiring.ledger.submit(command).code == "SUBJECT_ERASED"
    assert wiring.ledger.submit(command).first_code == "SUBJECT_ERASED"
    notice = {"contract": "CC-1", "received_on": "2026-02-01", "channel": "email"}
    assert send(wiring, "GiveNotice", notice, "2026-02-02T09:00:00+01:00").status == "recorded"
