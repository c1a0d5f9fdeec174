"""One try to deliver one event: an HTTP POST that follows nothing, reads little, and ends in time.

`Forwarder` posts the feed to one receiver, each event once: what `claims-ledger listen` does.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import version as installed_version
from typing import Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from ledger.clock import machine_now
from ledger.feed.publish import CONTENT_TYPE, cloud_event_json, epoch_of
from ledger.feed.reader import FeedEvent, read_feed
from ledger.store.books import select_event_type_prefix
from ledger.store.feed import feed_end
from ledger.store.log import Epoch, select_epochs
from ledger.store.pool import Pool
from ledger.webhooks.endpoints import AddressRefused, refuse_private, signed_headers
from ledger.webhooks.retry import LONGEST_ASKED_FOR, DeliveryResult, Verdict, answered

TRY_SECONDS: Final = 15.0
"""For the whole of one try: Standard Webhooks asks for 15 to 30."""
CONNECT_SECONDS: Final = 5.0
KEPT_OPEN_SECONDS: Final = 4.0
"""A connection that idles: less than the five seconds after which many servers close it from their side."""
_MOST_DIGITS: Final = 9
"""Of Retry-After in seconds; more are decades."""
READ_BYTES: Final = 65_536
"""Of an answer: nothing in it matters, but a connection read to its end can be used again."""


class _NotPublic(OSError):
    """The name leads to an address that webhooks may not go to."""


class PublicResolver(AbstractResolver):
    """Resolves a name once, for one connection, and refuses it unless every address it gives is public.

    What it gives is what is connected to, so that a name cannot lead elsewhere between the look and the deed.
    """

    def __init__(self, inner: AbstractResolver | None = None, *, allow_private: bool = False) -> None:
        """`inner` resolves; `allow_private`: refuse nothing."""
        self._inner = inner or ThreadedResolver()
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve. Raises OSError, also for a private address."""
        found = await self._inner.resolve(host, port, family)
        if not self._allow_private:
            try:
                for one in found:
                    refuse_private(one["host"])
            except AddressRefused as error:
                raise _NotPublic(str(error)) from error
        return found

    async def close(self) -> None:
        """Close what resolves."""
        await self._inner.close()


class Sender:
    """Delivers to one address over connections that are kept open."""

    def __init__(
        self,
        url: URL,
        *,
        connections: int,
        allow_private: bool = False,
        try_seconds: float = TRY_SECONDS,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """Be made within a running loop. `connections`: open at once at most.

        `try_seconds`: for one try, from the name's resolution to the answer. `resolver`: in place of the
        system's.
        """
        self._url = url
        connector = aiohttp.TCPConnector(
            limit=connections,
            resolver=PublicResolver(resolver, allow_private=allow_private),
            keepalive_timeout=KEPT_OPEN_SECONDS,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=try_seconds, sock_connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={
                "Content-Type": CONTENT_TYPE,
                "User-Agent": f"claims-ledger/{installed_version('coverledger')}",
            },
        )

    async def __aenter__(self) -> Self:
        """Use it until the block ends."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close its connections."""
        await self._session.close()

    async def post(self, body: bytes, headers: dict[str, str], now: datetime) -> DeliveryResult:
        """Deliver once; never raises for what a receiver or a network does. `now`: for Retry-After dates."""
        try:
            try:
                return await self._post(body, headers, now)
            except aiohttp.ServerDisconnectedError:
                # Mostly a connection kept open that the receiver closed just then: a new one will tell.
                return await self._post(body, headers, now)
        except TimeoutError:
            return DeliveryResult(Verdict.AWAY, "it did not answer in time")
        except aiohttp.ClientConnectorCertificateError:
            return DeliveryResult(Verdict.AWAY, "its certificate is not valid for the address")
        except aiohttp.ClientConnectorError as error:
            return DeliveryResult(Verdict.AWAY, _why_not_connected(error.os_error))
        except (aiohttp.ClientError, ConnectionError) as error:
            return DeliveryResult(Verdict.AWAY, f"it broke the connection off ({type(error).__name__})")

    async def _post(self, body: bytes, headers: dict[str, str], now: datetime) -> DeliveryResult:
        async with self._session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
            await answer.content.read(READ_BYTES)
            return answered(answer.status, asked_for(answer.headers.getall("Retry-After", ()), now))


def _why_not_connected(error: OSError) -> str:
    if isinstance(error, _NotPublic):
        return str(error)
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    why = os.strerror(error.errno) if error.errno else type(error).__name__
    return f"it cannot be connected to ({why})"


def asked_for(retry_after: Sequence[str], now: datetime) -> timedelta | None:
    """Read the headers Retry-After (RFC 9110 §10.2.3), each seconds or a date: the longest wait of them.

    What is neither is ignored; a date that is past is no wait.
    """
    waits = (_wait(text.strip(), now) for text in retry_after)
    return max((wait for wait in waits if wait is not None), default=None)


def _wait(text: str, now: datetime) -> timedelta | None:
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0")
        return LONGEST_ASKED_FOR if len(digits) > _MOST_DIGITS else timedelta(seconds=int(digits or "0"))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):  # as its parser has it for what is no date
        return None
    return max(until.replace(tzinfo=until.tzinfo or UTC) - now, timedelta(0))


BATCH_POSITIONS: Final = 500
PAUSE_SECONDS: Final = 0.2
"""Between two looks at a feed that has nothing new."""


class Forwarder:
    """Posts one after the other, remembers nothing, and tries nothing again."""

    def __init__(  # noqa: PLR0913 # a forwarder has so many parts
        self,
        pool: Pool,
        book: str,
        types: Sequence[str] | None,
        secret: str,
        *,
        seal: Callable[[], object],
        tell: Callable[[FeedEvent, DeliveryResult], None],
    ) -> None:
        """`seal`: done before each look at the feed. `tell`: is told of each answer."""
        self._pool = pool
        self._book = book
        self._types = types
        self._secret = secret
        self._seal = seal
        self._tell = tell
        self._epochs: Sequence[Epoch] = ()
        self._type_prefix = ""

    async def run(self, url: URL, after: int, *, until_end: bool) -> bool:
        """Post what comes after a position, to the feed's end or for ever; whether all of it was taken."""
        all_taken = True
        async with Sender(url, connections=1, allow_private=True) as sender:
            while True:
                events, last = await asyncio.to_thread(self._read, after)
                for event in events:
                    all_taken &= await self._post(sender, event)
                if last == after:
                    if until_end:
                        return all_taken
                    await asyncio.sleep(PAUSE_SECONDS)
                after = last

    async def _post(self, sender: Sender, event: FeedEvent) -> bool:
        epoch = epoch_of(event.position, self._epochs)
        body = cloud_event_json(event, self._book, epoch, type_prefix=self._type_prefix)
        now = machine_now()
        headers = signed_headers([self._secret], str(event.event_id), now, body)
        outcome = await sender.post(body, headers, now)
        self._tell(event, outcome)
        return outcome.verdict is Verdict.TAKEN

    def _read(self, after: int) -> tuple[list[FeedEvent], int]:
        """Read on, and say how far."""
        self._seal()
        with self._pool.connection() as connection:
            self._epochs = select_epochs(connection, self._book)
            self._type_prefix = select_event_type_prefix(connection, self._book)
            last = min(feed_end(connection, self._book), after + BATCH_POSITIONS)
            return read_feed(connection, self._book, after, last - after, self._types), last
