"""Which columns a CSV of one command may have, and what kind of value each holds."""

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from ledger.domain.commands import COMMANDS

Kind = Literal["text", "truth", "number", "amount", "cents", "list"]
"""An amount is in euro; cents are whole cents of it."""


CENTS = "_cents"
"""Ends the name of what is in cents, wherever it stands; the same name without it is in euro."""


@cache
def columns_of(command: str) -> Mapping[str, Kind]:
    """Give the columns of a command, `victim.person` for a field inside another.

    A field of cents has two, of which a file holds one: `loss_cents` in cents, `loss` in euro.
    """
    return dict(_columns(COMMANDS[command], ""))


def _columns(model: type[BaseModel], prefix: str) -> list[tuple[str, Kind]]:
    found: list[tuple[str, Kind]] = []
    for name, field in model.model_fields.items():
        kind = _kind(field.annotation, name)
        if isinstance(kind, type):
            found += _columns(kind, f"{prefix}{name}.")
        else:
            found.append((f"{prefix}{name}", kind))
            if kind == "cents":
                found.append((f"{prefix}{name.removesuffix(CENTS)}", "amount"))
    return found


def _kind(annotation: object, name: str) -> Kind | type[BaseModel]:
    """Say what a field's annotation holds; of a union, the first part that a cell can be."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0], name)
    if origin in {Union, types.UnionType}:
        return _kind(next(part for part in get_args(annotation) if part is not type(None)), name)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if annotation is int and name.endswith(CENTS):
        return "cents"
    return _KINDS.get(origin or annotation, "text")


_KINDS: Mapping[object, Kind] = {list: "list", tuple: "list", bool: "truth", int: "number"}
"""Of what is not text to a cell."""
