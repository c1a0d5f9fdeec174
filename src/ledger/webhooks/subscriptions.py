"""The subscriptions of one book as the operator sees them: added, listed, paused, resent, removed."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Final

from ledger.clock import machine_now
from ledger.domain.identifiers import contract_ref
from ledger.domain.registry import EVENT_TYPES
from ledger.errors import Rejected, UsageError
from ledger.feed.reader import position_after, read_feed
from ledger.store.canonical import stream_id
from ledger.store.feed import feed_end
from ledger.store.pool import Connection, Pool
from ledger.store.subscriptions import (
    Backlog,
    Kept,
    Kind,
    NewSubscription,
    Subscription,
    WebhookSecrets,
    add_subscription,
    backlogs,
    behind,
    enter_state,
    hurry,
    iso_seconds,
    keep_missing,
    kept_events,
    lift_pause,
    remove_subscription,
    replay,
    subscription,
    subscriptions,
)
from ledger.webhooks.endpoints import AddressRefused, is_stream_name, new_secret, webhook_url


class SubscriptionUnknown(Rejected):
    """The book has no subscription of this name."""

    def __init__(self, book: str, name: str) -> None:
        super().__init__(
            f"Book {book!r} has no subscription {name!r}: see coverledger subscriptions list --book {book}"
        )


class SubscriptionExists(Rejected):
    """The name is taken."""

    def __init__(self, book: str, name: str) -> None:
        super().__init__(
            f"Book {book!r} has a subscription {name!r} already: choose another name, or remove that one"
        )


class OtherKind(Rejected):
    """What was asked for is not done with subscriptions of this kind."""

    def __init__(self, name: str, kind: str, instead: str) -> None:
        """`instead`: what to do, in a few words."""
        super().__init__(f"Subscription {name!r} is of kind {kind}: {instead}")


class NotActive(Rejected):
    """The subscription is paused or disabled."""

    def __init__(self, name: str, state: str, because: str | None) -> None:
        """`because`: why."""
        told = f" ({because})" if because else ""
        super().__init__(
            f"Subscription {name!r} is {state}{told}: coverledger subscriptions resume {name} lets it go on"
        )


class ReadElsewhere(Rejected):
    """Another program reads under the same name, and each event is given to one of them only."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The checkpoint of {name!r} has moved meanwhile: another program reads under this name; give "
            "each program its own"
        )


class NameRefused(UsageError):
    """It is no name of a subscription."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name[:40]!r} is no name of a subscription: use letters, digits, '.', '_' and '-', 64 at most"
        )


class TypeUnknown(UsageError):
    """There is no such event type."""

    def __init__(self, type_name: str, near: str) -> None:
        """`near`: the one that is most like it."""
        super().__init__(f"There is no event type {type_name!r}; did you mean {near}?")


NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
MOST_RESENT: Final = 100_000
"""Positions looked through at once."""
KEPT_SHOWN: Final = 1_000

_RESENT_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class SubscriptionStatus:
    """How one subscription stands."""

    subscription: Subscription
    backlog: Backlog
    lag: int
    """Events of the feed, wanted or not, that it has not come to yet."""

    def as_json(self) -> dict[str, object]:
        """Return what `--json` prints; instants in UTC."""
        found, backlog = self.subscription, self.backlog
        return {
            "name": found.name,
            "kind": found.kind,
            "target": found.target,
            "types": None if found.types is None else list(found.types),
            "state": found.state,
            "because": found.because,
            "position": found.position,
            "lag": self.lag,
            "waiting": backlog.waiting,
            "parked": backlog.parked,
            "failing_since": iso_seconds(backlog.failing_since),
            "next_try_at": iso_seconds(backlog.next_try_at),
            "last_taken_at": iso_seconds(found.taken_at),
            "last_failure": found.told,
            "waits_until": iso_seconds(found.waits_until),
            "created_at": iso_seconds(found.created_at),
        }


class Subscriptions:
    """The subscriptions of one book."""

    def __init__(
        self, pool: Pool, secrets: WebhookSecrets, book: str, *, allow_private: bool = False
    ) -> None:
        """`pool` connects as the application. `allow_private`: as `webhook_url` has it."""
        self._pool = pool
        self._secrets = secrets
        self._book = book
        self._allow_private = allow_private

    def add_webhook(
        self, name: str, url: str, *, types: Sequence[str] | None = None, after: int | str | None = None
    ) -> str:
        """Add a webhook and give the secret that its deliveries are signed with; it is shown nowhere again.

        `types`: stable names of the events wanted; None: all. `after`: the cursor after which it begins, -1
        for the whole feed; None: whatever is sealed from now on.

        Raises:
            NameRefused, TypeUnknown: it is written wrongly.
            Rejected: a webhook may not go to this address.
            SubscriptionExists: the name is taken.
            EpochsPart, EpochUnknown, BeyondTheEnd, NotACursor: it cannot begin there.

        """
        try:
            webhook_url(url, allow_private=self._allow_private)
        except AddressRefused as error:
            message = f"Subscription {name!r} was not added: {error}."
            raise Rejected(message) from error
        secret = new_secret()
        with self._pool.transaction() as connection:
            self._add(connection, name, "webhook", url, types, after)
            self._secrets.add(connection, self._book, name, secret)
        return secret

    def add_relay(self, name: str, stream: str, *, after: int | str | None = None) -> None:
        """Add a relay to a NATS stream; `after` as of a webhook. Raises NameRefused, SubscriptionExists."""
        if not is_stream_name(stream):
            message = f"{stream[:40]!r} is no name of a NATS stream: leave out spaces and . * > / \\"
            raise UsageError(message)
        with self._pool.transaction() as connection:
            self._add(connection, name, "nats", stream, None, after)

    def all(self) -> list[SubscriptionStatus]:
        """Return how each stands, by name."""
        with self._pool.connection() as connection:
            return subscription_statuses(connection, self._book)

    def one(self, name: str) -> SubscriptionStatus:
        """Return how one stands. Raises SubscriptionUnknown."""
        for standing in self.all():
            if standing.subscription.name == name:
                return standing
        raise SubscriptionUnknown(self._book, name)

    def kept(self, name: str) -> list[Kept]:
        """Return what waits and what is parked, by position, 1,000 at most. Raises SubscriptionUnknown."""
        with self._pool.connection() as connection:
            if subscription(connection, self._book, name) is None:
                raise SubscriptionUnknown(self._book, name)
            return kept_events(connection, self._book, name, KEPT_SHOWN)

    def pause(self, name: str, because: str | None = None) -> None:
        """Pause it; what is sealed meanwhile it gets afterwards. Raises SubscriptionUnknown."""
        with self._locked(name) as (connection, found):
            if found.state == "active":
                enter_state(connection, self._book, name, "paused", because)

    def resume(self, name: str) -> None:
        """Resume a paused or disabled one where it was, and at once where its receiver asked for a pause.

        Raises SubscriptionUnknown.
        """
        with self._locked(name) as (connection, found):
            enter_state(connection, self._book, name, "active", None)
            if found.waits_until is not None:
                lift_pause(connection, self._book, found.target)
                hurry(connection, self._book, name, machine_now())

    def resend(self, name: str, first: int, last: int, contract: str | None = None) -> int:
        """Send events again that a webhook has had, from position `first` to `last`, both included; how many.

        `contract`: those of this contract alone, with its claims and complaints. They go out before what
        comes later on their contracts, under the ids that they had.

        Raises:
            SubscriptionUnknown, OtherKind: it is no webhook.
            UsageError: it has not come to these positions, or there are too many.

        """
        if not 0 <= first <= last or last - first >= MOST_RESENT:
            message = f"Name a first and a last position, from 0 and {MOST_RESENT:,} apart at most."
            raise UsageError(message)
        with self._locked(name) as (connection, found):
            self._only_webhook(found, "read the feed again from where you like")
            if last > found.position:
                message = (
                    f"Subscription {name!r} has come to position {found.position} and gets what follows "
                    "anyway: name a last position at or before it."
                )
                raise UsageError(message)
            return self._keep_again(connection, found, first, last, contract)

    def replay_parked(self, name: str) -> int:
        """Try what is parked again, at once and then for days as if it were new; how many events.

        Raises SubscriptionUnknown, OtherKind.
        """
        with self._locked(name) as (connection, found):
            if found.kind == "pull":
                raise OtherKind(found.name, found.kind, "nothing of it is ever parked")
            replayed = replay(connection, self._book, name, machine_now())
            if found.kind == "nats" and not replayed:
                raise OtherKind(found.name, found.kind, "nothing of it is parked")
            return replayed

    def rotate_secret(self, name: str, keep_old: timedelta) -> str:
        """Sign with a new secret too, which is given here and shown nowhere again; the old ones expire.

        `keep_old`: for so long deliveries bear signatures of both. Raises SubscriptionUnknown, OtherKind.
        """
        secret, now = new_secret(), machine_now()
        with self._locked(name) as (connection, found):
            self._only_webhook(found, "nothing of it is signed")
            self._secrets.expire(connection, self._book, name, now=now, expires_at=now + keep_old)
            self._secrets.add(connection, self._book, name, secret)
        return secret

    def remove(self, name: str) -> SubscriptionStatus:
        """Forget it, with its secrets and what it was not given; how it stood. Raises SubscriptionUnknown."""
        stood = self.one(name)
        with self._locked(name) as (connection, _):
            remove_subscription(connection, self._book, name)
        return stood

    @contextmanager
    def _locked(self, name: str) -> Iterator[tuple[Connection, Subscription]]:
        """Hold it for one transaction: whoever delivers waits. Raises SubscriptionUnknown."""
        with self._pool.transaction() as connection:
            found = subscription(connection, self._book, name, lock=True)
            if found is None:
                raise SubscriptionUnknown(self._book, name)
            yield connection, found

    def _add(  # noqa: PLR0913, PLR0917 # a subscription has so many parts
        self,
        connection: Connection,
        name: str,
        kind: Kind,
        target: str,
        types: Sequence[str] | None,
        after: int | str | None,
    ) -> None:
        check_name(name)
        check_types(types or ())
        begins = (
            feed_end(connection, self._book)
            if after is None
            else position_after(connection, self._book, after)
        )
        new = NewSubscription(name, kind, target, types, begins)
        if not add_subscription(connection, self._book, new):
            raise SubscriptionExists(self._book, name)

    def _only_webhook(self, found: Subscription, instead: str) -> None:
        if found.kind != "webhook":
            raise OtherKind(found.name, found.kind, instead)

    def _keep_again(
        self, connection: Connection, found: Subscription, first: int, last: int, contract: str | None
    ) -> int:
        wanted = None if contract is None else stream_id(self._book, contract_ref(contract))
        now, resent = machine_now(), 0
        for after in range(first - 1, last, _RESENT_AT_ONCE):
            limit = min(_RESENT_AT_ONCE, last - after)
            events = read_feed(connection, self._book, after, limit, found.types)
            again = [
                behind(event.position, event.correlation_id, now)
                for event in events
                if wanted in {None, event.correlation_id}
            ]
            resent += keep_missing(connection, self._book, found.name, again)
        return resent


def subscription_statuses(connection: Connection, book: str) -> list[SubscriptionStatus]:
    """Return how each subscription of a book stands, by name."""
    end, kept = feed_end(connection, book), backlogs(connection, book)
    return [
        SubscriptionStatus(found, kept.get(found.name, Backlog()), end - found.position)
        for found in subscriptions(connection, book)
    ]


def check_name(name: str) -> None:
    """Ensure that it is a name for a subscription. Raises NameRefused."""
    if not NAME.fullmatch(name):
        raise NameRefused(name)


def check_types(types: Sequence[str]) -> None:
    """Ensure that there are such events. Raises TypeUnknown."""
    for name in types:
        if name not in EVENT_TYPES:
            raise TypeUnknown(name, get_close_matches(name, EVENT_TYPES, n=1, cutoff=0.0)[0])
