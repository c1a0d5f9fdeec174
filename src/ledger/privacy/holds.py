"""Legal holds: while one stands on a contract, nobody whose data its streams hold is erased."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ledger.domain.identifiers import contract_ref
from ledger.privacy.access import Access, Opened, record_access
from ledger.privacy.persons import ContractUnknown, HoldStands, NoHold, lock_vault
from ledger.store.canonical import stream_id
from ledger.store.pool import Connection, Pool
from ledger.store.sql import compose

_IS_THERE: Final = """
select exists (select from ledger.events where book = %s and stream_id = %s and version = 1)
"""

_COLUMNS: Final = "contract, number, placed_at, placed_by, because, lifted_at, lifted_by, lifted_because"

_SELECT: Final = compose("select {columns} from ledger.holds where book = %s", columns=_COLUMNS)
_STANDING: Final = f"{_SELECT} and contract = any(%s) and lifted_at is null order by contract"
_ALL: Final = f"{_SELECT} and (lifted_at is null or %s) order by contract, number"

_PLACE: Final = """
insert into ledger.holds (book, contract, number, placed_by, because)
select %(book)s, %(contract)s, coalesce(max(number), 0) + 1, %(who)s, %(why)s
from ledger.holds where book = %(book)s and contract = %(contract)s
"""

_LIFT: Final = compose(
    """
update ledger.holds set lifted_at = clock_timestamp(), lifted_by = %s, lifted_because = %s
where book = %s and contract = %s and lifted_at is null
returning {columns}
""",
    columns=_COLUMNS,
)


@dataclass(frozen=True, slots=True)
class Hold:
    """One legal hold of a contract. Instants are UTC."""

    contract: str
    number: int
    """Which of the contract's holds, from 1."""
    placed_at: datetime
    placed_by: str
    because: str
    lifted_at: datetime | None
    """None while it stands."""
    lifted_by: str | None
    lifted_because: str | None


class Holds:
    """The legal holds of one book."""

    def __init__(self, pool: Pool, book: str) -> None:
        """`pool` connects as the application."""
        self._pool = pool
        self._book = book

    def place(self, contract: str, access: Access) -> Hold:
        """Hold a contract. An erasure under way ends first: once held, nobody is erased any more.

        Raises ContractUnknown and HoldStands.
        """
        with self._pool.transaction() as connection, connection.cursor() as cursor:
            lock_vault(connection, self._book)
            cursor.execute(_IS_THERE, (self._book, str(stream_id(self._book, contract_ref(contract)))))
            if cursor.fetchone() == (False,):
                raise ContractUnknown(self._book, contract)
            standing = standing_holds(connection, self._book, [contract])
            if standing:
                raise HoldStands(contract, f"{standing[0].placed_at:%Y-%m-%d}", standing[0].placed_by)
            parameters = {"book": self._book, "contract": contract, "who": access.who, "why": access.why}
            cursor.execute(_PLACE, parameters)
            record_access(connection, self._book, access, [Opened(None, contract_ref(contract).name)])
            return standing_holds(connection, self._book, [contract])[0]

    def lift(self, contract: str, access: Access) -> Hold:
        """Lift a contract's hold. Raises NoHold."""
        with self._pool.transaction() as connection, connection.cursor() as cursor:
            cursor.execute(_LIFT, (access.who, access.why, self._book, contract))
            lifted = cursor.fetchone()
            if lifted is None:
                raise NoHold(contract)
            record_access(connection, self._book, access, [Opened(None, contract_ref(contract).name)])
            return _hold(lifted)

    def all(self, *, lifted: bool = False) -> Sequence[Hold]:
        """Return the holds that stand, by contract; `lifted`: those that are over as well."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(_ALL, (self._book, lifted))
            return [_hold(row) for row in cursor]


def standing_holds(connection: Connection, book: str, contracts: Collection[str]) -> Sequence[Hold]:
    """Return the holds that stand on these contracts."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, (book, list(contracts)))
        return [_hold(row) for row in cursor]


def _hold(row: tuple[str, int, datetime, str, str, datetime | None, str | None, str | None]) -> Hold:
    contract, number, placed_at, placed_by, because, lifted_at, lifted_by, lifted_because = row
    return Hold(
        contract,
        number,
        placed_at.astimezone(UTC),
        placed_by,
        because,
        None if lifted_at is None else lifted_at.astimezone(UTC),
        lifted_by,
        lifted_because,
    )
