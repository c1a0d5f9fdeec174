"""The PDFs: PDF/A-2a and PDF/UA-1 by an independent validator; text as it was written; always the same."""

import io
from datetime import date

import page
import pypdf
import pytest
import typst
from letter_desk import PRESS
from test_what_letters_say import LANGUAGES, WHO, draft

from ledger.domain.codes import Language
from schedulers.letters.composing import Addressee, compose
from schedulers.letters.kinds import KINDS, LetterKind

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


def test_what_a_person_is_called_cannot_set_type() -> None:
    rude = Addressee('#panic("x") *bold* $x^2$ @nobody <label> \\', '= Heading, #import "a"')
    pdf = PRESS.set(compose(draft("termination_notice", "en"), rude), DATED)
    assert '#panic("x") *bold* $x^2$ @nobody' in pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
