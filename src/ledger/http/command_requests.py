"""A command as an HTTP request says it: its id, its versions, its instant, its fields."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ledger.domain.refusals import Invalid
from ledger.http.problems import Problem
from ledger.importing.envelope import checked_name, instant
from ledger.importing.json_lines import json_object
from ledger.importing.lines import Malformed, decoded
from ledger.rights.caller import Caller
from ledger.submission import Submission, submission

JSON: Final = re.compile(r"application/(json|[\w.-]+\+json)\s*(;.*)?", re.IGNORECASE | re.ASCII)
_CHARSET: Final = re.compile(r';\s*charset\s*=\s*"?([\w.:-]+)', re.IGNORECASE | re.ASCII)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_TAG: Final = re.compile(r'\s*(?:W/)?"[^"]*"\s*|\s*[0-9]+\s*', re.ASCII)
_VERSION: Final = re.compile(r'\s*"?([0-9]{1,9})"?\s*', re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a command, as far as headers and address say it."""

    name: str
    caller: Caller
    key: str
    versions: frozenset[int] | None
    at: datetime | None


def read(asked: Asked, content_type: str | None, body: bytes) -> Submission:
    """Read a command from the body of its request. Raises Problem, quoting nothing of the body."""
    if content_type is not None and not JSON.fullmatch(content_type):
        message = "Send the command's fields as JSON: Content-Type: application/json."
        raise Problem("MEDIA_TYPE", message)
    charset = _CHARSET.search(content_type or "")
    if charset is not None and charset[1].lower() not in {"utf-8", "us-ascii"}:
        message = f"JSON is UTF-8, and not {charset[1][:20]}: send it so, without a charset."
        raise Problem("MEDIA_TYPE", message)
    try:
        fields = json_object(decoded(body, 1))
    except Malformed as error:
        message = f"{asked.name}: the body {error}"
        raise Problem("INVALID", message) from error
    try:
        return submission(
            asked.key,
            asked.name,
            fields,
            at=asked.at,
            actor=asked.caller.actor,
            sender=asked.caller.sender,
            may_backdate=asked.caller.may("backdate"),
            if_versions=asked.versions,
        )
    except Invalid as error:
        raise Problem("INVALID", error.message) from error


def command_id(key: str | None) -> str:
    """Read an Idempotency-Key, quoted as structured fields are (RFC 8941) or bare. Raises Problem."""
    if key is None:
        message = (
            "Give the command an id of its own: Idempotency-Key: accept-CL-1. Sent twice, it has one effect."
        )
        raise Problem("IDEMPOTENCY_KEY", message)
    if not key.isascii():
        # What bytes beyond ASCII mean in a header is not agreed on: two programs could read two ids.
        message = "Idempotency-Key: write it in ASCII letters, digits and signs."
        raise Problem("IDEMPOTENCY_KEY", message)
    quoted = _QUOTED.fullmatch(key)
    text = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else key
    try:
        return checked_name("Idempotency-Key", text)
    except Malformed as error:
        raise Problem("IDEMPOTENCY_KEY", f"{error}.") from error


def versions_of(if_match: str | None) -> frozenset[int] | None:
    """Read If-Match: the versions that are named. A weak or foreign tag matches none; `*` and nothing, any.

    Raises Problem for what is no list of tags.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    versions = set()
    for tag in if_match.split(","):
        if not _TAG.fullmatch(tag):
            message = 'If-Match: write the version as the ETag gave it, "7".'
            raise Problem("BAD_REQUEST", message)
        version = _VERSION.fullmatch(tag)
        if version:
            versions.add(int(version[1]))
    return frozenset(versions)


def yes(said: str) -> bool:
    """Read a parameter that is true or false. Raises Problem."""
    if said.lower() not in {"true", "false", "1", "0"}:
        message = "dry_run: must be true or false."
        raise Problem("INVALID", message)
    return said.lower() in {"true", "1"}


def instant_of(at: str | None) -> datetime | None:
    """Read the instant that the address names, if any. Raises Problem."""
    try:
        return None if at is None else instant(at)
    except Malformed as error:
        raise Problem("INVALID", f"{error}.") from error
