"""The documentation is complete: commands, settings, tables, exit codes and messages."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.main import get_command

import analytics
from analytics import errors, settings
from analytics.cli import options as options_of_commands
from analytics.cli.app import app
from analytics.cli.runs import watching
from analytics.fleet import settings as fleet
from analytics.levain import errors as api_errors
from docs import generate
from tests.docs.messages import messages
from tests.docs.pages import ROOT, rows, text_of

ALL = "".join(page.read_text(encoding="utf-8") for page in generate.pages())
NONE = (msgspec.NODEFAULT, "", None)
COMMANDS = list(generate.commands())


@cache
def options(path: tuple[str, ...]) -> set[str]:
    """Return the long options of a command."""
    command: Any = get_command(app)
    for name in path:
        command = command.commands[name]
    return {name for each in command.params for name in each.opts if name.startswith("--")}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_each_command_is_documented(path: tuple[str, ...]) -> None:
    """A command has a section of its own, in which each of its options is named."""
    heading = f"\n## {' '.join(['analytics', *path])}\n"
    section = text_of("cli.md").partition(heading)[2].partition("\n## ")[0]

    assert section
    assert options(path) <= set(re.findall(r"--[\w.-]*\w", section))


def test_commands_in_the_text_exist() -> None:
    """A command in running text exists, and has the options that it is given."""
    for text in re.findall(r"`(analytics [a-z][^`\n]*)`", ALL):
        words = text.split()[1:]
        path = max((each for each in COMMANDS if tuple(words[: len(each)]) == each), key=len)
        assert path, text
        assert set(re.findall(r"--[a-z-]+", text)) <= {*options(path), "--help"}, text


def test_each_setting_is_documented() -> None:
    """The table of settings has each field with its default, and nothing else."""
    documented = {
        name.strip("`"): default.strip("`")
        for name, default, _ in rows(text_of("configuration.md"), "setting | default | meaning")
    }
    tables = {"[[workspaces]]": settings.Workspace} | {
        f"[{field.name}]": field.type
        for field in msgspec.structs.fields(settings._File)
        if field.name != "workspaces"
    }
    expected = {
        f"{table} {field.name}": "" if field.default in NONE else json.dumps(field.default)
        for table, kind in tables.items()
        for field in msgspec.structs.fields(kind)
    }
    expected["[[workspaces]] api"] = "LEVAIN_API"

    assert documented == expected


def test_each_setting_of_a_fleet_is_documented() -> None:
    """The table of settings of a fleet has each field with its default, and nothing else."""
    documented = {
        name.strip("`"): default.strip("`")
        for name, default, _ in rows(text_of("fleet.md"), "setting | default | meaning")
    }
    tables = {
        "": fleet._File,
        "[task] ": fleet.Task,
        "[publish] ": fleet.Publication,
        "[[workspaces]] ": fleet.Member,
    }
    expected = {
        f"{table}{field.name}": "" if field.default in NONE else json.dumps(field.default)
        for table, kind in tables.items()
        for field in msgspec.structs.fields(kind)
        if field.name not in ("task", "publish", "workspaces")
    }
    expected["[[workspaces]] api"] = "LEVAIN_API"

    assert documented == expected


def test_each_variable_is_documented() -> None:
    """Each variable that the settings or an option reads is in the table of variables."""
    modules = (settings, options_of_commands)
    source = "".join(Path(each.__file__).read_text(encoding="utf-8") for each in modules)
    table = rows(text_of("configuration.md"), "variable | option | default | meaning")

    assert {row[0].strip("`") for row in table} == set(
        re.findall(r'"((?:LEVAIN|ANALYTICS)_[A-Z_]+)"', source)
    )


def test_each_column_is_documented() -> None:
    """Each column of schemas marts and audit has its type and its meaning in the data model."""
    page = text_of("data-model.md")
    for relation, table in generate.tables().items():
        schema, _, name = relation.partition(".")
        assert f"`{name}`" in page or f"\n### {name}\n" in page
        if schema in ("marts", "audit"):
            section = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
            assert [row[0].strip("`") for row in rows(section, "column | type | meaning")] == [
                column.name for column in table.columns
            ]
            assert all(column.meaning for column in table.columns), relation


def test_each_exit_code_is_documented() -> None:
    """The table of exit codes has each code that a command can end with, and no other."""
    ours = [getattr(each, "exit_code", None) for each in vars(errors).values()]
    codes = {0, errors.INTERRUPTED, *ours, *watching.EXIT_CODES.values()} - {None}
    table = rows(text_of("runbook.md"), "exit | meaning | do")

    assert {int(code) for row in table for code in row[0].split(", ")} == codes


def test_each_message_is_documented() -> None:
    """The runbook has each message of an error once, with cause and remedy, and no other."""
    table = rows(text_of("runbook.md"), "message | cause | remedy")

    assert [row for row in table if len(row) != 3 or not all(row)] == []
    assert sorted(row[0] for row in table) == sorted(messages(ROOT / "analytics"))


def test_messages_are_found(tmp_path: Path) -> None:
    """Of a message the first line counts, with a gap for each value; each alternative counts.

    Those of a class that inherits from an error count too.
    """
    (tmp_path / "module.py").write_text(
        "class UsageError(AnalyticsError): ...\nclass WorseError(UsageError): ...\n"
        'raise WorseError(file, f"{file} is worse")\n'
        'raise UsageError(f"No {thing}: {why}.\\nDo that." + more)\n'
        'raise ModelError(file, "is empty" if is_empty else "is full")\n'
        'raise AnalyticsError("\\n".join([f"Failed: {reason}", *lines]))\n'
        'raise AnalyticsError(f"{error}.")\n'
        'raise ValueError("not one of a user")\n',
        encoding="utf-8",
    )

    assert messages(tmp_path) == {"No …: …", "is empty", "is full", "Failed: …", "… is worse"}


def test_each_error_of_the_client_is_documented() -> None:
    """The page of the Python client names each error of the API client."""
    names = {name for name, _ in inspect.getmembers(api_errors, inspect.isclass)}

    assert {name for name in names if name not in text_of("python-client.md")} <= {"ClassVar"}


def test_each_error_of_a_request_is_in_the_runbook() -> None:
    """The runbook has each error that a request can end with, and no other."""
    kinds = {each for _, each in inspect.getmembers(api_errors, inspect.isclass)}
    abstract = {api_errors.LevainError, api_errors.TransientError, api_errors.StatusError}
    raised = {
        each.__name__ for each in kinds - abstract if issubclass(each, api_errors.LevainError)
    }
    table = rows(text_of("runbook.md"), "cause | error | remedy")

    assert sorted(row[1].strip("`") for row in table) == sorted(raised)


def test_the_glossary_is_sorted() -> None:
    """Each word stands once, in alphabetical order."""
    words = [word for word, _ in rows(text_of("glossary.md"), "word | means")]

    assert words == sorted(set(words))


def test_versions_are_this_one() -> None:
    """Where a file to deploy names a release, it is this one."""
    found = [
        version
        for file in (generate.DOCS / "deploy").iterdir()
        for version in re.findall(
            r"levain-analytics(?:-fleet)?:(\d[\w.]*)", file.read_text("utf-8")
        )
    ]

    assert set(found) == {analytics.__version__}
