"""`make bench`: prints each figure beside its peer or its limit, all measured in this run.

Machines are noisy: quote the ratios, not the figures. Each part runs in turn with its peers, several rounds.
"""

import argparse
from collections.abc import Callable, Mapping

from benchmarks import site, tables
from benchmarks.server import NoCompiler, running_server

Part = Callable[[argparse.Namespace], None]


def _append(asked: argparse.Namespace) -> None:
    with running_server() as server:
        tables.compare(server, "Append, this machine's disk", 8, asked.seconds, asked.rounds)


def _signed(asked: argparse.Namespace) -> None:
    with running_server() as server:
        tables.signed(server, 8, asked.seconds, asked.rounds)


def _slow_append(asked: argparse.Namespace) -> None:
    try:
        with running_server(commit_delay_ms=5) as server:
            tables.compare(server, "Append, commits of 5 ms", 16, asked.seconds, asked.rounds)
    except NoCompiler as missing:
        tables.CONSOLE.print(f"Append, commits of 5 ms: not run. {missing}")


PARTS: Mapping[str, Part] = {
    "append": _append,
    "signed": _signed,
    "slow-append": _slow_append,
    "book": lambda asked: tables.book(asked.copies, asked.seconds),
    "batches": lambda asked: tables.batches(asked.seconds, asked.rounds),
    "http": lambda asked: tables.http(asked.seconds),
    "delivery": lambda asked: tables.delivery(asked.copies, asked.seconds),
    "deadlines": lambda _: tables.deadlines(),
    "letters": lambda _: tables.letters(),
    "site": lambda asked: site.of_a_new_book(asked.contracts, times=20, rate=5),
}


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--seconds", type=float, default=5, help="length of one measurement (default: 5)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each comparison (default: 3)")
    parser.add_argument(
        "--copies", type=int, default=20, help="size of the book in sample books (default: 20)"
    )
    parser.add_argument(
        "--contracts", type=int, default=5_000, help="contracts of the site's book (default: 5,000)"
    )
    asked = parser.parse_args()
    if unknown := sorted(set(asked.parts) - set(PARTS)):
        parser.error(f"there is no part {unknown[0]!r}: choose from {', '.join(PARTS)}")
    for name, part in PARTS.items():
        if not asked.parts or name in asked.parts:
            part(asked)


if __name__ == "__main__":
    main()
