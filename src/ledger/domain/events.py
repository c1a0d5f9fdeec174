"""Every event there is, by its stable name."""

from collections.abc import Mapping

from ledger.domain.claim import events as of_claim
from ledger.domain.complaint import events as of_complaint
from ledger.domain.contract import events as of_contract
from ledger.domain.event import Event, Personal, Sealed, holds_personal_values, personal_fields

__all__ = ["EVENT_TYPES", "Event", "Personal", "Sealed", "holds_personal_values", "personal_fields"]

EVENT_TYPES: Mapping[str, type[Event]] = {
    event_type.stable_name: event_type
    for base in (of_contract.ContractEvent, of_claim.ClaimEvent, of_complaint.ComplaintEvent)
    for event_type in base.__subclasses__()
}
"""Stable name → event type. A name, once here, stays for ever."""
