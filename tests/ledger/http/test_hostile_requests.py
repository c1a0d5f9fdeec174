"""Every route that there is, of the interface and of the site, with what nobody should send: never a 5xx."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.routing import APIRoute

from fixtures.desk import claim, contract
from fixtures.served import Served
from fixtures.visited import following
from ledger.auth.tokens import SESSION_LASTS, Tokens
from ledger.http.callers import SESSION_COOKIE

FULL = bool(os.environ.get("FAULTS_FULL"))
"""All of them, five minutes' worth: `make faults`; else each seventh, beside the sample of `make test`."""
DEEP = b"[" * 60_000
PATHS = (
    *("%00", "%ED%A0%80", "%FF%FE", "..%2F..", "%2e%2e", "9" * 400, "a%0d%0ab", "%F0%9F%98%80", "CC-1%00"),
    *("~ZZ", "-1"),
)
VALUES = (
    *("%00", "%ED%A0%80", "%FF%FE", "1" + "0" * 40, "9" * 5_000, "-1", "1e9", "NaN", "0x10", "%F0%9F%98%80"),
    *("'%22--", "0000-00-00", "2026-02-30", "%7B%7D", "a%0d%0ab", "1:2:3", "999999999:999999999999999999"),
    *("%D9%A1%D9%A2", ""),
)
HEADERS: tuple[dict[str, bytes], ...] = (
    {"Authorization": b"Bearer \xff\xfe"},
    {"Authorization": b"Bearer " + b"." * 20_000},
    {"Authorization": b"Basic eA=="},
    {"Authorization": b"Bearer a.b.c"},
    {"Cookie": b'claims-ledger-session=\xff\xc3; claims-ledger-language=\xff; a="\\777'},
    {"Cookie": b"=;;;=;" * 1_000},
    {"If-Match": b"\xc3\xa9"},
    {"If-Match": b'"9999999999999999999999"'},
    {"If-None-Match": b'"1", W/"\xff", *'},
    {"Idempotency-Key": "né".encode()},
    {"Idempotency-Key": b"\xff"},
    {"Access-Reason": b"\xed\xa0\x80"},
    {"Access-Reason": b""},
    {"Accept": b"\xff/*;q=x, text/html"},
    {"Accept-Language": b"\xc3\xa9;q=nan, nl;q=" + b"9" * 400},
    {"X-Request-Id": b"\xff" * 100},
    {"Host": b"\xff\xfe:99999999"},
    {"Origin": b"null", "Sec-Fetch-Site": b"\xff"},
    {"Content-Type": b"application/json; charset=\xff"},
    {"Content-Length": b"9" * 5_000},
    {"Range": b"bytes=5-1,-0"},
    {"Expect": b"200-ok"},
)
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
BODIES: tuple[tuple[str, bytes], ...] = (
    (JSON, DEEP),
    (JSON, b'{"a":' * 10_000),
    (JSON, b'{"reason": ' + DEEP + b"}"),
    (JSON, b'"\\ud800"'),
    (JSON, b'{"name": "\\ud800", "reason": "\\u0000"}'),
    (JSON, b'{"name": 1e999, "reason": NaN}'),
    (JSON, b'{"name": ' + b"9" * 5_000 + b"}"),
    (JSON, b"\xff\xfe{\x00}\x00"),
    (JSON, b""),
    (JSON, b"null"),
    (f"{JSON}; charset=utf-16", b"{}"),
    ("application/xml", b"<a/>"),
    ("multipart/form-data", b"--x"),
    (
        "multipart/form-data; boundary=x",
        b"--x\r\nContent-Disposition: form-data; name=\xff\r\n\r\n\xff\r\n--x--",
    ),
    ("\xff", b"{}"),
    (FORM, "csrf=é".encode()),
    (FORM, b"csrf=%C3%A9&reason=x&name=x"),
    (FORM, b"csrf=%FF%ED%A0%80"),
    (FORM, b"csrf=a&csrf=b"),
    (FORM, b"a=1&" * 200),
    (FORM, b"reason=%00&name=%00&csrf=%00"),
    (FORM, b"&=&;%&=%"),
)


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    parameters: tuple[str, ...]

    def filled(self, step: str = "CC-1") -> str:
        """The path with something in each of its parts; the book is the one that is served."""
        path = self.path.replace("{book}", "cyber-care")
        while "{" in path:
            before, _, rest = path.partition("{")
            path = before + step + rest.partition("}")[2]
        return path

    @property
    def is_endless(self) -> bool:
        return self.path.endswith("/stream")


def routes_in(router: Any) -> Iterator[APIRoute]:  # noqa: ANN401  # the framework's own
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from routes_in(route.original_router)


def every_route(served: Served) -> list[Route]:
    described = served.client.get("/openapi.json").json()["paths"]
    found = {
        Route(
            method,
            route.path,
            tuple(
                parameter["name"]
                for parameter in described.get(route.path, {}).get(method.lower(), {}).get("parameters", ())
                if parameter["in"] == "query"
            ),
        )
        for route in routes_in(served.app)
        for method in route.methods or ()
    }
    assert len(found) > 100
    return sorted(found, key=lambda route: (route.path, route.method))


@pytest.fixture(scope="module")
def peopled(house: Served) -> Iterator[Served]:
    house.command("StartContract", contract("CC-1"))
    house.command("OpenClaim", claim("CC-1", "CC-1"))
    with following(house.wiring):
        house.wiring.catch_up()
        yield house


def hostile(route: Route) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests to one route: what is not as it should be, one thing at a time."""
    good = route.filled()
    if "{" in route.path.replace("{book}", ""):
        yield from ((route.filled(step), {}) for step in PATHS)
    yield from ((route.path.replace("{book}", step), {}) for step in PATHS if "{book}" in route.path)
    for name in (*route.parameters, "unknown", "%ED%A0%80", "%00"):
        for value in VALUES:
            if not (route.is_endless and value in {"-1", ""}):
                yield f"{good}?{name}={value}", {}
    if not route.is_endless:
        yield from ((good, {"headers": headers}) for headers in HEADERS)
        yield f"{good}?{'&' * 1_000}", {}
    if route.method == "POST":
        for media_type, body in BODIES:
            yield good, {"headers": {"Content-Type": media_type.encode("latin-1")}, "content": body}


def walk(served: Served, wanted: int) -> None:
    """Send one of so many hostile requests to each route, as an administrator and as nobody."""
    known = {name: value.encode() for name, value in served.bearing("admin").items()}
    known |= {"Idempotency-Key": b"walked", "Access-Reason": b"a test"}
    faults, number = [], 0
    for route in every_route(served):
        for url, more in hostile(route):
            number += 1
            if number % wanted:
                continue
            headers = dict(more.get("headers", {}))
            for who in (known | headers, headers):
                served.client.cookies.clear()
                answer = served.client.request(
                    route.method, url, headers=who, content=more.get("content"), follow_redirects=False
                )
                if answer.status_code >= 500:
                    faults.append((route.method, url[:200], str(more)[:200], answer.status_code))
    assert not faults
    assert number > 5_000


def test_fault_31_a_sample_of_what_nobody_should_send_to_every_route_is_never_a_fault_of_ours(
    peopled: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    walk(peopled, 211)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.test_all
def test_fault_31_nothing_that_nobody_should_send_is_ever_a_fault_of_ours(
    peopled: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    walk(peopled, 1 if FULL else 14)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("signed_in", [False, True])
def test_fault_31_deep_json_is_refused_at_once_whoever_sends_it(peopled: Served, *, signed_in: bool) -> None:
    headers = peopled.bearing("admin") if signed_in else {}
    for path in ("/persons.json", "/commands/OpenClaim", f"{peopled.base}/commands/StartContract"):
        answer = peopled.client.post(
            path, content=DEEP, headers=headers | {"Content-Type": JSON, "Idempotency-Key": "deep"}
        )
        assert 400 <= answer.status_code < 500, (path, answer.text)
    answer = peopled.client.post("/persons.json", content=DEEP, headers=headers | {"Content-Type": JSON})
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


def test_fault_31_a_form_whose_token_is_no_ascii_is_refused_as_any_other(peopled: Served) -> None:
    tokens = Tokens(peopled.wiring.pool, peopled.wiring.book)
    _, secret = tokens.create("session", role="admin", name="a", created_by="test", lasts=SESSION_LASTS)
    for csrf in ("é", "\N{GRINNING FACE}", "\0", ""):
        body = f"csrf={quote(csrf)}&name=Ada&reason=call".encode()
        headers = {"Content-Type": FORM, "Cookie": f"{SESSION_COOKIE}={secret}"}
        answer = peopled.client.post("/persons", content=body, headers=headers)
        assert answer.status_code in {400, 403}, (csrf, answer.status_code)
