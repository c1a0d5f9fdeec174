"""The recipes of docs/extending.md, followed to the letter in a copy of the repository."""

import re
from pathlib import Path

import pytest

from architecture.sources import ROOT
from recipes.recipe import PAGE, Copy, Edit, NotApplicable, recipes

TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
RECIPES = recipes(TEXT)
AT_MOST = {"A rule": 8, "An event": 7, "A view": 8, "A deadline": 9, "A sentence on the site": 1}
"""Files that a recipe may touch. What is dearer than it should be may only become cheaper."""


def test_every_recipe_is_there_and_names_the_tests_that_show_it() -> None:
    assert {title: bool(recipe.commands) for title, recipe in RECIPES.items()} == dict.fromkeys(AT_MOST, True)


@pytest.mark.slow
@pytest.mark.parametrize("title", AT_MOST)
def test_a_recipe_does_what_it_says_and_touches_few_files(title: str, tmp_path: Path) -> None:
    copy = Copy.of(ROOT, tmp_path / "copy")
    before = copy.state()
    recipe = RECIPES[title]

    for edit in recipe.edits:
        edit.apply(copy.root)

    for command in recipe.commands:
        ended = copy.run(command)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
    after = copy.state()
    touched = {name for name in before | after if before.get(name) != after.get(name)}
    assert {edit.file for edit in recipe.edits} <= touched
    assert len(touched) <= AT_MOST[title], sorted(touched)
    assert re.search(rf"^\| \[{title}\]\(.*\) \| {len(touched)} \|$", TEXT, re.MULTILINE | re.IGNORECASE)


@pytest.mark.test_all
def test_all_recipes_together_pass_the_checks(tmp_path: Path) -> None:
    copy = Copy.of(ROOT, tmp_path / "copy")
    for recipe in RECIPES.values():
        for edit in recipe.edits:
            edit.apply(copy.root)

    checked = copy.run("make check")

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_an_edit_needs_its_place_once(tmp_path: Path) -> None:
    page = "## A\n\n```diff\n+++ a.py\n one\n+two\n```\n\nA new file, `b/c.py`:\n\n```python\nthree\n```\n"
    change, creation = recipes(page)["A"].edits
    (tmp_path / "a.py").write_text("zero\none\nfour\n")

    change.apply(tmp_path)
    creation.apply(tmp_path)

    assert (tmp_path / "a.py").read_text() == "zero\none\ntwo\nfour\n"
    assert (tmp_path / "b" / "c.py").read_text() == "three\n"
    with pytest.raises(NotApplicable, match="there already"):
        creation.apply(tmp_path)
    for text in ("zero\n", "one\none\n"):
        (tmp_path / "a.py").write_text(text)
        with pytest.raises(NotApplicable, match="times"):
            change.apply(tmp_path)
    with pytest.raises(NotApplicable, match="not there"):
        Edit("gone.py", (("one\n", "two\n"),)).apply(tmp_path)
