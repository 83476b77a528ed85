"""What the documentation names is there, and what readers must know of is named."""

from __future__ import annotations

import ast
import inspect
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic_core import PydanticUndefined
from typer.main import get_command

import analytics
from analytics import errors, settings
from analytics.cli import options as options_of_commands
from analytics.cli.app import app
from analytics.cli.runs import followed
from analytics.fleet import settings as fleet
from analytics.levain import errors as api_errors
from analytics.report import spec
from docs import generate
from tests.docs.pages import ROOT, rows, text_of

ALL = "".join(page.read_text(encoding="utf-8") for page in generate.pages())
NONE = (PydanticUndefined, "", None)
COMMANDS = list(generate.commands())


@cache
def options(path: tuple[str, ...]) -> set[str]:
    """Return the long options of a command."""
    command: Any = get_command(app)
    for name in path:
        command = command.commands[name]
    return {name for each in command.params for name in each.opts if name.startswith("--")}


def test_commands_in_the_text_exist() -> None:
    """A command in running text exists, and has the options that it is given."""
    for text in re.findall(r"`(analytics [a-z][^`\n]*)`", ALL):
        words = text.split()[1:]
        path = max((each for each in COMMANDS if tuple(words[: len(each)]) == each), key=len)
        assert path, text
        assert set(re.findall(r"--[a-z-]+", text)) <= {*options(path), "--help"}, text


TABLES: dict[str, dict[str, Any]] = {
    "configuration.md": {"[[workspaces]] ": settings.Workspace}
    | {
        f"[{name}] ": field.annotation
        for name, field in settings.SettingsFile.model_fields.items()
        if name != "workspaces"
    },
    "fleet.md": {
        "": fleet._File,
        "[task] ": fleet.Task,
        "[publish] ": fleet.Publication,
        "[[workspaces]] ": fleet.Member,
    },
}


@pytest.mark.parametrize("page", TABLES)
def test_each_setting_is_documented(page: str) -> None:
    """The table of settings has each field with its default, and nothing else."""
    documented = {
        name.strip("`"): default.strip("`")
        for name, default, _ in rows(text_of(page), "setting | default | meaning")
    }
    expected = {
        f"{table}{name}": "" if field.default in NONE else json.dumps(field.default)
        for table, kind in TABLES[page].items()
        for name, field in kind.model_fields.items()
        if table or name not in ("task", "publish", "workspaces")
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


def test_each_exit_code_is_documented() -> None:
    """The table of exit codes has each code that a command can end with, and no other."""
    ours = [getattr(each, "exit_code", None) for each in vars(errors).values()]
    signals = (errors.INTERRUPTED, errors.READER_GONE)
    codes = {0, *signals, *ours, *followed.EXIT_CODES.values()} - {None}
    table = rows(text_of("operations.md"), "exit | meaning | do")

    assert {int(code) for row in table for code in row[0].split(", ")} == codes


def test_messages_in_the_runbook_exist() -> None:
    """Each part of a message or warning that the runbook has is a text of the package."""
    texts = {
        node.value
        for path in (ROOT / "analytics").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    page = text_of("operations.md")
    told = [*rows(page, "message | do"), *rows(page, "warning | decide")]
    parts = {part.strip(" ,") for row in told for part in row[0].split("…")} - {""}

    assert told
    assert [part for part in parts if not any(part in text for text in texts)] == []


def test_each_error_of_the_client_is_documented() -> None:
    """The page of the Python client names each error of the API client."""
    names = {name for name, _ in inspect.getmembers(api_errors, inspect.isclass)}

    assert {name for name in names if name not in text_of("python-client.md")} <= {"ClassVar"}


def test_the_marks_of_pages_are_explained() -> None:
    """The table of marks has each mark that a page can be declared with, and no other."""
    told = [mark.strip("`") for mark, _ in rows(text_of("pages.md"), "mark | shows")]

    assert told == [*get_args(spec.Mark)]


def test_words_are_sorted() -> None:
    """Each word stands once, in alphabetical order."""
    words = [word for word, _ in rows(text_of("definitions.md"), "word | means")]

    assert words
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


WITHOUT_RULES = "An example: which agents fail expensively"


def test_each_heading_has_cases() -> None:
    """The headings of docs/definitions.md are those of the cases, in its order."""
    document = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
    cases = (ROOT / "tests" / "models" / "definitions.txt").read_text(encoding="utf-8")
    headings = re.findall(r"^##? (.+)$", document, re.MULTILINE)

    assert re.findall(r"^# (.+[^.\n])$", cases, re.MULTILINE) == [
        heading for heading in headings if heading != WITHOUT_RULES
    ]
