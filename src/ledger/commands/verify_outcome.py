"""How `verify` says what it found wrong."""

from base64 import b64encode

from ledger.commands.output import print_json
from ledger.endings import Refused
from ledger.feed.verification.fault import LessProven


def not_verified(fault: Exception, *, as_json: bool, advice: str = "") -> Refused:
    """Give the ending of a verification that failed; with `as_json` it is printed as an object first.

    `position` and `row` (or `path`, in a bundle) stand in it where the fault names them.
    """
    if as_json:
        place = {
            name: getattr(fault, name)
            for name in ("position", "row", "path", "reason")
            if hasattr(fault, name)
        }
        proven = fault.proven if isinstance(fault, LessProven) else {}
        print_json({"verified": False, "message": str(fault), **place, **proven})
    return Refused(f"not verified: {fault}{advice}")


def root_text(root: bytes) -> str:
    """Write a root as checkpoints spell it."""
    return b64encode(root).decode()
