"""The OpenAPI document: what FastAPI finds, and what it cannot know of rights, problems and commands."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from fastapi import FastAPI

from ledger.auth.roles import OPEN, RIGHTS, ROLES
from ledger.domain.command import Command
from ledger.domain.registry import COMMANDS
from ledger.feed.publish import each_schema, envelope, type_of
from ledger.http.openapi_responses import ProblemDetails, problems

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
    """Return the schema of a command's body, and the definitions that it refers to, by their names."""
    schema = COMMANDS[name].model_json_schema(ref_template="#/components/schemas/{model}")
    definitions: Schema = schema.pop("$defs", {})
    schema["example"] = example(name)
    told: Schema = as_taken(schema)
    return told, {inner: as_taken(definition) for inner, definition in definitions.items()}


def example(name: str) -> dict[str, object]:
    """Return a command's fields as one might send them: those that it must have, and few others."""
    fields = COMMANDS[name].model_fields
    wanted = [field for field, told in fields.items() if told.is_required()]
    if name == "CorrectPerson":
        return {field: EXAMPLES[field] for field in wanted} | {"name": "Ada Peeters-Maes"}
    return {field: EXAMPLES[field] for field in wanted} | _more(name, COMMANDS[name])


def _more(name: str, command_type: type[Command]) -> dict[str, object]:
    if name == "OpenClaim":
        return {"channel": "phone"}
    return {"iban": "BE71096123456769"} if "iban" in command_type.model_fields else {}


def as_taken(part: Schema, field: str = "") -> Schema:
    """Write a schema as values are really read: date ranges, instants, no control characters."""
    if part.get("type") == "string" and part.get("format") == "date" and "pattern" not in part:
        return _date(part, field)
    told: Schema = {}
    for key, value in part.items():
        if key == "properties":
            told[key] = {name: as_taken(inner, name) for name, inner in value.items()}
        elif key in {"example", "default", "enum", "const", "required"}:
            told[key] = value
        else:
            told[key] = each_schema(value, partial(as_taken, field=field))
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


Document = dict[str, Any]

RIGHT: Final = "x-right"
"""Said of each operation: the right that it needs, or `open`."""

ABOUT: Final = """Commands in, views and feed out, of one book of insurance business.

**Who calls** shows a token (`Authorization: Bearer …`) or is signed in. Each operation names the right
that it needs (`x-right`): {rights}.

**Commands** have an id, the `Idempotency-Key`: sent twice, a command has one effect. Amounts are whole cents,
dates those of Brussels. **Reads** state the position of the feed that they stand for (`Ledger-Position`);
`min_command` and `min_position` wait until a view is there: read your own writes.

**Errors** are problems (RFC 9457) whose `type` leads to what it means.
"""

COMMAND_ID: Final = "Idempotency-Key"

MAKERS: Final = {"StartContract": "contract", "OpenClaim": "claim", "LodgeComplaint": "complaint"}
"""Commands that begin a stream, and the field that names it."""

METHODS: Final = frozenset({"get", "put", "post", "delete", "patch"})


def describe(app: FastAPI, book: str, type_prefix: Callable[[], str]) -> None:
    """Make the application give the whole document at `/openapi.json`.

    `type_prefix`: of the book's CloudEvents.
    """
    found: Callable[[], Document] = app.openapi
    written: Document = {}

    def document() -> Document:
        if not written:
            written.update(_completed(found(), book, type_prefix()))
        return written

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way to extend it


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield each operation as (method, path, what is said of it)."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield method, path, operation


def _completed(document: Document, book: str, type_prefix: str) -> Document:
    document["info"]["description"] = ABOUT.format(
        rights="; ".join(f"`{right}`: {said}" for right, said in RIGHTS.items())
    )
    document["info"]["x-roles"] = {role: sorted(rights) for role, rights in ROLES.items()}
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
    schemas["CloudEvent"] = envelope(type_prefix)
    for name in COMMANDS:
        schemas.update(command_schema(name)[1])
    for _, _, operation in operations(document):
        _complete(operation, book, type_prefix)
    _link(document)
    return document


def _given(schema: Document) -> Document:
    """Return the schema of a parameter as it is when it is given: to leave it out is no value of it."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        rest = {name: said for name, said in schema.items() if name not in {"anyOf", "default"}}
        only: Document = choices[0]
        return only | rest
    return schema


def _link(document: Document) -> None:
    """Link what a command has made to what can be done next: read it, and send it further commands."""
    found = {operation["operationId"]: operation for _, _, operation in operations(document)}
    for maker, kind in MAKERS.items():
        number = f"$request.body#/{kind}"
        links: Document = {
            f"{name}_{kind}": {"operationId": f"{name}_{kind}", "parameters": {"number": number}}
            for name in ("show", "history", "replay")
            if f"{name}_{kind}" in found
        }
        for name, command in COMMANDS.items():
            if kind in command.model_fields and name != maker:
                links[name] = {"operationId": name, "requestBody": {kind: number}}
        found[maker]["responses"]["201"]["links"] = links


def _complete(operation: Document, book: str, type_prefix: str) -> None:
    responses = operation["responses"]
    # FastAPI describes the framework's own answer to a malformed request; ours is a problem.
    if "HTTPValidationError" in str(responses.get("422", "")):
        del responses["422"]
    rights = {right for required in operation.get("security", ()) for rs in required.values() for right in rs}
    operation[RIGHT] = next(iter(rights), OPEN)
    for status, said in problems(401, 403).items() if rights else ():
        responses.setdefault(str(status), said)
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = as_taken(_given(parameter["schema"]))
        if parameter["name"] == COMMAND_ID:
            parameter["required"] = True
        if parameter["name"] == "book":
            parameter["schema"] = {"type": "string", "enum": [book]}
            parameter.pop("examples", None)
        if parameter["name"] == "event_type":
            parameter["schema"]["examples"] = [type_of("claim.RefundIssued", 1, type_prefix)]
    operation["responses"] = dict(sorted(responses.items()))
