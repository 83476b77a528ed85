"""`analytics runs trigger` and `send`: the input of a run, and why it may be refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

import msgspec
import typer

from analytics.cli import printed
from analytics.cli.runs import hints
from analytics.errors import INTERRUPTED, AnalyticsError, UsageError
from analytics.levain import Agent, Fields, Levain, RefusedError, Run, Session


class RunInput(TypedDict, total=False):
    """The input of a run: one of these."""

    prompt: str
    initial_state: Fields


def run_input(prompt: str | None, prompt_file: str | None, state_file: str | None) -> RunInput:
    """Return the one input of a run; UsageError if the state is not a JSON object."""
    if [prompt, prompt_file, state_file].count(None) != 2:
        raise UsageError(
            "A run takes one input: --prompt TEXT, --prompt-file FILE or --initial-state FILE "
            "(- for standard input)."
        )
    if state_file is not None:
        return {"initial_state": _state(state_file)}
    return {"prompt": _text(prompt, prompt_file)}


def message(prompt: str | None, prompt_file: str | None) -> str:
    """Return the one text of a message."""
    if [prompt, prompt_file].count(None) != 1:
        raise UsageError(
            "A message takes one text: --prompt TEXT or --prompt-file FILE (- for standard input)."
        )
    return _text(prompt, prompt_file)


def _text(text: str | None, file: str | None) -> str:
    """Return the text that was given, or that of a file, as it stands."""
    try:
        prompt = text if text is not None else _read(file or "-").decode()
        prompt.encode()
    except UnicodeError as error:
        raise UsageError("The prompt holds bytes that are no UTF-8 text.") from error
    if not prompt.strip():
        raise UsageError("The prompt is empty: say in it what the agent is to do.")
    return prompt


def _state(file: str) -> Fields:
    """Return the file's object; its values are sent digit for digit."""
    text = _read(file)
    try:
        text.decode()
        return msgspec.json.decode(text, type=Fields)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        name = "standard input" if file == "-" else file
        cause = "it is nested too deep" if isinstance(error, RecursionError) else error
        raise UsageError(f"The initial state in {name} is no JSON object: {cause}.") from error


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error


def trigger(levain: Levain, agent: Agent, given: RunInput, version: int | None) -> Run:
    """Start a run; AnalyticsError if it was refused, or may have started without confirmation."""
    name = agent.slug or agent.id
    try:
        with _unconfirmed():
            return levain.runs.trigger(name, **given, version=version)
    except RefusedError as error:
        cause = (error.detail or str(error)).rstrip(".")
        raise AnalyticsError(f"Agent {name} ({agent.status}) did not start: {cause}.") from error


def send(levain: Levain, session_id: str, text: str) -> Session:
    """Send a message to a session; AnalyticsError as of `trigger`."""
    with _unconfirmed():
        return levain.sessions.send_message(session_id, text)


@contextmanager
def _unconfirmed() -> Iterator[None]:
    """On Ctrl-C, print that a run may have started."""
    try:
        yield
    except KeyboardInterrupt:
        printed.say(f"It may have started: look with `{hints.command('list')}`.")
        raise typer.Exit(INTERRUPTED) from None
