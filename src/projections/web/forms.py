"""Forms: a command's fields put from the command line's own table of verbs, and what was typed into them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ledger.domain.command import read_date
from ledger.imports.csv_rows import NotAnAmount, cents
from ledger.verbs import VERBS, Field, Verb
from projections.web.i18n.codes import N_

TITLES: Mapping[str, str] = {
    "StartContract": N_("Record a contract"),
    "GiveNotice": N_("Record a notice"),
    "RevokeNotice": N_("Take the notice back"),
    "SendTerminationNotice": N_("Record the posted registered letter"),
    "RecordLetterReturned": N_("Record a returned letter"),
    "WithdrawFromContract": N_("Record a withdrawal"),
    "AnnulContract": N_("Annul the contract"),
    "CorrectPerson": N_("Correct the policyholder"),
    "OpenClaim": N_("Open a claim"),
    "IdentifyClaimant": N_("Record the identification"),
    "GiveAdvice": N_("Record the advice given"),
    "ProvideAssistance": N_("Record assistance"),
    "AppointExpert": N_("Appoint an expert"),
    "CallOffExpert": N_("Call the expert off"),
    "ReportFurtherIncident": N_("Report a further incident"),
    "RequestDocuments": N_("Ask for documents"),
    "ReceiveDocument": N_("Record a document"),
    "CompleteSubmission": N_("The submission is complete"),
    "AcceptClaim": N_("Accept the claim"),
    "RejectClaim": N_("Reject the claim"),
    "WithdrawClaim": N_("Withdraw the claim"),
    "IssueRefund": N_("Record a refund"),
    "RecordRefundFailure": N_("A refund failed"),
    "ReverseRefund": N_("Reverse a refund"),
    "RecordRecovery": N_("Record a recovery"),
    "CorrectIncident": N_("Correct the incident's date"),
    "MoveClaim": N_("Move to another contract"),
    "CloseClaim": N_("Close the claim"),
    "ReopenClaim": N_("Reopen the claim"),
    "LodgeComplaint": N_("Lodge a complaint"),
    "AcknowledgeComplaint": N_("Record the acknowledgement"),
    "AnswerComplaint": N_("Record the answer"),
    "EscalateToOmbudsman": N_("Bring it before the Ombudsman"),
    "RecordOmbudsmanOpinion": N_("Record the Ombudsman's opinion"),
    "CloseComplaint": N_("Close the complaint"),
}
"""Command → what its form and its button say."""

LABELS: Mapping[str, str] = {
    "contract": N_("Contract number"),
    "claim": N_("Claim number"),
    "complaint": N_("Complaint number"),
    "product": N_("Product"),
    "terms": N_("Version of the terms"),
    "starts_on": N_("First day of cover"),
    "concluded_on": N_("Concluded on"),
    "distance_sale": N_("Sold at a distance"),
    "language": N_("Language of documents and letters"),
    "policyholder.person": N_("Person number"),
    "policyholder.name": N_("Name"),
    "policyholder.email": N_("E-mail address"),
    "policyholder.address": N_("Postal address"),
    "received_on": N_("Received on"),
    "channel": N_("How it came in"),
    "reason": N_("Reason"),
    "posted_on": N_("Posted on"),
    "tracking": N_("Number of the registered letter"),
    "returned_on": N_("Returned on"),
    "person": N_("Person number"),
    "name": N_("Name"),
    "email": N_("E-mail address"),
    "address": N_("Postal address"),
    "guarantee": N_("Guarantee"),
    "cause": N_("Cause"),
    "occurred_at": N_("Happened on"),
    "reported_at": N_("Reported on"),
    "victim.person": N_("Victim's person number"),
    "victim.name": N_("Victim's name"),
    "victim.relation": N_("Relation to the policyholder"),
    "victim.same_roof": N_("Lives under the same roof"),
    "narrative": N_("What happened"),
    "method": N_("How the caller was identified"),
    "topics": N_("Topics of the advice"),
    "kind": N_("Kind of assistance"),
    "provider": N_("Provider"),
    "documents": N_("Documents"),
    "document": N_("Document"),
    "sha256": N_("SHA-256 of the file"),
    "completed_at": N_("Complete since"),
    "loss_cents": N_("Loss in euro"),
    "already_compensated_cents": N_("Already paid by others, in euro"),
    "code": N_("Exclusion"),
    "amount_cents": N_("Amount in euro"),
    "payment_reference": N_("Payment reference"),
    "iban": N_("Account paid to (IBAN)"),
    "payer": N_("Paid by"),
    "on": N_("Date"),
    "subject": N_("What it is about"),
}
"""Field of a command → its label."""

HINTS: Mapping[str, str] = {
    "topics": N_("One or several, separated by commas."),
    "documents": N_("One or several, separated by commas."),
    "loss_cents": N_("For instance 5000.00"),
    "tracking": N_("As it stands on the receipt of the post."),
    "sha256": N_("64 hexadecimal digits; the file itself is kept elsewhere."),
    "occurred_at": N_("The first act, where there were several."),
    "reason": N_("Name nobody here: it is kept for good."),
}
"""Field of a command → what helps to fill it in."""

AMOUNT_HINTS: Mapping[str, str] = {
    "IssueRefund": N_("Leave it empty to pay all that is owed."),
}
"""Command → hint on its amount."""


VERB_OF: Mapping[str, Verb] = {verb.command: verb for verb in VERBS}

CLAIM_CHANNELS = ("phone", "email", "web_form", "letter", "counter", "broker", "partner")
"""What the desk chooses from; the command takes some more."""

LONG_TEXTS = frozenset({"narrative", "subject", "policyholder.address", "address"})

PERSONAL = frozenset(
    {"narrative", "subject", "iban", "email", "address", "name"}
    | {"victim.name", "policyholder.name", "policyholder.email", "policyholder.address"}
)
"""Fields whose values belong to a person."""

TODAY = "today"
"""Stands for the book's present day where a form offers it."""


@dataclass(frozen=True, slots=True)
class FormField:
    """One field as a form shows it."""

    name: str
    """Field of the command, dotted."""
    label: str
    kind: str
    required: bool
    choices: Sequence[str] = ()
    hint: str | None = None
    value: str = ""

    @property
    def is_long(self) -> bool:
        """Whether people write several lines into it."""
        return self.name in LONG_TEXTS


@dataclass(frozen=True, slots=True)
class Form:
    """One command that a page offers."""

    command: str
    title: str
    subject: str
    """Kind of the stream that it is sent to: `claim`."""
    number: str
    """Of the stream; empty where the form asks for it."""
    fields: Sequence[FormField]
    command_id: str = ""
    """A double click records once: both carry this id."""
    seen_version: int | None = None
    """Version of the stream when the page was read."""
    grave: bool = False
    """Whether it ends something: its button is drawn as a warning."""
    faults: Sequence[str] = field(default=())
    opened: bool = False
    """Whether the page shows it unfolded."""

    def filled(self, typed: Mapping[str, str]) -> "Form":
        """Return the form as somebody filled it in."""
        fields = [replace(asked, value=typed.get(asked.name, asked.value)) for asked in self.fields]
        return replace(self, fields=fields, number=typed.get(self.subject, self.number))


def form_of(  # noqa: PLR0913  # what a page may narrow a form down by
    command: str,
    number: str = "",
    *,
    offers: Mapping[str, str] | None = None,
    choices: Mapping[str, Sequence[str]] | None = None,
    fixed: frozenset[str] = frozenset(),
    seen_version: int | None = None,
) -> Form:
    """Return a command's form.

    `offers`: values that stand in fields already; `choices`: narrower choices than the command has; `fixed`:
    fields that are sent as offered and not shown.
    """
    verb, offers, choices = VERB_OF[command], offers or {}, choices or {}
    fields = [
        FormField(
            name=asked.path,
            label=LABELS[asked.path],
            kind="hidden" if asked.path in fixed else _kind(command, asked),
            required=asked.required and asked.kind != "truth",
            choices=choices.get(asked.path, _choices(command, asked)),
            hint=AMOUNT_HINTS.get(command) if asked.path == "amount_cents" else HINTS.get(asked.path),
            value=offers.get(asked.path, asked.default or ""),
        )
        for asked in verb.fields
    ]
    return Form(
        command,
        TITLES[command],
        verb.group,
        number,
        fields,
        seen_version=seen_version,
        grave=command in GRAVE,
    )


GRAVE = frozenset({"AnnulContract", "RejectClaim", "WithdrawClaim", "ReverseRefund", "WithdrawFromContract"})


def _kind(command: str, asked: Field) -> str:
    if command == "OpenClaim" and asked.path == "channel":
        return "choice"
    return "day" if asked.kind == "moment" else asked.kind


def _choices(command: str, asked: Field) -> Sequence[str]:
    if command == "OpenClaim" and asked.path == "channel":
        return CLAIM_CHANNELS
    return asked.choices


MISSING = N_("%(field)s is missing: fill it in.")
NO_DATE = N_("%(field)s is no date: write it as 2026-03-01.")
NO_AMOUNT = N_("%(field)s is no clear amount: write it as 5000.00.")
NO_CHOICE = N_("%(field)s is none of the choices: choose one.")


@dataclass(frozen=True, slots=True)
class FormFault:
    """One field that cannot be read: an English message with the field's label to fill in."""

    message: str
    label: str
    name: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command's fields as JSON would have them, or what is wrong with them."""

    fields: Mapping[str, object]
    faults: tuple[FormFault, ...]


def read_typed(form: Form, typed: Mapping[str, str]) -> Typed:
    """Read a form's fields. An empty field is a field not given; an unticked box says no."""
    fields: dict[str, object] = {form.subject: typed.get(form.subject, form.number).strip()}
    faults: list[FormFault] = []
    if not fields[form.subject]:
        faults.append(FormFault(MISSING, form.subject, form.subject))
    for asked in form.fields:
        text = typed.get(asked.name, "").strip()
        if asked.kind == "truth":
            _put(fields, asked.name, text == "yes")
        elif not text:
            if asked.required:
                faults.append(FormFault(MISSING, asked.label, asked.name))
        else:
            value = _value(asked, text)
            if isinstance(value, FormFault):
                faults.append(value)
            else:
                _put(fields, asked.name, value)
    return Typed(fields, tuple(faults))


def _value(asked: FormField, text: str) -> object:  # noqa: PLR0911  # a kind of field each
    match asked.kind:
        case "day":
            try:
                return read_date(text).isoformat()
            except ValueError:
                return FormFault(NO_DATE, asked.label, asked.name)
        case "amount":
            try:
                return cents(text)
            except NotAnAmount:
                return FormFault(NO_AMOUNT, asked.label, asked.name)
        case "list":
            return [part.strip() for part in text.split(",") if part.strip()]
        case "choice":
            return text if text in asked.choices else FormFault(NO_CHOICE, asked.label, asked.name)
        case _:
            return text


def _put(fields: dict[str, object], path: str, value: object) -> None:
    *steps, last = path.split(".")
    inner = fields
    for step in steps:
        below = inner.setdefault(step, {})
        assert isinstance(below, dict)  # noqa: S101  # only objects stand on a path
        inner = below
    inner[last] = value
