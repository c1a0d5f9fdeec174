"""The stream of events (server-sent events): what listens misses nothing, whoever cuts the line."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import count, islice
from threading import Event as StopEvent
from threading import Thread

import httpx
import pytest
from httpx_sse import ServerSentEvent, connect_sse

from fixtures.database import execute
from fixtures.desk import contract, send
from fixtures.served import listening, sealing, token_of
from ledger.app import App
from ledger.auth.tokens import SESSION_LASTS, Tokens
from ledger.http import feed, middleware
from ledger.http.callers import SESSION_COOKIE

SECONDS = 20.0


@pytest.fixture
def address(standing: App) -> Iterator[str]:
    with sealing(standing), listening(standing) as base:
        yield f"{base}/v1/cyber-care/events/stream"


@contextmanager
def listened(
    address: str, token: str, last: str | None = None, **query: str
) -> Iterator[Iterator[ServerSentEvent]]:
    headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": last} if last else {})
    with (
        httpx.Client(timeout=SECONDS) as client,
        connect_sse(client, "GET", address, headers=headers, params=query) as source,
    ):
        assert source.response.status_code == 200, source.response.read()
        yield (event for event in source.iter_sse() if event.data)


def start(wiring: App, first: int, number: int) -> None:
    """Start contracts, one event each."""
    for one in range(first, first + number):
        assert send(wiring, "StartContract", contract(f"CC-{one}"), may_backdate=False).status == "recorded"


def positions(events: list[ServerSentEvent]) -> list[int]:
    assert all(int(json.loads(event.data)["sequence"]) == int(event.id) for event in events)
    return [int(event.id) for event in events]


def test_a_place_that_the_feed_has_not_reached_is_refused_for_what_lies_before_it_would_be_missed(
    address: str, standing: App
) -> None:
    headers = {"Authorization": f"Bearer {token_of(standing, 'subscriber')}", "Last-Event-ID": "4711"}
    answer = httpx.get(address, headers=headers, timeout=SECONDS)
    assert answer.status_code == 422
    assert "the feed ends at -1" in answer.json()["detail"]


def test_an_event_comes_to_who_listens_as_soon_as_it_is_sealed(address: str, standing: App) -> None:
    token = token_of(standing, "subscriber")
    with listened(address, token) as events:
        begun = time.monotonic()
        start(standing, 1, 1)
        first = next(events)
        assert json.loads(first.data)["subject"] == "contract/CC-1"
        assert first.event == "message"  # what a browser's onmessage hears
        assert time.monotonic() - begun < 5


@pytest.mark.slow
def test_a_client_that_is_cut_off_again_and_again_misses_nothing_and_gets_nothing_twice(
    address: str, standing: App
) -> None:
    token = token_of(standing, "subscriber")
    writing = Thread(target=start, args=(standing, 1, 40))
    writing.start()
    got: list[ServerSentEvent] = []
    while len(got) < 40:
        with listened(address, token, got[-1].id if got else "-1") as events:
            got += islice(events, min(7, 40 - len(got)))
    writing.join()
    assert positions(got) == list(range(40))


@pytest.mark.slow
def test_a_listener_far_behind_catches_up_from_the_database(address: str, standing: App) -> None:
    start(standing, 1, 30)
    with listened(address, token_of(standing, "subscriber"), after="-1") as events:
        start(standing, 31, 5)
        assert positions(list(islice(events, 35))) == list(range(35))


@pytest.mark.slow
def test_a_stream_ends_when_the_server_does_and_is_taken_up_at_the_next_one(standing: App) -> None:
    token = token_of(standing, "subscriber")
    got: list[ServerSentEvent] = []
    with sealing(standing):
        for turn in range(3):
            with listening(standing) as base:
                place = got[-1].id if got else "-1"
                with listened(f"{base}/v1/cyber-care/events/stream", token, place) as events:
                    start(standing, 10 * turn, 10)
                    got += islice(events, 10)
                begun = time.monotonic()
            assert time.monotonic() - begun < 6
    assert positions(got) == list(range(30))


def test_only_wanted_types_come_and_the_id_moves_on_all_the_same(
    address: str, standing: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "KEEP_ALIVE_SECONDS", 0)
    monkeypatch.setattr(feed, "SLICE_SECONDS", 0.2)
    token = token_of(standing, "subscriber")
    headers = {"Authorization": f"Bearer {token}"}
    start(standing, 1, 3)
    asked = {"types": "claim.RefundIssued", "after": "-1"}
    with httpx.stream("GET", address, headers=headers, params=asked, timeout=SECONDS) as response:
        said = []
        for line in response.iter_lines():
            said.append(line)
            if line == "id: 2":
                break
    # A client moves its Last-Event-ID, in as many steps as batches were sealed, and shows no event.
    assert said[-1] == "id: 2"
    assert not any(line.startswith("data:") for line in said)


@contextmanager
def flowing(wiring: App) -> Iterator[None]:
    """Events without a pause."""
    stop = StopEvent()

    def record() -> None:
        for number in count(1):
            if stop.is_set():
                return
            start(wiring, number, 1)

    thread = Thread(target=record)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(SECONDS)


TAKEN_BACK = {
    "revoked": "update ledger.tokens set revoked_at = clock_timestamp() where name = 'listening'",
    "expired": "update ledger.tokens set expires_at = clock_timestamp() where name = 'listening'",
    "another role": "update ledger.tokens set role = 'auditor' where name = 'listening'",
    "a role that is no more": "update ledger.tokens set role = 'gone' where name = 'listening'",
}


@pytest.mark.test_all
@pytest.mark.parametrize(
    ("how", "busy"), [(how, True) for how in TAKEN_BACK] + [("revoked", False), ("another role", False)]
)
def test_fault_15_a_stream_ends_when_its_token_does_whatever_flows(
    address: str, standing: App, monkeypatch: pytest.MonkeyPatch, how: str, *, busy: bool
) -> None:
    monkeypatch.setattr(middleware, "RECHECK_SECONDS", 0.2)
    token = token_of(standing, "subscriber", "listening")
    with flowing(standing) if busy else nullcontext(), listened(address, token, after="-1") as events:
        if not busy:
            start(standing, 1, 1)
        next(events)
        execute(str(standing.settings.migrate_dsn), TAKEN_BACK[how])
        begun = time.monotonic()
        for _ in events:  # It ends by itself, and as a stream ends.
            assert time.monotonic() - begun < 10
        assert time.monotonic() - begun < 10


@pytest.mark.slow
def test_fault_15_the_stream_of_a_session_ends_when_it_signs_out(
    address: str, standing: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "RECHECK_SECONDS", 0.2)
    tokens = Tokens(standing.pool, standing.book)
    made, cookie = tokens.create("session", role="auditor", name="a", created_by="test", lasts=SESSION_LASTS)
    with (
        flowing(standing),
        httpx.stream(
            "GET", address, cookies={SESSION_COOKIE: cookie}, params={"after": "-1"}, timeout=SECONDS
        ) as response,
    ):
        lines = response.iter_lines()
        next(lines)
        assert tokens.revoke(made.token_id)
        begun = time.monotonic()
        for _ in lines:
            assert time.monotonic() - begun < 10


def test_fault_24_a_filtered_stream_of_a_busy_feed_is_kept_alive(
    address: str, standing: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "KEEP_ALIVE_SECONDS", 0.3)
    headers = {"Authorization": f"Bearer {token_of(standing, 'subscriber')}"}
    asked = {"types": "claim.RefundIssued", "after": "-1"}
    with (
        flowing(standing),
        httpx.stream("GET", address, headers=headers, params=asked, timeout=SECONDS) as response,
    ):
        said = (line for line in response.iter_lines() if line.startswith("id:"))
        first, second = next(said), next(said)
    assert int(first.removeprefix("id: ")) < int(second.removeprefix("id: "))


@pytest.mark.slow
def test_no_more_streams_are_served_than_the_limit(
    address: str, standing: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST_STREAMS", 1)
    token = token_of(standing, "subscriber")
    with listened(address, token) as events:
        start(standing, 1, 1)
        next(events)
        refused = httpx.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS)
        assert (refused.status_code, refused.json()["code"]) == (429, "TOO_MANY_STREAMS")
