"""Names that the trade gives: numbers, persons, references, codes; and the streams that bear them."""

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, StringConstraints

StreamKind = Literal["contract", "claim", "complaint"]

LONGEST_NAME = 128
LONGEST_TEXT = 10_000

# C0 and C1 control characters with DEL, and surrogates, which no UTF-8 text can hold.
_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# People write narratives in lines: tab, line feed and carriage return are text.
_NOT_IN_A_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def _clean_name(value: str) -> str:
    if _NOT_IN_A_NAME.search(value):
        message = "must hold no control character and no lone surrogate"
        raise ValueError(message)
    return value


def _clean_text(value: str) -> str:
    if _NOT_IN_A_TEXT.search(value):
        message = "must hold no control character and no lone surrogate"
        raise ValueError(message)
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME), AfterValidator(_clean_name)]
"""A number, person, reference or code: 1 to 128 characters, none of them a control character."""

FreeText = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_clean_text)
]
"""What somebody wrote: 1 to 10,000 characters, in lines if they like."""

Sha256 = Annotated[str, StringConstraints(pattern=r"\A[0-9a-f]{64}\z")]
"""A SHA-256 as 64 lower-case hexadecimal digits."""

ContractNumber = Name
ClaimNumber = Name
ComplaintNumber = Name
Person = Name
PaymentReference = Name
Code = Name


class StreamRef(NamedTuple):
    """One stream of events: that of a contract, a claim or a complaint, by its business number."""

    kind: StreamKind
    number: str

    @property
    def name(self) -> str:
        """The stream as leaves, outputs and CloudEvents name it: `contract/CC-1`."""
        return f"{self.kind}/{self.number}"

    @property
    def subject(self) -> str:
        """The stream as the rows of `due` name it: `contract:CC-1`."""
        return f"{self.kind}:{self.number}"


def contract_ref(number: str) -> StreamRef:
    """Name the stream of a contract."""
    return StreamRef("contract", number)


def claim_ref(number: str) -> StreamRef:
    """Name the stream of a claim."""
    return StreamRef("claim", number)


def complaint_ref(number: str) -> StreamRef:
    """Name the stream of a complaint."""
    return StreamRef("complaint", number)
