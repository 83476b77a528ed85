"""Who fails expensively: rates of failure beside what the failures cost."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.report.figures import splits
from analytics.report.sections import members, rankings
from analytics.report.sections.rankings import Ranking
from analytics.report.writing.figured import Figure, measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analytics.report.figures.facts import Subject
    from analytics.report.writing.blocks import Chart
    from analytics.report.writing.phrases import Value

_SHOWN = 15

_AGENTS = Ranking(
    key="failing",
    split="members",
    title="{first} fails most expensively: {first_failed_cost_usd|range}, as "
    "{first_failed_count/first_finished_count|rate} of its runs failed",
    unranked="Failed runs cost {failed_cost_usd|range}; no agent with 20 finished "
    "runs or more had any",
    subtitle="Left: share of finished runs that failed, with the 95% Wilson interval. Right: cost "
    "of failed runs (where it is a range, its low end), red, within that of all runs, grey, US "
    "dollars. Hollow and last: agents with fewer than 20 finished runs, not ranked. {span}.",
    none="No finished runs",
    table="failing-agents",
    caption="Agents by the cost of their failed runs, those with fewer than 20 finished runs last, "
    "US dollars, {span}",
    figures=(
        Figure("Agent", "key", "name"),
        measure("failed_cost_usd", "range"),
        Figure("Share of its cost", "failed_cost_usd/cost_usd", "range_percent"),
        measure("failed_count"),
        Figure("Finished", "finished_count", "count"),
        measure("failure_rate", "rate", "failed_count/finished_count"),
        Figure("95% interval, %", "failed_count/finished_count", "interval"),
    ),
    order="failed_cost_usd",
    total="failed_cost_usd",
    kind="failing",
    is_small_last=True,
    is_linked=True,
)


def chart(whole: Subject, agents: Sequence[tuple[str, str, Subject]]) -> Chart:
    """The agents by the cost of their failures; few finished runs are marked, and not ranked."""
    calendar = whole.coverage.calendar
    days = [(name, href, subject.days) for name, href, subject in agents]
    known = members.split(calendar.history.first, days)
    made = rankings.chart(_AGENTS, whole, known)
    if made.spec is not None:
        rows = rankings.ordered(known.over(calendar.recent), _AGENTS.order, is_small_last=True)
        made.spec["rows"] = [_row(row) for row in rows][:_SHOWN]
    return made


def _row(row: Mapping[str, Value]) -> dict[str, object]:
    """As a split has it: exact amounts as texts."""
    amounts = {name: row[name] for name in members.MEASURES}
    return {
        "key": [row["key"], row["note"]],
        "values": {
            name: str(splits.ten_billionths(value)) if isinstance(value, Decimal | int) else None
            for name, value in amounts.items()
        },
    }
