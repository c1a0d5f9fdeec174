"""Pages as HTML: Jinja2 templates, escaping always on, every value that is missing an error."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from projections.web import addresses
from projections.web.told.columns import TABLES
from projections.web.words.codes import of_code, of_contact, of_event, of_status
from projections.web.words.speaking import LANGUAGES, Words


@cache
def environment() -> Environment:
    """Give the templates with what every page may use; made once."""
    made = Environment(
        loader=PackageLoader("projections.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "LANGUAGES": LANGUAGES,
        "TABLES": TABLES,
        "static": static_address,
        "contract_page": addresses.contract_page,
        "claim_page": addresses.claim_page,
        "complaint_page": addresses.complaint_page,
        "page_of": addresses.page_of,
        "in_address": addresses.in_address,
    }
    return made


def render(template: str, words: Words, values: Mapping[str, Any]) -> str:
    """Render one page in one language."""
    spoken: dict[str, Any] = {
        "_": words,
        "words": words,
        "count": words.count,
        "code": lambda code: of_code(words, code),
        "status_of": lambda status, kind: of_status(words, status, kind),
        "contact_of": lambda contact: of_contact(words, contact),
        "event": lambda event_type: of_event(words, event_type),
    }
    return environment().get_template(template).render(spoken | dict(values))


@cache
def static_address(name: str) -> str:
    """Give the address of a shipped file; its content stands in it, so that it may be kept for ever."""
    content = (files("projections.web") / "static" / name).read_bytes()
    return f"/static/{hashlib.sha256(content).hexdigest()[:12]}/{name}"
