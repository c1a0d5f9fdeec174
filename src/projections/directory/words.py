"""How a name becomes words to search by: no accents, no capitals, and beginnings of three letters or more."""

import hmac
import re
import unicodedata
from typing import Final

SHORTEST_BEGINNING: Final = 3
LONGEST_BEGINNING: Final = 12
"""Longer beginnings are found by the whole word alone."""

_WORD: Final = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Give the words of a name or of a search, in order; an address of mail is one word."""
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(letter)
    )
    found: list[str] = []
    for part in plain.split():
        found += [part] if "@" in part else _WORD.findall(part)
    return found


def indexed(text: str) -> set[str]:
    """Give all that a name is found by: its words and their beginnings."""
    found: set[str] = set()
    for word in words(text):
        found.add(word)
        if "@" not in word:
            longest = min(len(word), LONGEST_BEGINNING)
            found.update(word[:length] for length in range(SHORTEST_BEGINNING, longest + 1))
    return found


def hashed(key: bytes, word: str) -> bytes:
    """Hash a word with the book's key, so that nobody without it can tell or guess the word."""
    return hmac.digest(key, word.encode(), "sha256")
