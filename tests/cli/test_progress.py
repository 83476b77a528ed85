"""Progress of a batch: on a terminal, in a log, for machines, quiet and verbose."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.conftest import Command, Terminal


def test_a_terminal_shows_one_bar_below_the_events(command: Command, terminal: Terminal) -> None:
    """The bar names each step, with counts where they are known, and leaves nothing behind."""
    screen = terminal("nightly")
    bars = [each for each in screen.out.replace("\r", "\n").split("\n") if "━" in each]
    after_the_bar = screen.err.rpartition("━")[2]

    assert screen.code == 0, screen.out
    assert command("status").code == 0
    for step in ("Blank Slate: reading agents and met", "transform", "check", "publish"):
        assert any(re.match(rf"\S {step}", bar) for bar in bars), step
    assert re.search(r"reading costs.*━━━ 6/6  0:\d\d", screen.out)  # two requests for each run
    assert re.search(r"\d\.\d s  Blank Slate: \d+ requests, [^\n]* \(\d\.\d s\)", screen.out)
    assert max(map(len, bars)) <= 80
    assert "\x1b[2K" in after_the_bar  # its line is empty again
    assert "\x1b[?25h" in after_the_bar  # and the cursor is back


def test_a_terminal_that_cannot_redraw_has_lines(
    command: Command, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where TERM is dumb, each step is a line, as in a log."""
    monkeypatch.setenv("TERM", "dumb")
    screen = terminal("extract")

    assert command("extract").code == 0
    assert screen.code == 0
    assert screen.err == screen.out
    assert re.search(r"^ +\d\.\d s  Blank Slate: reading run lists$", screen.out, re.MULTILINE)
    assert "━" not in screen.out


def test_machines_read_an_object_a_line(command: Command) -> None:
    """With --log-format json each event has time, level, stage and seconds; --verbose adds more."""
    result = command("nightly", "--log-format", "json", "--verbose")
    events = [json.loads(line) for line in result.err.splitlines()]
    done = {each["stage"]: each for each in events if "seconds" in each}

    assert result.code == 0, result.err
    assert list(done) == ["extract", "transform", "check", "report", "publish"]
    assert all(each["seconds"] >= 0 for each in done.values())
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each["at"]) for each in events)
    begun = next(each for each in events if each["text"] == "reading run lists")
    assert (begun["level"], begun["stage"]) == ("info", "extract")
    assert begun["workspace"] == "Blank Slate"
    details = [each["text"] for each in events if each["level"] == "debug"]
    for words in (
        r"GET http://\S+/api/v1/runs/\?limit=200: HTTP 200, \d+ bytes in 0\.\d+ s",
        r"loaded data/landing/\S+-lists: \d+ records",
        r"built marts.fct_runs: 3 rows in \d\.\d+ s",
        "passed: fct_runs_key_is_unique",
    ):
        assert any(re.fullmatch(words, text) for text in details), words
    assert "levain_" not in result.err


def test_an_error_is_an_event_too(command: Command) -> None:
    """With --log-format json the error that ends a command is a line of JSON as well."""
    result = command("nightly", "--config", "none.toml", "--log-format", "json", "--quiet")
    (event,) = [json.loads(line) for line in result.err.splitlines()]

    assert (result.code, event["level"]) == (2, "error")
    assert "There is no settings file none.toml." in event["text"]


def test_quiet_prints_results_and_errors_alone(command: Command) -> None:
    """The summary is the result; nothing is said besides, until something fails."""
    result = command("nightly", "--quiet")
    failed = command("transform", "--quiet", "--select", "no_such_table")

    assert (result.code, result.err) == (0, "")
    assert "Blank Slate" in result.out
    assert (failed.code, failed.err.startswith("error: ")) == (2, True)


@pytest.mark.usefixtures("command")
def test_an_unknown_format_is_told(analytics: Command) -> None:
    """The error lists the formats, and nothing is read."""
    result = analytics("extract", "--log-format", "xml")

    assert (result.code, result.err) == (2, "error: There is no format xml: text or json.\n")
