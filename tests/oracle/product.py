"""The figures of Cyber Care and the codes of the page, read a second time."""

from datetime import date
from typing import NoReturn

LAST_DAY_OF_SALE = date(2026, 6, 30)
GUARANTEES = ("identity", "payment", "data", "reputation")
AMOUNT_LIMIT = {"identity": None, "payment": 500_000, "data": 80_000, "reputation": None}
COUNT_LIMIT = {"identity": None, "payment": 3, "data": 1, "reputation": 3}
SERVICES = {
    "identity": ("legal", "psychological"),
    "payment": (),
    "data": ("data_recovery",),
    "reputation": ("legal", "psychological", "technical"),
}
SERVICES_ONLY = ("identity", "reputation")  # NO_INDEMNITY: no amount is insured there

CAUSES = ("fraud", "abuse", "identity_theft", "malware", "cyberstalking", "other")  # D8
RELATIONS = ("policyholder", "family", "non_family")
NOTICE_CHANNELS = ("web_form", "registered_letter", "email", "counter")
ASSISTANCE = ("legal", "psychological", "technical", "data_recovery")
EXCLUSIONS = (
    "UNLAWFUL_ACTIVITY",
    "NOT_INSURED_PERSON",
    "PROVIDER_DELAY",
    "FORCE_MAJEURE",
    "DAMAGE_DURING_SUPPORT",
    "NOT_MALWARE",
    "OUTSIDE_COVER",
    "LIMIT_AMOUNT",
    "LIMIT_COUNT",
    "ALREADY_COMPENSATED",
    "PROFESSIONAL_USE",
)

# Where the page can be read in two ways: which one this reading takes.
LATE_END_UNDOES_THE_PAST = True  # D3 (cancelled) before R12 (missed stays missed)
MOVE_CHECKS_THE_PERSON = False  # D16 lists what MoveClaim checks; D8 speaks of opening
MOVE_CARRIES_THE_RESERVATION = (
    True  # else it stays behind: D16 changes the contract only, D14 releases it later
)
EXPERT_ONLY_ONCE = True  # D14: once a claim, for ever; else only while one stands


class Refused(Exception):
    """A rule says no. `assumed`: the page refuses this, but names no code for it."""

    def __init__(self, code: str, *, assumed: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.assumed = assumed


def refuse(code: str, *, assumed: bool = False) -> NoReturn:
    raise Refused(code, assumed=assumed)


class Malformed(Exception):
    """The command is invalid whatever the book holds (R1, D10, D19)."""
