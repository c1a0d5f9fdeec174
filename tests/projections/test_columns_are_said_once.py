"""What a row's columns say of themselves is what other tools read in the schema `reporting`."""

from collections.abc import Mapping
from contextlib import closing

import psycopg2
import pytest

from fixtures.database import Database
from projections.listing import Listing, published
from projections.views.registry import LISTINGS, VIEWS

COMMENTS = """
select column_name, pg_catalog.col_description(
    pg_catalog.format('reporting.%%I', table_name)::pg_catalog.regclass, ordinal_position
)
from information_schema.columns where table_schema = 'reporting' and table_name = %s
"""
SHOWN = [listing for listing in LISTINGS.values() if listing.of is not None]


def comments(database: Database, view: str) -> Mapping[str, str]:
    with closing(psycopg2.connect(database.owner_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(COMMENTS, (view,))
        return dict(cursor.fetchall())


def test_every_view_has_a_list_and_every_list_of_one_view_its_view() -> None:
    assert {listing.view.name for listing in SHOWN} == set(VIEWS)


@pytest.mark.parametrize("listing", SHOWN, ids=lambda listing: listing.name)
def test_a_columns_comment_in_the_database_is_what_its_row_declares(
    listing: Listing, database: Database
) -> None:
    known = comments(database, listing.view.name)
    declared = {column.name: column.said.help for column in published(listing)}
    assert declared == {name: known[name] for name in declared}


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=lambda listing: listing.name)
def test_what_is_shown_and_left_out_is_among_the_columns(listing: Listing) -> None:
    shown = set(listing.table.split())
    assert listing.chosen(listing.table)
    assert set(listing.left_out.split()) <= shown
    assert set(listing.page_spares.split()) <= set(listing.page.split())
    assert {column.name for column in listing.chosen(listing.page)} == set(listing.page.split())
    assert all(column.said.short_heading for column in listing.chosen(listing.table))
