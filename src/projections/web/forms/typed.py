"""What somebody typed into a form, read into a command's fields; every fault is said beside its field."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.domain.command import read_date
from ledger.imports.csv_rows import NotAnAmount, cents
from projections.web.forms.form import Form, FormField
from projections.web.words.codes import N_

MISSING = N_("%(field)s is missing: fill it in.")
NO_DATE = N_("%(field)s is no date: write it as 2026-03-01.")
NO_AMOUNT = N_("%(field)s is no clear amount: write it as 5000.00.")
NO_CHOICE = N_("%(field)s is none of the choices: choose one.")


@dataclass(frozen=True, slots=True)
class Fault:
    """One field that cannot be read: an English message with the field's label to fill in."""

    message: str
    label: str
    name: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command's fields as JSON would have them, or what is wrong with them."""

    fields: Mapping[str, object]
    faults: tuple[Fault, ...]


def read_typed(form: Form, typed: Mapping[str, str]) -> Typed:
    """Read a form's fields. An empty field is a field not given; an unticked box says no."""
    fields: dict[str, object] = {form.subject: typed.get(form.subject, form.number).strip()}
    faults: list[Fault] = []
    if not fields[form.subject]:
        faults.append(Fault(MISSING, form.subject, form.subject))
    for asked in form.fields:
        text = typed.get(asked.name, "").strip()
        if asked.kind == "truth":
            _put(fields, asked.name, text == "yes")
        elif not text:
            if asked.required:
                faults.append(Fault(MISSING, asked.label, asked.name))
        else:
            value = _value(asked, text)
            if isinstance(value, Fault):
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
                return Fault(NO_DATE, asked.label, asked.name)
        case "amount":
            try:
                return cents(text)
            except NotAnAmount:
                return Fault(NO_AMOUNT, asked.label, asked.name)
        case "list":
            return [part.strip() for part in text.split(",") if part.strip()]
        case "choice":
            return text if text in asked.choices else Fault(NO_CHOICE, asked.label, asked.name)
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
