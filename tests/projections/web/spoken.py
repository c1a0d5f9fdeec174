"""Every message of the site, as templates, code and the lists' headings say it in English."""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract_from_file

import projections.web
from projections.views.registry import LISTINGS

ROOT = Path(projections.web.__file__).parent
KEYWORDS = {"_": None, "N_": None, "words": None, "speak": None, "count": (1, 2)}

Message = str | tuple[str, ...]


def messages() -> set[Message]:
    """All of them; one about a number of things as a pair."""
    return {message for _, message in said_where()}


def said_where() -> Iterator[tuple[str, Message]]:
    """Each message with the file that says it."""
    for listing in LISTINGS.values():
        for column in listing.chosen(listing.page):
            yield f"{listing.name}.py", column.said.heading
    for path in sorted(ROOT.rglob("*")):
        method = {".html": "jinja2", ".py": "python"}.get(path.suffix)
        if method is None:
            continue
        for _, message, *_ in extract_from_file(method, path, keywords=KEYWORDS):
            if message:
                yield path.name, message if isinstance(message, str) else tuple(message)
