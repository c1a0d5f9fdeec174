"""What the letters say: in three languages, the same facts, dates and amounts as each writes them."""

from datetime import date

import pytest

from ledger.domain.codes import Language
from ledger.domain.identifiers import claim_ref
from ledger.domain.terms import load_terms
from schedulers.letters.content import (
    Addressee,
    Draft,
    asks_for,
    compose,
    wording,
    written_amount,
    written_date,
)
from schedulers.letters.kinds import KINDS, LetterKind, reference_of

LANGUAGES: tuple[Language, ...] = ("nl", "fr", "en")
WHO = Addressee("Zoë Ünal-Désiré", "Rue de l'Église 7\n4000 Liège")
FACTS: dict[LetterKind, dict[str, str | int | None]] = {
    "termination_notice": {"starts_on": "2024-10-01", "ends_on": "2026-10-01", "last_day": "2026-09-30"},
    "claim_acceptance": {
        "reported_on": "2026-02-01",
        "incident_on": "2026-01-29",
        "guarantee": "payment",
        "loss_cents": 612_345,
        "compensated_cents": 0,
        "approved_cents": 500_000,
        "excess_cents": 112_345,
    },
    "claim_rejection": {
        "reported_on": "2026-02-01",
        "incident_on": "2026-01-29",
        "guarantee": "data",
        "exclusion": "NOT_MALWARE",
    },
    "complaint_acknowledgement": {"received_on": "2026-02-01", "answer_due_on": "2026-03-02"},
    "complaint_answer": {"received_on": "2026-02-01", "answered_on": "2026-02-20"},
}


def draft(kind: LetterKind, language: Language, **more: str) -> Draft:
    about = None if kind == "termination_notice" else "K-17"
    return Draft(
        kind,
        "L-ABCDEFGH23456789",
        language,
        date(2026, 6, 1),
        "CC-7",
        about,
        load_terms("cyber-care"),
        FACTS[kind],
        **more,
    )


def said(kind: LetterKind, language: Language, **more: str) -> str:
    letter = compose(draft(kind, language, **more), WHO)
    facts = [": ".join(row) for row in letter["facts"]]
    contacts = [f"{contact['title']} {contact['text']}" for contact in letter["contacts"]]
    parts = [letter["subject"], *letter["paragraphs"], *facts, *letter["closing"], *contacts]
    return "\n".join(parts).replace("\u00a0", " ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_is_whole_in_every_language(kind: LetterKind, language: Language) -> None:
    letter = compose(draft(kind, language), WHO)
    assert "{" not in str(letter["subject"]) + str(letter["paragraphs"]) + str(letter["closing"])
    assert letter["address"] == ["Zoë Ünal-Désiré", "Rue de l'Église 7", "4000 Liège"]
    assert letter["language"] == language
    assert "L-ABCDEFGH23456789" in dict(letter["references"]).values()
    assert letter["sender"]["address"] == "Regentlaan 7, 1000 Brussels"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_says_less_than_another(language: Language) -> None:
    english, own = wording("en"), wording(language)
    assert own.keys() - {"first_day"} == english.keys()
    for kind in KINDS:
        assert own[kind].keys() == english[kind].keys()
        assert len(own[kind]["paragraphs"]) == len(english[kind]["paragraphs"])
        assert len(own[kind]["facts"]) == len(english[kind]["facts"])
        assert own[kind]["contacts"] == english[kind]["contacts"]
    for table in ("guarantees", "exclusions", "contacts", "signatures"):
        assert own[table].keys() == english[table].keys()
    terms = load_terms("cyber-care")
    assert own["exclusions"].keys() == terms.exclusions.keys()
    assert own["guarantees"].keys() == terms.by_guarantee.keys()


def test_the_wording_asks_for_nothing_that_is_not_given() -> None:
    given = {"product", "contract", "claim", "complaint"}
    for kind in KINDS:
        assert asks_for(kind) <= given | {name.removesuffix("_cents") for name in FACTS[kind]}


@pytest.mark.parametrize(
    ("language", "date_written", "amount"),
    [
        ("nl", "1 maart 2026", "1.234,05 €"),
        ("fr", "1er mars 2026", "1 234,05 €"),
        ("en", "1 March 2026", "€ 1,234.05"),
    ],
)
def test_dates_and_amounts_are_written_as_the_language_does(
    language: Language, date_written: str, amount: str
) -> None:
    assert written_date(date(2026, 3, 1), language).replace("\u00a0", " ") == date_written
    assert written_amount(123_405, language).replace("\u00a0", " ") == amount


def test_a_notice_says_until_when_cover_lasts_and_goes_by_registered_letter() -> None:
    letter = compose(draft("termination_notice", "nl"), WHO)
    assert letter["registered"] == "Aangetekend"
    assert "eindigt op 1 oktober 2026 om 00.00 uur" in said("termination_notice", "nl")
    assert "30 september 2026" in said("termination_notice", "nl")
    assert compose(draft("claim_rejection", "nl"), WHO)["registered"] is None


def test_an_acceptance_says_what_is_paid_and_what_is_above_the_limit() -> None:
    text = said("claim_acceptance", "fr")
    assert "Nous payons: 5 000,00 €" in text
    assert "1 123,45 €" in text
    assert "15 jours" in text


def test_an_acceptance_of_services_speaks_of_no_money() -> None:
    services = draft("claim_acceptance", "en")
    facts = FACTS["claim_acceptance"] | {"approved_cents": 0, "loss_cents": 0, "guarantee": "reputation"}
    letter = compose(Draft(*[getattr(services, name) for name in _NAMES[:-2]], facts, None), WHO)
    assert letter["facts"] == []
    assert "no payment" in letter["closing"][0]


_NAMES = ("kind", "reference", "language", "dated", "contract", "about", "terms", "facts", "text")


def test_a_rejection_gives_its_reason_and_where_to_complain() -> None:
    text = said("claim_rejection", "en")
    assert "the data were not lost to malicious software" in text
    assert "De Meeûssquare 35, 1000 Brussels, 02 547 58 71" in text


def test_what_somebody_wrote_stands_in_a_complaints_answer() -> None:
    text = said("complaint_answer", "nl", text="Wij betreuren dit.\n\nHet bedrag is betaald.")
    assert "Wij betreuren dit.\nHet bedrag is betaald." in text
    assert "bevestigen wij" not in text
    assert "bevestigen wij" in said("complaint_answer", "nl")


def test_a_reference_is_the_same_for_ever_and_tells_nothing() -> None:
    reference = reference_of("cyber-care", "claim_rejection", claim_ref("K-17"), 9)
    assert (
        reference
        == reference_of("cyber-care", "claim_rejection", claim_ref("K-17"), 9)
        == "L-3XZDLRHEFJ4AC7JJ"
    )
    others = {
        reference_of("another", "claim_rejection", claim_ref("K-17"), 9),
        reference_of("cyber-care", "claim_acceptance", claim_ref("K-17"), 9),
        reference_of("cyber-care", "claim_rejection", claim_ref("K-18"), 9),
        reference_of("cyber-care", "claim_rejection", claim_ref("K-17"), 10),
    }
    assert len(others | {reference}) == 5
