"""`make bench`: prints each figure beside its peer or its limit, all measured in this run.

Machines are noisy: quote the ratios, not the figures. Each part runs in turn with its peers, several rounds.
"""

import argparse
import statistics
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks.appending import limit_rate, our_rate, signed_rate, stock_rate
from benchmarks.book import commands_rate, home, import_rate, views_rate
from benchmarks.delivery import delivery_rates
from benchmarks.http import commands_over_http, delivery, many_listeners, running
from benchmarks.server import BenchmarkServer, NoCompiler, running_server
from ledger.wiring import opened

CONSOLE = Console()
PARTS = ("append", "signed", "slow-append", "book", "http", "delivery")


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--seconds", type=float, default=5, help="length of one measurement (default: 5)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each comparison (default: 3)")
    parser.add_argument(
        "--copies", type=int, default=20, help="size of the book in sample books (default: 20)"
    )
    asked = parser.parse_args()
    asked.parts = asked.parts or PARTS
    if unknown := sorted(set(asked.parts) - set(PARTS)):
        parser.error(f"there is no part {unknown[0]!r}: choose from {', '.join(PARTS)}")
    if "append" in asked.parts:
        with running_server() as server:
            _compare(server, "Append, this machine's disk", 8, asked.seconds, asked.rounds)
    if "signed" in asked.parts:
        with running_server() as server:
            _signed(server, 8, asked.seconds, asked.rounds)
    if "slow-append" in asked.parts:
        try:
            with running_server(commit_delay_ms=5) as server:
                _compare(server, "Append, commits of 5 ms", 16, asked.seconds, asked.rounds)
        except NoCompiler as missing:
            CONSOLE.print(f"Append, commits of 5 ms: not run. {missing}")
    if "book" in asked.parts:
        _book(asked.copies, asked.seconds)
    if "http" in asked.parts:
        _http(asked.seconds)
    if "delivery" in asked.parts:
        _delivery(asked.copies, asked.seconds)


def _compare(server: BenchmarkServer, title: str, connections: int, seconds: float, rounds: int) -> None:
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
        "limit": "pgbench, our statements",
    }
    for name, label in labels.items():
        ratio = statistics.median(
            ours / other for ours, other in zip(rates["ours"], rates[name], strict=True)
        )
        figures = (min(rates[name]), statistics.median(rates[name]), max(rates[name]))
        table.add_row(label, *(f"{figure:,.0f}" for figure in figures), f"{ratio:.2f}")
    CONSOLE.print(table)


def _signed(server: BenchmarkServer, connections: int, seconds: float, rounds: int) -> None:
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


def _book(copies: int, seconds: float) -> None:
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


def _http(seconds: float) -> None:
    with home(), running() as up:
        table = Table(title=f"HTTP, `up` in one process, {seconds:g} s each")
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
            found = delivery(up, pace, seconds)
            table.add_row(
                f"events to a listener, {pace} wanted",
                f"{found.rate:,.0f}",
                f"{found.p50_ms:,.0f}",
                f"{found.p99_ms:,.0f}",
                "",
                "p99 100",
            )
        CONSOLE.print(table)
        crowd = many_listeners(up, 200, seconds)
        CONSOLE.print(
            f"200 listeners, {crowd.events:,} events to each, {crowd.missed} missed: the server holds "
            f"{crowd.before_mb:.0f} MB before, {crowd.connected_mb:.0f} MB with all connected, "
            f"{crowd.after_mb:.0f} MB after."
        )


def _delivery(copies: int, seconds: float) -> None:
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


if __name__ == "__main__":
    main()
