"""The filters of lists and reports are one set: on the command line, over HTTP and on the site (row 20)."""

import click
import pytest

from coverledger.__main__ import program
from fixtures.visited import Visited
from projections.http.lists import path_of
from projections.listing import Listing
from projections.views.registry import LISTINGS

COMMANDS = {
    "contracts": ("contract", "list"),
    "claims": ("claim", "list"),
    "complaints": ("complaint", "list"),
    "limits": ("limits",),
    "due": ("due",),
} | {
    name: ("report", name)
    for name in ("refunds", "payments", "recoveries", "timeline", "bordereau", "guarantees")
}
NO_FILTERS = {
    "empty_ok",
    "on",
    "as_of",
    "out",
    "book",
    "as_json",
    "until",
    "names",
    "reason",
    "actor",
    "access",
}
NAMES = {"from_on": "from"}


def options_of(listed: str) -> dict[str, click.Parameter]:
    command: click.Command = program()
    for step in COMMANDS[listed]:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), step)
        assert found is not None
        command = found
    named = {NAMES.get(str(option.name), str(option.name)): option for option in command.params}
    return {name: option for name, option in named.items() if name not in NO_FILTERS}


@pytest.mark.parametrize("listed", sorted(LISTINGS))
def test_fault_20_the_command_line_has_the_filters_that_are_declared(listed: str) -> None:
    options = options_of(listed)
    assert set(options) == set(LISTINGS[listed].filter_names)
    for name, option in options.items():
        if isinstance(option.type, click.Choice):
            assert tuple(option.type.choices) == LISTINGS[listed].choices_of(name)


@pytest.mark.parametrize("listed", LISTINGS.values(), ids=lambda listed: listed.name)
def test_fault_20_http_has_the_filters_that_are_declared(admin: Visited, listed: Listing) -> None:
    document = admin.get("/openapi.json").json()
    for end in ("", ".csv"):
        parameters = document["paths"][f"/v1/{{book}}{path_of(listed)}{end}"]["get"]["parameters"]
        found = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
        assert found - {"limit", "after", "on", "as_of", "min_position", "min_command"} == set(
            listed.filter_names
        )


PAGES = (
    "/contracts",
    "/claims",
    "/complaints",
    "/due",
    "/due/calendar",
    *(f"/reports/{name}" for name, one in LISTINGS.items() if one.is_report),
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "nl", "fr"])
def test_fault_20_a_page_names_what_narrows_nothing_down_instead_of_showing_all(
    admin: Visited, path: str, language: str
) -> None:
    for asked, named in (
        ({"statu": "open"}, "statu"),
        ({"utm_source": "mail"}, "utm_source"),
    ):
        page = admin.get(path, params=asked | {"language": language})
        assert page.status_code == 400
        assert f"“{named}”" in page.text or f"« {named} »" in page.text
        beside = admin.get(f"{path}.json", params=asked)
        assert (beside.status_code, beside.headers["Content-Type"]) == (422, "application/problem+json")
        assert named in beside.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/due?status=opne",
        "/due?kind=refunds",
        "/due?after=nowhere",
        "/due?kind=refund&kind=term_end",
        "/claims?status=opne",
        "/claims?guarantee=none",
        "/contracts?below=x",
        "/complaints?status=",
        "/reports/refunds?status=accepted",
        "/reports/guarantees?year=26",
        "/reports/timeline?month=2026-02",
        "/due/calendar?kind=none",
        "/letters?status=opne",
        "/cancellations?state=opne",
        "/contracts/CC-1/replay?step=999",
    ],
)
def test_fault_20_a_value_that_is_none_is_refused_on_pages_and_beside_them(admin: Visited, path: str) -> None:
    bare, _, query = path.partition("?")
    is_empty = query.endswith("=")  # A form sends what was not chosen as nothing.
    assert admin.get(path).status_code == (200 if is_empty else 400), path
    if "below" not in path and "after" not in path and "step" not in path:
        assert admin.get(f"{bare}.json?{query}").status_code == (200 if is_empty else 422), path
