"""What a contract's terms say beside its figures: the documents that apply, and whom to turn to."""

from collections.abc import Mapping
from typing import Literal, cast

from ledger.domain.codes import Language
from ledger.domain.terms import Terms, load_terms

Purpose = Literal["assistance", "quality", "ombudsman"]

EVERYBODY: tuple[Purpose, ...] = ("assistance", "quality", "ombudsman")
FOR_A_CLAIM: tuple[Purpose, ...] = ("assistance",)
FOR_A_COMPLAINT: tuple[Purpose, ...] = ("quality", "ombudsman")

Shown = dict[str, object]


def documents_of(contract: Mapping[str, object]) -> list[Shown]:
    """Name the documents that applied when the contract was concluded, in its language."""
    terms = _terms(contract)
    return [document.model_dump() for document in terms.documents_in(cast("Language", contract["language"]))]


def contacts_of(contract: Mapping[str, object], purposes: tuple[Purpose, ...]) -> list[Shown]:
    """Name whom to turn to, for each purpose."""
    terms = _terms(contract)
    return [terms.contact(purpose).model_dump() for purpose in purposes]


def _terms(contract: Mapping[str, object]) -> Terms:
    return load_terms(str(contract["product"]), str(contract["terms"]))
