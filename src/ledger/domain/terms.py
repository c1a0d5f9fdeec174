"""Product terms as versioned data, and the model that validates them.

A rule of the product that may change is a field here, not a constant; a contract keeps the version that it
was concluded under. The versions are the files in `ledger/terms`.
"""

import tomllib
from datetime import date
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ledger.domain.codes import Assistance, Cause, ExclusionCode, Guarantee, Language, Relation
from ledger.domain.identifiers import Name, Sha256
from ledger.domain.money import Cents
from ledger.domain.refusals import FieldFault, Invalid

Whole = Annotated[int, Field(strict=True, gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Periods(_Part):
    """How long things run: months by R2, working days by R8, else calendar days."""

    term_months: Whole
    notice_gate_months: Whole
    notice_months: Whole
    insurer_notice_months: Whole
    refund_days: Whole
    withdrawal_days: Whole
    acknowledgement_working_days: Whole
    answer_months: Whole
    ombudsman_days: Whole
    retention_years: Whole


class Readings(_Part):
    """Readings of the FAQ that terms may take either way.

    One that no rule is written for does not validate: a new reading brings its rule along.
    """

    failed_rescue_consumes: bool
    """Whether a failed rescue of data consumes the intervention once the expert has started (Q11)."""


class GuaranteeTerms(_Part):
    """What one guarantee gives in an insurance year; no limit where there is None.

    Limits are those of the contract (Q5) in an insurance year (Q3), shared by its claims.
    """

    code: Guarantee
    title: str
    services: tuple[Assistance, ...]
    indemnity: bool
    """False: the guarantee gives services only, and a loss is not paid (I13)."""
    amount_limit_cents: Cents | None = None
    """For all claims of the year together, not for each (Q1)."""
    count_limit: Whole | None = None
    """Of accepted claims; opened ones do not count (Q2)."""
    only_cause: Cause | None = None
    """The one cause that the guarantee answers for, where there is only one (D8)."""
    expert_service: Assistance | None = None
    """The service for which an expert may be appointed (D14)."""


class Document(_Part):
    """A document that was handed over when a contract was concluded."""

    kind: Literal["ipid", "general_terms"]
    language: Language
    version: Name
    sha256: Sha256


class Contact(_Part):
    """Whom a policyholder turns to."""

    purpose: Literal["assistance", "quality", "ombudsman"]
    name: str
    address: str | None = None
    phone: str | None = None


class Terms(_Part):
    """One version of one product's terms."""

    product: Name
    version: Name
    name: str
    languages: tuple[Language, ...]
    default_language: Language
    last_day_of_sale: date
    insured_relations: tuple[Relation, ...]
    insured_relations_under_the_same_roof: tuple[Relation, ...]
    periods: Periods
    readings: Readings
    guarantees: tuple[GuaranteeTerms, ...]
    exclusions: dict[ExclusionCode, str]
    contacts: tuple[Contact, ...]
    documents: tuple[Document, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if sorted(g.code for g in self.guarantees) != sorted(get_args(Guarantee)):
            message = "guarantees must name each guarantee once"
            raise ValueError(message)
        if set(self.exclusions) != set(get_args(ExclusionCode)):
            message = "exclusions must give each exclusion code its meaning"
            raise ValueError(message)
        return self

    @cached_property
    def by_guarantee(self) -> dict[Guarantee, GuaranteeTerms]:
        """The guarantees by their codes."""
        return {guarantee.code: guarantee for guarantee in self.guarantees}

    def documents_in(self, language: Language) -> tuple[Document, ...]:
        """Return the documents that applied to a contract concluded in a language."""
        return tuple(document for document in self.documents if document.language == language)

    def contact(self, purpose: Literal["assistance", "quality", "ombudsman"]) -> Contact:
        """Return whom to turn to for a purpose. Raises StopIteration where the terms name nobody."""
        return next(contact for contact in self.contacts if contact.purpose == purpose)

    def insures(self, relation: Relation, *, same_roof: bool) -> bool:
        """Return whether somebody is insured: the policyholder, and family under the same roof (D8)."""
        if relation in self.insured_relations:
            return True
        return same_roof and relation in self.insured_relations_under_the_same_roof


@cache
def _all_terms() -> dict[str, dict[str, Terms]]:
    terms: dict[str, dict[str, Terms]] = {}
    pages = [page for page in (files("ledger") / "terms").iterdir() if page.name.endswith(".toml")]
    for page in sorted(pages, key=lambda page: page.name):
        version = Terms.model_validate(tomllib.loads(page.read_text(encoding="utf-8")))
        terms.setdefault(version.product, {})[version.version] = version
    return terms


@cache
def load_terms(product: str, version: str | None = None) -> Terms:
    """Return one version of a product's terms, by default the newest. Raises Invalid for none (D19)."""
    versions = _all_terms().get(product)
    if versions is None:
        products = ", ".join(sorted(_all_terms()))
        text = f"{product!r} does not exist; it must be one of {products}"
        raise Invalid(FieldFault("product", "NOT_TAKEN", text))
    if version is None:
        # Versions are whole numbers in rising order.
        version = max(versions, key=int)
    if version not in versions:
        known = ", ".join(sorted(versions, key=int))
        text = f"{product} has no version {version!r}; it must be one of {known}"
        raise Invalid(FieldFault("terms", "NOT_TAKEN", text))
    return versions[version]
