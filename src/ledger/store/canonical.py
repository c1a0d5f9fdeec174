"""Canonical JSON (RFC 8785): one value, one sequence of bytes, whoever writes it.

The encoder of the standard library already writes what RFC 8785 asks for, as long as there are no floats,
integers stay within 53 bits and keys sort alike by code point and by UTF-16 unit. The last differs only for
characters beyond U+FFFF, and what holds one goes to the `rfc8785` package. A property test holds the two
together.
"""

import json
from collections.abc import Mapping

import rfc8785

_ENCODE = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode

_LAST_OF_THE_BASIC_PLANE = "\uffff"


def canonical_json(value: Mapping[str, object]) -> bytes:
    """Write an object of strings, integers, booleans, nulls, lists and objects.

    Raises ValueError on a lone surrogate.
    """
    text = _ENCODE(value)
    if text.isascii() or max(text) <= _LAST_OF_THE_BASIC_PLANE:
        return text.encode()
    return rfc8785.dumps(dict(value))  # type: ignore[arg-type] # the same values that the line above has just taken
