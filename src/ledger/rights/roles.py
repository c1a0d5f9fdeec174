"""Roles and their rights, as data. Every route names the one right that it needs."""

from collections.abc import Mapping
from typing import Final, Literal

Right = Literal[
    "read",
    "names",
    "command",
    "backdate",
    "feed",
    "proofs",
    "calendar",
    "metrics",
    "administer",
]

RIGHTS: Final[Mapping[Right, str]] = {
    "read": "see contracts, claims, complaints, limits, due dates and histories; persons as their ids",
    "names": "open personal values, for a reason that is written down",
    "command": "send commands",
    "backdate": "send commands whose instant lies in the past",
    "feed": "read the feed of events, without personal data, and its schemas",
    "proofs": "read the log's tiles",
    "calendar": "subscribe to the calendar of due dates",
    "metrics": "scrape the metrics",
    "administer": "manage tokens and subscriptions",
}
"""Each right, and what it permits."""

OPEN: Final = "open"
"""Said of a route that anybody may call."""

ROLES: Final[Mapping[str, frozenset[Right]]] = {
    "auditor": frozenset({"read", "names", "feed", "proofs", "calendar", "metrics"}),
    "back_office": frozenset({"read", "names", "command", "feed", "calendar"}),
    "subscriber": frozenset({"feed"}),
    "importer": frozenset({"read", "command", "backdate"}),
    "monitor": frozenset({"metrics"}),
    "calendar": frozenset({"calendar"}),
    "admin": frozenset(RIGHTS),
}
"""Role → its rights. An auditor reads all and writes nothing; a subscriber never sees a name."""
