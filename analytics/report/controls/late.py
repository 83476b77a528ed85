"""Tables of what was late: runs that may still change, days that did, and what loads brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.report.controls.missing import agent
from analytics.report.figures.facts import known_sum
from analytics.report.writing import names, state
from analytics.report.writing.numbers import UNKNOWN, count, plural
from analytics.report.writing.tables import Column, Sum, Table, foot, money

if TYPE_CHECKING:
    from analytics.report.controls.missing import Links
    from analytics.report.controls.quality_reads import Listed
    from analytics.report.writing.tables import Row


def in_words(found: Listed) -> str:
    """How many runs are open, and how many have ended and are still read again."""
    open_count = found.totals[0]
    return f"{count(open_count)} open, {count(found.row_count - open_count)} ended and provisional"


def provisional(found: Listed, links: Links) -> Table | None:
    """Open runs and those that are still read again, the oldest first."""
    if not found.rows:
        return None
    rows: list[Row] = [
        [
            names.display(run_id),
            agent(agent_id, links),
            "✓ ended, provisional" if is_terminal else "◔ open",
            names.display(status),
            state.moment(created_at),
            state.moment(read_at) if read_at else UNKNOWN,
            money(cost_usd),
        ]
        for created_at, agent_id, run_id, status, is_terminal, cost_usd, read_at in found.rows
    ]
    costs = [row[5] for row in found.rows]
    total = found.totals[1]
    rest = found.row_count - len(found.rows)
    if rest:
        costs.append((total or 0) - (known_sum(costs) or 0))
        rows.append([f"{plural(rest, 'newer run')}", *[""] * 5, money(costs[-1])])
    return Table(
        "provisional",
        "Runs that may still change: open ones, then those that ended a short while ago, the "
        "oldest first, cost so far in US dollars",
        [
            Column("Run", "name"),
            Column("Agent", "name"),
            *(Column(each, "text") for each in ("State", "Status", "Created", "Last changed")),
            Column("Cost so far"),
        ],
        rows,
        foot(*[""] * 5, Sum(total, costs)),
        is_cards=True,
    )


def adjustments(found: Listed, links: Links) -> Table | None:
    """What changed after it was first published: was, is, when seen, and by which load."""
    if not found.rows:
        return None
    changes = [row[3] - row[2] for row in found.rows]
    rows: list[Row] = [
        [
            day.isoformat(),
            agent(agent_id, links),
            money(was_usd),
            money(is_usd),
            money(change),
            f"{count(was_runs)} → {count(is_runs)}",
            state.moment(seen_at) if seen_at else UNKNOWN,
            names.display(load_id),
        ]
        for (day, agent_id, was_usd, is_usd, was_runs, is_runs, seen_at, load_id), change in zip(
            found.rows, changes, strict=True
        )
    ]
    total = found.totals[0]
    rest = found.row_count - len(found.rows)
    if rest:
        changes.append(total - sum(changes))
        more = f"{plural(rest, 'more line')}: fct_adjustments"
        rows.append(["earlier", more, "", "", money(changes[-1]), "", "", ""])
    return Table(
        "adjustments",
        "What changed after it was first published, US dollars, the newest first",
        [
            Column("Day", "text"),
            Column("Agent", "name"),
            *(Column(each) for each in ("Was", "Is", "Change")),
            *(Column(each, "text") for each in ("Runs", "Seen", "Load")),
        ],
        rows,
        [[*row, "", "", ""] for row in foot("", "", "", Sum(total, changes))],
        is_cards=True,
    )


def loads(found: Listed) -> Table | None:
    """What each load brought, the newest first."""
    if not found.rows:
        return None
    rows: list[Row] = [_load(row) for row in found.rows]
    rest = found.row_count - len(found.rows)
    if rest:
        sums = [
            count(total - sum(row[index] or 0 for row in found.rows))
            for index, total in enumerate(found.totals, start=2)
        ]
        rows.append([plural(rest, "earlier load"), "", *sums, ""])
    return Table(
        "loads",
        "What each load brought, the newest first",
        [
            Column("Load", "text"),
            Column("Step", "text"),
            *(Column(each) for each in ("Requests", "Records", "New or changed", "Superseded")),
            *(Column(each) for each in ("Left out", "Rounded")),
            Column("Loaded", "text"),
        ],
        rows,
        [["Total", "", *(count(each or 0) for each in found.totals), ""]],
        is_cards=True,
    )


def _load(row: tuple[Any, ...]) -> Row:
    load_id, step, *counts, loaded_at = row
    return [
        names.display(load_id),
        names.display(step),
        *(UNKNOWN if each is None else count(each) for each in counts),
        state.moment(loaded_at) if loaded_at else UNKNOWN,
    ]
