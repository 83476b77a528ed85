"""Lists in which an invalid record is skipped with a warning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from analytics.cli import printed
from analytics.levain import Agent, AnswerBrokenError, Levain, Page, Progress, Run

T = TypeVar("T")


def records(pages: Iterable[Page[T]]) -> Iterator[T]:
    """Yield each valid record; print a warning for each invalid one."""
    for page in pages:
        yield from page.readable(_warn)


def followed(levain: Levain, run: Run) -> Iterator[Progress]:
    """Yield a run's progress; print a warning for each invalid event, and a refusal once."""
    is_refused = False
    for step in levain.runs.follow(run.id):
        if step.refused and not is_refused:
            is_refused = True
            printed.say(f"Its log events are not available ({step.refused.cause}).")
        for error in step.unreadable:
            _warn(error)
        yield step


def agents_by_id(levain: Levain) -> dict[str, Agent]:
    """Return the workspace's agents by id."""
    return {agent.id: agent for agent in records(levain.agents.pages())}


def _warn(error: AnswerBrokenError) -> None:
    printed.say(f"warning: a record is left out: {error}")
