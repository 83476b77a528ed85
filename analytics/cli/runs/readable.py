"""Lists of which one broken record costs no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from analytics.cli.runs import printed
from analytics.levain import Agent, AnswerBrokenError, Levain, Page

T = TypeVar("T")


def records(pages: Iterable[Page[T]]) -> Iterator[T]:
    """Each record that can be read; of each other one a remark is made."""
    for page in pages:
        yield from page.readable(_tell)


def agents_by_id(levain: Levain) -> dict[str, Agent]:
    """The workspace's agents."""
    return {agent.id: agent for agent in records(levain.agents.pages())}


def _tell(error: AnswerBrokenError) -> None:
    printed.say(f"warning: a record is left out: {error}")
