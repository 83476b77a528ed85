"""Tables of what the data lack: hidden runs, no reported usage, unknown costs, unread records."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analytics.report.figures.facts import known_sum
from analytics.report.summary.lines import schedule_in_words
from analytics.report.writing import names
from analytics.report.writing.numbers import UNKNOWN, count, duration, percent, plural
from analytics.report.writing.tables import Cell, Column, Sum, Table, foot, money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.controls.quality_reads import Listed
    from analytics.report.writing.tables import Row

    Rows = Sequence[tuple[Any, ...]]
    Links = dict[str | None, Cell]

_COST = "Cost of hidden runs"


def agents(rows: Rows, gaps: Listed, links: Links) -> Table | None:
    """Hidden runs by agent, and how often the batch would have to run."""
    if not rows:
        return None
    lines: list[Row] = [
        [
            agent(agent_id, links),
            count(day_count),
            count(run_count),
            _partly(cost_usd, unknown),
            *(_pace(*pace) if is_paced else [UNKNOWN] * 3),
        ]
        for agent_id, day_count, run_count, cost_usd, unknown, *pace, is_paced in rows
    ]
    run_count, cost_usd, _ = gaps.totals
    costs = Sum(cost_usd, [row[3] for row in rows])
    return Table(
        "gap-agents",
        "Hidden runs by agent, US dollars; pace of the last 28 days, while the API lists the "
        "newest 200 runs of an agent",
        [
            Column("Agent", "name"),
            *(Column(each) for each in ("Days", "Hidden runs", _COST)),
            *(Column(each) for each in ("Runs, busiest day", "200 runs in", "Batches a day")),
        ],
        lines,
        [[*row, "", "", ""] for row in foot("", count(run_count), costs)],
        is_sortable=True,
        is_cards=True,
    )


def days(gaps: Listed, links: Links) -> Table | None:
    """Hidden runs by agent and day; the earliest of very many in one line."""
    if not gaps.rows:
        return None
    rows: list[Row] = [
        [
            day.isoformat(),
            agent(agent_id, links),
            count(counted),
            count(held),
            count(missing),
            money(cost_usd),
            "final" if is_final else "may still change",
        ]
        for day, agent_id, counted, held, missing, cost_usd, is_final in gaps.rows
    ]
    run_count, cost_usd, _ = gaps.totals
    costs = [row[5] for row in gaps.rows]
    if gaps.row_count > len(gaps.rows):
        earlier_usd = (cost_usd or Decimal(0)) - (known_sum(costs) or 0)
        costs.append(earlier_usd)
        left = run_count - sum(row[4] for row in gaps.rows)
        more = f"{plural(gaps.row_count - len(gaps.rows), 'more line')}: fct_listing_gaps"
        rows.append(["earlier", more, "", "", count(left), money(earlier_usd), ""])
    return Table(
        "gap-days",
        "Hidden runs by UTC day and agent, US dollars",
        [
            Column("Day", "text"),
            Column("Agent", "name"),
            *(Column(each) for each in ("Runs counted", "Listed runs", "Hidden runs", _COST)),
            Column("State", "text"),
        ],
        rows,
        [[*row, ""] for row in foot("", "", "", count(run_count), Sum(cost_usd, costs))],
        is_cards=True,
    )


def models(rows: Rows) -> Table | None:
    """Which models the hidden runs used."""
    if not rows:
        return None
    totals = [known_sum(row[index] for row in rows) for index in (2, 3, 4)]
    sums = [
        Sum(total, [row[index] for row in rows])
        for index, total in zip((2, 3, 4), totals, strict=True)
    ]
    return Table(
        "gap-models",
        "What agents with hidden runs used on those days, by model, US dollars; by day of the "
        "request, so that it may differ a little from their cost above",
        [
            Column("Model", "name"),
            Column("Provider", "name"),
            *(Column(each) for each in ("Metered", "Of listed runs", "Of hidden runs")),
        ],
        [
            [
                names.display(model, "no model"),
                names.display(provider, "no provider"),
                money(metered_usd),
                money(held_usd),
                _partly(missing_usd, unknown),
            ]
            for model, provider, metered_usd, held_usd, missing_usd, unknown in rows
        ],
        foot("", *sums),
        is_cards=True,
    )


def pace(fastest: tuple[Any, ...] | None, links: Links) -> str:
    """How often the batch would have to run for the busiest agent to have no hidden run."""
    if fastest is None:
        return "No agent has started a run lately."
    agent_id, span_seconds, batches = fastest
    known = agent(agent_id, links)
    name = names.in_sentence(known if isinstance(known, str) else known.text)
    text = schedule_in_words(name, span_seconds, batches)
    return f"{text[0].upper()}{text[1:]}."


def no_usage(rows: Rows, links: Links) -> Table | None:
    """Runs that succeeded without tokens or cost: their cost is elsewhere, not nothing."""
    found = [row for row in rows if row[2]]
    if not found:
        return None
    return Table(
        "no-usage",
        "Runs that succeeded without any metered usage: their cost is unknown, not zero",
        [
            Column("Agent", "name"),
            *(Column(each) for each in ("No usage reported", "Succeeded", "Share")),
            Column("Last on", "text"),
        ],
        [
            [
                agent(agent_id, links),
                count(number),
                count(succeeded),
                percent(number, succeeded),
                last.isoformat(),
            ]
            for agent_id, succeeded, number, last, *_ in sorted(found, key=lambda row: -row[2])
        ],
        [["Total", count(sum(row[2] for row in found)), "", "", ""]],
        is_cards=True,
    )


def unknown_costs(rows: Rows, links: Links) -> Table | None:
    """Runs whose cost the API does not tell: they are in no sum."""
    found = [row for row in rows if row[5]]
    if not found:
        return None
    return Table(
        "unknown-costs",
        "Runs of unknown cost: in no sum, and not zero",
        [
            Column("Agent", "name"),
            *(Column(each) for each in ("Of unknown cost", "Runs")),
            Column("Last on", "text"),
        ],
        [
            [agent(agent_id, links), count(number), count(runs), last.isoformat()]
            for agent_id, _, _, _, runs, number, last in sorted(found, key=lambda row: -row[5])
        ],
        [["Total", count(sum(row[5] for row in found)), "", ""]],
        is_cards=True,
    )


def quarantined(found: Listed) -> Table | None:
    """Records that could not be understood, and where they lie."""
    if not found.rows:
        return None
    return Table(
        "quarantined",
        "Records that could not be understood: in no figure, but in their landing file",
        [
            Column("Source", "name"),
            Column("Reason", "name"),
            Column("Records"),
            Column("First load", "text"),
            Column("Last load", "text"),
        ],
        [
            [
                names.display(source),
                names.display(reason, "no reason told"),
                count(number),
                names.display(first or UNKNOWN),
                names.display(last or UNKNOWN),
            ]
            for source, reason, number, first, last in found.rows
        ],
        [["Total", "", count(found.totals[0]), "", ""]],
        is_cards=True,
    )


def agent(agent_id: str | None, links: Links) -> Cell | str:
    """The name of an agent, with the way to its page where it has one."""
    return links.get(agent_id, "No agent" if agent_id is None else names.display(agent_id))


def _pace(busiest: int, span_seconds: float | None, batches: int | None) -> list[str]:
    often = "no batch is fast enough" if batches is None else count(batches)
    return [count(busiest), duration(span_seconds), often]


def _partly(amount: Decimal | None, unknown_count: int) -> Cell:
    """An amount of which a part is not known."""
    return replace(money(amount), note="part unknown" if unknown_count else "")
