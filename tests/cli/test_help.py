"""What helps at the prompt: help, completion, and what was probably meant."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analytics.cli.app import app
from docs import generate
from tests.cli.conftest import Command, FirstBatch

COMMANDS = [
    command.name or command.callback.__name__
    for command in app.registered_commands
    if command.callback is not None
]
GROUPS = [group.name for group in app.registered_groups]


def test_the_list_of_commands_is_whole(analytics: Command) -> None:
    """Each command has a line of its own, which is not cut."""
    lines = analytics("--help").out.partition("Commands:")[2].splitlines()

    assert {line.split()[0] for line in lines if line} == {*COMMANDS, *GROUPS}
    assert not [line for line in lines if line.endswith("...")]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_and_has_an_example(analytics: Command, command: str) -> None:
    """`-h` is `--help`; it has an example, and fits into 80 columns but for SQL to be copied."""
    short, full = analytics(command, "-h"), analytics(command, "--help")
    lines = [line for line in short.out.splitlines() if "select" not in line]

    assert (short.code, short.out) == (0, full.out)
    assert f"analytics {command}" in short.out.partition("Example:")[2]
    assert max(map(len, lines)) <= 80


def test_each_command_takes_the_shared_options(analytics: Command) -> None:
    """A script may give the same place of data and settings to all of them."""
    every = {*generate.commands()}
    groups = {words[:-1] for words in every if words}
    for words in every - groups:
        told = analytics(*words, "--help").out
        assert " --data-dir " in told, words
        assert " --config " in told, words


def test_shells_complete_commands_and_options() -> None:
    """What `--install-completion` sets up answers with the names that fit."""
    code = "import sys; sys.argv = ['analytics']; from analytics.cli import main; main()"
    asked = {
        "_ANALYTICS_COMPLETE": "complete_bash", "COMP_WORDS": "analytics runs w", "COMP_CWORD": "2",
    }  # fmt: skip
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | asked, capture_output=True, check=True)

    assert done.stdout.split() == [b"watch"]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("sql cost_by_o", ["cost_by_owner"]),
        ("sql mar", ["margins"]),
        ("sql mas", []),
        ("sql --tables fct_wa", ["fct_waste"]),
        ("sql --tables own_", ["own_table"]),
        ("close 2026-1", ["2026-11"]),
        ("export pack 2026-0", []),
        ("trace --agent bak", ["baker"]),
        ("trace --data-dir nowhere --agent bak", []),
    ],
)
def test_shells_complete_names(
    first_batch: FirstBatch, tmp_path: Path, typed: str, names: list[str]
) -> None:
    """Questions, tables, months and agents are completed, with no name that a shell would run."""
    for place, name in (
        ("adhoc", "margins"), ("adhoc", "mask\\$(touch made)"), ("marts", "own_table"),
    ):  # fmt: skip
        (tmp_path / "queries" / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / "queries" / place / f"{name}.sql").touch()
    code = "import sys; sys.argv = ['analytics']; from analytics.cli import main\n"
    code += "try: main()\nfinally: print('duckdb' in sys.modules, file=sys.stderr)"
    words = f"analytics {typed}"
    asked = {
        "_ANALYTICS_COMPLETE": "complete_bash", "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1), "ANALYTICS_DATA_DIR": str(first_batch.data),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | asked, cwd=tmp_path, capture_output=True,
        check=True, text=True,
    )  # fmt: skip

    assert done.stdout.split() == names
    assert done.stderr == "False\n"  # agents are read by a process that has an end


def test_a_misspelt_command_is_answered(analytics: Command) -> None:
    """The command or option that was probably meant is named."""
    command, option = analytics("nigthly"), analytics("nightly", "--datadir", "x")

    assert (command.code, "Did you mean 'nightly'?" in command.err) == (2, True)
    assert (option.code, "--data-dir" in option.err) == (2, True)
