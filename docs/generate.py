"""Write the generated parts of the documentation anew, as `make docs` does.

A generated part stands between `<!-- generated: name -->` and `<!-- end -->`; the name is that of
a maker below.
"""

from __future__ import annotations

import ast
import inspect
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from typer.main import get_command

from analytics.cli.app import app
from analytics.files import folder
from analytics.levain import AsyncLevain, errors
from analytics.levain.paging import Resource
from analytics.query.tables import overview
from analytics.transform.build import build
from analytics.transform.checks import all_checks
from analytics.transform.measures import measures
from analytics.warehouse.database import attached_marts, open_warehouse
from analytics.warehouse.layout import Layout

DOCS = Path(__file__).parent
ROOT = DOCS.parent

_PART = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_GRAIN = re.compile(r"Grain: (.+)\.$")


class Table(NamedTuple):
    """A published relation: its comment, and its columns."""

    meaning: str
    columns: list[str]


def main() -> None:
    """Write each page whose generated parts have changed."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (new := renewed(text)) != text:
            page.write_text(new, encoding="utf-8")


def pages() -> list[Path]:
    """Return every page of docs/, and those at the top level but for the changelog."""
    tops = [each for each in sorted(ROOT.glob("*.md")) if each.name != "CHANGELOG.md"]
    return [*tops, *sorted(DOCS.glob("*.md"))]


def renewed(text: str) -> str:
    """Return a page with its generated parts made anew."""
    return _PART.sub(lambda part: f"{part[1]}\n{MAKERS[part[2]]()}\n\n{part[3]}", text)


def commands(given: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command and group, the outermost first."""
    command = given or get_command(app)
    yield path
    for name, each in getattr(command, "commands", {}).items():
        if not each.hidden:
            yield from commands(each, (*path, name))


def _entries() -> str:
    every: Any = get_command(app)
    return _table(
        "command | does",
        (
            (f"`{name}`", each.get_short_help_str(limit=200))
            for name, each in every.commands.items()
        ),
    )


@cache
def tables() -> dict[str, Table]:
    """Return each published relation, as a build of no data makes it."""
    with (
        tempfile.TemporaryDirectory() as data,
        open_warehouse(Layout(Path(data))) as con,
        attached_marts(con, Path(":memory:")),
    ):
        build(con, timezone="UTC")
        rows = con.execute(
            "select schema_name || '.' || table_name, tables.comment, column_name"
            " from duckdb_columns() as columns join duckdb_tables() as tables"
            " using (database_name, schema_name, table_name) where database_name = 'build_file'"
            " order by schema_name, table_name, column_index"
        ).fetchall()
    return {
        relation: Table(comment, [column for _, _, column in of_relation])
        for (relation, comment), of_relation in groupby(rows, itemgetter(0, 1))
    }


def _overview() -> str:
    lines = []
    for group, of_group in overview().items():
        lines.append((f"**{group}**", "", ""))
        for relation, columns in of_group.items():
            grain = _GRAIN.search(tables()[relation].meaning)
            name = relation.removeprefix("marts.")
            lines.append((f"`{name}`", grain[1] if grain else "", f"`{columns}`"))
    return _table("table | one row per | columns to know", lines)


def _macros() -> str:
    return _table(
        "measure | formed anew by | meaning",
        (
            (f"`{each.name}`", f"`marts.{each.macro}`", each.meaning)
            for each in measures().values()
            if each.macro
        ),
    )


def _controls() -> str:
    return _table(
        "control | first source | second source | claim",
        (
            (header.control, *(f"`{each}`" for each in header.sources), header.description)
            for header in (check.header for check in all_checks(folder("queries")))
            if header.control
        ),
    )


def _sums() -> str:
    checks = (each for each in all_checks(folder("queries")) if not each.header.control)
    return ",\n".join(f"`{each.name}`" for each in checks) + "."


def _resources() -> str:
    lines = []
    for name, resource in inspect.getmembers(AsyncLevain("key"), lambda x: isinstance(x, Resource)):
        methods = [f"`{each}`" for each in vars(type(resource)) if not each.startswith("_")]
        lines.append((f"`{name}`", ", ".join(methods)))
    return _table("resource | methods", lines)


def _packages() -> str:
    files = sorted((ROOT / "analytics").glob("*/__init__.py"))
    return _table(
        "folder | holds",
        (
            (f"`analytics/{file.parent.name}/`", (_docstring(file) or "").partition("\n")[0])
            for file in files
        ),
    )


def _docstring(file: Path) -> str | None:
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


def _errors() -> str:
    tree = inspect.getdoc(errors) or ""
    return f"```text\n{tree.partition(chr(10) * 2)[2]}\n```"


def _table(head: str, rows: Iterable[Sequence[str | None]]) -> str:
    lines = [head, " | ".join("---" for _ in head.split(" | "))]
    lines += [" | ".join(_cell(each or "") for each in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(text: str) -> str:
    """Return a text as the cell of a table, on one line and without a column's end."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


MAKERS: dict[str, Callable[[], str]] = {
    "commands": _entries,
    "overview": _overview,
    "macros": _macros,
    "controls": _controls,
    "sums": _sums,
    "resources": _resources,
    "errors": _errors,
    "packages": _packages,
}

if __name__ == "__main__":
    main()
