"""`analytics runs trigger`: the input of a run, and the reasons why it may be refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypedDict

import msgspec
import typer

from analytics.cli import printed
from analytics.cli.runs import hints
from analytics.errors import AnalyticsError, UsageError
from analytics.levain import Agent, Fields, Levain, RefusedError, Run


class RunInput(TypedDict, total=False):
    """The input of a run: one of these."""

    prompt: str
    initial_state: Fields


def run_input(prompt: str | None, state_file: str | None) -> RunInput:
    """Return the one input of a run; UsageError if the file is not a JSON object."""
    if prompt is not None and state_file is None:
        return {"prompt": _text(prompt)}
    if prompt is None and state_file is not None:
        return {"initial_state": _state(state_file)}
    raise UsageError(
        "A run takes one input: --prompt TEXT, or --initial-state FILE (- for standard input)."
    )


def _text(prompt: str) -> str:
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        raise UsageError("The prompt holds bytes that are no UTF-8 text.") from error
    if not prompt.strip():
        raise UsageError(
            "The prompt is empty: say in --prompt what the agent is to do.\n"
            "For one that needs no words, give --initial-state FILE."
        )
    return prompt


def _state(file: str) -> Fields:
    """Return the file's object; its values are sent digit for digit."""
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    try:
        text.decode()
        return msgspec.json.decode(text, type=Fields)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        name = "standard input" if file == "-" else file
        cause = "it is nested too deep" if isinstance(error, RecursionError) else error
        raise UsageError(f"The initial state in {name} is no JSON object: {cause}.") from error


def trigger(levain: Levain, agent: Agent, given: RunInput, version: int | None) -> Run:
    """Start a run; AnalyticsError if it was refused, or may have started without confirmation."""
    name = agent.slug or agent.id
    try:
        return levain.runs.trigger(name, **given, version=version)
    except RefusedError as error:
        cause = (error.detail or str(error)).rstrip(".")
        raise AnalyticsError(f"Agent {name} ({agent.status}) did not start: {cause}.") from error
    except KeyboardInterrupt:
        printed.say(f"It may have started: look with `{hints.command('list')}`.")
        raise typer.Exit(130) from None
