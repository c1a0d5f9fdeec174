"""Drawings as figures: bars, columns, calendars and timelines say what they are given and nothing else."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.web.charts import (
    HEIGHT,
    LENGTH,
    TIMELINE_LEFT,
    TIMELINE_RIGHT,
    TIMELINE_WIDTH,
    Layer,
    Part,
    TimelineMoment,
    Written,
    bar,
    columns,
    month_before,
    next_month,
    steps,
    timeline,
    weeks_of,
)
from projections.web.pages.cancellation import Rate
from projections.web.renderer import from_address, in_address, page_of

DAYS = st.dates(date(1950, 1, 1), date(2150, 12, 31))


def test_a_bar_shows_each_claims_part_and_what_is_left_of_the_5000_EUR() -> None:
    drawn = bar(500_000, [Part("K-1", "consumed", 200_000, 7), Part("K-2", "reserved", 100_000, 9)])
    assert [(s.part.claim, s.x, s.width) for s in drawn.segments] == [("K-1", 0, 400), ("K-2", 400, 200)]
    assert (drawn.used, drawn.left) == (300_000, 200_000)


@given(st.integers(1, 10**9), st.lists(st.integers(0, 10**9), max_size=12))
def test_a_bar_never_leaves_its_frame_and_its_parts_never_overlap(limit: int, amounts: list[int]) -> None:
    drawn = bar(limit, [Part(f"K-{n}", "consumed", amount, n) for n, amount in enumerate(amounts)])
    end = 0
    for segment in drawn.segments:
        assert segment.x == end
        assert segment.width >= 0
        end = segment.x + segment.width
    assert end <= LENGTH


@given(st.integers(0, 10**12))
def test_an_axis_begins_at_nothing_rises_evenly_and_reaches_the_highest_figure(highest: int) -> None:
    marks = steps(highest)
    assert marks[0] == 0
    assert marks[-1] >= highest or marks[-1] == pytest.approx(highest)
    assert len(marks) <= 7
    gaps = [high - low for low, high in pairwise(marks)]
    assert all(gap == pytest.approx(gaps[0], rel=1e-3) for gap in gaps)


@given(st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**8)), min_size=1, max_size=40))
def test_columns_stand_on_the_ground_one_layer_upon_the_other(figures: list[tuple[int, int]]) -> None:
    layers = [Layer("low", "good", [f[0] for f in figures]), Layer("high", "late", [f[1] for f in figures])]
    drawn = columns([str(n) for n in range(len(figures))], layers, Written())
    assert len(drawn.columns) == sum(figure > 0 for pair in figures for figure in pair)
    for column in drawn.columns:
        assert 0 <= column.y <= HEIGHT
        assert column.y + column.height <= drawn.base + 0.02
        assert column.x >= drawn.left


@given(DAYS)
def test_a_month_is_whole_weeks_from_monday_with_each_of_its_days_once(day: date) -> None:
    weeks = weeks_of(day, {day: ["due"]})
    days = [one for week in weeks for one in week]
    assert all(week[0].day.weekday() == 0 and len(week) == 7 for week in weeks)
    own = [one.day for one in days if one.is_of_the_month]
    assert own == [day.replace(day=1) + timedelta(days=n) for n in range(len(own))]
    assert next_month(day) == own[-1] + timedelta(days=1)
    assert month_before(next_month(day)) == own[0]
    assert [one.day for one in days if one.items] == [day]


@given(st.lists(st.tuples(DAYS, DAYS), max_size=20), DAYS)
def test_a_timeline_puts_every_event_twice_within_its_frame_in_the_order_of_its_dates(
    dates: list[tuple[date, date]], today: date
) -> None:
    moments = [TimelineMoment(n, counts, known, "claim", "") for n, (counts, known) in enumerate(dates)]
    drawn = timeline(moments, [], today)
    assert [dot.moment for dot in drawn.dots] == moments
    for dot in drawn.dots:
        assert TIMELINE_LEFT <= dot.counts_x <= TIMELINE_WIDTH - TIMELINE_RIGHT
        assert TIMELINE_LEFT <= dot.known_x <= TIMELINE_WIDTH - TIMELINE_RIGHT
        assert (dot.counts_x < dot.known_x) <= (dot.moment.counts_on < dot.moment.known_on)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_number_stands_in_an_address_and_is_read_back_whatever_follows_it(number: str) -> None:
    step = in_address(number)
    assert from_address(step) == number
    assert "/" not in step
    assert not step.endswith(".json")


def test_a_number_typed_by_hand_is_read_as_it_is() -> None:
    assert from_address("CC-2024.001") == "CC-2024.001"
    assert page_of("claim:K/1") == page_of("claim/K/1") == "/claims/K~2F1"


def test_the_rate_lets_a_burst_through_then_one_at_a_time_for_each_address() -> None:
    now = [0.0]
    rate = Rate(3, 10.0, now=lambda: now[0])
    assert [rate.allows("a") for _ in range(5)] == [True, True, True, False, False]
    assert rate.allows("b")
    now[0] = 10.0
    assert [rate.allows("a") for _ in range(2)] == [True, False]
    now[0] = 1_000.0
    assert [rate.allows("a") for _ in range(4)] == [True, True, True, False]
