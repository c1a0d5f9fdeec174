"""Parts of the OpenAPI document that many routes share: answers, headers, problems."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, Field

from ledger.http.problems import MEDIA_TYPE

Described = dict[int | str, dict[str, Any]]

POSITION: Final = "Ledger-Position"

POSITION_HEADER: Final = {
    POSITION: {
        "description": (
            "Position of the feed: of a command's last event, or the one that a read stands for; with its"
            " epoch (EPOCH:POSITION) once the log was put back."
        ),
        "schema": {"type": "string", "pattern": "^([1-9][0-9]*:)?(-1|[0-9]+)$"},
    }
}


class ProblemDetails(BaseModel):
    """What is wrong and what to do next (RFC 9457)."""

    type: str = Field(description="Stable, for programs.", examples=["/problems/LIMIT_COUNT"])
    title: str
    status: int
    detail: str = Field(description="One line for people.")
    code: str = Field(examples=["LIMIT_COUNT"])
    rule: str | None = Field(
        default=None,
        description="The rule that a refusal rests on, by its heading in docs/rules.md; `type` leads to it.",
        examples=["I8"],
    )


ANSWER: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["command_id", "status", "events"],
    "properties": {
        "command_id": {"type": "string"},
        "status": {"enum": ["recorded", "repeated"]},
        "first": {
            "type": "object",
            "description": "Of a command sent before: what it was answered the first time.",
            "properties": {"status": {"type": "string"}, "code": {"type": "string"}},
        },
        "events": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["stream", "version", "type"],
                "properties": {
                    "stream": {"type": "string"},
                    "version": {"type": "integer"},
                    "type": {"type": "string"},
                },
            },
        },
        "dry_run": {"const": True},
    },
}

ANSWERED: Final[dict[str, Any]] = {
    "application/json": {
        "schema": ANSWER,
        "example": {
            "command_id": "accept-CL-1",
            "status": "recorded",
            "events": [{"stream": "claim/CL-1", "version": 4, "type": "claim.ClaimAccepted"}],
        },
    }
}

_SAID: Final = {
    400: "Not as HTTP has it",
    401: "No credential in force",
    403: "The right is lacking",
    404: "Not found",
    406: "Not to be had in that form",
    409: "Refused by a rule of the product",
    410: "The log was put back since",
    412: "The stream has moved on",
    413: "Too large",
    415: "No JSON",
    422: "Malformed, or the command id stands for another command",
    429: "Too many streams",
    503: "Not for now: try again",
}


def described(good: Mapping[int, Mapping[str, Any]], *statuses: int) -> Described:
    """Describe the answers of a route: those that are well, and the problems that it may answer with."""
    return {status: dict(said) for status, said in good.items()} | problems(*statuses)


def problems(*statuses: int) -> Described:
    """Describe the problems that a route may answer with."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {"description": _SAID[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }
