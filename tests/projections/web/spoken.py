"""Every message of the site, as templates, code and the lists' headings say it in English."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from babel.messages.extract import extract_from_file

import projections.web
from ledger.domain.codes import DeadlineKind
from ledger.domain.registry import EVENT_TYPES
from projections.views.registry import LISTINGS
from projections.web.i18n.codes import event_label, label

ROOT = Path(projections.web.__file__).parent
KEYWORDS = {"_": None, "N_": None, "words": None, "speak": None, "count": (1, 2)}

Message = str | tuple[str, ...]


def messages() -> set[Message]:
    """All of them; one about a number of things as a pair."""
    named = {event_label(name) for name in EVENT_TYPES} | {label(kind) for kind in get_args(DeadlineKind)}
    return {message for _, message in said_where()} | named


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
