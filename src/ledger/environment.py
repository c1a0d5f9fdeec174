"""The variables that the ledger reads, and the names that they had before the program was called coverledger.

A former name that is set is refused, so that nothing that somebody set is passed over.
"""

import os
from collections.abc import Iterable
from typing import Final

from ledger.errors import UsageError

PREFIX: Final = "COVERLEDGER_"
FORMER_PREFIX: Final = "CLAIMS_LEDGER_"
RENAMED: Final = {
    "seals": "sealer_enabled",
    "prepares": "prepared_statements",
    "head_folders": "checkpoint_folders",
    "head_witnesses": "witnesses",
    "webhooks_private": "webhooks_allow_private",
}
"""Settings by their former names."""


def variable(name: str) -> str | None:
    """Return what the variable of a setting holds; None: it is not set. Raises UsageError."""
    refuse_former_variables()
    return os.environ.get(f"{PREFIX}{name.upper()}")


def refuse_former_variables() -> None:
    """Ensure that no variable is set under a former name. Raises UsageError with the names of today."""
    renamed = []
    for written in sorted(name for name, value in os.environ.items() if value):
        known = written.upper()
        for prefix in (FORMER_PREFIX, PREFIX):
            if known.startswith(prefix):
                name = known.removeprefix(prefix)
                now = f"{PREFIX}{RENAMED.get(name.lower(), name).upper()}"
                renamed += [(written, now)] if now != known else []
    _refuse("environment", renamed)


def refuse_former_settings(names: Iterable[str], where: str) -> None:
    """Ensure that none of these settings bears a former name. Raises UsageError with those of today."""
    _refuse(where, [(name, RENAMED[name]) for name in names if name in RENAMED])


def _refuse(where: str, renamed: Iterable[tuple[str, str]]) -> None:
    told = ", ".join(f"{former} is called {now} now" for former, now in renamed)
    if told:
        message = f"Settings: {where}: {told}. Rename it, or unset it."
        raise UsageError(message)
