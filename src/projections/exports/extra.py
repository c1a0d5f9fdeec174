"""What only some exports need is installed by those who want them: the extra `export`."""

from importlib import import_module
from typing import Any

from ledger.errors import Rejected


def needed(module: str, what: str) -> Any:  # noqa: ANN401  # a module
    """Give a module of the extra. Raises `Rejected`, with what to type, where it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        message = f"To write {what}, {module.partition('.')[0]} is needed: pip install 'coverledger[export]'."
        raise Rejected(message) from error
