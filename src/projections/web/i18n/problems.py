"""What a page says that cannot be shown, or a form that was not taken: what is wrong and what to do next.

What the site itself refuses carries its message with it. What comes from below is said in English there, for
the command line: a page says the same in its own words, by what was asked for.

English here; the catalogues translate. What the domain says of a case in English is shown beside it, to
readers of English alone.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from ledger.command_handler import Answer
from ledger.domain.refusals import FieldFault
from ledger.errors import Rejected, UsageError
from projections.queries.reader import NothingKnown
from projections.web.forms import LABELS
from projections.web.i18n.codes import N_, of_code
from projections.web.i18n.language import Words


class BadParameter(UsageError):
    """What stands in the address or in the form cannot be read."""

    def __init__(self, message: str, **values: object) -> None:
        """`message`: in English, marked for the catalogues; `values` fill it in."""
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values


class NotThere(Rejected):
    """What was asked for is not there."""

    def __init__(self, message: str, **values: object) -> None:
        """As of `BadParameter`."""
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values


NOT_THERE = N_(
    "%(kind)s %(number)s is not there, or was not yet at the time asked for. "
    "Check the number, or look at it as known now."
)
NOTHING_THERE = N_("There is nothing here. Go by a link of the site.")
NOTHING_KNOWN = N_(
    "Nothing was known before %(since)s, when the first record was sealed. Choose a later time."
)
NO_RECORD = N_("Nothing is known yet: the book has no record.")
NO_SUCH_TIME = N_(
    "“%(asked)s” is no time that can be shown: choose a day, an instant with its offset, "
    "or a position that the feed has reached."
)
CANNOT_BE_READ = N_("What was asked for cannot be read. Go back, correct it and try again.")

KINDS = {"contracts": "contract", "claims": "claim", "complaints": "complaint"}


def explained(words: Words, error: Exception, path: str, number: str | None, query: Mapping[str, str]) -> str:
    """Return it as text. `number`: the one in the address, as the business writes it; None: there is none."""
    if isinstance(error, BadParameter | NotThere):
        return words(error.message, **error.values)
    if isinstance(error, NothingKnown):
        if error.since is None:
            return words(NO_RECORD)
        return words(NOTHING_KNOWN, since=words.instant(error.since))
    kind = KINDS.get(path.split("/")[1])
    if isinstance(error, Rejected):
        if kind is None or number is None:
            return words(NOTHING_THERE)
        named = of_code(words, kind)
        return words(NOT_THERE, kind=named[:1].upper() + named[1:], number=number)
    asked = query.get("as_of", "").strip()
    return words(NO_SUCH_TIME, asked=asked[:40]) if asked else words(CANNOT_BE_READ)


NEXT_STEPS: Final[Mapping[str, str]] = {
    "UNKNOWN": N_("There is no such number. Check it, or search for it."),
    "EXISTS": N_("This number or reference is on record already. Take another one."),
    "OUT_OF_ORDER": N_("Something later is on record already. Send it without an earlier instant."),
    "PRODUCT_CLOSED": N_("The product is no longer sold from that day on."),
    "CONTRACT_ENDED": N_("The contract has ended and takes no notice, letter or withdrawal any more."),
    "NOTICE_STANDS": N_("A notice already stands. Take it back first, if this one is to count."),
    "LETTER_STANDS": N_("A timely letter already stands. No second one is needed."),
    "NOT_DISTANCE_SALE": N_(
        "Only a contract sold at a distance can be withdrawn from. Record a notice instead."
    ),
    "WITHDRAWAL_TOO_LATE": N_("The days of withdrawal are over. Record a notice instead."),
    "HAS_CLAIMS": N_("A contract with accepted claims cannot be annulled."),
    "PERSON_MISMATCH": N_("The policyholder is another person. Check the person number."),
    "INCIDENT_IN_FUTURE": N_("The incident lies after its report. Check both dates."),
    "NOT_IDENTIFIED": N_("Identify the claimant first (step 2)."),
    "NOT_SUBMITTED": N_("Record first that the submission is complete (step 4)."),
    "ALREADY_SUBMITTED": N_("The submission is complete already."),
    "ALREADY_DECIDED": N_("The claim is decided. Reopen it first, if it is to be decided again."),
    "NOT_DECIDED": N_("Decide the claim first: accept it, reject it or withdraw it."),
    "NOT_INSURED_PERSON": N_(
        "The victim is neither the policyholder nor family under the same roof. Reject the claim."
    ),
    "OUTSIDE_COVER": N_(
        "The incident does not lie in the contract's cover. Correct its date, or reject the claim."
    ),
    "NOT_MALWARE": N_("Data are insured against malicious software only. Reject the claim."),
    "NO_INDEMNITY": N_(
        "This guarantee gives services and no money: the loss must be 0. Elsewhere it must be above 0."
    ),
    "ALREADY_COMPENSATED": N_("Others have paid the whole loss. Reject the claim."),
    "LIMIT_COUNT": N_("The insurance year has no claim left for this guarantee. Reject the claim."),
    "LIMIT_AMOUNT": N_("The insurance year has no amount left for this guarantee. Reject the claim."),
    "NO_SUCH_SERVICE": N_("The guarantee does not give this kind of assistance. Choose another."),
    "EXPERT_STANDS": N_("An expert is already appointed. Call that one off first."),
    "NOT_ACCEPTED": N_("Accept the claim first."),
    "REFUND_EXCEEDS_APPROVED": N_("That is more than is still owed. Lower the amount."),
    "REFUND_OWED": N_("Something is still owed. Pay it first."),
    "RECOVERY_EXCEEDS_REFUNDED": N_("That is more than was refunded. Lower the amount."),
    "CLOSED": N_("The complaint is closed. Lodge a new one."),
    "ID_REUSED": N_("This form was sent before with other content. Open the page again and send it anew."),
    "IMPORT_OPEN": N_("An import holds the book. Try again when it is finished."),
    "SUBJECT_ERASED": N_("This person was erased: nothing personal is recorded on them any more."),
}
"""Code of a refusal → its next step."""

TOO_LATE: Final = N_("%(field)s lies after the book's present day: correct it.")
NOT_TAKEN: Final = N_("%(field)s is not taken as it stands: correct it.")
FORM_NOT_TAKEN: Final = N_("The form is not taken as it stands: correct it and send it again.")


def faults_of(words: Words, answer: Answer) -> list[str]:
    """Return what was wrong with a command that was refused, or could not be read (`invalid`)."""
    if answer.code is None:
        faults = [_invalid(words, answer.faults)]
    else:
        step = NEXT_STEPS.get(answer.code, "")
        rule = f" ({answer.rule})" if answer.rule else ""
        faults = [f"{answer.code}{rule}: {words(step) if step else ''}".rstrip(": ")]
    if answer.message and words.language == "en":
        faults.append(answer.message)
    return faults


def _invalid(words: Words, faults: Sequence[FieldFault]) -> str:
    """Return which fields are wrong."""
    told = []
    for fault in faults:
        if fault.field in LABELS:
            said = TOO_LATE if fault.code == "AFTER_AT" else NOT_TAKEN
            told.append(words(said, field=words(LABELS[fault.field])))
    return " ".join(told) or words(FORM_NOT_TAKEN)
