"""The messages of errors that a user can meet, as the package's source has them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product
from pathlib import Path

ROOTS = {"AnalyticsError", "ModelError"}
"""Errors whose messages reach a user; those of classes that inherit from them do too."""

GAP = "…"


def messages(package: Path) -> set[str]:
    """Return the first line of each message, with a gap for each part that is known at run time.

    A message of gaps alone is an answer of the API, and left out.
    """
    nodes = [
        node
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]
    errors = _with_heirs(ROOTS, [node for node in nodes if isinstance(node, ast.ClassDef)])
    return {
        message
        for node in nodes
        if isinstance(node, ast.Call) and _name(node.func) in errors and node.args
        for text in _texts(node.args[-1])
        for message in [text.partition("\n")[0].rstrip(" .")]
        if any(each.isalpha() for each in message)
    }


def _with_heirs(names: set[str], classes: list[ast.ClassDef]) -> set[str]:
    heirs = {each.name for each in classes if names & {_name(base) for base in each.bases}}
    return names if heirs <= names else _with_heirs(names | heirs, classes)


def _name(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def _texts(node: ast.expr) -> Iterator[str]:
    """Yield each text that an expression can be."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values):
            parts = [_texts(each) if isinstance(each, ast.Constant) else [GAP] for each in values]
            yield from ("".join(chosen) for chosen in product(*parts))
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body)
            yield from _texts(orelse)
        case ast.BinOp(left, ast.Add(), right):
            yield from (a + b for a, b in product(_texts(left), _texts(right)))
        case ast.Call(ast.Attribute(value=ast.Constant(value="\n"), attr="join"), [lines]):
            lists = [each for each in ast.walk(lines) if isinstance(each, ast.List)]
            yield from _texts(lists[0].elts[0]) if lists else [GAP]
        case _:
            yield GAP
