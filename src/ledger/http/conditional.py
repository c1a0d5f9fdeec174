"""Conditional requests (RFC 9110): who has an answer already is told so, and not sent it again."""

from hashlib import sha256
from typing import Final

from fastapi import Request
from starlette.responses import Response

DIGITS: Final = 32
ABOUT_THE_BODY: Final = ("content-type", "content-length", "content-disposition")


def has_already(request: Request, etag: str) -> bool:
    """Whether the client says that it has the answer with this tag (`If-None-Match`)."""
    told = request.headers.get("if-none-match", "")
    return told.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in told.split(",")}


def not_modified(answer: Response) -> Response:
    """Say that an answer is the one that the client has."""
    headers = {name: value for name, value in answer.headers.items() if name not in ABOUT_THE_BODY}
    return Response(status_code=304, headers=headers)


def tagged(request: Request, answer: Response) -> Response:
    """Tag an answer by its body, and leave that out where the client has it."""
    etag = f'"{sha256(answer.body).hexdigest()[:DIGITS]}"'
    answer.headers["ETag"] = etag
    return not_modified(answer) if has_already(request, etag) else answer
