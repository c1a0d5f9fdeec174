"""The letters' text by poppler, beside pypdf: what was written comes out, line by line."""

import io
import shutil
import subprocess
from datetime import date

import pypdf
import pytest
from letter_desk import PRESS
from test_what_letters_say import LANGUAGES, draft

from ledger.domain.codes import Language
from schedulers.letters.content import Addressee, compose
from schedulers.letters.kinds import KINDS, LetterKind

PDFTOTEXT = shutil.which("pdftotext")

pytestmark = [
    pytest.mark.test_all,
    pytest.mark.skipif(PDFTOTEXT is None, reason="needs poppler-utils"),
]

DATED = date(2026, 6, 1)
PEOPLE = {
    "accents": Addressee("Zoë Ünal-Désiré", "Rue de l'Église 7\n4000 Liège"),
    "the alphabets of Europe": Addressee("Łukasz Žižková-Ørsted", "Ştefan cel Mare 12\n1000 Brussel"),
    "greek and cyrillic": Addressee("Ελένη Παπαδοπούλου", "ул. Пушкина 5\n1000 Brussel"),
    "what sets type elsewhere": Addressee(
        '#panic("x") *b* $x$ <l> \\ =1+1; "q"', "Meir 1, 'bus' 2 & 3\n2000 Antwerpen"
    ),
    "ligatures": Addressee("Griffith Offermans-Flinders", "Affligemstraat 9\n1770 Liedekerke"),
}


def by_poppler(pdf: bytes, *options: str) -> str:
    read = subprocess.run(
        [str(PDFTOTEXT), "-enc", "UTF-8", *options, "-", "-"],
        input=pdf,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (read.returncode, read.stderr) == (0, b"")
    return read.stdout.decode()


def words(text: str) -> list[str]:
    return text.replace("\u00a0", " ").split()


@pytest.mark.parametrize("person", PEOPLE)
def test_whoever_it_is_written_to_stands_there_line_by_line(person: str) -> None:
    who = PEOPLE[person]
    text = by_poppler(PRESS.set(compose(draft("termination_notice", "nl"), who), DATED))
    read = text.replace("\u00a0", " ").splitlines()
    at = read.index(who.name)
    assert read[at : at + 3] == [who.name, *who.address.splitlines()]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_two_readers_find_the_same_words(kind: LetterKind, language: Language) -> None:
    # As laid out: else poppler joins what a line's end parts at a hyphen of its own.
    pdf = PRESS.set(compose(draft(kind, language), PEOPLE["accents"]), DATED)
    mine = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    assert sorted(words(by_poppler(pdf, "-layout"))) == sorted(words(" ".join(mine)))
