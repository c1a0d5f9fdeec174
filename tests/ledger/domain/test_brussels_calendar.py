"""R1, R2, R8: Brussels days, months and working days."""

from datetime import UTC, date, datetime, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import calendar
from ledger.domain.terms import load_terms

PERIODS = load_terms("cyber-care").periods
DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 31))


@pytest.fixture(autouse=True)
def _nothing_computed_before() -> None:
    # What an earlier test computed is remembered; a change of a rule would hide behind it.
    for remembering in (
        calendar.brussels_midnight,
        calendar.add_months,
        calendar.public_holidays,
        calendar.roll_forward,
        calendar.roll_back,
    ):
        remembering.cache_clear()


@pytest.mark.parametrize("year", range(1901, 2100))
def test_the_ten_public_holidays_are_those_of_belgium_R8(year: int) -> None:
    known = {day for day in holidays.country_holidays("BE", years=year) if day.year == year}
    # Easter and Whit Sunday are Sundays, on which nobody works anyway.
    listed = {day for day in known if day.isoweekday() != 7}

    assert {day for day in calendar.public_holidays(year) if day.isoweekday() != 7} == listed
    # Two of the ten may fall on one day: Ascension on 1 May.
    assert len(calendar.public_holidays(year)) >= 9


def test_a_day_in_Brussels_begins_at_midnight_there_summer_and_winter_R12() -> None:
    assert calendar.brussels_midnight(date(2025, 7, 1)) == datetime(2025, 6, 30, 22, tzinfo=UTC)
    assert calendar.brussels_midnight(date(2026, 1, 1)) == datetime(2025, 12, 31, 23, tzinfo=UTC)


def test_easter_monday_is_no_working_day_and_good_friday_is_R8() -> None:
    assert not calendar.is_working_day(date(2025, 4, 21))
    assert calendar.is_working_day(date(2025, 4, 18))


def test_a_saturday_and_a_sunday_are_no_working_days_and_a_friday_is_R8() -> None:
    week = [calendar.is_working_day(date(2025, 3, day)) for day in range(3, 10)]

    assert week == [True] * 5 + [False] * 2


def test_months_from_the_31st_go_to_the_1st_of_the_month_after_where_there_is_none_R2() -> None:
    assert calendar.add_months(date(2024, 8, 31), 6) == date(2025, 3, 1)
    assert calendar.add_months(date(2025, 10, 31), 1) == date(2025, 12, 1)
    assert calendar.add_months(date(2024, 2, 29), 48) == date(2028, 2, 29)
    assert calendar.add_months(date(2025, 11, 30), 3) == date(2026, 3, 1)
    assert calendar.add_months(date(2025, 3, 31), -1) == date(2025, 3, 1)


@given(DAYS, st.integers(0, 60))
def test_adding_months_to_a_later_day_never_gives_an_earlier_one_R2(day: date, months: int) -> None:
    following = day + timedelta(days=1)

    assert calendar.add_months(day, months) <= calendar.add_months(following, months)


@given(DAYS, st.integers(0, 60))
def test_adding_months_keeps_the_day_number_or_gives_the_first_R2(day: date, months: int) -> None:
    assert calendar.add_months(day, months).day in (day.day, 1)


@given(DAYS)
def test_a_letter_posted_on_N_is_timely_and_a_day_later_is_not_R6(ends_on: date) -> None:
    last = calendar.last_timely_letter(ends_on, 3)

    assert calendar.add_months(last + timedelta(days=1), 3) <= ends_on
    assert calendar.add_months(last + timedelta(days=2), 3) > ends_on


@given(DAYS, st.integers(1, 60))
def test_every_day_of_a_term_lies_in_that_insurance_year_R3(starts_on: date, term: int) -> None:
    first = calendar.term_start(starts_on, term, PERIODS)
    last = calendar.term_end(starts_on, term, PERIODS) - timedelta(days=1)

    assert calendar.term_on(starts_on, first, PERIODS) == term
    assert calendar.term_on(starts_on, last, PERIODS) == term


@given(DAYS)
def test_a_day_before_S_lies_in_no_insurance_year_D10(starts_on: date) -> None:
    assert calendar.term_on(starts_on, starts_on - timedelta(days=1), PERIODS) is None


@given(DAYS)
def test_rolling_goes_to_the_nearest_working_day_on_its_side_R7(day: date) -> None:
    forward, back = calendar.roll_forward(day), calendar.roll_back(day)

    assert back <= day <= forward
    assert calendar.is_working_day(forward)
    assert calendar.is_working_day(back)
    between = [back + timedelta(days=n) for n in range(1, (forward - back).days)]
    assert not any(calendar.is_working_day(d) for d in between)
