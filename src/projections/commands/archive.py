"""`coverledger archive`."""

from pathlib import Path

import click

from ledger.cli.options import book_option, examples, json_option, opened
from ledger.cli.output import note, print_json
from projections.commands.progress import progress


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@book_option
@json_option
@examples("coverledger archive ./cyber-care-feed", "coverledger archive ./cyber-care-feed --json")
def archive(folder: Path, book: str, *, as_json: bool) -> None:
    """Write the feed to DIR as Parquet, one file a range of 100,000 positions, the signed head beside each.

    Done again, it goes on where it stood. DuckDB, pandas and Spark read the files as they are, and
    docs/reporting.md has a query that recomputes the limits from them. Personal values stand in them as
    ciphertext alone.
    """
    from ledger.store.feed import feed_end  # noqa: PLC0415  # loaded when it runs
    from projections.archive.writing import archive as write  # noqa: PLC0415  # as above

    with opened(book) as wiring:
        wiring.seal()
        wiring.finish()
        with wiring.pool.connection() as connection:
            total = feed_end(connection, book) + 1
        with progress("Archiving", total) as report:
            archived = write(wiring.pool, book, folder, report)
    if as_json:
        print_json({"book": book, "folder": str(folder)} | archived._asdict())
        return
    if not total:
        note(f"Book {book!r} is empty: nothing has been recorded in it yet, and nothing was written.")
        return
    if not archived.files:
        note(f"{folder} holds all {archived.end + 1:,} events already.")
        return
    head = "no head is signed yet" if archived.head_size is None else f"head of {archived.head_size:,} events"
    note(
        f"Wrote {archived.events:,} events to {folder}, up to position {archived.end:,}"
        f" (files: {len(archived.files):,}); {head}."
    )
