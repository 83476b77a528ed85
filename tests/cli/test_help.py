"""What helps at the prompt: help, completion, what was probably meant, and what is gone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from analytics.cli.app import app
from analytics.cli.gone import GONE
from docs import generate
from tests.cli.conftest import Command

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


def test_a_misspelt_command_is_answered(analytics: Command) -> None:
    """The command or option that was probably meant is named."""
    command, option = analytics("nigthly"), analytics("nightly", "--datadir", "x")

    assert (command.code, "Did you mean 'nightly'?" in command.err) == (2, True)
    assert (option.code, "--data-dir" in option.err) == (2, True)


@pytest.mark.parametrize("gone", GONE)
def test_what_is_gone_is_refused_with_advice(analytics: Command, gone: str) -> None:
    """It is exit 2 and one line that says what to do instead, whatever else is typed."""
    result = analytics(*gone.split(), "x")

    assert (result.code, result.out) == (2, "")
    assert result.err == f"error: `{gone}` is gone: {GONE[gone]}.\n"


def test_an_option_that_is_gone_may_hold_its_value(analytics: Command) -> None:
    """`--option=value` is refused like `--option value`."""
    assert "`export --as-of` is gone" in analytics("export", "pack", "--as-of=2026-11-19").err


def test_only_what_is_gone_is_refused(analytics: Command) -> None:
    """No row names a command that there is, and a command's own help is not refused."""
    assert not {tuple(gone.split()) for gone in GONE} & {*generate.commands()}
    assert analytics("books", "--help").code == 0
