"""How commands are described in the OpenAPI document: their fields as HTTP takes them, an example of each."""

from collections.abc import Mapping
from typing import Any, Final

from ledger.domain.command import Command
from ledger.domain.commands import COMMANDS

Schema = dict[str, Any]

DATE: Final = r"^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"
INSTANT: Final = (
    r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,9})?([Zz]|[+-](0[0-9]|1[0-3]):[0-5][0-9])$"
)
AN_INSTANT: Final = {"type": "string", "format": "date-time", "pattern": INSTANT}
A_DATE: Final = {"type": "string", "format": "date", "pattern": DATE}
NO_CONTROLS: Final = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$"
NO_CONTROLS_BUT_LINES: Final = "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]+$"

LONGEST_NAME: Final = 128
OF_AN_INSTANT: Final = "_at"
"""A field whose name ends so takes an instant with its offset, or a bare date (R1)."""

EXAMPLES: Final[Mapping[str, object]] = {
    "contract": "CC-1",
    "claim": "CL-1",
    "complaint": "CO-1",
    "product": "cyber-care",
    "starts_on": "2026-01-01",
    "policyholder": {"person": "P-1", "name": "Ada Peeters"},
    "received_on": "2026-07-06",
    "channel": "web_form",
    "reason": "recorded by mistake",
    "posted_on": "2026-09-15",
    "tracking": "RR123456785BE",
    "returned_on": "2026-09-22",
    "person": "P-1",
    "guarantee": "payment",
    "cause": "fraud",
    "occurred_at": "2026-02-01",
    "victim": {"person": "P-1", "name": "Ada Peeters", "relation": "policyholder", "same_roof": True},
    "method": "callback",
    "topics": ["change_passwords", "block_card"],
    "kind": "legal",
    "provider": "first-line-legal",
    "documents": ["bank_statement"],
    "document": "bank_statement",
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "completed_at": "2026-02-03T10:00:00+01:00",
    "loss_cents": 300_000,
    "code": "OUTSIDE_COVER",
    "payment_reference": "PAY-1",
    "amount_cents": 300_000,
    "payer": "card-issuer",
    "on": "2026-02-04",
    "subject": "The answer took too long",
}
"""A field → what an example has in it."""

OPTIONAL_SHOWN: Final = frozenset({"CorrectPerson", "RecordRecovery"})


def command_schema(name: str) -> tuple[Schema, Schema]:
    """Give the schema of a command's body, and the definitions that it refers to, by their names."""
    schema = COMMANDS[name].model_json_schema(ref_template="#/components/schemas/{model}")
    definitions: Schema = schema.pop("$defs", {})
    schema["example"] = example(name)
    told: Schema = as_taken(schema)
    return told, {inner: as_taken(definition) for inner, definition in definitions.items()}


def example(name: str) -> dict[str, object]:
    """Give a command's fields as one might send them: those that it must have, and few others."""
    fields = COMMANDS[name].model_fields
    wanted = [field for field, told in fields.items() if told.is_required()]
    if name == "CorrectPerson":
        return {field: EXAMPLES[field] for field in wanted} | {"name": "Ada Peeters-Maes"}
    return {field: EXAMPLES[field] for field in wanted} | _more(name, COMMANDS[name])


def _more(name: str, command_type: type[Command]) -> dict[str, object]:
    if name == "OpenClaim":
        return {"channel": "phone"}
    return {"iban": "BE71096123456769"} if "iban" in command_type.model_fields else {}


def as_taken(part: Any, field: str = "") -> Any:  # noqa: ANN401  # whatever a schema holds
    """Write a schema as values are really read: date ranges, instants, no control characters."""
    if isinstance(part, list):
        return [as_taken(inner, field) for inner in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") == "string" and part.get("format") == "date" and "pattern" not in part:
        return _date(part, field)
    told: Schema = {}
    for key, value in part.items():
        if key == "properties":
            told[key] = {name: as_taken(inner, name) for name, inner in value.items()}
        elif key in {"example", "default", "enum", "const", "required"}:
            told[key] = value
        else:
            told[key] = as_taken(value, field)
    if told.get("type") == "string" and not {"enum", "const", "format"} & told.keys():
        told["pattern"] = _pattern(told)
    return told


def _date(part: Schema, field: str) -> Schema:
    rest = {key: value for key, value in part.items() if key not in {"type", "format", "ge", "le"}}
    if not field.endswith(OF_AN_INSTANT):
        return A_DATE | rest
    return {"anyOf": [A_DATE, AN_INSTANT]} | rest


def _pattern(part: Schema) -> str:
    if "pattern" in part:
        return str(part["pattern"]).replace(r"\A", "^").replace(r"\z", "$")
    is_text = part.get("maxLength", LONGEST_NAME) > LONGEST_NAME
    return NO_CONTROLS_BUT_LINES if is_text else NO_CONTROLS
