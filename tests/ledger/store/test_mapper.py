"""The ledger's events through `eventsourcing`: its event store, its notification log, by stable names."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from eventsourcing import persistence
from eventsourcing.persistence import EventStore as SourcedStore
from eventsourcing.persistence import InfrastructureFactory, InfrastructureFactoryError, Mapper
from eventsourcing.utils import Environment, get_topic

from fixtures.commits import CONTRACT, NOW, advice, append, claim, commit, new_event, opened
from fixtures.database import BOOK, Database
from ledger.domain.event import PendingEvent, RecordedEvent
from ledger.eventsourcing.factory import Factory
from ledger.eventsourcing.mapper import LedgerMapper, StoredEvent
from ledger.store.canonical import stream_id
from ledger.store.errors import Unreadable
from ledger.store.event_store import EventStore


@pytest.fixture
def factory(database: Database) -> Iterator[Factory]:
    made = InfrastructureFactory.construct(
        Environment(
            "ledger",
            {
                "PERSISTENCE_MODULE": get_topic(Factory),
                "MAPPER_TOPIC": get_topic(LedgerMapper),
                Factory.DSN: database.app_dsn,
                Factory.SEALER_DSN: database.sealer_dsn,
            },
        )
    )
    assert isinstance(made, Factory)
    yield made
    made.close()


def mapper_of(factory: Factory) -> LedgerMapper:
    mapper: Mapper[UUID] = factory.mapper()
    assert isinstance(mapper, LedgerMapper)
    return mapper


def numbered(version: int = 1) -> PendingEvent:
    return replace(
        new_event(claim(1), advice()),
        version=version,
        originator_id=stream_id(BOOK, claim(1)),
        correlation_id=stream_id(BOOK, CONTRACT),
    )


def test_an_event_put_into_eventsourcings_store_comes_back_from_it_and_from_ours(
    factory: Factory, event_store: EventStore
) -> None:
    store: SourcedStore[UUID] = factory.event_store()
    [first] = store.put([numbered()])
    assert (first.notification.id, first.notification.topic) == (1, "claim.AdviceGiven")
    [event] = store.get(stream_id(BOOK, claim(1)))
    assert isinstance(event, RecordedEvent)
    assert event == RecordedEvent(claim(1), 1, advice(), NOW.date(), NOW)
    loaded = event_store.load_many(BOOK, [claim(1)]).streams[claim(1)]
    assert list(loaded.recorded) == [event]
    store.put([numbered(2)])
    append(event_store, commit(new_event(claim(2), advice()), heads={}))


def test_what_commits_recorded_is_read_through_eventsourcing_by_stable_name(
    factory: Factory, event_store: EventStore
) -> None:
    append(event_store, commit(new_event(claim(1), opened(), subject="P-1")))
    recorder = factory.application_recorder()
    assert recorder.insert_events([]) == []
    [notification] = recorder.select_notifications(1, 10)
    event = mapper_of(factory).to_domain_event(notification)
    assert isinstance(event, RecordedEvent)
    assert event.event.stable_name == "claim.ClaimOpened"


def test_a_bare_stored_event_is_no_event_of_the_ledger(factory: Factory) -> None:
    with pytest.raises(Unreadable, match="no envelope"):
        mapper_of(factory).to_domain_event(persistence.StoredEvent(uuid4(), 1, "claim.AdviceGiven", b"{}"))


def test_something_personal_in_clear_is_not_mapped(factory: Factory) -> None:
    with pytest.raises(ValueError, match="personal: say whose"):
        mapper_of(factory).to_stored_event(replace(numbered(), event=opened()))


def test_an_event_without_a_place_is_not_mapped(factory: Factory) -> None:
    with pytest.raises(ValueError, match="no place yet"):
        mapper_of(factory).to_stored_event(new_event(claim(1), advice()))


def test_a_stored_event_equals_a_bare_one_of_the_same_fields(factory: Factory) -> None:
    envelope = mapper_of(factory).to_stored_event(numbered()).envelope
    stored = StoredEvent(uuid4(), 1, "topic", b"state", envelope)
    bare = persistence.StoredEvent(stored.originator_id, 1, "topic", b"state")
    assert stored == bare
    assert hash(stored) == hash(stored)
    assert stored != persistence.StoredEvent(stored.originator_id, 2, "topic", b"state")


def test_the_ledger_keeps_no_snapshots(factory: Factory) -> None:
    with pytest.raises(InfrastructureFactoryError, match="keeps no snapshots"):
        factory.aggregate_recorder("snapshots")


def test_a_factory_needs_to_know_where_the_ledger_is() -> None:
    with pytest.raises(InfrastructureFactoryError, match="LEDGER_DSN"):
        Factory(Environment("ledger", {}))
