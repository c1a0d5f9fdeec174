"""The book in an address: the application serves one."""

from typing import Annotated

from fastapi import Depends, Path, Request

from ledger.http.problems import Problem
from ledger.http.served import wiring_of

PREFIX = "/v1/{book}"


def served_book(request: Request, book: str) -> str:
    """Make sure that a book is the one that is served. Raises Problem."""
    served = wiring_of(request).book
    if book != served:
        message = f"This address serves the book {served}: write /v1/{served}/…"
        raise Problem("NOT_FOUND", message)
    return served


async def _served_book(
    request: Request, book: Annotated[str, Path(description="The book of business.", examples=["cyber-care"])]
) -> str:
    return served_book(request, book)


Book = Annotated[str, Depends(_served_book)]
"""The book that is served; any other is not found."""
