"""What the codes of the trade are called on pages. English here; the catalogues translate."""

import re
from collections.abc import Mapping

from projections.web.i18n.language import NOTHING, Words


def N_(message: str) -> str:  # noqa: N802  # the name by which catalogues are drawn
    """Mark a message for the catalogues."""
    return message


CODES: Mapping[str, str] = {
    # Guarantees
    "identity": N_("identity"),
    "payment": N_("payment"),
    "data": N_("data"),
    "reputation": N_("reputation"),
    # Statuses
    "active": N_("active"),
    "notice_given": N_("notice given"),
    "termination_notified": N_("termination notified"),
    "cancelled": N_("cancelled"),
    "expired": N_("expired"),
    "withdrawn": N_("withdrawn"),
    "claim_withdrawn": N_("withdrawn by the claimant"),
    "due_cancelled": N_("no longer due"),
    "annulled": N_("annulled"),
    "open": N_("open"),
    "submitted": N_("submitted"),
    "accepted": N_("accepted"),
    "rejected": N_("rejected"),
    "closed": N_("closed"),
    "acknowledged": N_("acknowledged"),
    "answered": N_("answered"),
    "escalated": N_("escalated"),
    "opinion_received": N_("opinion received"),
    "met": N_("met"),
    "missed": N_("missed"),
    "waiting": N_("waiting"),
    "confirmed": N_("confirmed"),
    "refused": N_("refused"),
    "dismissed": N_("dismissed"),
    "running": N_("running"),
    "paused": N_("paused"),
    "disabled": N_("disabled"),
    "parked": N_("parked"),
    "behind": N_("far behind"),
    "stuck": N_("stuck"),
    "halted": N_("halted"),
    "stopped": N_("stopped"),
    # Kinds of due dates; of those that are not here the words of the name
    "termination_letter": N_("registered letter"),
    "term_end": N_("end of term"),
    "notice_end": N_("end by notice"),
    "complaint_acknowledgement": N_("acknowledgement"),
    "complaint_answer": N_("answer"),
    "ombudsman_opinion": N_("Ombudsman's opinion"),
    "withdrawal_end": N_("end of withdrawal"),
    # Causes
    "fraud": N_("fraud"),
    "abuse": N_("abuse"),
    "identity_theft": N_("identity theft"),
    "malware": N_("malware"),
    "cyberstalking": N_("cyberstalking"),
    "other": N_("other"),
    # Relations
    "policyholder": N_("policyholder"),
    "family": N_("family"),
    "non_family": N_("no family"),
    # Assistance
    "legal": N_("legal"),
    "psychological": N_("psychological"),
    "technical": N_("technical"),
    "data_recovery": N_("data recovery"),
    # What advice is about, how a claimant was identified, what was asked for: the usual ones
    "change_passwords": N_("change passwords"),
    "block_card": N_("block the card"),
    "callback": N_("called back"),
    "police_report": N_("police report"),
    # Channels
    "phone": N_("phone"),
    "web_form": N_("web form"),
    "registered_letter": N_("by registered letter"),
    "email": N_("e-mail"),
    "counter": N_("counter"),
    "letter": N_("letter"),
    "web": N_("web"),
    "app": N_("app"),
    "chat": N_("chat"),
    "broker": N_("broker"),
    "partner": N_("partner"),
    # Exclusions
    "UNLAWFUL_ACTIVITY": N_("unlawful activity"),
    "NOT_INSURED_PERSON": N_("not an insured person"),
    "PROVIDER_DELAY": N_("provider's delay"),
    "FORCE_MAJEURE": N_("force majeure"),
    "DAMAGE_DURING_SUPPORT": N_("damage during support"),
    "NOT_MALWARE": N_("not malware"),
    "OUTSIDE_COVER": N_("outside cover"),
    "LIMIT_AMOUNT": N_("yearly amount used up"),
    "LIMIT_COUNT": N_("yearly claims used up"),
    "ALREADY_COMPENSATED": N_("already compensated"),
    "PROFESSIONAL_USE": N_("professional use"),
    # Documents and contacts
    "ipid": N_("product information (IPID)"),
    "general_terms": N_("general terms"),
    "assistance": N_("assistance"),
    "quality": N_("complaints"),
    "ombudsman": N_("Ombudsman"),
    # Steps and movements of the reports
    "notify": N_("notify"),
    "identify": N_("identify"),
    "advise": N_("advise"),
    "assist": N_("assist"),
    "decide": N_("decide"),
    "recover": N_("recover"),
    "correct": N_("correct"),
    "close": N_("close"),
    "erase": N_("erase"),
    "refund_failed": N_("refund failed"),
    "refund_reversed": N_("refund reversed"),
    "recovery": N_("recovery"),
    # Letters: their kinds, and how far they have come
    "termination_notice": N_("termination of the contract"),
    "claim_acceptance": N_("acceptance of a claim"),
    "claim_rejection": N_("rejection of a claim"),
    "letter_wanted": N_("to be written"),
    "letter_written": N_("written"),
    "letter_prepared": N_("ready"),
    "letter_staged": N_("being handed over"),
    "letter_handed_over": N_("with the carrier"),
    "letter_posted": N_("posted"),
    "letter_returned": N_("came back"),
    "letter_dropped": N_("not needed any more"),
    "letter_erased": N_("erased"),
    "held": N_("legal hold"),
    # Kinds of stream
    "contract": N_("contract"),
    "claim": N_("claim"),
    "complaint": N_("complaint"),
    # Languages of a contract
    "nl": N_("Dutch"),
    "fr": N_("French"),
    "en": N_("English"),
}

OTHERWISE: Mapping[tuple[str, str], str] = {
    ("claims", "withdrawn"): "claim_withdrawn",
    ("due", "cancelled"): "due_cancelled",
}
"""Kind and status → the code that says it."""

CONTACTS: Mapping[str, str] = {
    "assistance": N_("Cyber Care assistance line (AXA), day and night, free of charge"),
    "quality": N_("Quality department, Inter Partner Assistance NV"),
    "ombudsman": N_("Insurance Ombudsman"),
}
"""Purpose of a contact of the terms → what it is called; the terms name it in one language alone."""

REMARKS: Mapping[str, str] = {
    "no address on file: CorrectPerson gives it": N_("no address on file: correct the policyholder"),
    "its last day has passed: a letter posted now would end nothing": N_(
        "its last day has passed: posted now it would end nothing"
    ),
    "the contract has ended, or something else ends it by then": N_(
        "the contract has ended, or something else ends it by then"
    ),
    "posted by hand before it was prepared": N_("posted by hand before it was ready"),
    "its text: give it with `letters answer`": N_("it waits for its text: coverledger letters answer"),
    "its addressee was erased": N_("its addressee was erased"),
    "the fonts lack some of its characters: set COVERLEDGER_LETTERS_FONTS to a folder of fonts that have"
    " them, or correct the policyholder": N_(
        "our fonts lack some of its characters: add fonts that have them, or correct the policyholder"
    ),
    "name and address do not fit into the window of the envelope, 71 mm wide and 38 mm high:"
    " correct the policyholder": N_(
        "name and address do not fit into the window of the envelope (71 by 38 mm): correct the policyholder"
    ),
    "more than four marks stand on one of its letters and would run into other lines:"
    " correct the policyholder": N_("more than four marks stand on one letter: correct the policyholder"),
    "typst cannot set it as PDF/A": N_("it cannot be set as PDF/A"),
}
"""Why a letter waits or was dropped, as the time side writes it down → what pages say."""

EVENTS: Mapping[str, str] = {
    "NoticeRevoked": N_("Notice taken back"),
    "TerminationNoticeSent": N_("Registered letter posted"),
    "ContractWithdrawn": N_("Withdrawn from the sale"),
    "ClaimDeregistered": N_("Claim moved away"),
    "LimitReleased": N_("Reservation released"),
    "LimitConsumptionReversed": N_("Consumption reversed"),
    "SubjectErased": N_("Person erased"),
    "SubmissionCompleted": N_("Submission complete"),
    "ComplaintEscalated": N_("Before the Ombudsman"),
    "OmbudsmanOpinionReceived": N_("Ombudsman's opinion received"),
}
"""Events that people know by other words than their names are made of."""


def of_code(words: Words, code: object) -> str:
    """Return a code in the reader's words; one that nobody named stands by the words that it is made of."""
    if code is None:
        return NOTHING
    text = str(code)
    return words(label(text))


def label(code: str) -> str:
    """Return a code in English."""
    return CODES.get(code, code.replace("_", " "))


def of_status(words: Words, status: object, kind: str = "") -> str:
    """Return a status in the reader's words; of some kinds it is told otherwise than of contracts.

    A contract is withdrawn from, and a claim is withdrawn; a contract is cancelled, and a date falls away.
    """
    return of_code(words, OTHERWISE.get((kind, str(status)), status))


def of_contact(words: Words, contact: Mapping[str, object]) -> str:
    """Return the name of a contact in the reader's words; one of another purpose as the terms name it."""
    purpose = str(contact["purpose"])
    in_terms = str(contact["name"])
    return in_terms if words.language == "en" or purpose not in CONTACTS else words(CONTACTS[purpose])


def of_event(words: Words, event_type: object) -> str:
    """Return an event type in the reader's words: `claim.RefundIssued` as `Refund issued`."""
    return words(event_label(str(event_type)))


def event_label(event_type: str) -> str:
    """Return an event type in English: the words of its name, unless people know it by others."""
    name = event_type.rpartition(".")[2]
    return EVENTS.get(name, re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize())
