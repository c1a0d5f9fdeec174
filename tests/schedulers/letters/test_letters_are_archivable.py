"""The PDFs: PDF/A-2a and PDF/UA-1 by an independent validator; text as it was written; always the same."""

import io
from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import NamedTuple

import page
import pypdf
import pypdfium2 as pdfium
import pytest
import typst
from letter_desk import PRESS
from test_what_letters_say import LANGUAGES, WHO, draft

from ledger.domain.codes import Language
from schedulers.letters.content import Addressee, compose
from schedulers.letters.kinds import KINDS, LetterKind
from schedulers.letters.pdf import CannotBeSet

DATED = date(2026, 6, 1)


def pdf_of(kind: LetterKind, language: Language) -> bytes:
    return PRESS.set(compose(draft(kind, language), WHO), DATED)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_letter_keeps_every_rule_of_the_archive_and_of_accessibility(
    kind: LetterKind, language: Language
) -> None:
    pdf = pdf_of(kind, language)
    for profile in ("2a", "ua1"):
        report = page.validate_pdf_bytes(pdf, profile=profile)
        assert [(failure.rule_id, failure.message) for failure in report.failures] == []
        assert report.is_compliant
        assert report.rules.total > 100
        assert report.document.page_count == 1


def test_the_validator_sees_what_is_no_archive() -> None:
    plain = typst.compile(b"= Ordinary")
    report = page.validate_pdf_bytes(plain, profile="2a")
    assert not report.is_compliant
    broken = pdf_of("termination_notice", "en").replace(b"pdfaid:part", b"pdfaid:pari")
    assert not page.validate_pdf_bytes(broken, profile="2a").is_compliant


def test_umlauts_and_accents_are_read_back_as_they_were_written() -> None:
    read = pypdf.PdfReader(io.BytesIO(pdf_of("termination_notice", "fr")))
    text = read.pages[0].extract_text()
    for word in ("Zoë Ünal-Désiré", "l'Église", "Liège", "RECOMMANDÉ", "débuté", "De Meeûssquare"):
        assert word in text
    assert read.metadata is not None
    assert str(read.metadata.title).startswith("Votre contrat Cyber Care CC-7 prend fin le")
    assert read.trailer["/Root"]["/Lang"] == "fr-BE"  # type: ignore[index] # a dictionary


def test_the_same_letter_is_the_same_bytes() -> None:
    assert pdf_of("claim_acceptance", "nl") == pdf_of("claim_acceptance", "nl")
    assert pdf_of("claim_acceptance", "nl") != pdf_of("claim_acceptance", "fr")


@pytest.mark.parametrize("parted", ["\n", "\r\n", "\r", "\n \n"])
def test_fault_36_the_lines_of_an_address_are_its_lines_and_a_comma_is_a_comma(parted: str) -> None:
    who = Addressee("Ada Peeters", parted.join(("Rue de la Loi, 16 bte 3", "B-1040 Bruxelles, Belgique")))
    assert who.lines == ["Ada Peeters", "Rue de la Loi, 16 bte 3", "B-1040 Bruxelles, Belgique"]
    in_window = [line.text for line in printed(letter_to(who)) if line.left > PAGE_WIDTH / 2][:3]
    assert in_window == who.lines


LONG = "Maximiliaan-Christoffel Vandenbroucke-Vanderstraeten van Wolfeschlegelsteinhausenbergerdorff"
NINE = "\n".join(f"Regel {line} van het adres" for line in range(2, 10))


@pytest.mark.parametrize(
    "who",
    [
        Addressee("Ada Peeters", NINE),
        Addressee(LONG, "Rue de la Loi, 16 bte 3\n1040 Bruxelles"),
        Addressee("W" * 60, "Straat 1\n1000 Brussel"),
        Addressee("Ada Peeters", "Koning Albert II-laan 123 bus 45, 1000 Brussel, België"),
        Addressee("Ada " * 100, "Straat 1"),
    ],
)
def test_fault_36_nothing_prints_over_anything_and_nothing_runs_off(who: Addressee) -> None:
    lines = printed(letter_to(who))
    [dated] = [line for line in lines if line.text.startswith("Brussel, 1")]
    window = [line for line in lines if line.left > PAGE_WIDTH / 2 and line.bottom > dated.top]
    assert letters_of("".join(line.text for line in window)) == letters_of("".join(who.lines))
    assert_readable(lines)


@pytest.mark.parametrize(
    "who", [Addressee("Ada", NINE + "\nten\neleven"), Addressee("Ada " * 400, "Straat 1")]
)
def test_fault_36_what_does_not_fit_is_refused_with_the_limit(who: Addressee) -> None:
    with pytest.raises(CannotBeSet, match="71 mm wide and 38 mm high"):
        letter_to(who)


def test_fault_36_a_number_that_is_too_long_for_a_line_goes_on_below() -> None:
    long = replace(draft("claim_rejection", "en"), contract="W" * 128, about="KM" * 64)
    lines = printed(PRESS.set(compose(long, WHO), DATED))
    said = letters_of("".join(line.text for line in lines))
    assert "W" * 128 in said
    assert "KM" * 64 in said
    assert_readable(lines)


MM = 72 / 25.4
PAGE_WIDTH, RIGHT_MARGIN = 210 * MM, 22 * MM


class Line(NamedTuple):
    """A run of text as pdfium finds it on a page."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    page: int


def letters_of(text: str) -> str:
    """What is left of a text whatever its lines: a reader leaves blanks and a hyphen at their ends out."""
    return "".join(character for character in text if character.isalnum())


def letter_to(who: Addressee) -> bytes:
    return PRESS.set(compose(draft("termination_notice", "nl"), who), DATED)


def printed(pdf: bytes) -> list[Line]:
    """Read a letter with a program that shows PDFs to people."""
    lines = []
    for number, page_of_it in enumerate(pdfium.PdfDocument(pdf)):
        text = page_of_it.get_textpage()
        boxes = [text.get_rect(at) for at in range(text.count_rects())]
        lines += [Line(text.get_text_bounded(*box).strip(), *box, number) for box in boxes]
    return lines


def assert_readable(lines: list[Line]) -> None:
    assert max(line.right for line in lines) < PAGE_WIDTH - RIGHT_MARGIN + 1
    for one, other in combinations(lines, 2):
        apart = (
            one.page != other.page
            or one.right <= other.left + 0.5
            or other.right <= one.left + 0.5
            or one.top <= other.bottom + 0.5
            or other.top <= one.bottom + 0.5
        )
        assert apart, (one, other)


def test_what_a_person_is_called_cannot_set_type() -> None:
    rude = Addressee('#panic("x") *bold* $x^2$ @nobody <label> \\', '= Heading, #import "a"')
    pdf = PRESS.set(compose(draft("termination_notice", "en"), rude), DATED)
    assert '#panic("x") *bold* $x^2$ @nobody' in pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
