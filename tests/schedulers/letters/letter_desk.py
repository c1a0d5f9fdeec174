"""A desk with contracts whose termination notices are due soon, by the clock of the book."""

from datetime import date, timedelta
from pathlib import Path

from fixtures.desk import contract, send
from ledger.app import App
from ledger.config import Settings
from ledger.domain.calendar import add_months, brussels_date, last_timely_letter
from ledger.store.pool import Pool
from schedulers.letters.pdf import Press
from schedulers.letters.queries import Letter, letters

LAST_SALE = date(2026, 6, 30)
PRESS = Press()


def with_settings(wiring: App, **more: object) -> App:
    """The same book, as another machine with other settings sees it."""
    held = wiring.settings
    given = {
        "home": held.home,
        "dsn": held.dsn,
        "migrate_dsn": held.migrate_dsn,
        "sealer_dsn": held.sealer_dsn,
    }
    return App(Settings.load(**{**given, **more}), wiring.book, wiring.ways, wiring.registry)


def today(wiring: App) -> date:
    return brussels_date(wiring.now())


def start_due_in(wiring: App, number: str, days: int, language: str = "nl", **more: object) -> date:
    """Start a contract whose letter can be posted for so many days yet, the last one included; gives N."""
    wanted = today(wiring) + timedelta(days=days)
    ends_on = add_months(wanted + timedelta(days=1), 3)
    last_timely_on = last_timely_letter(ends_on, 3)
    assert last_timely_on == wanted, "no contract has this day for its last: months end differently"
    start_ending_on(wiring, number, ends_on, language, **more)
    return last_timely_on


def start_ending_on(wiring: App, number: str, ends_on: date, language: str = "nl", **more: object) -> None:
    """Start a contract one of whose terms ends on a day, the first that a letter can still end."""
    years = 1
    while add_months(ends_on, -12 * years) > LAST_SALE:
        years += 1
    person = {
        "person": f"P-{number}",
        "name": "Zoë Ünal-Désiré",
        "address": "Rue de l'Église 7\n4000 Liège",
    }
    fields = contract(number, add_months(ends_on, -12 * years).isoformat(), language=language)
    answer = send(
        wiring, "StartContract", fields | {"policyholder": person} | more, "2026-01-02T09:00:00+01:00"
    )
    assert answer.status == "recorded", answer


def all_letters(pool: Pool, book: str) -> list[Letter]:
    with pool.connection() as connection:
        return list(letters(connection, book))


def events(wiring: App, number: str) -> list[str]:
    """Types of a contract's events, in order."""
    wiring.seal()
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select type from ledger.events where book = %s and stream = %s order by version",
            (wiring.book, f"contract/{number}"),
        )
        return [name for (name,) in cursor.fetchall()]


def fetched(outbox: Path) -> list[str]:
    """Names of all letters that a print house finds."""
    return sorted(file.stem for file in outbox.glob("*/*.pdf") if not file.parent.name.startswith("."))
