"""Once the log was put back, what is handed out bears its epoch, and an old place is refused everywhere."""

from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from fixtures.database import Template, execute, migrated_database
from fixtures.desk import contract, send
from fixtures.served import Served, listening, serving, standing_book, token_of
from ledger.app import App
from ledger.errors import CliError
from ledger.feed.reader import BeyondTheEnd, Cursor, EpochsPart
from ledger.sealing.sealer import Sealer
from ledger.store.pool import Pool

PARTS_AT = 3


@pytest.fixture(scope="module")
def parted(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A log whose second epoch began at position 3, and that has grown past where the first one ended."""
    home = tmp_path_factory.mktemp("parted")
    with migrated_database(template) as database, standing_book(database, home) as wiring:
        for number in range(1, 7):
            send(wiring, "StartContract", contract(f"CC-{number}"), may_backdate=False)
        wiring.seal()
        execute(
            database.owner_dsn,
            "insert into ledger.epochs (book, epoch, origin, from_position, begun_at, because) "
            f"select book, 2, origin || '/epoch-2', {PARTS_AT}, clock_timestamp(), 'lost' from ledger.books",
            "update ledger.books set epoch = 2, origin = origin || '/epoch-2'",
        )
        wiring.catch_up()
        yield wiring


@pytest.fixture(scope="module")
def put_back(parted: App) -> Iterator[Served]:
    with serving(parted) as served:
        yield served


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/events", "after"),
        ("/events/stream", "after"),
        ("/contracts", "min_position"),
        ("/contracts", "as_of"),
        ("/contracts/CC-1", "as_of"),
        ("/due.csv", "as_of"),
        ("/reports/timeline", "min_position"),
    ],
)
@pytest.mark.parametrize("place", [str(PARTS_AT), "1:3", "5", "4711", "1:4711"])
def test_fault_13_a_place_in_what_is_no_more_is_gone_and_the_answer_says_from_where_to_go_on(
    put_back: Served, path: str, name: str, place: str
) -> None:
    answer = put_back.get(path, params={name: place})
    assert answer.status_code == 410, answer.text
    told = answer.json()
    assert (told["code"], told["again_after"]) == ("CURSOR_GONE", "2:2")
    again = put_back.get("/events", params={"after": told["again_after"]})
    assert [int(event["sequence"]) for event in again.json()] == [3, 4, 5]


def test_fault_13_a_last_event_id_of_the_first_epoch_is_gone_too(put_back: Served) -> None:
    answer = put_back.get("/events/stream", headers={"Last-Event-ID": "3"})
    assert (answer.status_code, answer.json()["again_after"]) == (410, "2:2")


def test_fault_13_a_place_before_the_parting_goes_on_without_a_gap(put_back: Served) -> None:
    for place in ("-1", "2", "1:2", "2:2", "2:4"):
        answer = put_back.get("/events", params={"after": place})
        first = int(place.rpartition(":")[2]) + 1
        assert [int(event["sequence"]) for event in answer.json()] == list(range(first, 6))


def test_fault_13_all_that_is_handed_out_bears_its_epoch_and_is_taken_back(put_back: Served) -> None:
    batch = put_back.get("/events", params={"limit": 4})
    assert batch.headers["Ledger-Position"] == "2:3"
    assert "after=2%3A3" in batch.headers["Link"]
    assert [event.get("cursor") for event in batch.json()] == [None, None, None, "2:3"]
    assert [event["source"].endswith("/epoch/2") for event in batch.json()] == [False, False, False, True]

    reads = ("/contracts", "/contracts/CC-1", "/contracts/CC-1/replay", "/due.csv", "/reports/guarantees")
    for path in reads:
        position = put_back.get(path).headers["Ledger-Position"]
        assert position == "2:5"
        for name in ("as_of", "min_position"):
            again = put_back.get(path, params={name: position})
            assert (again.status_code, again.headers["Ledger-Position"]) == (200, "2:5")
    link = put_back.get("/contracts", params={"limit": 2}).headers["Link"].partition(">")[0][1:]
    assert "as_of=2%3A5" in link
    assert put_back.get(link).status_code == 200


def test_fault_13_the_ids_of_a_stream_bear_the_epoch(parted: App) -> None:
    headers = {"Authorization": f"Bearer {token_of(parted, 'subscriber')}"}
    with (
        listening(parted) as base,
        httpx.stream(
            "GET", f"{base}/v1/cyber-care/events/stream", headers=headers, params={"after": "1"}, timeout=20
        ) as response,
    ):
        ids = []
        for line in response.iter_lines():
            ids += [line] if line.startswith("id:") else []
            if len(ids) == 4:
                break
    assert ids == ["id: 2:2", "id: 2:3", "id: 2:4", "id: 2:5"]


def test_fault_13_a_place_that_is_not_there_yet_has_one_answer_everywhere(put_back: Served) -> None:
    for path, name in (("/events", "after"), ("/events/stream", "after"), ("/due", "min_position")):
        answer = put_back.get(path, params={name: "2:6"})
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID")
        assert "position 6 is not there yet: the feed ends at 5" in answer.json()["detail"]


def test_fault_13_programs_and_subscriptions_are_told_as_well(parted: App) -> None:
    with pytest.raises(EpochsPart) as parts:
        next(parted.ledger.subscribe("erp", after=4, follow=False))
    assert parts.value.again == Cursor(2, 2)
    with pytest.raises(BeyondTheEnd):
        next(parted.ledger.subscribe("erp", after="2:6", follow=False))
    got = [event.position for event in parted.ledger.subscribe("erp", after="2:2", follow=False)]
    assert got == [3, 4, 5]
    # A name that is known goes on from where it was, whatever its program says that it began after.
    assert list(parted.ledger.subscribe("erp", after=4, follow=False)) == []
    for after in (4, "1:4", 4711):
        with pytest.raises(CliError, match="read again after 2:2"):
            parted.subscriptions.add_webhook("hook", "https://erp.example/in", after=after)


def test_fault_13_the_position_of_a_command_bears_the_epoch_and_leads_to_its_events(put_back: Served) -> None:
    fields, key = contract("CC-7"), "sealed-later"
    assert put_back.command("StartContract", fields, key).status_code == 201
    # Without a signer: the epoch was begun by hand, and no key was named after it.
    with closing(Pool(str(put_back.wiring.settings.sealer_dsn))) as pool:
        Sealer(pool, put_back.wiring.book).seal_all()
    sent = put_back.command("StartContract", fields, key)
    assert sent.headers["Ledger-Position"] == "2:6"
    after = put_back.get("/events", params={"after": "2:5"})
    assert [(event["cursor"], event["subject"]) for event in after.json()] == [("2:6", "contract/CC-7")]
