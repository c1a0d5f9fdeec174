"""Methods, parameters, ids and instants: as HTTP has them, the same on every route."""

import pytest
from routes_walked import walked

from fixtures.desk import contract
from fixtures.served import Served


@pytest.mark.slow
def test_fault_24_head_is_answered_wherever_get_is_and_options_says_what_is_taken(house: Served) -> None:
    headers = house.bearing("admin") | {"Access-Reason": "a test"}
    for route in walked(house):
        allowed = house.client.options(route.url, headers=headers)
        assert (allowed.status_code, allowed.content) == (204, b""), route
        takes = set(allowed.headers["Allow"].split(", "))
        assert takes >= {"OPTIONS", route.method.upper()}, route
        other = house.client.delete(route.url, headers=headers)
        assert (other.status_code, set(other.headers["Allow"].split(", "))) == (405, takes), route
        head = house.client.head(route.url, headers=headers)
        assert head.content == b"", route
        if route.method != "get":
            assert head.status_code == 405, route
            continue
        assert "HEAD" in takes
        got = house.client.get(route.url, headers=headers)
        assert head.status_code == got.status_code, route
        assert head.headers["Content-Type"] == got.headers["Content-Type"], route
        if route.path != "/metrics":  # They count the questions as well.
            assert head.headers.get("Content-Length") == got.headers.get("Content-Length"), route


def test_fault_24_head_of_a_stream_that_does_not_end_ends(house: Served) -> None:
    head = house.client.head(f"{house.base}/events/stream", headers=house.bearing("subscriber"))
    assert (head.status_code, head.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")


def test_fault_20_each_operation_refuses_parameters_that_it_does_not_know_and_names_them(
    house: Served,
) -> None:
    headers = house.bearing("admin") | {"Access-Reason": "a test", "Idempotency-Key": "unknown"}
    for route in walked(house):
        mark = "&" if "?" in route.url else "?"
        answer = house.client.request(
            route.method, f"{route.url}{mark}nonsense=1", headers=headers, json=route.body
        )
        assert answer.status_code == 422, route
        assert answer.headers["Content-Type"] == "application/problem+json", route
        assert "'nonsense'" in answer.json()["detail"], route


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/due?kindd=refund", "did you mean kind?"),
        ("/due?status=opne", "status: must be one of open, met, missed, cancelled"),
        ("/due?status=open&status=met", "status is given 2 times"),
        ("/claims?guarantee=none", "guarantee: must be one of"),
        ("/contracts?Status=active", "'Status'"),
        ("/contracts.csv?limit=1", "'limit'"),
        ("/reports/payments?step=refund", "'step'"),
        ("/events?type=claim.RefundIssued", "did you mean types?"),
        ("/due.ics?kind=none", "kind: must be one of"),
    ],
)
def test_fault_20_what_narrows_nothing_down_is_named(house: Served, path: str, named: str) -> None:
    answer = house.get(path)
    assert answer.status_code == 422
    assert named in answer.json()["detail"]


@pytest.mark.parametrize("key", ["é", "ключ", "\N{GRINNING FACE}"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_fault_24_an_id_beyond_ascii_is_refused_and_never_kept_as_something_else(
    house: Served, key: str, charset: str
) -> None:
    headers = {name: value.encode() for name, value in house.bearing("admin").items()}
    headers["Idempotency-Key"] = key.encode(charset).replace(b"\0", b"a")
    answer = house.client.post(f"{house.base}/commands/StartContract", json=contract("CC-9"), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "IDEMPOTENCY_KEY")


@pytest.mark.parametrize(
    "at",
    [
        "2026-03-01T09:00:00.123456789+01:00",
        "2026-03-01t08:00:00z",
        "2026-03-01t08:00:00.1Z",
        "2026-03-01T08:00:00.000000001z",
    ],
)
def test_fault_24_instants_are_read_as_rfc_3339_writes_them(house: Served, at: str) -> None:
    started = {"contract": f"CC-{at}"}
    answer = house.command("StartContract", contract() | started, at, params={"at": at, "dry_run": "true"})
    assert answer.status_code == 200, answer.text
    fields = {"claim": "K-1", "completed_at": at}
    refused = house.command("CompleteSubmission", fields, f"c-{at}", params={"dry_run": "true"})
    assert refused.status_code == 409, refused.text  # There is no such claim; the instant was read.


def test_fault_24_json_in_another_encoding_is_refused(house: Served) -> None:
    for charset, status in (("utf-8", 200), ('"UTF-8"', 200), ("latin-1", 415), ("utf-16", 415)):
        answer = house.client.post(
            f"{house.base}/commands/StartContract?dry_run=true",
            json=contract("CC-8"),
            headers=house.bearing("admin")
            | {"Idempotency-Key": "c", "Content-Type": f"application/json; charset={charset}"},
        )
        assert answer.status_code == status, answer.text
