"""Write the generated parts of the documentation anew, as `make docs` does.

A generated part stands between `<!-- generated: name -->` and `<!-- end -->`; the name is that of
a maker below, or of a file of docs/deploy/.
"""

from __future__ import annotations

import inspect
import re
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from typer.main import get_command
from typer.testing import CliRunner

from analytics.batch.events import FIELDS
from analytics.cli.app import app
from analytics.levain import AsyncLevain, errors
from analytics.published.export.focus.files import SOURCES
from analytics.resources import folder
from analytics.transform.build import all_models, build
from analytics.transform.measures import measures
from analytics.transform.models import Model, read_header
from analytics.warehouse.database import attached_marts, open_warehouse
from analytics.warehouse.layout import Layout

DOCS = Path(__file__).parent
ROOT = DOCS.parent
WIDTH = "88"
SCHEMAS = {
    "marts": "Tables to rely on: runs, days, months, bills, and what describes them.",
    "audit": "Tables about the batch itself: loads, requests, checks, reconciliation.",
    "reports": "Tables that pages show, one a section.",
    "custom": "Relations of the user's own.",
}
"""A sentence on each published schema."""

_PART = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_LANGUAGES = {
    ".service": "ini",
    ".timer": "ini",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".Dockerfile": "dockerfile",
    ".sh": "sh",
}


class Column(NamedTuple):
    """A column of a published relation."""

    name: str
    kind: str
    meaning: str | None


class Table(NamedTuple):
    """A published relation."""

    meaning: str
    columns: list[Column]


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
    return _PART.sub(lambda part: f"{part[1]}\n{_made(part[2])}\n\n{part[3]}", text)


def _made(name: str) -> str:
    if "." not in name and name in MAKERS:
        return MAKERS[name]().strip("\n")
    file = DOCS / "deploy" / name
    language = _LANGUAGES.get(file.suffix, file.name.lower())
    return f"```{language}\n{file.read_text(encoding='utf-8').rstrip()}\n```"


def commands(given: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command and group, the outermost first."""
    command = given or get_command(app)
    yield path
    for name, each in getattr(command, "commands", {}).items():
        if not each.hidden:
            yield from commands(each, (*path, name))


def help_of(path: tuple[str, ...]) -> str:
    """Return the help of a command, as on a terminal of WIDTH columns."""
    result = CliRunner(env={"COLUMNS": WIDTH, "TERMINAL_WIDTH": WIDTH}).invoke(
        app, [*path, "--help"], prog_name="analytics"
    )
    return "\n".join(line.rstrip() for line in result.output.strip().splitlines())


def _commands() -> str:
    return "\n\n".join(
        f"## {' '.join(['analytics', *path])}\n\n```text\n{help_of(path)}\n```"
        for path in commands()
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
            "select schema_name || '.' || table_name, tables.comment, column_name, data_type,"
            " columns.comment from duckdb_columns() as columns join duckdb_tables() as tables"
            " using (database_name, schema_name, table_name) where database_name = 'build_file'"
            " order by schema_name, table_name, column_index"
        ).fetchall()
    return {
        relation: Table(comment, [Column(*row[2:]) for row in of_relation])
        for (relation, comment), of_relation in groupby(rows, itemgetter(0, 1))
    }


@cache
def models() -> dict[str, Model]:
    """Return each model by its relation."""
    return {model.relation: model for model in all_models(folder("queries"))}


def sources_of(relation: str) -> set[str]:
    """Return the raw tables that a relation is made of, over all that it reads."""
    if relation not in models():
        return {relation} if relation.startswith("raw.") else set()
    return set().union(*(sources_of(each) for each in models()[relation].reads))


def _tables(schema: str) -> str:
    return "\n\n".join(
        _table(relation) for relation in tables() if relation.startswith(f"{schema}.")
    )


def _table(relation: str) -> str:
    table, model = tables()[relation], models().get(relation)
    lines = [f"### {relation.partition('.')[2]}", "", table.meaning, ""]
    if model is not None:
        facts = {
            "Key": model.header.key,
            "Reads": sorted(each.partition(".")[2] for each in model.reads),
            "Made of": sorted(sources_of(relation) - {"raw.superseded"}),
            "Read by": sorted(each.name for each in models().values() if relation in each.reads),
        }
        lines += [
            f"- {label}: {', '.join(f'`{name}`' for name in names)}"
            for label, names in facts.items()
            if names
        ]
        lines += [""]
    lines += ["| column | type | meaning |", "| --- | --- | --- |"]
    lines += [
        f"| `{each.name}` | {each.kind} | {_cell(each.meaning or '')} |" for each in table.columns
    ]
    return "\n".join(lines)


def _reports() -> str:
    lines = ["| relation | holds |", "| --- | --- |"]
    for relation, table in tables().items():
        schema, _, name = relation.partition(".")
        if schema == "reports":
            lines += [f"| `{name}` | {_cell(table.meaning)} |"]
    return "\n".join(lines)


def _measures() -> str:
    lines = ["| measure | unit | may be summed | meaning |", "| --- | --- | --- | --- |"]
    for each in measures().values():
        summed = "yes" if each.additive else f"no: `marts.{each.macro}`"
        lines.append(f"| `{each.name}` | {each.unit} | {summed} | {_cell(each.meaning)} |")
    return "\n".join(lines)


def _questions() -> str:
    lines = ["| name | asks |", "| --- | --- |"]
    for file in sorted((folder("queries") / "adhoc").glob("*.sql")):
        header = read_header(file.read_text(encoding="utf-8"))
        lines.append(f"| `{file.stem}` | {_cell(header.description.partition('?')[0])}? |")
    return "\n".join(lines)


def _controls() -> str:
    lines = ["| control | first source | second source | claim |", "| --- | --- | --- | --- |"]
    for _, header in _checks():
        if header.control:
            first, second = header.sources
            lines.append(
                f"| {header.control} | `{first}` | `{second}` | {_cell(header.description)} |"
            )
    return "\n".join(lines)


def _sums() -> str:
    lines = ["| check | claim |", "| --- | --- |"]
    lines += [
        f"| `{name}` | {_cell(header.description)} |"
        for name, header in _checks()
        if not header.control
    ]
    return "\n".join(lines)


def _checks() -> list[tuple[str, Any]]:
    files = sorted((folder("queries") / "checks").glob("*.sql"))
    return [(each.stem, read_header(each.read_text(encoding="utf-8"))) for each in files]


def _schemas() -> str:
    lines = ["| schema | holds |", "| --- | --- |"]
    present = {relation.partition(".")[0] for relation in tables()}
    lines += [f"| `{name}` | {text} |" for name, text in SCHEMAS.items() if name in present]
    return "\n".join(lines)


def _focus() -> str:
    parts = []
    for dataset in SOURCES.values():
        parts += [f"### {dataset.title}\n\n| column | is |\n| --- | --- |"]
        for each in dataset.columns:
            parts[-1] += f"\n| `{each.name}` | {_cell(each.meaning)} |"
    return "\n\n".join(parts)


def _resources() -> str:
    lines = ["| method | does |", "| --- | --- |"]
    for name, resource in inspect.getmembers(AsyncLevain, lambda each: hasattr(each, "func")):
        kind = inspect.get_annotations(resource.func, eval_str=True)["return"]
        for method, function in vars(kind).items():
            if not method.startswith("_") and (text := inspect.getdoc(function)):
                first = text.partition("\n\n")[0].replace("\n", " ")
                lines.append(f"| `{name}.{method}` | {_cell(first)} |")
    return "\n".join(lines)


def _events() -> str:
    lines = ["| field | meaning |", "| --- | --- |"]
    lines += [f"| `{name}` | {_cell(meaning)} |" for name, meaning in FIELDS.items()]
    return "\n".join(lines)


def _errors() -> str:
    tree = inspect.getdoc(errors) or ""
    return f"```text\n{tree.partition(chr(10) * 2)[2]}\n```"


def _cell(text: str) -> str:
    """Return a text as the cell of a table, on one line and without a column's end."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


MAKERS: dict[str, Callable[[], str]] = {
    "commands": _commands,
    "schemas": _schemas,
    "marts": lambda: _tables("marts"),
    "audit": lambda: _tables("audit"),
    "reports": _reports,
    "measures": _measures,
    "questions": _questions,
    "controls": _controls,
    "sums": _sums,
    "focus": _focus,
    "resources": _resources,
    "events": _events,
    "errors": _errors,
}

if __name__ == "__main__":
    main()
