"""What `verify --views` asks of each view: whether it is what the feed says.

Every row with its whole history, and what the fold remembers, against a fresh fold of the feed up to where
the view stands. In one snapshot, so that a follower at work is no difference.
"""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ledger.store.feed import checkpoint, feed_end
from ledger.store.pool import Connection
from ledger.verification.findings import CheckedView, NotVerified, OnProgress
from projections.asking.histories import read_until
from projections.asking.views import VIEWS
from projections.folding.versions import Folding
from projections.folding.view import View
from projections.upkeep.rows import Version, live_generation, rows_of

if TYPE_CHECKING:
    from ledger.app import App

Check = Callable[["App", OnProgress], CheckedView]

SNAPSHOT = "set transaction isolation level repeatable read, read only"
REMEMBERED = """
select key, since_position, memory from projections.remembered
where book = %s and generation = %s and view = %s
"""


def check_view(wiring: "App", view: View[Any], progress: OnProgress) -> CheckedView:
    """Check one view as far as it has come: its row versions. Raises NotVerified for the first bad row."""
    book = wiring.book
    with wiring.pool.transaction() as connection:
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOT)
        position, end = checkpoint(connection, book, view.name), feed_end(connection, book)
        if position > end:
            row = f"ledger.followers, {view.name}"
            raise NotVerified(
                None, row, f"it says position {position}, the feed ends at {end}: it was altered"
            )
        generation = live_generation(connection, book, view.name)
        folding = Folding(view)
        for event in read_until(connection, book, position, view.types):
            folding.take(event)
            progress(event.position + 1, position + 1)
        kept = Counter(rows_of(connection, book, generation, view))
        remembered = _remembered(connection, book, generation, view)
    fresh = Counter((version.from_position, version.to_position, version.row) for version in folding.versions)
    _compare_rows(view, kept, fresh)
    _compare_memory(view, remembered, folding)
    return CheckedView(sum(fresh.values()), position)


def _compare_rows(view: View[Any], kept: "Counter[Version]", fresh: "Counter[Version]") -> None:
    """Refuse rows that no event explains, and a view that lacks one."""
    put_in, missing = kept - fresh, fresh - kept
    if not put_in and not missing:
        return
    first = min([*put_in, *missing], key=lambda version: version[0])
    position, identity = first[0], first[2][: view.table.identity]
    row = f"{view.table.name}, {' '.join(map(str, identity))}"
    at_fault = [
        version for version in put_in if version[0] == position and version[2][: len(identity)] == identity
    ]
    if not at_fault:
        raise NotVerified(
            position, row, "the row that the feed gives from here on is missing: it was deleted"
        )
    wanted = [
        version for version in missing if version[0] == position and version[2][: len(identity)] == identity
    ]
    if not wanted:
        raise NotVerified(position, row, "no event explains this row: it was put in or altered")
    names = ("from_position", "to_position", *view.table.columns)
    stands, ought = ((one[0][0], one[0][1], *one[0][2]) for one in (at_fault, wanted))
    name, is_so, should = next(
        (name, is_so, should)
        for name, is_so, should in zip(names, stands, ought, strict=True)
        if is_so != should
    )
    raise NotVerified(position, row, f"its {name} is {is_so}, but the feed gives {should}: it was altered")


def _compare_memory(view: View[Any], kept: dict[str, tuple[int, str]], folding: Folding[Any]) -> None:
    """Refuse a memory that would make the next rows wrong."""
    fresh = {key: (was.since, view.to_text(was.memory)) for key, was in folding.remembered.items()}
    differing = sorted(key for key in kept.keys() | fresh.keys() if kept.get(key) != fresh.get(key))
    if differing:
        key = differing[0]
        place = fresh[key][0] if key in fresh else kept[key][0]
        row = f"projections.remembered, {view.name} {key}"
        raise NotVerified(
            place, row, "what the view remembers of it is not what the feed gives: it was altered"
        )


def _remembered(
    connection: Connection, book: str, generation: int, view: View[Any]
) -> dict[str, tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(REMEMBERED, (book, generation, view.name))
        return {key: (since, memory) for key, since, memory in cursor}


def _check(name: str) -> Check:
    def check(wiring: "App", progress: OnProgress) -> CheckedView:
        return check_view(wiring, VIEWS[name], progress)

    check.__doc__ = f"Check the view `{name}` against the feed."
    return check


check_limits = _check("limits")
check_due = _check("due")
check_contracts = _check("contracts")
check_claims = _check("claims")
check_complaints = _check("complaints")
check_refunds = _check("refunds")
check_payments = _check("payments")
check_reserves = _check("reserves")
check_timeline = _check("timeline")
check_bordereau = _check("bordereau")
