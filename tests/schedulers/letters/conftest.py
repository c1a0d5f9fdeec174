"""Letters count from a given day, whatever day the tests run on."""

import pytest


@pytest.fixture(autouse=True)
def _given_day(request: pytest.FixtureRequest) -> None:
    """Set the clock before anything else of a test connects to its database."""
    if "database" in request.fixturenames:
        request.getfixturevalue("clock")
