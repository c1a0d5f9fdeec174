"""From a number that a caller gives to what it is the number of; a name goes another way (`persons`)."""

from typing import Final
from urllib.parse import urlencode

from ledger.domain.identifiers import claim_ref, complaint_ref, contract_ref
from projections.web.addresses import page_of
from projections.web.page import Look
from projections.web.serving import Leads, Pages

LONGEST: Final = 128
KINDS: Final = (contract_ref, claim_ref, complaint_ref)


def register(pages: Pages) -> None:
    """Register it. It leads on, and shows nothing itself."""
    pages.page("/find", find, takes=("number",))


def find(look: Look) -> Leads:
    """Lead to the contract, claim or complaint of this number, else to the contracts that begin with it."""
    number = look.query.get("number", "").strip()[:LONGEST]
    if not number:
        return Leads("/contracts")
    named = {ref(number) for ref in KINDS}
    found = look.wiring.store.load_many(look.wiring.book, sorted(named, key=str)).streams
    for ref in KINDS:
        if found[ref(number)].version:
            return Leads(page_of(ref(number).name))
    section = "claims" if number.upper().startswith("CL") else "contracts"
    return Leads(f"/{section}?{urlencode({'search': number})}")
