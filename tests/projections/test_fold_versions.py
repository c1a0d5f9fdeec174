"""A fold that gives something else has a higher version, so that each book's view is built anew with it.

When this fails: if the change lets any row come out otherwise, raise the view's `version`; then write the
digests anew: `python tests/projections/test_fold_versions.py`.
"""

import ast
import hashlib
import inspect
import json
import sys
from pathlib import Path
from types import ModuleType

from ledger.domain import calendar, deadlines
from ledger.domain.claim import state as claim_state
from ledger.domain.complaint import state as complaint_state
from ledger.domain.contract import state as contract_state
from projections.runner import view as versions
from projections.views.registry import VIEWS

PINNED = Path(__file__).with_name("fold_versions.json")

DEADLINES = (calendar, deadlines)
RESTS_ON: dict[str, tuple[ModuleType, ...]] = {
    "limits": (calendar,),
    "due": DEADLINES,
    "contracts": (contract_state, *DEADLINES),
    "claims": (claim_state,),
    "complaints": (complaint_state,),
    "refunds": (claim_state, calendar, deadlines),
    "reserves": (claim_state,),
    "bordereau": (claim_state,),
}


def digest(module: ModuleType) -> str:
    """Of what a module does: comments, docstrings and layout do not count."""
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _says_only(one)]  # type: ignore[attr-defined]  # it has one
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


def _says_only(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def present() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for name, view in VIEWS.items():
        fold = sys.modules[f"projections.views.{name}"]
        modules = (fold, versions, *RESTS_ON.get(name, ()))
        found[name] = {
            "version": view.version,
            "folds": {module.__name__: digest(module) for module in modules},
        }
    return found


def test_whoever_changes_a_fold_says_whether_views_must_be_built_anew() -> None:
    pinned = json.loads(PINNED.read_text(encoding="utf-8"))
    now = present()
    assert {name: said for name, said in now.items() if pinned.get(name) != said} == {}, __doc__
    assert pinned == now, __doc__


if __name__ == "__main__":
    PINNED.write_text(json.dumps(present(), indent=2) + "\n", encoding="utf-8")
