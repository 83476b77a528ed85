"""A month as its statement, workbook and pack show it: facts, lines with subtotals, tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from analytics.format import days, names, numbers
from analytics.published.export.month import cut_off, status_of
from analytics.published.export.month_tables import ADJUSTMENTS, AMOUNTS, JOURNAL, LINES, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    import duckdb
    import polars as pl

    from analytics.finance.books.entries import ClosingFacts

Row: TypeAlias = "dict[str, Any]"

WHY_EARLY = "Why early"
"""The fact that a month which was closed early has besides: the reasons."""
_NAMED_WORKSPACES = 4  # in the entity; more are counted
_STATES = {
    "open": "may still change",
    "incomplete": "not read from its start",
    "final": "every day is over and was read",
    "closed": "closed in the books",
}


@dataclass(frozen=True)
class Block:
    """The lines of a workspace and their sums; agents without any amount share one line."""

    name: str
    lines: list[Row]
    subtotal: Row


@dataclass(frozen=True)
class MonthEnd:
    """The figures of a month: `facts` by their label, lines by workspace, and every table.

    `state` is that of the books, in a few words: closed, closed early, or not closed.
    """

    month: date
    state: str
    facts: Mapping[str, str]
    cut_off: datetime | None
    blocks: list[Block]
    total: Row
    adjustments: Row
    tables: Mapping[str, pl.DataFrame]

    @property
    def words(self) -> str:
        """The month in words."""
        return days.month_in_words(self.month)

    @property
    def to_book(self) -> Row:
        """The sums of the month's lines and of the adjustments that it books."""
        return {name: self.total[name] + self.adjustments[name] for name in self.adjustments}

    @property
    def is_own_key_unbooked(self) -> bool:
        """True if there is own-key cost, and the journal has none: it needs an account of its own.

        It is `provider_payable` of finance/accounts.toml.
        """
        is_booked = "own_key" in self.tables[JOURNAL.name]["kind"]
        return bool(self.to_book["own_key_usd"]) and not is_booked


def read_month_end(
    con: duckdb.DuckDBPyConnection,
    month: date,
    workspace_ids: Sequence[str],
    closing: ClosingFacts | None,
) -> MonthEnd:
    """Read the figures of a month (its first day) of these workspaces from the published tables."""
    parameters = {"month": month, "workspace_ids": list(workspace_ids)}
    tables = {table.name: table.read(con, parameters) for table in TABLES}
    lines = tables[LINES.name].to_dicts()
    reach = cut_off(con, list(workspace_ids))
    state, detail = _state(closing, status_of(con, month, list(workspace_ids)))
    facts = {
        "Entity": _entity(con, workspace_ids),
        "Period": f"{days.Period.month_of(month)}, UTC days of the meter",
        "State": f"{state[0].upper()}{state[1:]} ({detail})",
        "Prepared by": names.display(closing.prepared_by) if closing else numbers.UNKNOWN,
        "Approved by": _approver(closing),
        "Data cut-off": days.instant_in_words(reach) if reach else numbers.UNKNOWN,
    }
    if closing and closing.is_early:
        facts[WHY_EARLY] = "; ".join(map(names.visible, closing.early_reasons))
    return MonthEnd(
        month,
        state,
        facts,
        reach,
        [_block(name, list(of)) for name, of in groupby(lines, _workspace)],
        sums(lines, LINES.sums),
        _adjustments(tables[ADJUSTMENTS.name].to_dicts()),
        tables,
    )


def sums(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Row:
    """Return the sum of each column over its known values, 0 over none."""
    totals: Row = {name: Decimal(0) if name.endswith("_usd") else 0 for name in columns}
    for row in rows:
        for name in columns:
            totals[name] += row[name] or 0
    if "failed_count" in totals:
        totals["finished_count"] = totals["succeeded_count"] + totals["failed_count"]
    return totals


def _workspace(line: Mapping[str, Any]) -> str:
    return str(line["workspace_name"])


def _block(name: str, lines: list[Row]) -> Block:
    """Return the block of a workspace, with one line for all agents that cost nothing."""
    idle = [each for each in lines if each["line_type"] == "agent" and not _costs(each)]
    shown = [each for each in lines if each not in idle] if len(idle) > 1 else lines
    for line in shown:
        line["finished_count"] = line["succeeded_count"] + line["failed_count"]
    if len(idle) > 1:
        agents = len({each["agent_id"] for each in idle})
        blank = {"workspace_name": name, "owner": "", "cost_center": ""}
        folded = {**blank, **sums(idle, LINES.sums)}
        folded["agent_name"] = f"{numbers.plural(agents, 'agent')} without cost"
        shown.append(folded)
    return Block(name, shown, sums(lines, LINES.sums))


def _costs(line: Mapping[str, Any]) -> bool:
    return any(line[name] for name in AMOUNTS)


def _adjustments(rows: list[Row]) -> Row:
    """Return the sums of adjustments, by the names of a line's columns."""
    found = sums(rows, ADJUSTMENTS.sums)
    return {
        name: found[f"difference_{name.replace('metered_', '')}"]
        for name in (*AMOUNTS, "run_count")
    }


def _state(closing: ClosingFacts | None, status: str) -> tuple[str, str]:
    """Return the state of the month in the books, and the fact that explains it."""
    if closing is None:
        return "not closed: provisional", f"{status}: {_STATES[status]}"
    state = "closed early" if closing.is_early else "closed"
    at = days.instant_in_words(closing.closed_at)
    return state, f"revision {closing.revision}, {at}"


def _approver(closing: ClosingFacts | None) -> str:
    if closing is None:
        return numbers.UNKNOWN
    return names.display(closing.approved_by) if closing.approved_by else "nobody was named"


def _entity(con: duckdb.DuckDBPyConnection, workspace_ids: Sequence[str]) -> str:
    found = con.execute(
        "select workspace_name, workspace_id from marts.dim_workspaces"
        " where list_contains(?, workspace_id) order by 1, 2",
        [list(workspace_ids)],
    ).fetchall()
    same = Counter(name for name, _ in found)
    shown = [
        names.display(name) if same[name] == 1 else f"{names.display(name)} ({identifier})"
        for name, identifier in found
    ]
    if len(shown) <= 1:
        return "".join(shown) or numbers.UNKNOWN
    if len(shown) > _NAMED_WORKSPACES:
        return f"{numbers.count(len(shown))} workspaces"
    return f"{numbers.count(len(shown))} workspaces: {', '.join(shown)}"
