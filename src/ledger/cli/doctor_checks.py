"""The checks of `doctor`, each a sentence that says what is so and what to do."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ledger.app import App
from ledger.attempts import failing
from ledger.clock import machine_now
from ledger.config import Settings
from ledger.key_backups import read_copies, without_copy
from ledger.privacy.erasure import came_back, untold
from ledger.proofs.errors import ProofRefused
from ledger.running_file import running_up
from ledger.store.catalogue import departures
from ledger.store.diagnostics import (
    changeable_tables,
    examine_feed,
    examine_server,
    loose_settings,
    talkative_settings,
    unwritable_log_tables,
)
from ledger.store.errors import StoreError
from ledger.store.pool import Connection
from ledger.store.subscriptions import backlogs, subscriptions
from ledger.supervision import ServiceState
from ledger.webhooks.problems import subscription_problems

OLDEST_SERVER = 150_000
MOST_SECONDS_APART = 2.0
"""Between the machine's clock and the database's; more makes logs and ledger hard to compare."""

MOST_DEPARTURES = 20
"""Of the schema from the migrations, told one by one."""

State = Literal["well", "hint", "wrong"]

UNREADY = (
    ("database", "away", "`up` does not reach its database: start it"),
    ("database", "slow", "`up` gets no answer from its database in time: see how the server is"),
    ("database", "full", "the database's disk is full: make room; what waits is recorded and sealed then"),
    ("database", "read_only", "the database takes no writes: name the primary in COVERLEDGER_DSN"),
    ("home", "full", "the disk of the home is full: make room; what waits goes on then"),
    ("home", "read_only", "the home cannot be written: make it writable for whoever runs `up`"),
    ("home", "gone", "the home, or the folder of the signing key, is gone: put it back"),
)
"""What `readyz` may tell of that on which `up` stands, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `hint`: worth knowing, nothing to put right."""

    check: str
    state: State
    message: str


def examine(wiring: App) -> list[Finding]:
    """Make all checks."""
    findings = [Finding("settings", "hint", line) for line in Settings.unknown_variables()]
    with wiring.pool.connection() as connection:
        findings += _server(connection)
        findings += _rights(connection)
        findings += _sealing_rights(wiring)
        findings += _schema(wiring)
        findings += _book(wiring)
        findings += _feed(connection, wiring)
        findings += _erased(connection, wiring)
        subscribers = list(_subscriptions(connection, wiring))
    return findings + list(_log(wiring)) + list(_keys(wiring)) + subscribers


def services(settings: Settings, book: str) -> Iterator[Finding]:
    """Ask the `up` that runs for this book how its services are, and what it stands on."""
    running = running_up(settings, book)
    if running is None:
        message = (
            f"no `up` of {book!r} is known in {settings.home}, so nobody says how its services are; where "
            "the home cannot be written, ask `up` itself: /readyz"
        )
        yield Finding("services", "hint", message)
        return
    told = running.readiness()
    if told is None:
        message = (
            f"`up` (process {running.pid}) runs and gives no answer at {running.local}: see its log, and "
            "start it again"
        )
        yield Finding("services", "wrong", message)
        return
    for what, how, message in UNREADY:
        if told.get(what) == how:
            yield Finding("services", "wrong", message)
    states = [ServiceState.from_json(name, one) for name, one in told.get("services", {}).items()]
    for state in states:
        if not state.is_well:
            yield Finding("services", "wrong", _unwell(state))
        elif state.restarts:
            message = f"{state.name} runs, and was started again {state.restarts:,} times ({state.error})"
            yield Finding("services", "hint", message)
    if all(state.is_well for state in states):
        yield Finding("services", "well", f"all {len(states)} services of `up` (process {running.pid}) run")


def _unwell(state: ServiceState) -> str:
    said = f"{state.name} is {state.state} since {state.since.isoformat(timespec='seconds')}"
    said += f" after {state.restarts:,} restarts" if state.restarts else ""
    said += f" ({state.error})" if state.error else ""
    return f"{said}: it goes on by itself once the cause is gone, which `up` tells in its log"


def _server(connection: Connection) -> Iterator[Finding]:
    server = examine_server(connection)
    recent = server.number >= OLDEST_SERVER
    yield Finding(
        "server",
        "well" if recent else "wrong",
        f"Postgres {server.version}" + ("" if recent else " is too old: 15 or later is needed"),
    )
    if server.encoding != "UTF8":
        yield Finding("server", "wrong", f"the database's encoding is {server.encoding}: create it with UTF8")
    loose = loose_settings(connection)
    yield Finding(
        "durability",
        "wrong" if loose else "well",
        f"what is acknowledged could be lost: take {', '.join(loose)} back"
        if loose
        else "fsync, full_page_writes and synchronous_commit are on",
    )
    talkative = talkative_settings(connection)
    yield Finding(
        "server log",
        "hint" if talkative else "well",
        f"wrapped keys, ciphertext and staff ids may get into the server's log ({', '.join(talkative)}): "
        "docs/production.md says how the ledger's logins are kept out of it"
        if talkative
        else "no statement, parameter or refused row gets into the server's log",
    )
    apart = (machine_now() - server.now).total_seconds()
    near = abs(apart) <= MOST_SECONDS_APART
    yield Finding(
        "clock",
        "well" if near else "wrong",
        f"this machine and the database are {apart:+.3f} s apart" + ("" if near else ": set both by NTP"),
    )


def _rights(connection: Connection) -> Iterator[Finding]:
    role = examine_server(connection).role
    changeable = changeable_tables(connection)
    yield Finding(
        "rights",
        "hint" if changeable else "well",
        f"role {role} may change {', '.join(changeable)}, so that only triggers keep them: "
        "give COVERLEDGER_DSN a login that is a member of the application's role and no more"
        if changeable
        else f"role {role} can add to the ledger and change nothing in it",
    )


def _sealing_rights(wiring: App) -> Iterator[Finding]:
    """Look whether the sealer's login may seal, on the machine that does."""
    if not wiring.settings.sealer_enabled:
        return
    with wiring.sealer_pool.connection() as connection:
        role, lacking = examine_server(connection).role, unwritable_log_tables(connection)
    if lacking:
        message = (
            f"role {role} may not write {', '.join(lacking)}, so nothing is sealed: "
            "make COVERLEDGER_SEALER_DSN a login that is a member of the sealer's role; or set "
            "COVERLEDGER_SEALER_ENABLED=no where another machine seals"
        )
        yield Finding("rights", "wrong", message)


def _schema(wiring: App) -> Iterator[Finding]:
    """Hold the schema against what the migrations make; a line for each thing that departs from it."""
    with wiring.pool.transaction() as connection:
        found = departures(connection)
    if not found:
        yield Finding("schema", "well", "its guards, views and rights are as the migrations make them")
    for departure in found[:MOST_DEPARTURES]:
        if departure.only_reads:
            yield Finding("schema", "hint", f"{departure}: it only lets that role read, if you mean it to")
        else:
            message = (
                f"{departure}: find out who changed it, and put it back as the migrations make it, "
                "or restore a backup into a fresh database"
            )
            yield Finding("schema", "wrong", message)
    if len(found) > MOST_DEPARTURES:
        yield Finding(
            "schema", "wrong", f"{len(found) - MOST_DEPARTURES:,} further things are not as they were made"
        )


def _book(wiring: App) -> Iterator[Finding]:
    row = wiring.book_row()
    said = f"{row.book} is {row.kind}, its log is called {row.origin}"
    if row.clock_at is not None:
        said += f", its clock stands at {row.clock_at.isoformat()}"
    yield Finding("book", "well", said)
    if row.open_import is not None:
        message = "an import is open: run it again to finish it, or give it up: coverledger import --abandon"
        yield Finding("book", "hint", message)
    if row.held_at is not None:
        message = f"its time is held at {row.held_at.isoformat()}: coverledger deadlines sweep lets it go on"
        yield Finding("book", "hint", message)


def _feed(connection: Connection, wiring: App) -> Iterator[Finding]:
    feed = examine_feed(connection, wiring.book)
    yield Finding(
        "feed",
        "well" if not feed.unsealed else "hint",
        f"{feed.end + 1:,} events sealed, {feed.unsealed:,} commits wait for their position",
    )
    for name in wiring.followers:
        behind = feed.end - feed.followers.get(name, -1)
        yield Finding(
            "lag",
            "well" if not behind else "hint",
            f"{name} is up to date"
            if not behind
            else f"{name} is {behind:,} events behind; it catches up when read",
        )
    for one in failing(connection, wiring.book):
        if one.is_parked:
            message = f"{one.worker} could not handle {one.item} ({one.error}): coverledger parked replay"
            yield Finding("parked", "wrong", f"{message} --worker {one.worker} tries it again")
        else:
            message = f"{one.worker} failed at {one.item} ({one.error}) and tries again at {one.next_at}"
            yield Finding("parked", "hint", message)
    for name, parked in feed.parked.items():
        message = f"{name} could not take {parked:,} events: see coverledger projections list"
        yield Finding("parked", "wrong", message)


def _subscriptions(connection: Connection, wiring: App) -> Iterator[Finding]:
    """Yield a finding for subscribers that lack events that they should have."""
    troubled = subscription_problems(connection, wiring.book)
    for one in troubled:
        yield Finding("subscription", "wrong", one.said)
    names = {one.subscription for one in troubled}
    backlog = backlogs(connection, wiring.book)
    for found in subscriptions(connection, wiring.book):
        waiting = backlog[found.name].waiting if found.name in backlog else 0
        if waiting and found.name not in names:
            message = f"{found.name} fails at {waiting:,} events, which wait for another try"
            yield Finding("subscription", "hint", f"{message}: {found.told}" if found.told else message)


def _erased(connection: Connection, wiring: App) -> Iterator[Finding]:
    back = came_back(connection, wiring.book)
    if back:
        message = (
            f"the vault holds the keys of {len(back):,} erased persons again, {back[0]!r} the first: an older"
            f" vault was put back; erase each again: coverledger subject erase {back[0]} --reason …"
        )
        yield Finding("erased", "wrong", message)
    forgotten = untold(connection, wiring.book)
    if forgotten:
        message = (
            f"no stream says any more that {len(forgotten):,} persons were erased, {forgotten[0]!r} the "
            "first: older data was put back, which stays unreadable; erase each again, so that it is said:"
            f" coverledger subject erase {forgotten[0]} --reason …"
        )
        yield Finding("erased", "hint", message)


def _keys(wiring: App) -> Iterator[Finding]:
    path = wiring.settings.master_key_path
    try:
        _ = wiring.keys
    except StoreError as error:
        yield Finding("master key", "wrong", str(error))
    else:
        yield Finding("master key", "well", f"{path} is closed to others ({_mode(path)})")
        yield _copied(wiring)
    signing = wiring.settings.signing_key_path(wiring.book)
    if signing.exists():
        closed = not signing.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        yield Finding(
            "signing key",
            "well" if closed else "wrong",
            f"{signing} is closed to others ({_mode(signing)})"
            if closed
            else f"open to others: chmod 600 {signing}",
        )


def _copied(wiring: App) -> Finding:
    """Return whether a copy of the keys in force is on record (`keys kept`)."""
    place = wiring.signing_place
    keys = {wiring.keys.current} | ({str(place.keys().signer.verifier_key)} if place.key.exists() else set())
    copies = read_copies(wiring.settings.master_key_path)
    lacking = without_copy(copies, keys)
    if not lacking:
        return Finding(
            "key copies", "well", f"copies are kept at {copies[-1].where}, noted {copies[-1].at:%Y-%m-%d}"
        )
    message = (
        f"no copy of {len(lacking)} keys in force is on record: copy {wiring.settings.secrets_folder} "
        "elsewhere, for without them no person's data can be read again and no head be signed, and then say: "
        "coverledger keys kept WHERE"
    )
    return Finding("key copies", "hint", message)


def _log(wiring: App) -> Iterator[Finding]:
    """Return whether the log extends all that was signed."""
    if not wiring.settings.sealer_enabled:
        yield Finding("log", "hint", "this machine leaves sealing and signing to another one")
        return
    try:
        signed = wiring.signer.check()
    except (StoreError, ProofRefused) as error:
        yield Finding("log", "wrong", str(error))
    else:
        rest = "" if signed else "; what was sealed last is not signed yet"
        yield Finding("log", "well", f"it extends the last head kept beside the key{rest}")
    for witness in wiring.settings.witness_places:
        if not witness.keys:
            message = (
                f"the key of the witness {witness.url} is not set, so that its answers count for nothing: "
                "COVERLEDGER_WITNESSES=URL#NAME+ID+KEY (docs/production.md)"
            )
            yield Finding("heads outside", "hint", message)
    if not wiring.settings.sends_heads:
        message = (
            "no head is kept by anybody else, so that only this machine can tell whether the log was "
            "replaced: set COVERLEDGER_CHECKPOINT_FOLDERS, COVERLEDGER_WITNESSES or "
            "COVERLEDGER_HEAD_MAIL (docs/production.md)"
        )
        yield Finding("heads outside", "hint", message)


def _mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"
