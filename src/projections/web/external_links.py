"""What the time side tells on the site's pages: asked through the program's entry points, never imported.

Projections and schedulers do not know each other. Each name of the group `coverledger.told` leads to a
callable that takes the wiring and what is asked for, and gives what a command prints with `--json`.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Final

from ledger.app import App

GROUP: Final = "coverledger.told"

Tell = Callable[[App, Mapping[str, str]], Any]


def told_elsewhere(name: str, wiring: App, asked: Mapping[str, str]) -> Any:  # noqa: ANN401  # JSON
    """Return what is told under a name. Raises `KeyError` where no package tells it."""
    return _tells()[name](wiring, asked)


@cache
def _tells() -> Mapping[str, Tell]:
    return {point.name: point.load() for point in entry_points(group=GROUP)}
