"""Names and ids of streams: derived from the business number, so that a number is unique in its book."""

from functools import lru_cache
from uuid import NAMESPACE_URL, UUID, uuid5

from ledger.domain.identifiers import StreamRef


@lru_cache(maxsize=64)
def book_namespace(book: str) -> UUID:
    """Namespace of all stream ids of one book."""
    return uuid5(NAMESPACE_URL, "claims-ledger:" + book)


@lru_cache(maxsize=65_536)
def stream_id(book: str, stream: StreamRef) -> UUID:
    """Id of a stream: UUIDv5 of book, kind and number.

    The same number in the same book is the same stream.
    """
    return uuid5(book_namespace(book), stream.name)


def stream_ref(name: str) -> StreamRef:
    """Stream of a stored name, `contract/CC-1`: the number is all that stands after the first slash."""
    kind, _, number = name.partition("/")
    return StreamRef(kind, number)  # type: ignore[arg-type] # stored names were StreamRefs when they were recorded
