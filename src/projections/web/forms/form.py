"""One form: a command's fields, put from the command line's own table of verbs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ledger.cli.verbs_table import VERBS, Field, Verb
from projections.web.forms.labels import AMOUNT_HINTS, HINTS, LABELS, TITLES

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
        """Say whether people write several lines into it."""
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
        """Give the form as somebody filled it in."""
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
    """Give a command's form.

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
