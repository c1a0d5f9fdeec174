"""A random history of contracts, claims and complaints, and readers of it at several times."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from coverledger.composition import opened
from fixtures.database import Template, migrated_database
from fixtures.program import settings_of
from fixtures.signed_book import record_signed_book
from ledger.app import App
from ledger.config import Settings
from projections.queries.reader import Reader
from projections.views.registry import VIEWS
from projections.web.time_params import AskedTime, looking


@pytest.fixture(scope="package")
def lively(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A random history of contracts, claims and complaints, and the views of it."""
    with migrated_database(template) as database:
        settings = Settings.load(home=tmp_path_factory.mktemp("lively") / "home", **settings_of(database))
        with opened("training", settings, kind="simulated") as wiring:
            record_signed_book(wiring, 11, steps=220)
            yield wiring


@pytest.fixture(params=["now", "as_of", "on"])
def reader(lively: App, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """A reader of now, of an earlier position, or of an earlier day."""
    with lively.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select max(position) from ledger.log where book = %s", (lively.book,))
        [(end,)] = cursor.fetchall()
        cursor.execute("select max(effective_on) from ledger.events where book = %s", (lively.book,))
        [(last,)] = cursor.fetchall()
    asked = {
        "now": AskedTime(),
        "as_of": AskedTime(as_of=str(end * 2 // 3)),
        "on": AskedTime(on=last - timedelta(days=90)),
    }[request.param]
    with looking(lively, VIEWS, asked) as found:
        yield found
