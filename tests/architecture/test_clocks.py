"""Only ledger.clock reads the clock, so that a test, an import or a simulated book can replace it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from architecture.sources import ROOT, modules, tree

CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
}
"""Owner and function, however the owner was imported. A duration (time.monotonic) is no clock."""


def clocks_read(path: Path) -> list[str]:
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value).split(".")[-1]
            if (owner, node.func.attr) in CLOCKS:
                found.append(f"line {node.lineno}: {ast.unparse(node.func)}()")
    return found


def test_no_module_but_the_clock_reads_the_clock() -> None:
    reading = [
        f"{module}: {read}"
        for module, path in modules()
        if module != "ledger.clock"
        for read in clocks_read(path)
    ]
    assert reading == []


def test_the_domain_does_not_even_import_the_clock_or_time() -> None:
    named = [
        module
        for module, path in modules("ledger.domain")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and (
            "ledger.clock" in ast.unparse(node) or ast.unparse(node).startswith(("import time", "from time "))
        )
    ]
    assert named == []


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """All that is computed when a module is imported: decorators and defaults, no body of a function."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        children: list[ast.AST] = [*node.decorator_list, node.args]
    elif isinstance(node, ast.Lambda):
        children = [node.args]
    else:
        children = list(ast.iter_child_nodes(node))
    for child in children:
        yield child
        yield from run_at_import(child)


def clocks_read_at_import(module: ast.Module) -> list[str]:
    return [
        ast.unparse(node.func)
        for node in run_at_import(module)
        if isinstance(node, ast.Call)
        and (
            ast.unparse(node.func).split(".")[-1] == "machine_now"
            or tuple(ast.unparse(node.func).split(".")[-2:]) in CLOCKS
        )
    ]


def test_fault_61_no_test_asks_the_time_when_it_is_imported() -> None:
    tests = sorted((ROOT / "tests").rglob("*.py"))
    assert {path.name: read for path in tests if (read := clocks_read_at_import(tree(path)))} == {}


@pytest.mark.parametrize(
    ("written", "is_read"),
    [
        ("NOW = datetime.now(UTC)", True),
        ("TOKEN = forged(expires=int(time.time()) + 600)", True),
        ("@pytest.mark.parametrize('at', [datetime.datetime.now(UTC)])\ndef test_it(at): ...", True),
        ("def token(at=machine_now()): ...", True),
        ("class Token:\n    made_at = machine_now()", True),
        ("def token():\n    return forged(datetime.now(UTC))", False),
        ("token = lambda: forged(datetime.now(UTC))", False),
        ("BEGUN = time.monotonic()", False),
    ],
)
def test_fault_61_a_time_asked_at_import_is_found_wherever_it_stands(written: str, *, is_read: bool) -> None:
    assert bool(clocks_read_at_import(ast.parse(written))) is is_read
