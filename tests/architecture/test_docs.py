"""The docs name what is there: files, tests, make targets, settings."""

import re
from pathlib import Path

import pytest

from architecture.sources import ROOT
from ledger.config import Settings
from ledger.imports.csv_rows import columns_of
from ledger.verbs import VERBS

DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def prose(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_one(doc: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose(doc))
    inside = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not (doc.parent / link).exists()] == []


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: path.name)
def test_every_test_that_is_named_is_there(doc: Path) -> None:
    named = re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", prose(doc))
    missing = [
        "::".join(filter(None, (file, test)))
        for file, test in named
        if not (ROOT / file).exists() or (test and f"def {test}(" not in (ROOT / file).read_text())
    ]
    assert missing == []


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: path.name)
def test_every_name_that_links_to_a_module_is_defined_there(doc: Path) -> None:
    named = re.findall(r"\[`(?:\w+\.)?(\w+)`\]\(([^)\s]+\.py)\)", prose(doc))
    missing = [
        f"{name} in {module}"
        for name, module in named
        if not re.search(rf"^\s*(def|class) {name}\b", prose(doc.parent / module), re.MULTILINE)
    ]
    assert missing == []


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: path.name)
def test_every_heading_of_another_page_that_is_linked_is_there(doc: Path) -> None:
    links = re.findall(r"\]\(([^):\s]*\.md)?#([\w-]+)\)", prose(doc))
    missing = [f"{page}#{heading}" for page, heading in links if heading not in headings(doc, page)]
    assert missing == []


def headings(doc: Path, page: str) -> set[str]:
    """Anchors of a page that a doc links to, by default its own, as GitHub makes them."""
    found = re.findall(r"^##* (.+)$", prose(doc.parent / page if page else doc), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: path.name)
def test_every_make_target_that_is_named_is_there(doc: Path) -> None:
    named = re.findall(r"(?:`|^|&& )make ([a-z][a-z-]*)", prose(doc), re.MULTILINE)
    assert [target for target in named if target not in TARGETS] == []


def test_the_readme_has_every_setting_and_no_other() -> None:
    known = {f"COVERLEDGER_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"^\| `(COVERLEDGER_[A-Z_]+)`", prose(ROOT / "README.md"), re.MULTILINE))
    assert named == known


def test_the_changelog_has_its_permanent_heading_of_events() -> None:
    assert re.search(r"^##+ Events$", prose(ROOT / "CHANGELOG.md"), re.MULTILINE)


TERMS = """policyholder, insured, victim, guarantee, insurance year, incident, claim, acceptance, rejection,
refund, recovery, excess, notice, term, lapse, book, bordereau, stream, version, position, append, fold, seal,
checkpoint, follower, projection, rebuild, upcast"""


def test_the_glossary_says_in_a_sentence_what_each_term_means() -> None:
    glossary = prose(ROOT / "docs" / "glossary.md")
    terms = TERMS.replace("\n", " ").split(", ")
    unsaid = [
        term
        for term in terms
        if not re.search(rf"^\| \*\*{term}\*\* \| .{{20,}}\. \|$", glossary, re.MULTILINE)
    ]
    assert unsaid == []


def test_the_page_on_importing_has_every_command_with_every_field() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.+) \| `(\w+ [\w-]+)` \|$", prose(ROOT / "docs" / "importing.md"), re.MULTILINE
    )
    told = {command: (re.findall(r"`([\w.]+)`", fields), verb) for command, fields, verb in rows}
    assert told == {
        verb.command: (
            [column for column, kind in columns_of(verb.command).items() if kind != "amount"],
            f"{verb.group} {verb.name}",
        )
        for verb in VERBS
    }
