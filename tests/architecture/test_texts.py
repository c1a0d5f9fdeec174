"""Messages are for people to read: no code tests one, or takes one apart."""

import ast
from collections.abc import Iterator

import pytest

from architecture.sources import SOURCE, modules, tree

MESSAGES = {"message", "messages", "detail", "stderr", "msg", "reason", "title"}
"""Names and attributes that hold what somebody is told."""

ERRORS = {"error", "refusal", "invalid", "exception"}
"""Names under which errors are passed along."""

TAKES_APART = {
    *("startswith", "endswith", "split", "rsplit", "partition", "rpartition", "splitlines"),
    *("removeprefix", "removesuffix", "replace", "find", "rfind", "index", "count"),
}
MATCHES = {"match", "fullmatch", "search", "findall", "finditer", "split", "sub"}

OF_OTHER_PROGRAMS = {
    "ledger/postgres/cluster.py": 2,  # which line of initdb's tells most, to be shown
    "ledger/store/append.py": 1,  # Postgres names the key that stood already in its DETAIL alone
}
"""File → lines that may be found in it. What others wrote and give no code for; none is of our own texts."""


def takes_a_message_apart(module: ast.Module) -> list[int]:
    """Lines on which a text that somebody is told is tested or taken apart."""
    return sorted(set(_found(list(ast.walk(module)))))


def _found(nodes: list[ast.AST]) -> Iterator[int]:
    caught = {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name} | ERRORS
    for node in nodes:
        match node:
            case ast.Compare(left, operators, others):
                compared = zip([left, *others], operators, others, strict=False)
                if any(_tests(one, by, other, caught) for one, by, other in compared):
                    yield node.lineno
            case ast.Call(ast.Attribute(of, method), arguments) if method in TAKES_APART:
                # `split()` alone puts a text into one line.
                if (arguments or method == "splitlines") and _is_message(of, caught):
                    yield node.lineno
            case ast.Call(ast.Attribute(_, method), arguments) if method in MATCHES:
                if any(_is_message(argument, caught) for argument in arguments):
                    yield node.lineno
            case ast.Subscript(of, ast.Slice()) if _is_message(of, caught):
                yield node.lineno


def _tests(one: ast.expr, by: ast.cmpop, other: ast.expr, caught: set[str]) -> bool:
    match by:
        case ast.In() | ast.NotIn():
            return _is_message(other, caught)
        case ast.Eq() | ast.NotEq():
            texts = [one, other]
            return any(isinstance(text, ast.Constant | ast.JoinedStr) for text in texts) and any(
                _is_message(text, caught) for text in texts
            )
        case _:
            return False


def _is_message(node: ast.expr, caught: set[str]) -> bool:
    """Whether it is a text that somebody is told. `caught`: names of errors, whose text `str` gives."""
    match node:
        case ast.Name(name) | ast.Attribute(_, name) | ast.Subscript(_, ast.Constant(name)) if (
            name in MESSAGES
        ):
            return True
        case ast.Call(ast.Name("str" | "repr"), [ast.Name(name)]):
            return name in caught
        case ast.Subscript(ast.Attribute(_, "args"), _):
            return True
        case ast.Call(ast.Attribute(of, method)) if method in {"lower", "casefold", "strip", *TAKES_APART}:
            return _is_message(of, caught)
        case ast.Subscript(of, ast.Slice() | ast.Constant(int())):
            return _is_message(of, caught)
        case _:
            return False


@pytest.mark.parametrize(
    "line",
    [
        "if 'lies after' in message: pass",
        "if 'x' in answer.message.lower(): pass",
        "fields = message.replace(';', ':').split(':')",
        "said = fault['msg'].removeprefix('Value error, ')",
        "code = error.args[0].partition(':')[0]",
        "found = re.search('after (.*)', problem.detail)",
        "shown = f'P{message[1:]}.'",
        "if answer.message == 'The claim is decided.': pass",
        "try: pass\nexcept ValueError as wrong:\n    if 'offset' in str(wrong): pass",
    ],
)
def test_a_text_that_is_taken_apart_is_found(line: str) -> None:
    assert takes_a_message_apart(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    [
        "said = ' '.join(str(error).split())",
        "if answer.code == 'LIMIT_COUNT': pass",
        "message = f'{field}: is missing'",
        "if message is not None: raise Problem('INVALID', message)",
    ],
)
def test_a_text_that_is_shown_is_not(line: str) -> None:
    assert takes_a_message_apart(ast.parse(line)) == []


def test_no_sentence_is_parsed_anywhere() -> None:
    found = {str(path.relative_to(SOURCE)): takes_a_message_apart(tree(path)) for _, path in modules()}
    assert {name: len(lines) for name, lines in found.items() if lines} == OF_OTHER_PROGRAMS, found
