"""The cases by which `eventsourcing` judges a persistence module, on ours (docs/conformance.md).

Run them on another Postgres with TEST_POSTGRES_DSN or TEST_POSTGRES_BIN.
"""

from collections.abc import Iterator
from unittest import TestCase

import pytest
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    ProcessRecorder,
    TrackingRecorder,
)
from eventsourcing.tests.persistence import (
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
    ProcessRecorderTestCase,
    TrackingRecorderTestCase,
)
from eventsourcing.utils import Environment, get_topic

from fixtures.database import Database
from ledger.eventsourcing.factory import Factory
from ledger.eventsourcing.recorders import (
    LedgerAggregateRecorder,
    LedgerApplicationRecorder,
    LedgerProcessRecorder,
    LedgerTrackingRecorder,
)


class OnAFreshDatabase(TestCase):
    """Gives each case a ledger with nothing in it."""

    env: Environment

    @pytest.fixture(autouse=True)
    def _fresh(self, database: Database) -> Iterator[None]:
        self.env = Environment("conformance", settings(database))
        self.recording = InfrastructureFactory.construct(self.env)
        yield
        self.recording.close()


def settings(database: Database) -> dict[str, str]:
    return {
        "PERSISTENCE_MODULE": get_topic(Factory),
        Factory.DSN: database.app_dsn,
        Factory.SEALER_DSN: database.sealer_dsn,
    }


class TestAggregateRecorder(OnAFreshDatabase, AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:
        return self.recording.aggregate_recorder()


class TestApplicationRecorder(OnAFreshDatabase, ApplicationRecorderTestCase[ApplicationRecorder]):
    def create_recorder(self) -> ApplicationRecorder:
        return self.recording.application_recorder()

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestTrackingRecorder(OnAFreshDatabase, TrackingRecorderTestCase):
    def create_recorder(self) -> TrackingRecorder:
        return self.recording.tracking_recorder()


class TestProcessRecorder(OnAFreshDatabase, ProcessRecorderTestCase):
    def create_recorder(self) -> ProcessRecorder:
        return self.recording.process_recorder()


class TestNonInterleavingNotificationIDs(OnAFreshDatabase, NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> ApplicationRecorder:
        return self.recording.application_recorder()


class AnotherTrackingRecorder(LedgerTrackingRecorder):
    """Stands for the one that a user derives."""


class TestInfrastructureFactory(OnAFreshDatabase, InfrastructureFactoryTestCase[Factory]):
    def expected_factory_class(self) -> type[Factory]:
        return Factory

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        return LedgerAggregateRecorder

    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        return LedgerApplicationRecorder

    def expected_tracking_recorder_class(self) -> type[TrackingRecorder]:
        return LedgerTrackingRecorder

    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        return AnotherTrackingRecorder

    def expected_process_recorder_class(self) -> type[ProcessRecorder]:
        return LedgerProcessRecorder


# The bases are cases only once they are told what to make.
del AggregateRecorderTestCase, ApplicationRecorderTestCase, InfrastructureFactoryTestCase
del NonInterleavingNotificationIDsBaseCase, ProcessRecorderTestCase, TrackingRecorderTestCase
