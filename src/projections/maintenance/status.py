"""Where each view stands in the feed: for people, and for whoever watches the lag."""

from typing import Final

from ledger.store.feed import feed_end
from ledger.store.pool import Connection
from projections.runner.generations import Generation, generations
from projections.views.directory import NAME as DIRECTORY
from projections.views.registry import VIEWS

FOLLOWED: Final = """
select f.name, f.position, f.moved_at, extract(epoch from clock_timestamp() - l.sealed_at)::float8
from ledger.followers f
left join ledger.log l on l.book = f.book and l.position = f.position + 1
where f.book = %s
"""
WAITING_SINCE: Final = """
select extract(epoch from clock_timestamp() - sealed_at)::float8 from ledger.log
where book = %s and position = 0
"""
PARKED: Final = "select follower, count(*) from ledger.parked where book = %s group by follower"
PARKED_ROWS: Final = """
select follower as view, position, stream, version, type, error, attempts, parked_at from ledger.parked
where book = %s and follower = any(%s) order by follower, position
"""


def view_statuses(connection: Connection, book: str) -> list[dict[str, object]]:
    """Return for each view, and the directory, where it stands, how far it lags and what it parked.

    `lag_seconds`: for how long the first event that the view has not folded has been sealed; 0 without any.
    `status`: `running`; `parked` with events that it could not take; `changed` where its fold has another
    version than its rows; `building` while another generation is built beside it.
    """
    end, left_out = feed_end(connection, book), parked(connection, book)
    with connection.cursor() as cursor:
        cursor.execute(FOLLOWED, (book,))
        followed = {name: (position, moved_at, waiting) for name, position, moved_at, waiting in cursor}
        cursor.execute(WAITING_SINCE, (book,))
        (unread,) = cursor.fetchone() or (None,)
    made = generations(connection, book)
    rows: list[dict[str, object]] = []
    for name in (*VIEWS, DIRECTORY):
        position, moved_at, waiting = followed.get(name, (-1, None, unread))
        of_it = [generation for generation in made if generation.view == name]
        live = next((generation for generation in of_it if generation.state == "live"), None)
        rows.append(
            {
                "view": name,
                "status": _status(name, of_it, parked=name in left_out),
                "position": position,
                "feed_position": end,
                "lag": end - position,
                "lag_seconds": max(0.0, float(waiting)) if waiting is not None else 0.0,
                "parked": left_out.get(name, 0),
                "generation": None if live is None else live.generation,
                "fold_version": None if live is None else live.fold_version,
                "kept": [generation.generation for generation in of_it if generation.state == "kept"],
                "moved_at": moved_at,
            }
        )
    return rows


def changed_views(connection: Connection, book: str) -> list[str]:
    """Return the views whose rows come from another version of their fold than this program's."""
    return [
        one.view
        for one in generations(connection, book)
        if one.state == "live" and one.view in VIEWS and one.fold_version != VIEWS[one.view].version
    ]


def parked(connection: Connection, book: str) -> dict[str, int]:
    """Return how many events each follower could not take, for those that left any out."""
    with connection.cursor() as cursor:
        cursor.execute(PARKED, (book,))
        return {follower: int(count) for follower, count in cursor}


def parked_rows(connection: Connection, book: str, names: list[str]) -> list[dict[str, object]]:
    """Return the events that these views could not take, each with its error, by view and position."""
    with connection.cursor() as cursor:
        cursor.execute(PARKED_ROWS, (book, names))
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor]


def _status(name: str, of_it: list[Generation], *, parked: bool) -> str:
    states = {generation.state: generation.fold_version for generation in of_it}
    if "building" in states:
        return "building"
    if "live" in states and states["live"] != VIEWS[name].version:
        return "changed"
    return "parked" if parked else "running"
