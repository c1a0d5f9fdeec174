"""Growing the Merkle log: the nodes that each batch of leaves completes, in the transaction that seals it."""

from collections.abc import Sequence

from ledger.feed.proofs.merkle import Frontier, NodeAt, ReadNodes
from ledger.feed.proofs.refused import BadProof
from ledger.store.errors import LogBroken
from ledger.store.log import insert_nodes, nodes_cover, select_leaf_hashes, select_nodes
from ledger.store.pool import Connection


def nodes_of(connection: Connection, book: str) -> ReadNodes:
    """Give the reader of a book's stored nodes, for roots and proofs: one query a call."""

    def read(nodes: Sequence[NodeAt]) -> Sequence[bytes]:
        return select_nodes(connection, book, nodes)

    return read


def grow(connection: Connection, book: str, first_position: int, leaf_hashes: Sequence[bytes]) -> None:
    """Store the nodes that these leaves complete: one statement a batch.

    A log of which some was sealed without its nodes, as `eventsourcing`'s own programs do, gets them first.
    Raises LogBroken when nodes are missing that had been stored.
    """
    covered = nodes_cover(connection, book)
    if covered > first_position:
        message = (
            f"book {book!r} has nodes for {covered} events, but only {first_position} are sealed: "
            "nothing is sealed; run `coverledger verify`"
        )
        raise LogBroken(message)
    # An odd last leaf completes no node: a tree of 2n + 1 leaves has the nodes of 2n.
    start = first_position if covered >= first_position - 1 else covered
    try:
        frontier = Frontier.read(start, nodes_of(connection, book))
    except BadProof as error:
        message = f"the Merkle log of book {book!r} is broken ({error}): run `coverledger verify`"
        raise LogBroken(message) from error
    for leaves in select_leaf_hashes(connection, book, start, first_position):
        _store(connection, book, frontier, leaves)
    _store(connection, book, frontier, leaf_hashes)


def _store(connection: Connection, book: str, frontier: Frontier, leaves: Sequence[bytes]) -> None:
    """Append leaves and store the nodes above them; the leaves themselves stand in the log."""
    insert_nodes(connection, book, [row for row in frontier.grow(leaves) if row[0] > 0])
