"""Three languages: nothing that the site says stays English in Dutch or French."""

import re
import shutil
from datetime import date, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spoken import CATALOGUES, ROOT, merge, messages, texts

from ledger.command_handler import Answer, invalid_answer
from ledger.domain.codes import DeadlineKind, DeadlineStatus
from ledger.domain.refusals import REFUSALS, FaultCode, FieldFault, Invalid
from ledger.domain.registry import EVENT_TYPES
from ledger.domain.terms import load_terms
from projections.web.forms import LABELS, TITLES, VERB_OF, form_of
from projections.web.i18n.codes import CODES, CONTACTS, EVENTS, REMARKS, event_label, label, of_contact
from projections.web.i18n.language import LANGUAGES, Language, catalogue, preferred, words
from projections.web.i18n.problems import NEXT_STEPS, faults_of
from schedulers.letters.kinds import KINDS, STATUSES
from schedulers.letters.pdf import DOES_NOT_FIT, LACKS_CHARACTERS, NOT_SET, TOO_MANY_MARKS
from schedulers.letters.queries import ITS_TEXT
from schedulers.letters.triggers import POSTED_BY_HAND
from schedulers.letters.worker import ERASED
from schedulers.letters.writer import ITS_DAY_HAS_PASSED, NEEDLESS, NO_ADDRESS

OTHERS: tuple[Language, ...] = ("nl", "fr")
PLACE = re.compile(r"%\((\w+)\)s")


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated(language: Language) -> None:
    assert messages() - set(words(language).messages) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_catalogue_holds_what_nobody_says(language: Language) -> None:
    assert set(words(language).messages) - messages() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_merging_again_changes_no_text(tmp_path: Path, language: Language) -> None:
    shutil.copytree(CATALOGUES, tmp_path, dirs_exist_ok=True)
    merge(tmp_path, messages())
    merged = catalogue(tmp_path / f"{language}.po")
    assert merged == {message: words(language).messages.get(message, message) for message in messages()}


def test_an_english_text_that_changes_leaves_its_translations_to_be_read_again(tmp_path: Path) -> None:
    before, after = "Withdraw the claim", "Withdraw the claims"
    shutil.copytree(CATALOGUES, tmp_path, dirs_exist_ok=True)

    merge(tmp_path, messages() - {before} | {after})

    english, dutch = (catalogue(tmp_path / f"{language}.po") for language in ("en", "nl"))
    assert english[after] == after
    assert after not in dutch  # fuzzy: missing to whoever reads it, and to the check
    assert before not in dutch
    unchanged = words("nl").messages
    assert dutch == {message: said for message, said in unchanged.items() if message != before}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_in_what_its_message_does(language: Language) -> None:
    wrong = [
        message
        for message, said in words(language).messages.items()
        if {place for text in texts(message) for place in PLACE.findall(text)} - {"number"}
        != {place for text in texts(said) for place in PLACE.findall(text)} - {"number"}
        or any("%" in PLACE.sub("", text) for text in texts(said))
    ]
    assert wrong == []


def test_every_kind_and_status_of_a_letter_and_every_remark_on_one_has_words() -> None:
    assert {f"letter_{status}" for status in STATUSES} | set(KINDS) <= set(CODES)
    assert set(REMARKS) == {
        *(NO_ADDRESS, NEEDLESS, ITS_DAY_HAS_PASSED, POSTED_BY_HAND, ITS_TEXT, ERASED),
        *(LACKS_CHARACTERS, DOES_NOT_FIT, TOO_MANY_MARKS, NOT_SET),
    }


def test_every_kind_and_status_of_a_due_date_has_words() -> None:
    assert set(get_args(DeadlineStatus)) <= set(CODES)
    for language in OTHERS:
        assert {label(kind) for kind in get_args(DeadlineKind)} <= words(language).messages.keys()


def test_a_contact_of_the_terms_is_named_in_the_readers_language() -> None:
    contacts = [contact.model_dump() for contact in load_terms("cyber-care").contacts]
    for contact in contacts:
        assert of_contact(words("en"), contact) == contact["name"]
        assert of_contact(words("fr"), contact) != contact["name"]
        assert contact["purpose"] in CONTACTS
    unknown = {"purpose": "press", "name": "Press office"}
    assert of_contact(words("fr"), unknown) == "Press office"


def test_every_event_and_every_refusal_has_words() -> None:
    for language in OTHERS:
        assert {event_label(name) for name in EVENT_TYPES} <= words(language).messages.keys()
    assert set(EVENTS) <= {name.rpartition(".")[2] for name in EVENT_TYPES}
    assert set(REFUSALS) - set(NEXT_STEPS) == set()


NO_WORDS = {"SHA-256", "JSON", "CSV"}
"""What stands in templates and is no text of any language."""
SPOKEN_ATTRIBUTES = r'(?:aria-label|title|placeholder|alt)="([^"]*)"'


def bare_texts(template: str) -> list[str]:
    """Texts and spoken attributes of a template that no catalogue translates."""
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", "\0", template, flags=re.DOTALL)
    text = re.sub(r"<(code|pre|style|script)[^>]*>.*?</\1>|<!doctype html>", "", text, flags=re.DOTALL)
    told = re.findall(SPOKEN_ATTRIBUTES, text) + re.split(r"<[^>]*>", text)
    parts = (part.strip() for piece in told for part in re.split(r"\0|&\w+;", piece))
    return [part for part in parts if re.search(r"[A-Za-z]{2}", part) and part not in NO_WORDS]


def test_no_template_says_a_word_that_no_catalogue_translates() -> None:
    bare = {path.name: bare_texts(path.read_text()) for path in sorted((ROOT / "templates").glob("*.html"))}
    assert {name: texts for name, texts in bare.items() if texts} == {}
    assert bare_texts('<p title="Two words">{{ _("Said") }}: left bare</p>') == ["Two words", ": left bare"]


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("code", sorted(set(NEXT_STEPS) | set(REFUSALS)))
def test_every_refusal_is_told_in_the_readers_language_alone(code: str, language: Language) -> None:
    said = "The domain's own words, in English."
    answer = Answer("c", "refused", code, "I8", said)
    [fault] = faults_of(words(language), answer)
    assert fault.startswith(f"{code} (I8): ")
    in_english, own_words = faults_of(words("en"), answer)
    assert own_words == said
    assert len(fault) > len(f"{code} (I8): ") + 10
    assert fault != in_english


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize(
    ("invalid", "told"),
    [
        (Invalid(FieldFault("received_on", "AFTER_AT", "lies too late")), ["Received on"]),
        (
            Invalid(
                FieldFault("victim.person", "MISSING", "is missing; give it"),
                FieldFault("cause", "NOT_TAKEN", "Input should be 'fraud'"),
                command="OpenClaim",
            ),
            ["Victim's person number", "Cause"],
        ),
        (Invalid(FieldFault("", "NOT_TAKEN", "has 70,000 bytes"), command="OpenClaim"), []),
    ],
)
def test_a_form_that_cannot_be_read_is_told_by_its_fields(
    invalid: Invalid, told: list[str], language: Language
) -> None:
    speak, answer = words(language), invalid_answer("c", invalid)
    [fault] = faults_of(speak, answer)
    in_english, own_words = faults_of(words("en"), answer)
    assert own_words == invalid.message
    assert fault != in_english
    assert all(speak(label) in fault for label in told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_english_text_of_the_domain_decides_what_a_reader_is_told(language: Language) -> None:
    def told(code: FaultCode, text: str) -> str:
        return faults_of(words(language), invalid_answer("c", Invalid(FieldFault("on", code, text))))[0]

    too_late, other = "2026-03-02 lies after 2026-03-01: it must not", "another text altogether"
    assert told("AFTER_AT", other) == told("AFTER_AT", too_late)
    assert told("NOT_TAKEN", too_late) == told("NOT_TAKEN", other)
    assert told("AFTER_AT", other) != told("NOT_TAKEN", other)


@pytest.mark.parametrize("command", VERB_OF)
def test_every_command_has_a_form_with_a_label_for_each_field(command: str) -> None:
    form = form_of(command, "N-1")
    assert form.title == TITLES[command]
    assert all(field.label == LABELS[field.name] for field in form.fields)


@pytest.mark.parametrize(
    ("language", "amount", "day", "instant"),
    [
        ("en", "€1,234.56", "1 Mar 2026", "1 Mar 2026, 00:30:00"),
        ("nl", "€ 1.234,56", "1 mrt 2026", "1 mrt 2026 00:30:00"),
        ("fr", "1 234,56 €", "1 mars 2026", "1 mars 2026 00:30:00"),
    ],
)
def test_amounts_dates_and_instants_are_written_as_their_readers_do(
    language: Language, amount: str, day: str, instant: str
) -> None:
    speak = words(language)
    assert re.sub(r"\s", " ", speak.amount(123_456)) == amount
    assert speak.day(date(2026, 3, 1)) == day
    # By the clock of Brussels, whatever the offset that it was given with.
    assert speak.instant(datetime.fromisoformat("2026-02-28T23:30:00+00:00")) == instant


def test_what_there_is_none_of_stands_as_a_dash() -> None:
    speak = words("en")
    assert {speak.amount(None), speak.number(None), speak.day(None), speak.instant(None)} == {"\N{EN DASH}"}


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("nl-BE,nl;q=0.9,en;q=0.8", "nl"),
        ("de;q=1, fr-FR;q=0.7, nl;q=0.7", "fr"),
        ("en-GB", "en"),
        ("de, es", "en"),
        ("nl;q=much, fr", "fr"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_a_browser_gets_the_language_that_it_prefers(accepted: str | None, language: Language) -> None:
    assert preferred(accepted) == language


@given(st.text(max_size=60))
def test_whatever_a_browser_says_it_accepts_a_language_is_chosen(accepted: str) -> None:
    assert preferred(accepted) in {"en", "nl", "fr"}
