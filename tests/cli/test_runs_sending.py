"""`analytics runs send`, and prompts from files."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from analytics.emulator.server import Emulator
from tests.cli.conftest import Command
from tests.conftest import StartRun

pytestmark = pytest.mark.usefixtures("connected")

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("by", ["run", "beginning", "session"])
def test_a_message_starts_another_run(analytics: Command, start_run: StartRun, by: str) -> None:
    """A session goes by its id or by a run; the new run's id goes to standard output."""
    first = start_run()
    name = {"run": first.id, "beginning": first.id[:8], "session": first.session.id}[by]

    result = analytics("runs", "send", name, "--prompt", "And rolls?")

    _, second = first.session.runs
    assert (result.code, result.out) == (0, f"{second.id}\n")
    assert second.text == "And rolls?"
    assert f"Watch it: analytics runs watch {second.id}\n" in result.err


def test_a_prompt_comes_from_a_file(
    analytics: Command, start_run: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`trigger` and `send` read a prompt from a file or from standard input, as it stands."""
    Path("prompt.md").write_text("# Bread 🥖?\n\nPlease.\n", encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"And rolls?\n")))
    first = start_run()

    started = analytics("runs", "trigger", "baker", "--prompt-file", "prompt.md")
    sent = analytics("runs", "send", first.id, "--prompt-file", "-")

    runs = first.workspace.runs
    texts = [runs[result.out.strip()].text for result in (started, sent)]
    assert texts == ["# Bread 🥖?\n\nPlease.\n", "And rolls?\n"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["send", NOBODY], "A message takes one text"),
        (["send", NOBODY, "--prompt", "a", "--prompt-file", "b"], "A message takes one text"),
        (["send", NOBODY, "--prompt", " "], "The prompt is empty"),
        (["send", "zz", "--prompt", "a"], "an id that begins with `zz`"),
        (["send", NOBODY, "--prompt", "a"], "The API refused this: Session not found."),
        (["trigger", "baker", "--prompt", "a", "--prompt-file", "b"], "A run takes one input"),
        (["trigger", "baker", "--prompt-file", "nowhere.md"], "nowhere.md cannot be read"),
        (["trigger", "baker", "--prompt-file", "latin.md"], "no UTF-8 text"),
        (["trigger", "baker", "--prompt-file", "empty.md"], "The prompt is empty"),
    ],
)
def test_what_cannot_be_sent_says_why(
    analytics: Command, api: Emulator, arguments: list[str], words: str
) -> None:
    """Each wrong call prints one or two lines on standard error, and starts nothing."""
    Path("latin.md").write_bytes(b"Br\xf6tchen?")
    Path("empty.md").touch()

    result = analytics("runs", *arguments)

    assert (result.code, result.out) == (1 if "Session" in words else 2, "")
    assert words in result.err
    assert len(result.err.splitlines()) <= 2
    assert len(api.world.workspaces[0].agent_runs) == 0
