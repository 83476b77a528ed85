"""The things that commands ask for: a run, an agent, records of a list; the input of a run."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypedDict, TypeVar

import msgspec

from analytics.cli import printed
from analytics.cli.connection import hint
from analytics.errors import AnalyticsError, UsageError
from analytics.format.names import did_you_mean
from analytics.levain import (
    Agent,
    AnswerBrokenError,
    Fields,
    Levain,
    NotFoundError,
    Page,
    Run,
)
from analytics.levain.runs import LONGEST_LIST

SHOWN = 5

T = TypeVar("T")

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find_run(levain: Levain, text: str) -> Run:
    """Return the run with this id, or the only one of the newest whose id begins with it."""
    wanted = text.strip().lower()
    if _UUID.fullmatch(wanted):
        try:
            return levain.runs.get(wanted)
        except NotFoundError:
            raise UsageError(f"The workspace has no run {wanted}.") from None
    found = [run for run in records(levain.runs.pages()) if wanted and run.id.startswith(wanted)]
    if not found:
        raise UsageError(
            f"None of the newest {LONGEST_LIST} runs has an id that begins with `{text}`.\n"
            f"`{hint('list')}` shows them; an older run needs its whole id."
        )
    if len(found) > 1:
        raise UsageError(
            f"`{text}` begins the ids of {len(found)} runs: {_some([*short_ids(found).values()])}."
        )
    return found[0]


def session_of(run: Run) -> str:
    """Return the id of a run's session; AnalyticsError if it has none."""
    if run.session_id is None:
        raise AnalyticsError(f"Run {run.id} belongs to no session.")
    return run.session_id


def find_session_id(levain: Levain, text: str) -> str:
    """Return the id of a run's session; a whole id that no run has is taken for a session's."""
    try:
        return session_of(find_run(levain, text))
    except UsageError:
        wanted = text.strip().lower()
        if _UUID.fullmatch(wanted):
            return wanted
        raise


def find_agent(levain: Levain, text: str) -> Agent:
    """Return the agent with this id or slug, or the only one whose slug or id begins with it."""
    wanted = text.strip()
    agents = list(records(levain.agents.pages()))
    exact = [agent for agent in agents if wanted in (agent.slug, agent.id)]
    found = exact or [
        agent
        for agent in agents
        if wanted and ((agent.slug or "").startswith(wanted) or agent.id.startswith(wanted.lower()))
    ]
    if not found:
        labels = {
            word: f"{agent.name} ({agent.slug})" if agent.name and agent.slug else agent.id
            for agent in sorted(agents, key=lambda agent: agent.slug or agent.id)
            for word in (agent.slug, agent.name)
            if word
        }
        raise UsageError(f"The workspace has no agent `{text}`. {did_you_mean(wanted, labels)}")
    if len(found) > 1:
        names = _some(sorted(agent.slug or agent.id for agent in found))
        raise UsageError(f"`{text}` begins the names of {len(found)} agents: {names}.")
    return found[0]


def find_agent_id(levain: Levain, text: str) -> str:
    """Return the id of an agent; a whole id is taken as it is, since it may be of a deleted one."""
    wanted = text.strip().lower()
    return wanted if _UUID.fullmatch(wanted) else find_agent(levain, text).id


def short_ids(runs: list[Run]) -> dict[str, str]:
    """Return each run's id, cut to the fewest characters (at least eight) that keep it unique."""
    length = 8
    while len({run.id[:length] for run in runs}) < len({run.id for run in runs}):
        length += 1
    return {run.id: run.id[:length] for run in runs}


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def records(pages: Iterable[Page[T]]) -> Iterator[T]:
    """Yield each valid record; print a warning for each invalid one."""
    for page in pages:
        yield from page.readable(warn_of)


def agents_by_id(levain: Levain) -> dict[str, Agent]:
    """Return the workspace's agents by id."""
    return {agent.id: agent for agent in records(levain.agents.pages())}


def warn_of(error: AnswerBrokenError) -> None:
    """Print a warning for an invalid record."""
    printed.say(f"warning: a record is left out: {error}")


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
