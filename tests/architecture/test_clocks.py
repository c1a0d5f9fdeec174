"""Only ledger.clock reads the clock, so that a test, an import or a simulated book can replace it."""

import ast
from pathlib import Path

from architecture.sources import modules, tree

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
