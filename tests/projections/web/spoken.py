"""Every message of the site: of templates, code and lists; `make messages` merges them into catalogues."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import get_args

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

import projections.web
from ledger.domain.codes import DeadlineKind
from ledger.domain.registry import EVENT_TYPES
from projections.views.registry import LISTINGS
from projections.web.i18n.codes import event_label, label

ROOT = Path(projections.web.__file__).parent
CATALOGUES = ROOT / "i18n"
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


def merge(folder: Path, said: set[Message]) -> None:
    """Bring the catalogues in a folder up to what is said.

    What is new stands as it is in English, and empty elsewhere; what reads like a message that is gone takes
    its translation, marked as fuzzy: it counts as missing until somebody has read it.
    """
    template = Catalog()
    for message in sorted(said, key=str):
        template.add(message)
    for path in sorted(folder.glob("*.po")):
        text = path.read_text(encoding="utf-8")
        header = text[: text.index("\n\n")]
        catalogue = read_po(BytesIO(text.encode()), locale=path.stem)
        catalogue.update(template)
        catalogue.obsolete.clear()
        for entry in catalogue:
            if path.stem == "en" and entry.id and (entry.fuzzy or not any(texts(entry.string or ""))):
                entry.string = entry.id
                entry.flags.discard("fuzzy")
        written = BytesIO()
        write_po(written, catalogue, width=0, omit_header=True, sort_output=True)
        path.write_text(f"{header}\n\n{written.getvalue().decode().strip()}\n", encoding="utf-8")


def texts(message: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """One text, or each of its forms."""
    return (message,) if isinstance(message, str) else tuple(message)


if __name__ == "__main__":
    merge(CATALOGUES, messages())
