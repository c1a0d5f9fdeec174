"""Names that the trade gives: numbers, persons, references, codes; and the streams that bear them."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, StringConstraints, TypeAdapter, ValidationInfo, WithJsonSchema

StreamKind = Literal["contract", "claim", "complaint"]

LONGEST_NAME = 128
LONGEST_TEXT = 10_000

# C0 and C1 control characters with DEL, and surrogates, which no UTF-8 text can hold.
_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# People write narratives in lines: tab, line feed and carriage return are text.
_NOT_IN_A_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# What no name and no address has: separators of lines, marks that turn the direction of the text around, a
# byte order mark, tags, and what Unicode keeps from being a character. Joiners, direction marks that only
# hint, and variation selectors stand in names and stay.
_NOT_OF_A_PERSON = re.compile(
    r"[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufdd0-\ufdef\U000e0000-\U000e007f]"
    "|["
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)


ON_RECORD = "on record"
"""Context in which a command is read that may be on record from before: what is asked of new ones is not."""


def asked_of_new(check: Callable[[str], str]) -> AfterValidator:
    """Return the validator of what is asked of new commands alone: one on record may be older."""

    def checked(value: str, info: ValidationInfo) -> str:
        return value if info.context == ON_RECORD else check(value)

    return AfterValidator(checked)


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


def _of_a_person(value: str) -> str:
    if _NOT_OF_A_PERSON.search(value):
        message = (
            "must hold no mark that turns the direction of the text, no separator of lines or paragraphs,"
            " no byte order mark, no tag and nothing that is no character: type it anew"
        )
        raise ValueError(message)
    if all(unicodedata.category(character)[0] in "ZC" for character in value):
        message = "must hold a character that can be seen"
        raise ValueError(message)
    return value


def email_address(text: str) -> tuple[str, str]:
    """Read one e-mail address, and nothing else: no name, no list, no quotes. Whether it exists is not asked.

    Gives what stands before the @, which may be international, and the domain in ASCII, as mail is sent.
    Raises ValueError.
    """
    # Loaded when there is an address to read: it takes longer than most commands.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    message = "must be one e-mail address like ada@example.org, and nothing else"
    try:
        read = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError(message) from None  # The library's own reason may quote the address.
    if "=?" in text:  # Valid to the letter, but mail programs read an encoded word, and so another address.
        raise ValueError(message)
    return read.local_part, read.ascii_domain


def _one_email_address(value: str) -> str:
    email_address(value)
    return value


Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME), AfterValidator(_clean_name)]
"""A number, person, reference or code: 1 to 128 characters, none of them a control character."""

FreeText = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_clean_text)
]
"""What somebody wrote: 1 to 10,000 characters, in lines if they like."""

PersonName = Annotated[FreeText, asked_of_new(_clean_name), asked_of_new(_of_a_person)]
"""What a person is called: one line, in any script."""

PostalAddress = Annotated[FreeText, asked_of_new(_of_a_person)]
"""Where a person gets letters, in the lines that stand on the envelope: a comma is a comma."""

EmailAddress = Annotated[FreeText, asked_of_new(_one_email_address)]
"""Exactly one e-mail address, kept as it was written."""

Sha256 = Annotated[str, StringConstraints(pattern=r"\A[0-9a-f]{64}\z")]
"""A SHA-256 as 64 lower-case hexadecimal digits."""

ContractNumber = Name
ClaimNumber = Name
ComplaintNumber = Name
Person = Name

_OF_ADDRESSES: Mapping[str, Any] = {"not": {"pattern": r"/|^\.{1,2}$"}}

New = Annotated[Name, WithJsonSchema(TypeAdapter(Name).json_schema() | _OF_ADDRESSES)]
"""A number or person that a command makes and that addresses hold; `no_address` says what it may not be."""

PaymentReference = Name
Code = Name


def no_address(number: str) -> str | None:
    """Return why a new number or person cannot stand as one step of an address; None: it can."""
    if "/" in number:
        return "must hold no '/': it stands in addresses, as one step"
    if number in {".", ".."}:
        return "must be more than dots: in an address they mean another step"
    return None


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
    """Return the stream of a contract."""
    return StreamRef("contract", number)


def claim_ref(number: str) -> StreamRef:
    """Return the stream of a claim."""
    return StreamRef("claim", number)


def complaint_ref(number: str) -> StreamRef:
    """Return the stream of a complaint."""
    return StreamRef("complaint", number)
