"""Money: whole cents of euro, never floats."""

from typing import Annotated

from pydantic import Field

CURRENCY = "EUR"
MOST_CENTS = 10**13

Cents = Annotated[int, Field(strict=True, ge=0, le=MOST_CENTS)]
"""An amount in euro cents, 0 to 10**13: an integer, no boolean and no float."""

PaidCents = Annotated[int, Field(strict=True, gt=0, le=MOST_CENTS)]
"""An amount in euro cents that is really paid: above 0 (D10)."""
