"""What a list may be narrowed down to by its address."""

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Annotated, Any, Final

from fastapi import Query

from ledger.domain.command import Day
from ledger.domain.identifiers import Name
from projections.asking.filters import choices_of
from projections.http.lists import List

BEFORE: Final[Mapping[str, str]] = {
    "contracts": "Only contracts that started before this date.",
    "claims": "Only claims whose incident lies before this date.",
    "complaints": "Only complaints received before this date.",
    "limits": "Only insurance years that begin before this date.",
    "due": "Only what is due before this date.",
    "refunds": "Only what was due before this date.",
    "payments": "Only what moved before this date.",
    "recoveries": "Only claims whose incident lies before this date.",
    "timeline": "Only what took effect before this date.",
}


NAMES: Final[Mapping[str, str]] = {"from": "from_on"}
"""Filter → what it is called in Python, where that is something else."""


def filters_of(listed: List) -> Callable[..., Any]:
    """Make the dependency that reads a list's filters, with the parameters that the list knows."""

    def read(**given: Any) -> Any:  # noqa: ANN401  # each as its parameter says
        return listed.make(**given)

    def chosen(name: str, said: str) -> Any:  # noqa: ANN401  # an annotation
        return _one_of(choices_of(listed.name, name) if name in listed.filters else (), said)

    known: Mapping[str, Any] = {
        "contract": _text("Only of this contract; with what belongs to it."),
        "claim": _text("Only of this claim."),
        "guarantee": chosen("guarantee", "Only of this guarantee."),
        "status": chosen("status", "Only with this status."),
        "before": Annotated[Day | None, Query(description=BEFORE.get(listed.name))],
        "since": Annotated[Day | None, Query(description="Only what moved on this date or later.")],
        "kind": chosen("kind", "Only of this kind; `retention` stands in no other list."),
        "from": Annotated[
            Day | None, Query(alias="from", description="Only what is due on this date or later.")
        ],
        "step": chosen("step", "Only these steps."),
        "year": Annotated[int | None, Query(ge=1900, le=2199, description="Only incidents of this year.")],
        "month": Annotated[
            str | None,
            Query(
                pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$",
                description="The month, such as 2026-02; the present one unless given.",
                examples=["2026-02"],
            ),
        ],
        "every": Annotated[
            bool | None,
            Query(description="Claims too on which nothing happened and nothing is outstanding."),
        ],
    }
    read.__signature__ = Signature(  # type: ignore[attr-defined]  # what FastAPI reads
        [
            Parameter(NAMES.get(name, name), Parameter.KEYWORD_ONLY, default=None, annotation=known[name])
            for name in listed.filters
        ]
    )
    return read


def _text(said: str) -> Any:  # noqa: ANN401  # an annotation
    return Annotated[Name | None, Query(description=said)]


def _one_of(choices: tuple[str, ...], said: str) -> Any:  # noqa: ANN401  # an annotation
    return Annotated[str | None, Query(pattern=f"^({'|'.join(choices)})$", description=said)]
