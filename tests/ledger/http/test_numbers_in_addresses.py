"""Whatever characters a number has, its address leads to it and to nothing else."""

from collections.abc import Iterator

import pytest
from raw_requests import answered

from fixtures.desk import claim, contract, recorded_before, send
from fixtures.served import Served, listening, token_of
from ledger.http.state import number_in, number_step
from projections.web.renderer import contract_page, from_address, in_address

OLD = (
    "CC-x",
    "CC-x/opened",
    "CC-x/history",
    "CC-x/replay",
    "CC-x/replay/opened",
    "CC-x/names",
    "CC-x.json",
    "/",
    "//",
    ".",
    "..",
    "../CC-x",
    "a/../CC-x",
    "new",
    "CC-x?as_of=0",
    "CC-x#part",
    "CC-x;a=b",
    "CC-x%2Fopened",
    "%2e%2e",
    "CC x+y",
    "CC-é\N{GRINNING FACE}",
    "~2F",
    "C" * 128,
)
"""Numbers that were taken before; each is told apart by its policyholder."""

MADE = (
    ("StartContract", "contract", contract("X"), ("contract",)),
    ("StartContract", "policyholder.person", contract("X"), ("policyholder", "person")),
    ("OpenClaim", "claim", claim("X", "CC-x"), ("claim",)),
    ("OpenClaim", "victim.person", claim("X", "CC-x"), ("victim", "person")),
    (
        "LodgeComplaint",
        "complaint",
        {"complaint": "X", "contract": "CC-x", "received_on": "2026-02-01", "subject": "s"},
        ("complaint",),
    ),
)


@pytest.fixture(scope="module")
def old(house: Served) -> Served:
    for place, number in enumerate(OLD):
        person = {"person": f"P-{place}", "name": f"Ada {place}"}
        recorded_before(house.wiring, "StartContract", contract(number, policyholder=person))
    house.wiring.catch_up()
    return house


@pytest.fixture(scope="module")
def address(old: Served) -> Iterator[str]:
    """A true server of the book."""
    with listening(old.wiring) as address:
        yield address


@pytest.mark.parametrize("number", OLD, ids=range(len(OLD)))
def test_fault_25_each_number_has_an_address_of_its_own(old: Served, address: str, number: str) -> None:
    person = f"P-{OLD.index(number)}"
    token = token_of(old.wiring, "admin")
    where = f"{old.base}/contracts/{number_step(number)}"
    shown = answered(address, where, token)
    assert (shown.status, shown.json["contract"], shown.json["policyholder"]) == (200, number, person)
    assert "persons" not in shown.json
    told = answered(address, f"{where}/history", token)
    assert [event["stream"] for event in told.json] == [f"contract/{number}"]
    opened = answered(address, f"{where}/opened", token, **{"Access-Reason": "asked"})
    assert [one["person"] for one in opened.json["persons"]] == [person]
    replayed = answered(address, f"{where}/replay?own=true", token)
    assert replayed.json[0]["payload"]["policyholder"]["person"] == person


@pytest.mark.parametrize("number", OLD, ids=range(len(OLD)))
def test_fault_25_on_the_site_too(old: Served, address: str, number: str) -> None:
    person = f"P-{OLD.index(number)}"
    assert from_address(in_address(number)) == number
    token = token_of(old.wiring, "admin")
    told = answered(address, f"{contract_page(number)}.json", token)
    assert (told.status, told.json["contract"], told.json["policyholder"]) == (200, number, person)
    assert answered(address, contract_page(number), token).status == 200
    assert f"contract/{number}" in answered(address, f"{contract_page(number)}/replay.json", token).text
    # As somebody types it who escapes it as every program does; the site's own escapes are another's.
    if number not in {"new", "CC-x.json"} and "~" not in number:
        typed = answered(address, f"/contracts/{number_step(number)}", token)
        assert (typed.status, person in typed.text) == (200, True)


def test_fault_25_the_location_of_a_command_leads_to_its_contract(old: Served) -> None:
    for number in OLD:
        fields = {"contract": number, "received_on": "2026-02-01", "channel": "email"}
        told = old.command("GiveNotice", fields, f"notice-{OLD.index(number)}")
        assert told.status_code == 201, told.text
        assert told.headers["location"] == f"{old.base}/contracts/{number_step(number)}"
        step = told.headers["location"].removeprefix(f"{old.base}/contracts/")
        assert not {"/", "?", "#"} & set(step)
        assert step.strip(".")


@pytest.mark.parametrize("wrong", ["/", "CC/1", "CC-x/opened", ".", "..", "../x"])
@pytest.mark.parametrize(
    ("name", "field", "fields", "path"), MADE, ids=[f"{made[0]}.{made[1]}" for made in MADE]
)
def test_fault_25_a_new_number_that_no_address_holds_is_invalid(  # noqa: PLR0913, PLR0917  # a table's columns
    old: Served, name: str, field: str, fields: dict[str, object], path: tuple[str, ...], wrong: str
) -> None:
    given = (
        fields | {path[0]: wrong}
        if len(path) == 1
        else fields | {path[0]: dict(fields[path[0]]) | {path[1]: wrong}}
    )  # type: ignore[call-overload]  # a victim or policyholder
    if field == "victim.person":
        given["victim"]["relation"] = "family"  # type: ignore[index]  # as above
    answer = send(old.wiring, name, given)
    assert (answer.status, f"{field}: must" in str(answer.message)) == ("invalid", True), answer
    problem = old.command(name, given, f"{name}-{field}-{wrong}".replace("/", "_"))
    assert (problem.status_code, problem.json()["code"]) == (422, "INVALID")


def test_fault_25_a_policyholder_of_before_may_still_report_a_claim(old: Served) -> None:
    person = {"person": "P/old", "name": "Ada"}
    recorded_before(old.wiring, "StartContract", contract("CC-old", policyholder=person))
    victim = {"person": "P/old", "name": "Ada", "relation": "policyholder", "same_roof": True}
    assert send(old.wiring, "OpenClaim", claim("K-old", "CC-old", victim=victim)).status == "recorded"
    strange = victim | {"person": "P/new", "relation": "family"}
    assert send(old.wiring, "OpenClaim", claim("K-new", "CC-old", victim=strange)).status == "invalid"


@pytest.mark.parametrize(
    ("step", "status"),
    [
        ("C" * 129, 422),
        ("C" * 5000, 422),
        ("%00", 422),
        ("CC-x%0A", 422),
        ("%FF%FE", 404),
        ("CC-x%2fopened%2f", 404),
        ("%2F%2F%2F", 404),
        ("CC-x%5Copened", 404),
        ("CC-x%ED%B0%AFopened", 404),
        ("CC-y%2Fopened", 404),
    ],
)
def test_fault_25_a_number_that_is_not_there_leads_nowhere(
    old: Served, address: str, step: str, status: int
) -> None:
    token = token_of(old.wiring, "admin")
    for end in ("", "/history", "/replay", "/opened"):
        told = answered(address, f"{old.base}/contracts/{step}{end}", token, **{"Access-Reason": "asked"})
        assert told.status == status, (step, end, told)
        assert "Ada" not in told.text


def test_fault_25_steps_are_written_and_read_alike() -> None:
    for number in OLD:
        assert number_in(number) == number
        assert "/" not in number_step(number)
