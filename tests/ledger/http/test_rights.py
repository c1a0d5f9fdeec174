"""Every route names the right that it needs, and lets pass those who have it and nobody else."""

import pytest
from routes_walked import ask, walked

from fixtures.desk import contract
from fixtures.served import Served, token_of
from ledger.auth.roles import OPEN, RIGHTS, ROLES
from ledger.auth.tokens import SESSION_LASTS, Tokens
from ledger.http.callers import SESSION_COOKIE

BY_TOKEN = [role for role in ROLES if role != "calendar"]


@pytest.fixture(scope="module")
def peopled(house: Served) -> Served:
    """With one contract, so that what is asked for is there."""
    house.command("StartContract", contract("CC-1"))
    house.wiring.catch_up()
    return house


@pytest.mark.slow
def test_every_route_lets_pass_each_role_exactly_as_declared(peopled: Served) -> None:
    wrong, seen = [], 0
    for route in walked(peopled):
        assert route.right in {OPEN, *RIGHTS}, route
        for role in BY_TOKEN:
            status = ask(peopled, route, peopled.bearing(role))
            passes = route.right == OPEN or route.right in ROLES[role]
            seen += 1
            if (status not in {401, 403}) is not passes or status >= 500:
                wrong.append(f"{route} by {role}: {status}")
    assert wrong == []
    assert seen > 70 * len(BY_TOKEN)


def test_a_stranger_is_asked_who_it_is_by_every_route_that_is_not_open_to_all(peopled: Served) -> None:
    wrong = [
        str(route) for route in walked(peopled) if (ask(peopled, route, {}) == 401) is (route.right == OPEN)
    ]
    assert wrong == []


def test_open_to_all_is_what_says_nothing_of_anybody_and_no_more(peopled: Served) -> None:
    assert {route.path for route in walked(peopled) if route.right == OPEN} == {
        *("/livez", "/readyz", "/problems", "/problems/{code}", "/v1/{book}/checkpoint"),
    }


def test_an_auditor_may_write_nothing_and_a_subscriber_sees_the_feed_alone(peopled: Served) -> None:
    routes = list(walked(peopled))
    assert not any(route.right in ROLES["auditor"] for route in routes if route.method != "get")
    of_a_subscriber = {route.path for route in routes if route.right in ROLES["subscriber"]}
    assert of_a_subscriber == {
        f"/v1/{{book}}/{rest}"
        for rest in ("events", "events/stream", "schemas/{event_type}", "asyncapi.json")
    }


def test_a_refused_right_is_named_so_that_one_knows_what_to_ask_for(peopled: Served) -> None:
    refused = peopled.get("/limits", "subscriber")
    assert (refused.status_code, refused.json()["code"], refused.json()["right"]) == (
        403,
        "FORBIDDEN",
        "read",
    )
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]


def test_the_calendars_token_opens_the_calendar_by_its_address_and_nothing_else(peopled: Served) -> None:
    token, base = token_of(peopled.wiring, "calendar"), peopled.base
    assert peopled.client.get(f"{base}/due.ics", params={"token": token}).status_code == 200
    assert peopled.client.get(f"{base}/due", params={"token": token}).status_code == 401
    assert peopled.client.get(f"{base}/due", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_no_other_token_is_taken_from_an_address_where_logs_would_keep_it(peopled: Served) -> None:
    admins = token_of(peopled.wiring, "admin")
    assert peopled.client.get(f"{peopled.base}/due.ics", params={"token": admins}).status_code == 401


def test_a_session_of_the_site_has_the_rights_of_its_role_and_no_page_elsewhere_may_use_it(
    peopled: Served,
) -> None:
    tokens = Tokens(peopled.wiring.pool, peopled.wiring.book)
    _, secret = tokens.create(
        "session", role="back_office", name="desk-17", created_by="test", lasts=SESSION_LASTS
    )
    cookie = {"Cookie": f"{SESSION_COOKIE}={secret}"}
    url = f"{peopled.base}/commands/RevokeNotice"
    asked = cookie | {"Idempotency-Key": "k"}
    body = {"contract": "CC-1", "reason": "a change of mind"}
    assert peopled.client.get(f"{peopled.base}/due", headers=cookie).status_code == 200
    elsewhere = [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://ledger.test"},
        {"Origin": "null"},
    ]
    refused = [peopled.client.post(url, json=body, headers=asked | more) for more in elsewhere]
    assert [answer.json()["code"] for answer in refused] == ["CROSS_SITE_REQUEST"] * 4
    own = peopled.client.post(url, json=body, headers=asked | {"Origin": "http://ledger.test"})
    assert own.json()["code"] == "UNKNOWN"  # read and decided: there is no notice to revoke
