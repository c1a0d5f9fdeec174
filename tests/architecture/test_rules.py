"""Every rule that is cited is defined in docs/rules.md, and what is defined there is kept and shown."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from architecture.sources import ROOT
from ledger.domain.refusals import REFUSALS
from ledger.http.problems import KINDS

CATALOG = "docs/rules.md"
SEARCHED = ("src", "tests", "docs", "migrations", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")
SUFFIXES = {".py", ".md", ".sql", ".toml", ".html", ".po", ".js", ".typ"}
ABOUT_OTHERS = {"tests/architecture/test_rules.py", "docs/extending.md"}
"""They cite rules that are not there."""

RULE = re.compile(r"(?<![A-Za-z0-9%])[RIDQ]\d{1,2}(?![A-Za-z0-9])")  # `%D9` is a byte of an address
FROM_TO = re.compile(r"(?<![A-Za-z0-9%])([RIDQ])(\d{1,2}) to \1(\d{1,2})(?![A-Za-z0-9])")


class Section(NamedTuple):
    """One rule of the catalog, or one word that refusals name instead of a rule."""

    name: str
    modules: list[str]
    tests: list[tuple[str, str]]
    codes: list[str]

    @property
    def is_rule(self) -> bool:
        return RULE.fullmatch(self.name) is not None


def cited(text: str) -> set[str]:
    ranges = {f"{of[1]}{number}" for of in FROM_TO.finditer(text) for number in range(int(of[2]), int(of[3]))}
    return ranges | set(RULE.findall(text))


def sections(catalog: str) -> list[Section]:
    _, *parts = re.split(r"^##+ (.+)$", catalog, flags=re.MULTILINE)
    return [
        Section(
            name,
            re.findall(r"`(src/[\w/.-]+)`", body),
            re.findall(r"`(tests/[\w/.]+)::(\w+)`", body),
            re.findall(
                r"`([A-Z_]+)`", body.rpartition("\n- Refused with ")[2] if "- Refused" in body else ""
            ),
        )
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    ]


def faults(catalog: str, files: Mapping[str, str]) -> Iterator[str]:
    """All that is wrong with a catalog of rules, beside the files that cite them."""
    rules = [section for section in sections(catalog) if section.is_rule]
    defined = {rule.name for rule in rules}
    for path, text in {CATALOG: catalog, **files}.items():
        yield from (f"{path} cites {name}, which is not defined" for name in sorted(cited(text) - defined))
    everywhere = set().union(*map(cited, files.values()))
    yield from (f"{name} is cited nowhere" for name in sorted(defined - everywhere))
    times = Counter(rule.name for rule in rules)
    yield from (f"{name} is defined twice" for name in defined if times[name] > 1)
    for rule in rules:
        if not (rule.modules and rule.tests):
            yield f"{rule.name} names no module that keeps it, or no test that shows it"
        for path in rule.modules:
            if rule.name not in cited(files.get(path, "")):
                yield f"{rule.name}: {path} is not there, or does not cite it"
        for path, test in rule.tests:
            if f"def {test}(" not in files.get(path, ""):
                yield f"{rule.name}: {path}::{test} is not there"


@pytest.fixture(scope="module")
def catalog() -> str:
    return (ROOT / CATALOG).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    found = (path for top in SEARCHED for path in [ROOT / top, *(ROOT / top).rglob("*")] if path.is_file())
    texts = {str(path.relative_to(ROOT)): path for path in found if path.suffix in SUFFIXES}
    return {name: texts[name].read_text("utf-8") for name in texts.keys() - {CATALOG, *ABOUT_OTHERS}}


def test_rules_are_defined_cited_kept_and_shown(catalog: str, files: dict[str, str]) -> None:
    assert list(faults(catalog, files)) == []


def test_each_refusal_stands_under_the_rule_that_it_names_and_no_other(catalog: str) -> None:
    listed = [(code, section.name) for section in sections(catalog) for code in section.codes]
    assert sorted(listed) == sorted((code, kind.rule) for code, kind in KINDS.items() if kind.rule)
    assert {(code, refusal.rule) for code, refusal in REFUSALS.items()} <= set(listed)


def test_the_documentation_of_a_problem_is_a_heading(catalog: str) -> None:
    headings = {f"{CATALOG}#{section.name.lower().replace(' ', '-')}" for section in sections(catalog)}
    assert {kind.documentation for kind in KINDS.values()} - {None} <= headings


GOOD = """
### R1
A rule; see I1.
- Kept by `src/dates.py`
- Shown by `tests/test_dates.py::test_a_day`

### I1
Another.
- Kept by `src/limits.py`
- Shown by `tests/test_dates.py::test_a_limit`
- Refused with `LIMIT_COUNT`
"""
CITING = {
    "src/dates.py": '"""R1."""',
    "src/limits.py": "# I1",
    "tests/test_dates.py": "def test_a_day():\ndef test_a_limit():",
}


def test_a_catalog_that_is_right_has_no_fault() -> None:
    assert list(faults(GOOD, CITING)) == []
    assert [section.codes for section in sections(GOOD)] == [[], ["LIMIT_COUNT"]]


@pytest.mark.parametrize(
    ("cites", "name"),
    [("see R7 there", "R7"), ("test_it_ends_Q3", "Q3"), ("(I1, D12)", "D12"), ("R1 to R3", "R2")],
)
def test_an_id_that_is_cited_and_not_defined_is_found(cites: str, name: str) -> None:
    assert f"docs/a.md cites {name}, which is not defined" in list(
        faults(GOOD, CITING | {"docs/a.md": cites})
    )


@pytest.mark.parametrize("other", ["%D9%A1", "PR12", "R2D2", "0xD1"])
def test_what_only_looks_like_an_id_is_none(other: str) -> None:
    assert cited(other) == set()


@pytest.mark.parametrize(
    ("catalog", "citing", "fault"),
    [
        (GOOD, {"src/limits.py": ""}, "I1 is cited nowhere"),
        (
            GOOD,
            {"src/limits.py": "", "docs/a.md": "I1"},
            "I1: src/limits.py is not there, or does not cite it",
        ),
        (GOOD + GOOD, {}, "R1 is defined twice"),
        (
            GOOD + "### D1\n",
            {"docs/a.md": "D1"},
            "D1 names no module that keeps it, or no test that shows it",
        ),
        (
            GOOD,
            {"tests/test_dates.py": "def test_a_limit():"},
            "R1: tests/test_dates.py::test_a_day is not there",
        ),
        (GOOD.replace("src/dates", "src/gone"), {}, "R1: src/gone.py is not there, or does not cite it"),
    ],
)
def test_what_is_wrong_with_a_catalog_is_found(catalog: str, citing: dict[str, str], fault: str) -> None:
    assert fault in list(faults(catalog, CITING | citing))
