"""Pages of one's own: their queries are run, in two rounds whose time all of them share.

A page with a query that needs long waits for the second round, so that it takes little time of
others. Each round ends when its queries took ten times the limit of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

from analytics.project.pages import Chart, UserPage
from analytics.project.runner import Answer, Runner
from analytics.terminal import Before, tracked

_FIRST_PART = 0.1  # of the time limit, for a query to end before all others have run
_FIRST_SECONDS = 1.0  # no query is too slow for that
_FAST_TOGETHER = 10  # times the limit of one query, for all of the first round
_SLOW_TOGETHER = 10  # the same, for all of the second


@dataclass(frozen=True)
class AnsweredPage:
    """A page, and an answer for each of its charts."""

    page: UserPage
    answers: tuple[Answer, ...]


@dataclass
class _Round:
    """Queries of `seconds` each at most, which are run until they took `together` seconds."""

    runner: Runner
    database: Path
    seconds: float
    together: float
    kind: str
    taken: float = 0.0

    def answer(self, chart: Chart) -> Answer:
        """Run the query of a chart; one that has no time left is an answer with an error."""
        if self.taken >= self.together:
            return self._left_out(chart)
        answer = self.runner.show(self.database, chart.query, self.seconds)
        self.taken += answer.seconds
        return answer

    def _left_out(self, chart: Chart) -> Answer:
        error = (
            f"{chart.query.file}:{chart.line}: it was not run: {self.kind} of pages took"
            f" {self.together:g} s together; make them faster, or raise timeout_seconds in [sql]"
        )
        return Answer(chart.query, None, (), error, 0.0)


def answer_pages(
    runner: Runner, database: Path, pages: Sequence[UserPage], before: Before | None = None
) -> Iterator[AnsweredPage]:
    """Run the queries of pages on a closed file with marts; pages with slow ones come last.

    A query that has no time left, as the others took all of it, is an answer with an error.
    `before` is told of each page.
    """
    limits = runner.limits
    seconds = min(limits.seconds, max(_FIRST_SECONDS, _FIRST_PART * limits.seconds))
    together = _FAST_TOGETHER * limits.seconds
    first = _Round(runner, database, seconds, together, "queries")
    too_slow = replace(limits, seconds=seconds).too_slow
    slow: list[UserPage] = []
    for page in tracked(pages, before, attrgetter("file")):
        answers = []
        for chart in page.charts:
            answers.append(first.answer(chart))
            if seconds < limits.seconds and (answers[-1].error or "").endswith(too_slow):
                slow.append(page)
                break
        else:
            yield AnsweredPage(page, tuple(answers))
    together = _SLOW_TOGETHER * limits.seconds
    second = _Round(runner, database, limits.seconds, together, "slow queries")
    for page in tracked(slow, before, attrgetter("file")):
        yield AnsweredPage(page, tuple(map(second.answer, page.charts)))
