"""An answer that takes long ends with the credential that it was begun by, whatever kind of answer it is."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from fixtures.served import Served
from ledger.auth.roles import Caller
from ledger.auth.tokens import SESSION_LASTS, Kind, Tokens
from ledger.http import middleware
from ledger.http.callers import SESSION_COOKIE, admission_of, needs

SECONDS = 20.0


async def endless(request: Request, caller: Annotated[Caller, needs("read")]) -> Response:
    async def rows() -> AsyncIterator[bytes]:
        yield b"a,row\r\n"
        await revoked(request, caller)
        while True:
            yield b"a,row\r\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(rows(), media_type="text/csv")


async def waiting(request: Request, caller: Annotated[Caller, needs("read")]) -> Response:
    await revoked(request, caller)
    await asyncio.sleep(60)
    return Response("too late")


async def revoked(request: Request, caller: Caller) -> None:
    """Take back what the caller has shown, while the answer is under way."""
    tokens = admission_of(request).tokens
    assert await run_in_threadpool(tokens.revoke, str(caller.token_id))


@pytest.fixture
def long(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    monkeypatch.setattr(middleware, "RECHECK_SECONDS", 0.1)
    served.app.get("/endless.csv", include_in_schema=False)(endless)
    served.app.get("/waiting", include_in_schema=False)(waiting)
    return served


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bearer", "session"])
def test_fault_15_a_download_and_a_wait_end_when_whoever_began_them_may_not_any_more(
    long: Served, kind: Kind
) -> None:
    tokens = Tokens(long.wiring.pool, long.wiring.book)
    for path, status in (("/endless.csv", 200), ("/waiting", 401)):
        _, text = tokens.create(kind, role="auditor", name="a", created_by="test", lasts=SESSION_LASTS)
        cookie, bearer = {"Cookie": f"{SESSION_COOKIE}={text}"}, {"Authorization": f"Bearer {text}"}
        begun = time.monotonic()
        answer = long.client.get(path, headers=bearer if kind == "bearer" else cookie)
        assert time.monotonic() - begun < SECONDS
        assert answer.status_code == status, answer.text
