"""Pages speak the reader's language, whatever goes well or wrong."""

import re
from html import unescape

import httpx2 as httpx
import pytest
from pages_of_the_site import RIGHT_OF

from fixtures.served import Served
from fixtures.visited import Visited, visiting
from projections.web.i18n.language import LANGUAGES, words


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_no_page_says_a_message_in_english_to_readers_of_another_language(
    admin: Visited, language: str
) -> None:
    said = words(language).messages  # type: ignore[arg-type]  # one of the three
    english = {message for message, told in said.items() if isinstance(message, str) and message != told}
    english -= {told for told in said.values() if isinstance(told, str)} | set(LANGUAGES.values())
    pages = [path for path in RIGHT_OF if not path.endswith(("/proof", "/head", ".csv", ".xlsx"))]
    for path in (*pages, "/persons", "/cancel", "/claims/K-2", "/contracts/CC-1?on=2026-01-01"):
        html = admin.get(path, params={"language": language} | dict(httpx.URL(path).params)).text
        # What an event changed stands as it is on record, field by field.
        html = re.sub(r'<table class="diff">.*?</table>', "", html, flags=re.DOTALL)
        texts = {unescape(text).strip() for text in re.split(r"<[^>]*>", html)}
        assert texts & english == set(), path
        spoken = {unescape(text) for text in re.findall(r'(?:aria-label|title|placeholder)="([^"]+)"', html)}
        assert spoken & english == set(), path
    admin.get("/", params={"language": "en"})


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_whatever_goes_wrong_is_told_in_the_readers_language(desk: Visited, language: str) -> None:
    english = set(words("en").messages) | {
        message for message in words(language).messages if isinstance(message, str) and len(message) > 25
    }
    wrong = (
        *("/contracts/NONE", "/claims/NONE/replay", "/contracts/CC-1?as_of=99999", "/due?before=tomorrow"),
        *("/due/calendar?month=13", "/reports/none", "/feed?type=none", "/feed?below=x", "/contracts/~FF"),
        *("/claims/K-1?on=2020-01-01", "/contracts/NONE/proof"),
    )
    for path in wrong:
        answer = desk.get(path, params={"language": language} | dict(httpx.URL(path).params))
        assert answer.status_code in {400, 404}, path
        said = re.search(r"<h1>[^<]+</h1><p>([^<]+)</p>", answer.text)
        assert said, path
        assert unescape(said[1]) not in english, path
        assert 'lang="en"' not in answer.text.partition("<main")[2].partition("</main>")[0], path
    late = desk.send(
        f"/contracts/CC-2?language={language}", "GiveNotice", received_on="2026-03-02", channel="counter"
    )
    assert late.status_code == 422
    assert "Brussels date" not in late.text
    twice = {
        "claim": "K-1",
        "contract": "CC-1",
        "guarantee": "payment",
        "cause": "fraud",
        "victim.name": "Ada",
    }
    refused = desk.send("/claims/new?contract=CC-1", "OpenClaim", **twice)
    assert "EXISTS (I16): " in refused.text
    assert "already" not in refused.text.partition("EXISTS")[2].partition("</li>")[0]
    desk.get("/", params={"language": "en"})


@pytest.mark.parametrize(
    ("language", "said"), [("nl", "Contracten"), ("fr", "Contrats"), ("en", "Contracts")]
)
def test_a_page_speaks_the_language_that_was_chosen_and_keeps_to_it(
    book: Served, language: str, said: str
) -> None:
    with visiting(book, "auditor") as visited:
        chosen = visited.get(f"/contracts?language={language}")
        kept = visited.get("/contracts", headers={"Accept-Language": "de"})
    for page in (chosen, kept):
        assert f'<html lang="{language}">' in page.text
        assert f"<h1>{said}</h1>" in page.text


def test_without_a_choice_a_page_speaks_what_the_browser_asks_for(book: Served) -> None:
    with visiting(book, "auditor") as visited:
        page = visited.get("/", headers={"Accept-Language": "de, fr-BE;q=0.8, nl;q=0.9"})
    assert '<html lang="nl">' in page.text
