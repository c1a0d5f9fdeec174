"""Statements put together from fragments of our own: lists of columns, conditions, names of tables."""

import re
from typing import LiteralString

_NO_FRAGMENT = re.compile(r";|--|/\*")
"""What would end a statement, or hide the rest of it."""


def compose(template: LiteralString, **fragments: LiteralString) -> LiteralString:
    """Return a statement with each fragment at its `{place}`.

    A fragment is written in our own code. What comes from elsewhere is a parameter of the statement (`%s`),
    which the driver quotes. Raises ValueError for a fragment that is not part of one statement.
    """
    for name, fragment in fragments.items():
        if _NO_FRAGMENT.search(fragment) or fragment.count("'") % 2:
            message = (
                f"{name} is no fragment of a statement: it ends it, hides the rest or leaves a quote open"
            )
            raise ValueError(message)
    return template.format(**fragments)
