"""Tables for people: in a narrow window columns are left out and texts folded, but no value is cut off."""

import json
from pathlib import Path

import pytest
from typed import Typed

from projections.cli.tables import Demand, demand, fit, total


def test_a_window_that_is_wide_enough_shows_every_column_on_one_line() -> None:
    fitted = fit([Demand(10, 5), Demand(20, 20, spare=1)], window=34)

    assert (list(fitted.shown), list(fitted.widths)) == ([0, 1], [10, 20])


def test_texts_are_folded_before_anything_is_left_out() -> None:
    fitted = fit([Demand(10, 5), Demand(20, 20, spare=1)], window=30)

    assert (list(fitted.shown), list(fitted.widths)) == ([0, 1], [6, 20])


def test_what_is_spared_most_is_left_out_first() -> None:
    fitted = fit([Demand(10, 10), Demand(9, 9, spare=1), Demand(8, 8, spare=2)], window=24)

    assert list(fitted.shown) == [0, 1]


def test_what_cannot_be_spared_keeps_its_width_in_whatever_window() -> None:
    fitted = fit([Demand(12, 10), Demand(9, 9)], window=5)

    assert list(fitted.widths) == [10, 9]
    assert total(fitted.widths) > 5


def test_an_amount_never_folds_a_text_folds_between_words_and_a_header_too() -> None:
    assert demand("loss", ["3,000.00 EUR"], folds=False, spare=0) == Demand(12, 12)
    assert demand("what", ["termination letter"], folds=True, spare=0) == Demand(18, 11)
    assert demand("claims counted", ["1 of 3"], folds=False, spare=0) == Demand(14, 7)
    assert demand("sha256", ["f" * 64], folds=True, spare=0) == Demand(64, 20)


@pytest.fixture
def contract(typed: Typed, tmp_path: Path) -> Typed:
    line = {
        "command_id": "c-1",
        "command": "StartContract",
        "at": "2024-01-01T09:00:00+01:00",
        "data": {
            "contract": "CC-2024-000001",
            "product": "cyber-care",
            "starts_on": "2024-01-01",
            "policyholder": {"person": "P-1", "name": "Ada Peeters"},
        },
    }
    path = tmp_path / "book.jsonl"
    path.write_text(json.dumps(line))
    assert typed.run("import", str(path), "--until", "2024-05-01").code == 0
    return typed


@pytest.mark.parametrize("words", [("limits",), ("due",), ("contract", "list"), ("events",)])
def test_at_80_columns_nothing_is_cut_off_and_what_is_left_out_is_named(
    contract: Typed, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = contract.run(*words)

    assert "…" not in shown.stdout
    assert "CC-2024-000001" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert shown.stderr.startswith("Left out at 80 columns: ")


def test_into_a_pipe_goes_every_column(contract: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    shown = contract.run("limits")

    assert "0.00 of 5,000.00 EUR" in shown.stdout
    assert "amount reserved" in shown.stdout
    assert shown.stderr == ""


def test_a_replay_for_people_shows_amounts_as_money(contract: Typed) -> None:
    shown = contract.run("replay", "CC-2024-000001")

    assert "_cents" not in shown.stdout
