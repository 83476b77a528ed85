"""Lists of which one broken record costs no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from analytics.cli.runs import printed
from analytics.levain import Agent, AnswerBrokenError, Levain, Page, Progress, Run

T = TypeVar("T")


def records(pages: Iterable[Page[T]]) -> Iterator[T]:
    """Each record that can be read; of each other one a remark is made."""
    for page in pages:
        yield from page.readable(_tell)


def followed(levain: Levain, run: Run, interval: float) -> Iterator[Progress]:
    """A run's progress; of each event that cannot be read a remark is made."""
    for step in levain.runs.follow(run.id, interval=interval):
        for error in step.unreadable:
            _tell(error)
        yield step


def agents_by_id(levain: Levain) -> dict[str, Agent]:
    """The workspace's agents."""
    return {agent.id: agent for agent in records(levain.agents.pages())}


def _tell(error: AnswerBrokenError) -> None:
    printed.say(f"warning: a record is left out: {error}")
