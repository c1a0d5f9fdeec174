"""The house's names: words that say nothing are not used."""

import ast
import re

from architecture.sources import modules, tree

EMPTY = re.compile(r"(Manager|Helper|Util|Utils|Service|Handler|Processor)$")


def test_no_class_bears_a_name_that_says_nothing() -> None:
    named = [
        f"{module}.{node.name}"
        for module, path in modules()
        if module != "ledger.domain.refusals"  # named by the rules' own codes
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and EMPTY.search(node.name)
    ]
    assert named == []


def test_no_module_bears_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "misc", "common", "manager", "service"}
    assert [module for module, _ in modules() if module.split(".")[-1] in empty] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        module for module, path in modules() if path.read_text().strip() and not ast.get_docstring(tree(path))
    ]
    assert silent == []
