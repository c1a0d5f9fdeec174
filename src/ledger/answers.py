"""What the ledger answers to a command, and how the first answer is kept for ever."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

Status = Literal["recorded", "repeated", "refused", "invalid", "failed"]
"""`failed`: of an import's line that met an error nobody foresaw; it is not remembered."""


class AnsweredEvent(NamedTuple):
    """One event of the command's own, as the answer names it."""

    stream: str
    version: int
    type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The ledger's answer to one command. `refused`, `invalid`, `failed` mean: no event was recorded."""

    command_id: str
    status: Status
    code: str | None = None
    """Code of the refusal, `LIMIT_COUNT`."""
    rule: str | None = None
    """Rule that the refusal rests on, `I8`."""
    message: str | None = None
    events: Sequence[AnsweredEvent] = ()
    first_status: Status | None = None
    """Of a repeated command: what it was answered the first time."""
    first_code: str | None = None

    @property
    def said_no(self) -> bool:
        """Say whether the command had no effect, now or when it was first sent."""
        return (self.first_status or self.status) in {"refused", "invalid", "failed"}

    def as_json(self) -> dict[str, object]:
        """Give the answer as scripts read it; what there is nothing of is left out."""
        written: dict[str, object] = {"command_id": self.command_id, "status": self.status}
        if self.first_status is not None:
            first = {"status": self.first_status, "code": self.first_code}
            written["first"] = {key: value for key, value in first.items() if value is not None}
        written |= {
            key: value
            for key, value in (("code", self.code), ("rule", self.rule), ("message", self.message))
            if value is not None
        }
        written["events"] = [event._asdict() for event in self.events]
        return written

    def kept(self) -> str:
        """Give the text that is stored as the command's first answer."""
        written: dict[str, object] = {"status": self.status}
        if self.status != "recorded":
            written |= {"code": self.code, "rule": self.rule, "message": self.message}
        written["events"] = [list(event) for event in self.events]
        return json.dumps(written, ensure_ascii=False, separators=(",", ":"))


def kept_answer(command_id: str, text: str) -> Answer:
    """Read a first answer back from its stored text."""
    written = json.loads(text)
    return Answer(
        command_id,
        written["status"],
        code=written.get("code"),
        rule=written.get("rule"),
        message=written.get("message"),
        events=tuple(AnsweredEvent(*event) for event in written["events"]),
    )


def repeated(first: Answer) -> Answer:
    """Answer a command that was sent before: its first answer, marked as such."""
    return replace(first, status="repeated", first_status=first.status, first_code=first.code)
