"""The docs name what is there: files, tests, make targets, settings."""

import re
from pathlib import Path

import click
import pytest

from architecture.sources import ROOT
from coverledger.__main__ import program
from coverledger.composition import PLUGINS_GROUP
from ledger.config import Settings
from ledger.imports.csv_rows import columns_of
from ledger.verbs import VERBS

DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def prose(path: Path) -> str:
    """A page without what recipes would change: their names are there once a recipe was followed."""
    changes = r"^```diff\n.*?^```$|A new file,\s`[^`]+`:\n\n```.*?^```$"
    return re.sub(changes, "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


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
    named = re.findall(r"\[`(?:\w+\.)*(\w+)`\]\(([^)\s]+\.py)\)", prose(doc))
    missing = [
        f"{name} in {module}"
        for name, module in named
        if name != Path(module).stem
        and not re.search(rf"^\s*(def|class) {name}\b", prose(doc.parent / module), re.MULTILINE)
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


def setting_row(name: str) -> str:
    """The row of a setting as its own description has it, which ends in what holds while it is unset."""
    field = Settings.model_fields[name]
    meaning, _, unset = (field.description or "").partition("; unset: ")
    match field.default:
        case bool(value):
            unset = f"`{'yes' if value else 'no'}`"
        case str(value) | int(value):
            unset = f"`{value}`"
    return f"| `COVERLEDGER_{name.upper()}` | {meaning.removesuffix('.')} | {unset.removesuffix('.')} |"


def test_the_page_on_settings_has_each_as_the_program_describes_it_and_no_other() -> None:
    rows = re.findall(r"^\| `COVERLEDGER_.*$", prose(ROOT / "docs" / "settings.md"), re.MULTILINE)
    assert sorted(rows) == sorted(setting_row(name) for name in Settings.model_fields)


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: path.name)
def test_every_file_of_ours_that_is_named_is_there(doc: Path) -> None:
    named = re.findall(r"`((?:src|migrations|benchmarks|\.ci)/[\w/.*<>-]+)`", prose(doc))
    assert [name for name in named if not list(ROOT.glob(re.sub(r"<\w+>", "*", name)))] == []


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: path.name)
def test_every_dotted_name_of_ours_is_a_module_or_stands_in_one_or_in_the_schema(doc: Path) -> None:
    text = without_names_of_before(doc)
    named = re.findall(r"(?:`|-m |=)((?:coverledger|ledger|projections|schedulers)(?:\.\w+)+)(:\w+)?", text)
    dotted = {module + member.replace(":", ".") for module, member in named} - NO_MODULES
    assert sorted(name for name in dotted if not is_ours(name)) == []


def without_names_of_before(doc: Path) -> str:
    """A page without the first column of tables that say what a name became."""
    return re.sub(
        r"^\| before (.|\n)*?\n\n", lambda table: second_column(table[0]), prose(doc), flags=re.MULTILINE
    )


def second_column(table: str) -> str:
    return "".join(f"| {line.split(' | ', 1)[-1]}\n" for line in table.splitlines())


NO_MODULES = {"ledger.dump", "ledger.sql", "ledger.subscribe", PLUGINS_GROUP}
"""Files, a method of the `ledger` that somebody has opened, a group of entry points."""
PROGRAM = program()
OF_CONNECTIONS = {"sealer"}
"""`coverledger sealer` is what the sealer calls its connection."""
SCHEMA = "\n".join(path.read_text() for path in sorted((ROOT / "migrations").glob("*.sql")))


def is_ours(dotted: str) -> bool:
    parent, _, name = dotted.rpartition(".")
    sources = [path for path in (module_file(dotted), module_file(parent)) if path is not None]
    if sources and sources[0] == module_file(dotted):
        return True
    defines = re.compile(rf"^(?:(?:async )?def|class) {name}\b|^{name}\b.*=", re.MULTILINE)
    return bool(sources and defines.search(prose(sources[0]))) or bool(
        re.search(rf"\b{re.escape(dotted)}\b", SCHEMA)
    )


def module_file(dotted: str) -> Path | None:
    path = ROOT / "src" / dotted.replace(".", "/")
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: path.name)
def test_every_command_that_is_named_can_be_typed(doc: Path) -> None:
    text = re.sub(r"\\\n +", "", without_names_of_before(doc))
    text, within = re.sub(r"\$\(.*?\)", "X", text), re.findall(r"\$\(coverledger (.*?)\)", text)
    typed = re.findall(r"(?:^|`|&& |\| )coverledger ([a-z-]+(?: [^`\n)|;#]+)?)", text, re.MULTILINE)
    assert {line: fault for line in typed + within if (fault := fault_of(line)) is not None} == {}


def fault_of(line: str) -> str | None:
    """What is wrong with a command line: a word that is no command, or an option that it has not."""
    command: click.Command = PROGRAM
    words = re.sub(r"'[^']*'|\"[^\"]*\"", "X", line).split()
    if line in OF_CONNECTIONS:
        return None
    while words and isinstance(command, click.Group):
        if not re.fullmatch(r"[a-z][a-z-]*", words[0]):
            return None  # a placeholder such as NAME
        found = command.get_command(click.Context(command), words.pop(0))
        if found is None:
            return "no such command"
        command = found
    known = {
        option
        for each in command.get_params(click.Context(command))
        for option in (*each.opts, *each.secondary_opts)
    }
    options = [word.split("=")[0].strip(",.[]…") for word in words if word.startswith("--")]
    unknown = [option for option in options if option not in known]
    return f"{command.name} has no {unknown[0]}" if unknown else None


def test_the_changelog_has_its_permanent_heading_of_events() -> None:
    assert re.search(r"^##+ Events$", prose(ROOT / "CHANGELOG.md"), re.MULTILINE)


TERMS = """policyholder, insured, victim, guarantee, insurance year, incident, claim, acceptance, rejection,
refund, recovery, excess, notice, term, lapse, book, bordereau, stream, version, position, append, fold, seal,
checkpoint, head, follower, projection, rebuild, diary, sweep, companion, upcast"""


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
