"""Tables of runs that may still change, of adjustments, and of loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.format import names
from analytics.format.numbers import UNKNOWN, count, plural
from analytics.report.figures.facts import known_sum
from analytics.report.writing import state
from analytics.report.writing.tables import Column, Sum, Table, foot, money

if TYPE_CHECKING:
    from analytics.report.controls.lines import Lines
    from analytics.report.controls.quality_reads import Listed
    from analytics.report.writing.tables import Row


_CAUSES = {
    "run_added": "run added",
    "run_removed": "run removed",
    "cost_changed": "cost changed",
}


def in_words(found: Listed) -> str:
    """How many runs are open, and how many have ended and are provisional."""
    open_count = found.totals[0]
    return f"{count(open_count)} open, {count(found.row_count - open_count)} ended and provisional"


def provisional(found: Listed, lines: Lines) -> Table | None:
    """Open runs and provisional ones, the oldest first."""
    if not found.rows:
        return None
    rows: list[Row] = [
        [
            names.display(run_id),
            lines.cell(agent_id),
            "◔ provisional" if is_terminal else "◔ open",
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
        "Runs that may still change: open ones, then those that ended and are not final, the "
        "oldest first, US dollars",
        [
            Column("Run", "name"),
            Column("Agent", "name"),
            *(Column(each, "text") for each in ("State", "Status", "Created", "Last changed")),
            Column("Cost"),
        ],
        rows,
        foot(*[""] * 5, Sum(total, costs)),
        is_cards=True,
    )


def adjustments(found: Listed, lines: Lines) -> Table | None:
    """Figures that changed after they were published: previous, current, cause, and load."""
    if not found.rows:
        return None
    rows: list[Row] = []
    changes = []
    for (
        day,
        agent_id,
        previous,
        current,
        previous_runs,
        runs,
        cause,
        seen_at,
        load_id,
    ) in found.rows:
        changes.append(current - previous)
        rows.append(
            [
                day.isoformat(),
                lines.cell(agent_id),
                money(previous),
                money(current),
                money(changes[-1]),
                f"{count(previous_runs)} → {count(runs)}",
                _CAUSES.get(cause) or names.display(cause or UNKNOWN),
                state.moment(seen_at) if seen_at else UNKNOWN,
                names.display(load_id),
            ]
        )
    total = found.totals[0]
    rest = found.row_count - len(found.rows)
    if rest:
        changes.append(total - sum(changes))
        more = f"{plural(rest, 'more line')}: fct_adjustments"
        rows.append(["earlier", more, "", "", money(changes[-1]), "", "", "", ""])
    return Table(
        "adjustments",
        "Figures of days that changed after they were published, US dollars, the newest first",
        [
            Column("Day", "text"),
            Column("Agent", "name"),
            *(Column(each) for each in ("Previous cost", "Current cost", "Difference")),
            *(Column(each, "text") for each in ("Runs", "Cause", "Seen", "Load")),
        ],
        rows,
        [[*row, "", "", "", ""] for row in foot("", "", "", Sum(total, changes))],
        is_cards=True,
    )


def loads(found: Listed) -> Table | None:
    """Each load, the newest first."""
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
        "Loads, the newest first",
        [
            Column("Load", "text"),
            Column("Step", "text"),
            *(Column(each) for each in ("Requests", "Records", "New or changed", "Superseded")),
            *(Column(each) for each in ("Quarantined", "Rounded")),
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
