"""Progress of a batch on a terminal: one bar below the events, whatever the terminal is like."""

from __future__ import annotations

import re

from analytics.emulator.world import World
from tests.cli.conftest import Command, Terminal

FRAME = re.compile(r"^[⠁-⣿/|\\ -] \w+ .*$", re.MULTILINE)
ESCAPED = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HOSTILE = "Oven\x1b[2J\x07\u202e\nerror: no"
SHOWN = re.escape(r"Oven\x1b[2J\x07\u202e\nerror: no")


def frames(shown: str) -> list[str]:
    """Return each drawing of a bar."""
    return FRAME.findall(ESCAPED.sub("", shown).replace("\r", "\n"))


def test_a_terminal_shows_a_bar_of_each_stage(
    with_pages: Command, terminal: Terminal, world: World
) -> None:
    """The bar has counts and names, and leaves the line of its stage alone on the screen.

    Control characters of a name are shown, not obeyed.
    """
    world.workspaces[0].name = HOSTILE
    screen = terminal("nightly", columns=120)
    bars = frames(screen.err)
    after_the_bars = screen.err.rpartition("━")[2]

    assert screen.code == 0, screen.out
    assert with_pages("status").code == 0
    for drawn in (
        rf"extract ━+ 6/6 ( \S+/s  0:\d\d left )?{SHOWN}: reading costs",  # two for each run
        r"transform [━╸╺]+ \d+/\d+ .*\w+\.\w+",
        r"check [━╸╺]+ \d+/\d+ .*\w+",
        r"report [━╸╺]+ \d+/\d+ .*\w+",
        r"publish ━+ 0:\d\d",
    ):
        assert any(re.match(rf". {drawn}", each) for each in bars), drawn
    assert re.search(rf"\d\.\d s  {SHOWN}: read \d+ new[^\n]* \(\d+\.\d s\)", screen.out)
    assert re.search(r"\d\.\d s  built the tables \(\d+\.\d s\)", screen.out)
    assert not re.search(r"\x1b\[2J|\x07|\u202e|^error", screen.err, re.MULTILINE)
    assert max(map(len, bars)) <= 120
    assert "\x1b[2K" in after_the_bars  # the line is empty again
    assert "\x1b[?25h" in after_the_bars  # and the cursor is back
