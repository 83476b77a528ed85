"""Commands and options that are gone."""

from __future__ import annotations

import pytest

from analytics.cli.gone import GONE
from docs import generate
from tests.cli.conftest import Command

COMMANDS = {*generate.commands()}


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
    assert not {tuple(gone.split()) for gone in GONE} & COMMANDS
    assert analytics("books", "--help").code == 0
