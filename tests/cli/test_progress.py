"""Progress of a batch on a terminal: one bar below the events, whatever the terminal is like."""

from __future__ import annotations

import re
import signal
import subprocess
import termios

import pytest

from analytics.emulator.server import Emulator
from analytics.emulator.world import World
from analytics.levain.transport import TRIES
from tests.cli.conftest import Command, Terminal

FRAME = re.compile(r"^[⠁-⣿/|\\-] \w+ .*$", re.MULTILINE)
ESCAPED = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HOSTILE = "Oven\x1b[2J\x07\u202e\nerror: no"


def frames(shown: str) -> list[str]:
    """Return each drawing of a bar."""
    return FRAME.findall(ESCAPED.sub("", shown).replace("\r", "\n"))


def test_a_terminal_shows_a_bar_of_each_stage(with_pages: Command, terminal: Terminal) -> None:
    """The bar has counts and names, and leaves the line of its stage alone on the screen."""
    screen = terminal("nightly", columns=120)
    bars = frames(screen.err)
    after_the_bars = screen.err.rpartition("─")[2]

    assert screen.code == 0, screen.out
    assert with_pages("status").code == 0
    for drawn in (
        r"extract ━+ 6/6  (\S+/s  0:\d\d left  )?Blank Slate: reading costs",  # two for each run
        r"transform ━+─ \d+/\d+  .*\w+\.\w+",
        r"check ━+─ \d+/\d+  .*\w+",
        r"report ━+─+ \d+/\d+  .*\w+",
        r"publish  0:\d\d",
    ):
        assert any(re.match(rf"\S {drawn}", each) for each in bars), drawn
    assert re.search(r"\d\.\d s  Blank Slate: read \d+ new[^\n]* \(\d+\.\d s\)", screen.out)
    assert re.search(r"\d\.\d s  built the tables \(\d+\.\d s\)", screen.out)
    assert max(map(len, bars)) <= 120
    assert "\x1b[2K" in after_the_bars  # the line is empty again
    assert "\x1b[?25h" in after_the_bars  # and the cursor is back


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_bar_leaves_the_terminal_as_it_was(
    command: Command, api: Emulator, terminal: Terminal, stop: signal.Signals
) -> None:
    """A bar follows the width of its terminal, and Ctrl-C or SIGTERM removes it."""
    api.faults.add("/runs/$", "429", TRIES, retry_after_seconds=60)
    steps = iter(("narrow", "stop"))

    def during(shown: str, screen: int, process: subprocess.Popen[bytes]) -> None:
        waiting = shown.partition("trying again")[2]
        bars = frames(waiting)
        if termios.tcgetwinsize(screen)[1] > 30:
            if bars and next(steps) == "narrow":
                termios.tcsetwinsize(screen, (24, 30))
        elif bars and len(bars[-1]) == 30 and next(steps, None) == "stop":
            process.send_signal(stop)

    screen = terminal("nightly", during=during)
    after_the_bar = screen.err.rpartition("reading")[2]

    assert "failed (exit 130)" in command("status").out
    assert screen.code == 130
    assert "\x1b[2K" in after_the_bar
    assert "\x1b[?25h" in after_the_bar
    assert "Traceback" not in screen.out


def test_names_of_others_cannot_move_the_cursor(
    command: Command, terminal: Terminal, world: World
) -> None:
    """In the bar and in its lines, control characters of a name are shown, not obeyed."""
    world.workspaces[0].name = HOSTILE
    screen = terminal("nightly", columns=120)
    told = command("nightly", "--verbose")

    assert (screen.code, told.code) == (0, 0)
    assert not re.search(r"\x1b\[2J|\x07|\u202e|^error", screen.err, re.MULTILINE)
    assert any(r"Oven\x1b[2J\x07\u202e\nerror: no" in each for each in frames(screen.err))
    assert r"Oven\x1b[2J\x07\u202e\nerror: no: reading run lists" in told.err
    assert all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in told.err.splitlines())
