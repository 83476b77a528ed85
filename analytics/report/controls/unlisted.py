"""Tables of unlisted runs, and the schedule that would list every run."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analytics.format import names
from analytics.format.numbers import UNKNOWN, count, duration, percent, plural
from analytics.report.figures.facts import known_sum
from analytics.report.summary.lines import schedule_in_words
from analytics.report.writing.tables import Cell, Column, Sum, Table, foot, money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.controls.lines import Lines
    from analytics.report.controls.quality_reads import AgentDetail, Detail, Listed
    from analytics.report.writing.tables import Row

_COST = "Cost of unlisted runs"


def coverage(detail: Detail) -> str:
    """The share of runs with run detail."""
    return percent(detail.listed_count, detail.run_count)


def agents(found: Sequence[AgentDetail], lines: Lines) -> Table | None:
    """Unlisted runs by agent, with detail coverage and how fast the agent fills its list."""
    if not found:
        return None
    rows: list[Row] = [_agent(each, lines) for each in found]
    details = [each.detail for each in found]
    total = known_sum(each.unlisted_usd for each in details)
    costs = Sum(total, [each.unlisted_usd for each in details])
    unlisted = count(sum(each.unlisted_count for each in details))
    failed = count(sum(each.unlisted_failed_count for each in details))
    return Table(
        "unlisted-agents",
        "Unlisted runs by agent, US dollars; the last three columns are of the last 28 days",
        [
            Column("Agent", "name"),
            *(Column(each) for each in ("Days", "Runs", "Detail coverage", "Unlisted runs")),
            *(Column(each) for each in ("Unlisted failed", _COST)),
            *(Column(each) for each in ("Runs, busiest day", "200 runs in", "Batches a day")),
        ],
        rows,
        [[*row, "", "", ""] for row in foot("", "", "", unlisted, failed, costs)],
        is_sortable=True,
        is_cards=True,
    )


def days(found: Listed, lines: Lines) -> Table | None:
    """Unlisted runs by date and agent; the earliest of very many in one line."""
    if not found.rows:
        return None
    rows: list[Row] = [
        [
            day.isoformat(),
            lines.cell(agent_id),
            *map(count, (run_count, listed, unlisted, failed)),
            money(cost_usd),
        ]
        for day, agent_id, run_count, listed, unlisted, failed, cost_usd in found.rows
    ]
    unlisted, failed, cost_usd = found.totals
    costs = [row[6] for row in found.rows]
    if found.row_count > len(found.rows):
        rest_usd = (cost_usd or Decimal(0)) - (known_sum(costs) or 0)
        costs.append(rest_usd)
        rest = [
            total - sum(row[at] for row in found.rows) for total, at in ((unlisted, 4), (failed, 5))
        ]
        more = f"{plural(found.row_count - len(found.rows), 'more line')}: fct_agent_days"
        rows.append(["earlier", more, "", "", *map(count, rest), money(rest_usd)])
    return Table(
        "unlisted-days",
        "Unlisted runs by day and agent, US dollars",
        [
            Column("Day", "text"),
            Column("Agent", "name"),
            *(Column(each) for each in ("Runs", "Listed runs", "Unlisted runs")),
            *(Column(each) for each in ("Unlisted failed", _COST)),
        ],
        rows,
        foot("", "", "", count(unlisted), count(failed), Sum(cost_usd, costs)),
        is_cards=True,
    )


def schedule(fastest: tuple[Any, ...] | None, lines: Lines) -> str:
    """How often the batch has to run to list every run of the busiest agent."""
    if fastest is None:
        return "No agent has started a run in 28 days."
    agent_id, span_seconds, batches = fastest
    text = schedule_in_words(names.in_sentence(lines.name(agent_id)), span_seconds, batches)
    return f"{names.capitalized(text)}."


def cost(detail: Detail) -> Cell:
    """The cost of unlisted runs, as far as it is known."""
    return replace(
        money(detail.unlisted_usd), note="part unknown" if detail.unknown_day_count else ""
    )


def _agent(found: AgentDetail, lines: Lines) -> Row:
    detail = found.detail
    fill: list[Cell | str] = [UNKNOWN] * 3
    if found.busiest_day_run_count is not None:
        batches = found.required_batches_per_day
        fill = [
            count(found.busiest_day_run_count),
            duration(found.shortest_span_seconds),
            "none suffices" if batches is None else count(batches),
        ]
    return [
        lines.cell(found.agent_id),
        count(detail.unlisted_day_count),
        count(detail.run_count),
        coverage(detail),
        count(detail.unlisted_count),
        count(detail.unlisted_failed_count),
        cost(detail),
        *fill,
    ]
