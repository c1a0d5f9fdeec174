"""Connections that mean harm: large, slow, silent, many, or no HTTP. Others are served all the while."""

import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from fixtures.served import Served, listening
from ledger.app import App
from ledger.http import middleware, server

SECONDS = 20.0
Address = tuple[str, int]


@pytest.fixture(scope="module")
def address(house: Served) -> Iterator[Address]:
    with listening(house.wiring) as base:
        host, _, port = base.removeprefix("http://").partition(":")
        yield host, int(port)


@contextmanager
def connected(address: Address) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=SECONDS) as connection:
        yield connection


def answer(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """What the server says before it closes: the status, and the problem."""
    said = b""
    while part := connection.recv(65_536):
        said += part
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def lives(address: Address) -> bool:
    return httpx.get(f"http://{address[0]}:{address[1]}/livez", timeout=SECONDS).status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 32_000_000, id="one header of 32 MB"),
        pytest.param(
            b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(20_000)),
            id="20,000 headers",
        ),
        pytest.param(b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", id="a long address"),
        pytest.param(b"GET /?" + b"a=1&" * 500_000, id="an address without an end"),
    ],
)
def test_fault_31_a_head_that_is_too_large_is_refused_before_it_is_there(
    address: Address, head: bytes
) -> None:
    with connected(address) as connection:
        connection.sendall(head)
        status, problem = answer(connection)
    assert (status, problem["code"]) == (431, "HEAD_TOO_LARGE")
    assert lives(address)


def test_fault_31_a_head_that_does_not_come_ends_in_time_however_slowly_it_drips(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.6)
    for begun in (b"GET /livez", b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "):
        with connected(address) as connection:
            connection.sendall(begun)
            connection.settimeout(0.05)
            started = time.monotonic()
            while True:
                try:
                    peeked = connection.recv(1, socket.MSG_PEEK)
                except TimeoutError:
                    assert time.monotonic() - started < SECONDS
                    connection.sendall(b"a")
                else:
                    assert peeked
                    break
            connection.settimeout(SECONDS)
            status, problem = answer(connection)
        assert (status, problem["code"]) == (408, "SLOW")


def test_fault_31_a_second_request_that_does_not_come_ends_too(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    with connected(address) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHo")
        said = b""
        while part := connection.recv(65_536):
            said += part
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in said


def test_fault_31_a_body_that_does_not_come_ends_in_time(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.5)
    monkeypatch.setattr(server, "LINGER_SECONDS", 0.2)
    with connected(address) as connection:
        connection.sendall(
            b"POST /persons.json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        status, problem = answer(connection)
    assert (status, problem["code"]) == (408, "SLOW")


def test_fault_31_a_body_that_is_too_large_is_refused_and_the_refusal_can_be_read(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LINGER_SECONDS", 1.0)
    large = b"a" * 5_000_000
    with connected(address) as connection:
        connection.sendall(b"POST /persons HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(large))
        connection.sendall(large[:1_000_000])
        status, problem = answer(connection)
    assert (status, problem["code"]) == (413, "TOO_LARGE")
    with connected(address) as connection:  # Without a length beforehand.
        connection.sendall(b"POST /persons HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"%x\r\n" % len(large) + large[:1_000_000])
        status, problem = answer(connection)
    assert (status, problem["code"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /persons HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /persons HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /persons HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n",
        b"POST /persons HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT ledger:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    ],
)
def test_fault_31_what_is_no_http_is_answered_so_and_never_with_a_fault_of_ours(
    address: Address, said: bytes, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with connected(address) as connection:
        connection.sendall(said)
        status, problem = answer(connection)
    assert 400 <= status < 500
    assert problem["status"] == status
    assert lives(address)
    assert "Traceback" not in caplog.text + capsys.readouterr().err


def test_fault_31_silent_connections_give_way_to_who_asks(
    standing: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 20)
    with listening(standing) as base, ExitStack() as silent:
        host, _, port = base.removeprefix("http://").partition(":")
        address = host, int(port)
        held = [silent.enter_context(connected(address)) for _ in range(100)]
        for _ in range(3):
            assert lives(address)
        newest = silent.enter_context(connected(address))
        newest.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert newest.recv(12) == b"HTTP/1.1 200"
        # Those that were silent longest gave way: they take no file of the process any more.
        assert [one.recv(1) for one in held[:80]] == [b""] * 80


def test_fault_31_silent_connections_are_closed_by_themselves(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
    with connected(address) as connection:
        assert connection.recv(1) == b""


def test_fault_31_the_file_limit_is_raised_to_what_is_needed_and_no_further() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        most = server.raise_file_limit()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert soft == min(server.WANTED_FILES, hard)
        assert most == min(server.MOST_CONNECTIONS, soft - server.SPARE_FILES)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
