"""Addresses of pages: a business number stands in them so that it can be told from what follows it."""

import re

from ledger.http.state import number_in
from projections.web.words.codes import N_
from projections.web.words.saying_no import AskedWrongly

_PLAIN = re.compile(r"[A-Za-z0-9_-]")
NO_TEXT = N_("The number in the address is not written as text: go by a link of the site.")

PAGES_BESIDE = frozenset({"new"})
"""Pages that stand where numbers do."""

_ESCAPED = re.compile(r"~([0-9A-F]{2})")


def in_address(number: str) -> str:
    """Write a number as one step of an address: what is no plain letter or digit as `~2F`.

    So `A/1.json`, which is a number too, is told from the JSON of `A/1`, and `new` from a page of that name.
    """
    return "".join(
        character
        if _PLAIN.match(character) and number not in PAGES_BESIDE
        else "".join(f"~{byte:02X}" for byte in character.encode())
        for character in number
    )


def from_address(step: str) -> str:
    """Read a number back; whatever was not escaped stands for itself.

    Raises `UsageError` for escapes that are no text.
    """
    step = number_in(step)
    read = bytearray()
    end = 0
    for escape in _ESCAPED.finditer(step):
        read += step[end : escape.start()].encode()
        read.append(int(escape[1], 16))
        end = escape.end()
    read += step[end:].encode()
    try:
        number = read.decode()
    except UnicodeDecodeError as error:
        raise AskedWrongly(NO_TEXT) from error
    if "\0" in number:
        raise AskedWrongly(NO_TEXT)
    return number


def contract_page(number: object) -> str:
    """Give the address of a contract's page."""
    return f"/contracts/{in_address(str(number))}"


def claim_page(number: object) -> str:
    """Give the address of a claim's page."""
    return f"/claims/{in_address(str(number))}"


def complaint_page(number: object) -> str:
    """Give the address of a complaint's page."""
    return f"/complaints/{in_address(str(number))}"


PAGES = {"contract": contract_page, "claim": claim_page, "complaint": complaint_page}


def page_of(name: str) -> str:
    """Give the page of a stream or subject: `claim/CL-1` or `claim:CL-1`."""
    kind, number = re.split(r"[/:]", name, maxsplit=1)
    return PAGES[kind](number)
