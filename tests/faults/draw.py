"""Draw a fault: `python -m tests.faults.draw NUMBER…` changes one operator, word or number.

A number draws a line of `analytics/` or `queries/`, each as likely as any other, and one of the
changes of it, else of the next line that has any: the same for the same number and the same tree.
"""

from __future__ import annotations

import ast
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from tests.faults import ROOT

SEED = 44
_SQL = (
    (r"<=", "<"), (r">=", ">"), (r"<>", "="), (r"(?<![<>=])=(?![>=])", "<>"),
    (r"(?<= )<(?= )", "<="), (r"(?<= )>(?= )", ">="), (r"(?<= )\+(?= )", "-"),
    (r"(?<= )-(?= )", "+"), (r" \* (?!exclude|replace|rename|from|0)", " + "),
    (r"(?<!\w)-(?=[a-z(])", ""), (r"\bleft join\b", "join"), (r"\bfull join\b", "left join"),
    (r"\banti join\b", "semi join"), (r"\bsemi join\b", "anti join"),
    (r"\bunion all\b", "union"), (r"\bsum\(", "max("), (r"\bmin\(", "max("),
    (r"\bmax\(", "min("), (r"\barg_max\(", "arg_min("), (r"\barg_min\(", "arg_max("),
    (r"\bgreatest\(", "least("), (r"\bleast\(", "greatest("), (r"\bbool_or\(", "bool_and("),
    (r"\bbool_and\(", "bool_or("), (r"\bdistinct ", ""), (r"\bnot ", ""),
    (r"\band\b", "or"), (r"\bor\b", "and"), (r" desc\b", ""), (r"\bis null\b", "is not null"),
    (r"\bis not null\b", "is null"), (r"\bis not distinct from\b", "="),
    (r"\bis distinct from\b", "<>"), (r"(?<=, )0\)", "null)"), (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"), (r"\bcoalesce\((\w[\w.]*), 0\)", r"\1"), (r"\b1 month\b", "2 month"),
    (r" at time zone [\w'.]+(\('\w+'\))?", ""), (r"(?<=[ (])(\d+)(?=[ ,)])", "+1"),
)  # fmt: skip
_OPERATORS = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in", ast.Add: "-",
    ast.Sub: "+", ast.Mult: "+", ast.FloorDiv: "*", ast.And: "or", ast.Or: "and",
}  # fmt: skip
_IS_SQL = re.compile(r"\b(select|where|coalesce|sum)\b")

Changes = dict[int, list[str]]
"""Of each line of a file, by its number, the lines that may take its place."""


def changes_of_sql(lines: list[str], spans: Iterable[tuple[int, int, int | None]]) -> Changes:
    """Return the changes of SQL, which stands from a column of each line to another."""
    found: Changes = defaultdict(list)
    for number, start, end in spans:
        line = lines[number]
        code = line[start:end].partition("--")[0]
        for pattern, text in _SQL:
            for match in re.finditer(pattern, code):
                new = str(int(match[0]) + 1) if text == "+1" else match.expand(text)
                changed = code[: match.start()] + new + code[match.end() :]
                found[number].append(line[:start] + changed + line[start + len(code) :])
    return found


def changes_of_python(text: str, lines: list[str]) -> Changes:
    """Return the changes of operators, numbers, truths and conditions, and of SQL in texts."""
    found: Changes = defaultdict(list)
    for node in _nodes(ast.parse(text)):
        for line, start, end, new in _changes_of_node(node, lines):
            encoded = lines[line].encode()
            found[line].append((encoded[:start] + new.encode() + encoded[end:]).decode())
        match node:
            case ast.Constant(str(value)) | ast.JoinedStr([ast.Constant(value), *_]):
                if _IS_SQL.search(value):
                    for line, texts in changes_of_sql(lines, _lines_of(node)).items():
                        found[line] += texts
    return found


def _changes_of_node(node: ast.AST, lines: list[str]) -> Iterator[tuple[int, int, int, str]]:
    """Yield line, first and last byte, and the text in their place."""
    match node:
        case ast.Compare(left, operators, comparators):
            for pair, operator in zip(pairwise([left, *comparators]), operators, strict=True):
                yield from _between(*pair, operator, lines)
        case ast.BinOp(left, operator, right):
            yield from _between(left, right, operator, lines)
        case ast.BoolOp(operator, values):
            for pair in pairwise(values):
                yield from _between(*pair, operator, lines)
        case ast.UnaryOp(ast.Not(), operand) if node.lineno == operand.lineno:
            yield node.lineno - 1, node.col_offset, operand.col_offset, ""
        case ast.Constant(bool(value)):
            yield node.lineno - 1, node.col_offset, node.end_col_offset, str(not value)
        case ast.Constant(int(value)):
            yield node.lineno - 1, node.col_offset, node.end_col_offset, str(value + 1)
        case ast.If(test) | ast.IfExp(test) if test.lineno == test.end_lineno:
            segment = lines[test.lineno - 1].encode()[test.col_offset : test.end_col_offset]
            negated = f"not ({segment.decode()})"
            yield test.lineno - 1, test.col_offset, test.end_col_offset, negated


def _between(
    left: ast.expr, right: ast.expr, operator: ast.AST, lines: list[str]
) -> Iterator[tuple[int, int, int, str]]:
    """Yield the change of an operator that stands between its operands on one line."""
    gap = lines[right.lineno - 1].encode()[left.end_col_offset : right.col_offset]
    is_on_one_line = left.end_lineno == right.lineno and b"(" not in gap and b")" not in gap
    if is_on_one_line and type(operator) in _OPERATORS:
        new = f" {_OPERATORS[type(operator)]} "
        yield right.lineno - 1, left.end_col_offset, right.col_offset, new


def _lines_of(node: ast.expr) -> Iterator[tuple[int, int, int | None]]:
    """Yield each line of a text, and from where to where it has it."""
    first, last = node.lineno - 1, node.end_lineno - 1
    for line in range(first, last + 1):
        start = node.col_offset if line == first else 0
        yield line, start, node.end_col_offset if line == last else None


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that do something: no types, texts of documentation and decorators."""
    yield tree
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for each in value if isinstance(value, list) else [value]:
            match each:
                case ast.Expr(value=ast.Constant()) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
                    continue
                case ast.AST():
                    yield from _nodes(each)


def changes_of(path: Path) -> tuple[list[str], Changes]:
    """Return the lines of a file, and their changes."""
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    if path.suffix == ".py":
        return lines, changes_of_python(text, lines)
    return lines, changes_of_sql(lines, ((number, 0, None) for number in range(len(lines))))


def draw(number: int) -> tuple[Path, int, str, str]:
    """Return file, line, and what stands there and may take its place."""
    numbers = random.Random(f"{SEED}.{number}")
    paths = sorted([*(ROOT / "analytics").rglob("*.py"), *(ROOT / "queries").rglob("*.sql")])
    counts = [len(path.read_bytes().split(b"\n")) for path in paths]
    (path,) = numbers.choices(paths, counts)
    lines, changes = changes_of(path)
    if not changes:
        return path.relative_to(ROOT), 0, "", ""
    first = numbers.randrange(len(lines))
    place = min(changes, key=lambda line: (line < first, line))
    return path.relative_to(ROOT), place + 1, lines[place], numbers.choice(changes[place])


if __name__ == "__main__":
    for each in map(int, sys.argv[1:]):
        file, line, old, new = draw(each)
        print(f"{each} {file}:{line}\n  - {old.strip()}\n  + {new.strip()}")
