"""The run-off foretold: each running contract gets one notice, on a working day, never after its last one."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from fixtures.desk import contract
from fixtures.program import CommandLine
from ledger.domain.calendar import BRUSSELS, is_working_day
from ledger.domain.contract.commands import (
    GiveNotice,
    PolicyholderGiven,
    SendTerminationNotice,
    StartContract,
)
from ledger.domain.contract.state import Contract
from ledger.domain.dispatch import decide, elapse, fold
from ledger.domain.event import PendingEvent, RecordedEvent
from ledger.domain.identifiers import contract_ref
from schedulers.simulate import PlannedNotice, daily_load, plan

SOLD_UNTIL = date(2026, 6, 30)


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=BRUSSELS)


def standing(
    starts_on: date, today: date, *commands: GiveNotice | SendTerminationNotice, number: str = "CC-1"
) -> Contract:
    """A contract as it stands on a day, after these commands."""
    state: Contract | None = None

    def take(entries: "list[PendingEvent]") -> Contract:
        nonlocal state
        for entry in entries:
            folded = fold(state, RecordedEvent(entry.stream, 0, entry.event, entry.effective_on, entry.at))
            assert isinstance(folded, Contract)
            state = folded
        assert state is not None
        return state

    start = StartContract(
        contract=number,
        product="cyber-care",
        starts_on=starts_on,
        policyholder=PolicyholderGiven(person="P-1", name="Ada"),
    )
    take(list(decide(start, {}, at(starts_on))))
    for command in commands:
        on = command.received_on if isinstance(command, GiveNotice) else command.posted_on
        assert state is not None
        take(list(elapse(state, at(on))))
        take(list(decide(command, {contract_ref(number): state}, at(on))))
    assert state is not None
    return take(list(elapse(state, at(today))))


def planned(*contracts: Contract, today: date, ahead_days: int = 20) -> list[PlannedNotice]:
    return list(plan(contracts, today, today, today + timedelta(days=1500), ahead_days))


def test_a_notice_is_planned_ahead_of_its_last_day_on_a_working_day() -> None:
    today = date(2026, 7, 1)
    [notice] = planned(standing(date(2026, 3, 1), today), today=today)
    # E is 2027-03-01, N 2026-11-30 (a Monday); 20 days before it is Tuesday the 10th.
    assert notice == PlannedNotice("CC-1", date(2026, 11, 10), date(2026, 11, 30), date(2027, 3, 1), 1)


@pytest.mark.parametrize("starts_on", [date(2025, 7, 1) + timedelta(days=7 * n) for n in range(52)])
def test_whatever_the_start_it_is_a_working_day_and_in_time(starts_on: date) -> None:
    today = date(2026, 7, 2)
    [notice] = planned(standing(starts_on, today), today=today)
    assert is_working_day(notice.post_on)
    assert today <= notice.post_on <= notice.post_by


def test_while_the_product_is_sold_nobody_is_given_notice() -> None:
    today = date(2026, 3, 1)
    # N of the running term is 2026-05-31: no notice then, but one for the next term.
    [notice] = planned(standing(date(2025, 9, 1), today), today=today)
    assert (notice.term, notice.ends_on) == (2, date(2027, 9, 1))
    assert notice.post_on > SOLD_UNTIL


def test_what_missed_its_day_gets_its_notice_in_the_next_term() -> None:
    today = date(2026, 9, 1)
    [notice] = planned(standing(date(2025, 10, 1), today), today=today)
    assert (notice.term, notice.ends_on, notice.post_by) == (2, date(2027, 10, 1), date(2027, 6, 30))


def test_what_is_due_within_the_lead_goes_today_or_on_the_next_working_day() -> None:
    saturday = date(2026, 11, 21)
    [notice] = planned(standing(date(2026, 3, 1), saturday), today=saturday)
    assert notice.post_on == date(2026, 11, 23)


def test_whoever_ends_otherwise_gets_none_and_a_notice_past_the_term_does_not_spare_ours() -> None:
    today = date(2026, 9, 1)
    early = GiveNotice(contract="CC-1", received_on=date(2026, 8, 31), channel="counter")
    letter = SendTerminationNotice(contract="CC-1", posted_on=date(2026, 8, 31), tracking="RR1BE")
    running = date(2026, 1, 15)
    assert planned(standing(running, today, early), today=today) == []
    assert planned(standing(running, today, letter), today=today) == []
    # Given on the last day of August it ends on 1 October; this term ends on 15 September already.
    over_the_end = standing(date(2025, 9, 15), today, early)
    [notice] = planned(over_the_end, today=today)
    assert notice.term == 2


def test_the_load_has_every_working_day_and_adds_up() -> None:
    today = date(2026, 7, 1)
    contracts = [
        standing(date(2025, 7, 1) + timedelta(days=n), today, number=f"CC-{n}") for n in range(0, 360, 3)
    ]
    notices = planned(*contracts, today=today)
    days = daily_load(notices, today, today + timedelta(days=1500))
    assert sum(day.notices for day in days) == len(notices) == len(contracts)
    assert all(is_working_day(day.day) for day in days)
    assert len({day.day for day in days}) == len(days) > 1000


@pytest.fixture
def typed(command_line: CommandLine, tmp_path: Path) -> CommandLine:
    lines = [
        {
            "command_id": f"c-{n}",
            "command": "StartContract",
            "at": f"2026-01-{n + 1:02}T09:00:00+01:00",
            "data": contract(f"CC-{n}", f"2026-01-{n + 1:02}"),
        }
        for n in range(20)
    ]
    file = tmp_path / "book.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert command_line("init", "--simulated", "--book", "training").exit_code == 0
    assert command_line("import", str(file), "--until", "2026-07-01", "--book", "training").exit_code == 0
    return command_line


def test_the_plan_as_typed_is_a_chart_a_table_or_json(typed: CommandLine) -> None:
    told = typed("deadlines", "plan", "--book", "training", "--json").json
    assert (told["from"], told["to"], len(told["notices"])) == ("2026-07-01", "2027-07-01", 20)
    assert sum(day["notices"] for day in told["load"]) == 20
    chart = typed("deadlines", "plan", "--to", "2026-10-31", "--book", "training")
    assert "█" in chart.out
    assert "20 notices on" in chart.err
    table = typed("deadlines", "plan", "--notices", "--book", "training")
    assert all(f"CC-{n}" in table.out for n in range(20))
    wrong = typed("deadlines", "plan", "--from", "2026-09-01", "--to", "2026-08-01", "--book", "training")
    assert (wrong.exit_code, wrong.err.count("\n")) == (2, 1)


def test_a_virtual_year_does_what_time_does_in_the_book_itself(typed: CommandLine) -> None:
    before = typed("contract", "list", "--book", "training", "--json").json
    told = typed("simulate", "--until", "2027-07-01", "--no-notices", "--book", "training", "--json").json
    posted = typed("simulate", "--until", "2027-07-01", "--book", "training", "--json").json
    assert typed("contract", "list", "--book", "training", "--json").json == before

    swept = typed("deadlines", "sweep", "--until", "2027-07-01", "--book", "training", "--json").json
    after = typed("contract", "list", "--book", "training", "--json").json
    assert told["events"] == swept["events"] == 40
    assert told["running_after"] == sum(row["status"] == "active" for row in after) == 20
    renewed = {month["month"]: month["renewed"] for month in told["months"] if month["renewed"]}
    assert renewed == {"2027-01": 20}
    assert sum(sum(month["missed"].values()) for month in told["months"]) == 20

    assert sum(month["posted"] for month in posted["months"]) == 20
    assert (posted["running_before"], posted["running_after"]) == (20, 0)
    assert [month["running"] for month in posted["months"]][-1] == 0
    assert sum(sum(month["missed"].values()) for month in posted["months"]) == 0


def test_a_virtual_year_into_the_past_is_refused_in_a_line(typed: CommandLine) -> None:
    wrong = typed("simulate", "--until", "2020-01-01", "--book", "training")
    assert (wrong.exit_code, wrong.err.count("\n")) == (2, 1)
