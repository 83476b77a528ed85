"""Pages of one's own: their queries are run, within a time that all of them share.

A query that needs long waits until all others have run, so that no page takes the time of others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analytics.custom.pages import Chart, UserPage
from analytics.custom.runner import Runner, Shown
from analytics.warehouse.confined import Limits

_FIRST_PART = 0.1  # of the time limit, for a query to end before all others have run
_FIRST_SECONDS = 1.0  # no query is too slow for that
_SLOW_TOGETHER = 10  # times the limit of one query, for all that take longer


@dataclass(frozen=True)
class AnsweredPage:
    """A page, and an answer for each of its charts."""

    page: UserPage
    answers: tuple[Shown, ...]


def answer_pages(
    runner: Runner, database: Path, pages: Sequence[UserPage]
) -> Iterator[AnsweredPage]:
    """Run the queries of pages on a closed file with marts; pages with slow ones come last."""
    limits = runner.limits
    first = min(limits.seconds, max(_FIRST_SECONDS, _FIRST_PART * limits.seconds))
    too_slow = replace(limits, seconds=first).too_slow
    slow: list[UserPage] = []
    for page in pages:
        answers = tuple(runner.show(database, chart.query, first) for chart in page.charts)
        if first < limits.seconds and any(
            (each.error or "").endswith(too_slow) for each in answers
        ):
            slow.append(page)
        else:
            yield AnsweredPage(page, answers)
    left = _SLOW_TOGETHER * limits.seconds
    for page in slow:
        found = []
        for chart in page.charts:
            if left > 0:
                answer = runner.show(database, chart.query, limits.seconds)
            else:
                answer = _left_out(chart, limits)
            left -= answer.seconds
            found.append(answer)
        yield AnsweredPage(page, tuple(found))


def _left_out(chart: Chart, limits: Limits) -> Shown:
    error = (
        f"{chart.query.file}:{chart.line}: it was not run: slow queries of pages took"
        f" {_SLOW_TOGETHER * limits.seconds:g} s together; make them faster, or raise"
        " timeout_seconds in [sql]"
    )
    return Shown(chart.query, None, (), error, 0.0)
