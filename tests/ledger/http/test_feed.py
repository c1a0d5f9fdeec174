"""The feed by pages: in order, without a gap, without anything personal."""

from collections.abc import Iterator

import pytest

from fixtures.database import Database, execute
from fixtures.desk import claim, contract
from fixtures.served import Served
from ledger.store.log import Epoch, database_now, enter_epoch, insert_epoch


@pytest.fixture(scope="module")
def filled(house: Served) -> Served:
    for number in range(12):
        assert house.command("StartContract", contract(f"CC-{number}")).status_code == 201
    last = house.command("OpenClaim", claim("K-1", "CC-1", narrative="bitten by a phisher"))
    assert int(last.headers["Ledger-Position"]) > 10
    return house


@pytest.fixture
def former_book(served: Served, database: Database) -> Served:
    """A book that was there before the migration that gave new ones their prefix."""
    execute(database.superuser_dsn, "update ledger.books set event_type_prefix = 'claims-ledger'")
    return served


def pages(served: Served, url: str) -> Iterator[list[dict[str, object]]]:
    while url:
        page = served.get(url)
        assert page.status_code == 200
        yield page.json()
        url = page.links.get("next", {}).get("url", "")


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_pages_give_every_event_once_in_order_whatever_their_size(filled: Served, limit: int) -> None:
    events = [event for page in pages(filled, f"/events?limit={limit}") for event in page]
    positions = [int(str(event["sequence"])) for event in events]
    assert positions == list(range(len(positions)))
    assert len({event["id"] for event in events}) == len(events) > 10
    assert {event["specversion"] for event in events} == {"1.0"}


def test_after_excludes_and_nothing_follows_the_end(filled: Served) -> None:
    whole = filled.get("/events?limit=1000").json()
    after = filled.get("/events?limit=1000&after=3").json()
    assert after == whole[4:]
    end = filled.get(f"/events?after={len(whole) - 1}")
    assert (end.json(), end.headers["Ledger-Position"]) == ([], str(len(whole) - 1))
    assert "Link" not in end.headers


@pytest.mark.parametrize(
    "types",
    [
        "types=claim.ClaimOpened",
        "types=coverledger.claim.ClaimOpened.v1",
        "types=claim.RefundIssued,claim.ClaimOpened",
        "types=claim.RefundIssued&types=claim.ClaimOpened",
    ],
)
def test_only_the_types_that_are_wanted_come_and_the_cursor_passes_the_others(
    filled: Served, types: str
) -> None:
    answer = filled.get(f"/events?{types}")
    assert [event["type"] for event in answer.json()] == ["coverledger.claim.ClaimOpened.v1"]
    end = len(filled.get("/events?limit=1000").json()) - 1
    assert answer.headers["Ledger-Position"] == str(end)


def test_the_page_of_a_type_ends_where_its_events_end(filled: Served) -> None:
    starts = pages(filled, "/events?types=contract.ContractStarted&limit=2")
    assert [len(page) for page in starts if page] == [2] * 6


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("after=x", 422),
        ("after=1:x", 422),
        ("after=-2", 422),
        ("limit=0", 422),
        ("limit=1001", 422),
        ("types=claim.Nothing", 422),
        ("after=2:5", 410),
        ("after=999999999999999999", 422),
    ],
)
def test_what_is_no_place_in_the_feed_is_a_problem(filled: Served, query: str, status: int) -> None:
    assert filled.get(f"/events?{query}").status_code == status


def test_nothing_personal_is_in_the_feed(filled: Served) -> None:
    whole = filled.get("/events?limit=1000").text
    assert "Peeters" not in whole
    assert "phisher" not in whole
    assert '"box"' not in whole


def test_a_cursor_from_before_the_log_was_put_back_is_told_where_to_read_again(served: Served) -> None:
    for number in range(5):
        served.command("StartContract", contract(f"CC-{number}"))
    served.wiring.seal()
    with served.wiring.sealer_pool.transaction() as connection:
        epoch = Epoch(2, "ledger.test/second", 2, database_now(connection), "a restore, in a test")
        insert_epoch(connection, served.wiring.book, epoch)
        enter_epoch(connection, served.wiring.book, epoch)

    gone = served.get("/events?after=1:4")
    assert (gone.status_code, gone.json()["code"], gone.json()["again_after"]) == (410, "CURSOR_GONE", "2:1")
    assert served.get("/events?after=1:1").status_code == 200
    assert served.get("/events?after=2:4").status_code == 200
    page = served.get("/events?limit=1")
    assert page.links["next"]["url"].endswith("after=2%3A0")
    # A stream's bare id was given in the first epoch.
    resumed = served.get("/events/stream", headers={"Last-Event-ID": "4"})
    assert resumed.status_code == 410


def test_a_book_from_before_the_new_name_keeps_the_types_of_its_events(former_book: Served) -> None:
    served, name = former_book, "claims-ledger.contract.ContractStarted.v1"
    assert served.command("StartContract", contract("CC-1")).status_code == 201
    served.wiring.seal()
    for types in ("contract.ContractStarted", name):
        assert [event["type"] for event in served.get(f"/events?types={types}").json()] == [name]
    refused = served.get("/events?types=coverledger.contract.ContractStarted.v1")
    assert (refused.status_code, name in refused.json()["detail"]) == (422, True)
    assert served.get(f"/schemas/{name}").json()["$id"] == "urn:claims-ledger:contract.ContractStarted.v1"
    assert served.get("/schemas/coverledger.contract.ContractStarted.v1").status_code == 404
    assert name in served.get("/asyncapi.json").json()["components"]["messages"]
    document = served.client.get("/openapi.json").json()
    envelope = document["components"]["schemas"]["CloudEvent"]["properties"]["type"]
    assert envelope["description"] == "`claims-ledger.{kind}.{Event}.v{version}`."
    schema = document["paths"][f"{served.base}/schemas/{{event_type}}".replace(served.wiring.book, "{book}")]
    [asked] = [one for one in schema["get"]["parameters"] if one["name"] == "event_type"]
    assert asked["schema"]["examples"] == ["claims-ledger.claim.RefundIssued.v1"]
