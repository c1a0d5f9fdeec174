"""What each part of `make bench` prints: every figure beside its peer or its limit."""

import statistics
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks.appending import limit_rate, our_rate, signed_rate, stock_rate
from benchmarks.book import commands_rate, home, import_rate, views_rate
from benchmarks.deadlines import sweep_rate, virtual_year_rate
from benchmarks.delivery import delivery_rates
from benchmarks.http import commands_over_http, many_listeners, record_long_ago, record_one_by_one, running
from benchmarks.http import delivery as delivery_to_listener
from benchmarks.letters import setting_rate, whole_way_rate
from benchmarks.server import BenchmarkServer
from coverledger.composition import opened

CONSOLE = Console()

LISTENERS = 200
ROUNDS = 6


def compare(server: BenchmarkServer, title: str, connections: int, seconds: float, rounds: int) -> None:
    """Compare our append with the stock recorder, and with the limit."""
    rates: dict[str, list[float]] = {"ours": [], "stock": [], "limit": []}
    measures: dict[str, Callable[[BenchmarkServer, int, float], float]] = {
        "ours": our_rate,
        "stock": stock_rate,
        "limit": limit_rate,
    }
    for _ in range(rounds):
        for name, measure in measures.items():
            rates[name].append(measure(server, connections, seconds))
    table = Table(title=f"{title}, {connections} connections: events/s, {rounds} rounds of {seconds:g} s")
    for heading in ("", "lowest", "median", "highest", "ours over it (median of rounds)"):
        table.add_column(heading, justify="left" if not heading else "right")
    labels = {
        "ours": "this recorder, sealer running",
        "stock": "eventsourcing's recorder, psycopg 3",
        "limit": "pgbench, our statements, unprepared",
    }
    for name, label in labels.items():
        ratio = statistics.median(
            ours / other for ours, other in zip(rates["ours"], rates[name], strict=True)
        )
        figures = (min(rates[name]), statistics.median(rates[name]), max(rates[name]))
        table.add_row(label, *(f"{figure:,.0f}" for figure in figures), f"{ratio:.2f}")
    CONSOLE.print(table)


def signed(server: BenchmarkServer, connections: int, seconds: float, rounds: int) -> None:
    """Compare appends beside a sealer alone with appends beside a sealer that signs."""
    pairs = []
    for place in range(rounds):
        # In turn first and second: a machine that warms up or tires favours neither.
        measures = (our_rate, signed_rate) if place % 2 == 0 else (signed_rate, our_rate)
        found = {measure: measure(server, connections, seconds) for measure in measures}
        pairs.append((found[our_rate], found[signed_rate]))
    table = Table(title=f"Append, {connections} connections: events/s, {rounds} rounds of {seconds:g} s")
    for heading in ("", "lowest", "median", "highest", "over sealing alone (median of rounds)", "must"):
        table.add_column(heading, justify="left" if not heading else "right")
    ratio = statistics.median(signed / alone for alone, signed in pairs)
    for label, rates, over, must in (
        ("sealing alone", [alone for alone, _ in pairs], "1.00", ""),
        (
            "sealing, Merkle log, a head signed each second",
            [signed for _, signed in pairs],
            f"{ratio:.2f}",
            "0.85",
        ),
    ):
        figures = (min(rates), statistics.median(rates), max(rates))
        table.add_row(label, *(f"{figure:,.0f}" for figure in figures), over, must)
    CONSOLE.print(table)


def book(copies: int, seconds: float) -> None:
    """Import a whole book, catch its views up, and submit commands one by one."""
    table = Table(title=f"A book of {copies} sample books, on an embedded ledger")
    for heading in ("", "rate", "must"):
        table.add_column(heading, justify="left" if not heading else "right")
    with home() as settings:
        imported, commands = import_rate(copies)
        table.add_row(f"import, {commands:,} commands", f"{imported:,.0f} commands/s", "1,000")
        with opened("cyber-care", settings) as wiring:
            caught_up, events = views_rate(wiring)
        table.add_row(f"limits and due together, {events:,} events", f"{caught_up:,.0f} events/s", "10,000")
        for writers in (1, 8):
            submitted = commands_rate(writers, seconds)
            table.add_row(f"commands, one by one, {writers} at once", f"{submitted:,.0f} commands/s", "")
    CONSOLE.print(table)


BATCHES = (1, 16, 128)


def batches(seconds: float, rounds: int) -> None:
    """Submit commands together, and one by one, in one process."""
    rates: dict[int, list[float]] = {size: [] for size in BATCHES}
    with home():
        commands_rate(1, 1)
        for turn in range(rounds):
            for size in BATCHES if turn % 2 == 0 else reversed(BATCHES):
                rates[size].append(commands_rate(1, seconds, size))
    table = Table(title=f"Commands in batches, one process, {rounds} rounds of {seconds:g} s")
    for heading in ("", "commands/s (median)", "over one by one (median of rounds)", "must"):
        table.add_column(heading, justify="left" if not heading else "right")
    for size, found in rates.items():
        ratio = statistics.median(batch / alone for batch, alone in zip(found, rates[1], strict=True))
        label = "one by one" if size == 1 else f"{size} together"
        table.add_row(label, f"{statistics.median(found):,.0f}", f"{ratio:.2f}", "" if size == 1 else "2")
    CONSOLE.print(table)


def http(seconds: float) -> None:
    """Send commands over HTTP, and listen to the events."""
    with home(), running() as up:
        table = Table(title=f"HTTP, `up` as it is run, {seconds:g} s each")
        for heading in ("", "per second", "p50 ms", "p99 ms", "server ms", "must"):
            table.add_column(heading, justify="left" if not heading else "right")
        commands_over_http(up, 8, 1)
        for clients in (1, 8, 32):
            begun = up.cpu_seconds
            found = commands_over_http(up, clients, seconds)
            own = 1000 * (up.cpu_seconds - begun) / (found.rate * seconds)
            table.add_row(
                f"commands, {clients} clients",
                f"{found.rate:,.0f}",
                f"{found.p50_ms:,.0f}",
                f"{found.p99_ms:,.0f}",
                f"{own:.1f}",
                "400 a second" if clients == 32 else "",  # noqa: PLR2004  # the issue's figure
            )
        for pace in (100, 500):
            for how, record in (("one a command", record_one_by_one), ("many a command", record_long_ago)):
                found = delivery_to_listener(up, pace, seconds, record)
                table.add_row(
                    f"events to a listener, {pace} wanted, {how}",
                    f"{found.rate:,.0f}",
                    f"{found.p50_ms:,.0f}",
                    f"{found.p99_ms:,.0f}",
                    "",
                    "p99 100",
                )
        CONSOLE.print(table)
        crowd = many_listeners(up, LISTENERS, ROUNDS, seconds)
        after = ", ".join(f"{memory:.0f}" for memory in crowd.after_mb)
        CONSOLE.print(
            f"{LISTENERS} listeners, {ROUNDS} times, {crowd.events:,} events to each, {crowd.missed} missed: "
            f"the server holds {crowd.before_mb:.0f} MB before, {max(crowd.connected_mb):.0f} MB at most "
            f"with all connected, and {after} MB after each round; its companion {up.companion_mb:.0f} MB."
        )


def delivery(copies: int, seconds: float) -> None:
    """Deliver a whole book to webhooks."""
    found = delivery_rates(copies, seconds)
    table = Table(title=f"Webhooks, signed, {found.events:,} events, receivers on this machine")
    for heading in ("", "figure"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("to one receiver", f"{found.to_one_per_second:,.0f} deliveries/s")
    table.add_row("to four at once, all together", f"{found.to_four_per_second:,.0f} deliveries/s")
    p50, p99 = found.commit_to_receipt_ms
    table.add_row("from a command's answer to the receiver, p50", f"{p50:,.0f} ms")
    table.add_row("from a command's answer to the receiver, p99", f"{p99:,.0f} ms")
    CONSOLE.print(table)


def deadlines() -> None:
    """Let time act on many contracts at one midnight, and a virtual year go by."""
    table = Table(title="Time acts on 1,000 contracts at one midnight")
    for heading in ("", "effects/s"):
        table.add_column(heading, justify="left" if not heading else "right")
    for schedulers in (1, 2, 4):
        rate, effects = sweep_rate(1_000, schedulers)
        table.add_row(f"{effects:,} effects, {schedulers} schedulers", f"{rate:,.0f}")
    CONSOLE.print(table)
    CONSOLE.print(f"A virtual year in memory: {virtual_year_rate(1_000):,.0f} contracts/s")


def letters() -> None:
    """Set letters, and take them the whole way to the print house."""
    table = Table(title="1,000 letters")
    for heading in ("", "seconds", "must"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("set as PDF/A", f"{1_000 / setting_rate(1_000):.1f}", "")
    table.add_row(
        "from what is due to the print house's folder", f"{1_000 / whole_way_rate(1_000):.1f}", "60"
    )
    CONSOLE.print(table)
