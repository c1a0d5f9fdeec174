"""The OpenAPI document: what FastAPI finds, and what it cannot know of rights, problems and commands."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from fastapi import FastAPI

from ledger.domain.commands import COMMANDS
from ledger.feed.publishing.asyncapi import envelope
from ledger.feed.publishing.cloud_events import type_of
from ledger.http.command_schemas import as_taken, command_schema
from ledger.http.described import ProblemDetails, problems
from ledger.rights.roles import OPEN, RIGHTS, ROLES

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
    """Give each operation as (method, path, what is said of it)."""
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
    """Give the schema of a parameter as it is when it is given: to leave it out is no value of it."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        rest = {name: said for name, said in schema.items() if name not in {"anyOf", "default"}}
        only: Document = choices[0]
        return only | rest
    return schema


def _link(document: Document) -> None:
    """Say what can be done next with what a command has made: read it, and send it further commands."""
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
