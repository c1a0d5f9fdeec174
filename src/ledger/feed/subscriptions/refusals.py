"""Why something about a subscription is refused; each message says what to do next."""

from ledger.errors import Rejected, UsageError


class SubscriptionUnknown(Rejected):
    """The book has no subscription of this name."""

    def __init__(self, book: str, name: str) -> None:
        """Name both."""
        super().__init__(
            f"Book {book!r} has no subscription {name!r}: see coverledger subscriptions list --book {book}"
        )


class SubscriptionExists(Rejected):
    """The name is taken."""

    def __init__(self, book: str, name: str) -> None:
        """Name both."""
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
        """Name the subscription."""
        super().__init__(
            f"The checkpoint of {name!r} has moved meanwhile: another program reads under this name; give "
            "each program its own"
        )


class NameRefused(UsageError):
    """It is no name of a subscription."""

    def __init__(self, name: str) -> None:
        """Say what a name may be."""
        super().__init__(
            f"{name[:40]!r} is no name of a subscription: use letters, digits, '.', '_' and '-', 64 at most"
        )


class TypeUnknown(UsageError):
    """There is no such event type."""

    def __init__(self, type_name: str, near: str) -> None:
        """`near`: the one that is most like it."""
        super().__init__(f"There is no event type {type_name!r}; did you mean {near}?")
