"""Where each view stands in the feed."""

from ledger.store.feed_rows import feed_end
from ledger.store.pool import Connection
from projections.asking.views import VIEWS

FOLLOWED = "select name, position, moved_at from ledger.followers where book = %s"
PARKED = "select follower, count(*) from ledger.parked where book = %s group by follower"


def standings(connection: Connection, book: str) -> list[dict[str, object]]:
    """Give for each view its position, how many positions it lags behind, and how many events it parked."""
    end, left_out = feed_end(connection, book), parked(connection, book)
    with connection.cursor() as cursor:
        cursor.execute(FOLLOWED, (book,))
        followed = {name: (position, moved_at) for name, position, moved_at in cursor}
    rows: list[dict[str, object]] = []
    for name in VIEWS:
        position, moved_at = followed.get(name, (-1, None))
        rows.append(
            {
                "view": name,
                "position": position,
                "feed_position": end,
                "lag": end - position,
                "parked": left_out.get(name, 0),
                "moved_at": moved_at,
            }
        )
    return rows


def parked(connection: Connection, book: str) -> dict[str, int]:
    """Give how many events each follower could not take, for those that left any out."""
    with connection.cursor() as cursor:
        cursor.execute(PARKED, (book,))
        return {follower: int(count) for follower, count in cursor}
