"""A month as its workbook and pack show it: facts, lines with subtotals, tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from analytics.export.journal import journal_lines
from analytics.export.month import AMOUNTS, JOURNAL, TABLES, cut_off, read_table, status_of
from analytics.format import days, names, numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    import duckdb
    import polars as pl

    from analytics.export.entries import Journal
    from analytics.finance.books.entries import ClosingFacts

Row: TypeAlias = "dict[str, Any]"

WHY_EARLY = "Why early"
"""The fact that a month which was closed early has besides: the reasons."""
_ROUNDED = Decimal("0.02")  # that a sum of four amounts in whole cents may differ by
_NAMED_WORKSPACES = 4  # in the entity; more are counted
# Without books, a month stands alone.
_EXPENSES = """
    select
        sum(debit_usd - credit_usd) filter (booked_month = $1),
        sum(booked_usd) filter (booked_month = $1)::decimal(38, 2),
        sum(debit_usd - credit_usd - booked_usd)
    from marts.fct_journal_lines
    where
        role in ('expense', 'difference')
        and booked_month <= $1
        and (booked_month = $1 or exists (from marts.fct_journal_lines where is_booked))
"""
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

    `state` is that of the books, in a few words: closed, closed early, or not closed. There is no
    `journal` where nothing is billed. `carried` says where the cents are that the journal and the
    bill differ by; it is empty where they do not.
    """

    month: date
    state: str
    facts: Mapping[str, str]
    cut_off: datetime | None
    blocks: list[Block]
    total: Row
    adjustments: Row
    tables: Mapping[str, pl.DataFrame]
    journal: Journal | None
    carried: str

    @property
    def words(self) -> str:
        """The month in words."""
        return days.month_in_words(self.month)

    @property
    def to_book(self) -> Row:
        """The sums of the month's lines and of the adjustments that it books."""
        return {
            name: None if None in (parts := (self.total[name], adjusted)) else sum(parts)
            for name, adjusted in self.adjustments.items()
        }

    @property
    def is_own_key_unbooked(self) -> bool:
        """True if there is own-key cost, and the journal has none: it needs an account of its own.

        It is `provider_payable` of finance/accounts.toml.
        """
        entries = self.journal.entries if self.journal else ()
        is_booked = any(entry.kind == "own_key" for entry in entries)
        return bool(self.to_book["own_key_usd"]) and not is_booked


def read_month_end(
    con: duckdb.DuckDBPyConnection,
    month: date,
    closing: ClosingFacts | None,
    journal: Journal | None,
) -> MonthEnd:
    """Read the figures of a month (its first day) from the published tables.

    Its journal is that of all workspaces.
    """
    tables = {name: read_table(con, name, month) for name in TABLES if name != JOURNAL}
    if closing:
        tables = {name: _booked(frame, closing) for name, frame in tables.items()}
    tables[JOURNAL] = journal_lines(journal).drop("journal", "currency")
    lines = tables["lines"].to_dicts()
    reach = cut_off(con)
    state, detail = _state(closing, status_of(con, month))
    total = _sums(lines, "lines")
    facts = {
        "Entity": _entity(con),
        "Period": f"{days.Period.month_of(month)}, UTC days of the meter",
        "State": f"{state[0].upper()}{state[1:]} ({detail})",
        "Prepared by": names.display(closing.prepared_by) if closing else numbers.UNKNOWN,
        "Approved by": names.display(closing.approved_by) if closing else numbers.UNKNOWN,
        "Data cut-off": days.instant_in_words(reach) if reach else numbers.UNKNOWN,
    }
    if _is_known_in_part(con, month, total):
        facts["State"] += "; the bill is known in part"
    if runs := total["unknown_cost_count"]:
        facts["State"] += f"; {numbers.plural(runs, 'run')} of unknown cost"
    if platform_days := _unknown_platform_days(con, month):
        facts["State"] += f"; {numbers.plural(platform_days, 'day')} of unknown platform cost"
    if closing and closing.is_early:
        facts[WHY_EARLY] = "; ".join(map(names.visible, closing.early_reasons))
    return MonthEnd(
        month,
        state,
        facts,
        reach,
        [_block(name, list(of)) for name, of in groupby(lines, itemgetter("workspace_name"))],
        total,
        _adjustments(tables["adjustments"].to_dicts()),
        tables,
        journal,
        _carried(con, month),
    )


def _booked(frame: pl.DataFrame, closing: ClosingFacts) -> pl.DataFrame:
    """Return a table as the close leaves it: the published one is from before."""
    import polars as pl

    closed = {"is_booked": True, "revision": closing.revision}
    return frame.with_columns(
        pl.lit(value, frame.schema[name]).alias(name)
        for name, value in closed.items()
        if name in frame.columns
    )


def _carried(con: duckdb.DuckDBPyConnection, month: date) -> str:
    """Return where the cents are that the journal of a month and its bill differ by."""
    ((exact, cents, on),) = con.execute(_EXPENSES, [month]).fetchall()
    if exact == cents:
        return ""
    return (
        f"Expenses in the journal: {exact:f} with every digit, {cents:f} in whole cents."
        f" Rounding carries {on - exact + cents:f} in from earlier months, and {on:f} on to"
        " later ones."
    )


def _sums(rows: Sequence[Row], table: str) -> Row:
    """Return the sums of a table over known values: None where no row has one, of no rows 0."""
    return {
        name: numbers.known_sum(
            [row[name] for row in rows], Decimal(0) if name.endswith("_usd") else 0
        )
        for name in TABLES[table].sums
    }


def _is_known_in_part(con: duckdb.DuckDBPyConnection, month: date, total: Row) -> bool:
    """Return True if the API refused the bill of a workspace, or usage of the month lacks one."""
    refused = con.execute(
        "select 1 from marts.dim_months where month = ? and not has_agent_bill", [month]
    ).fetchone()
    cents = {name: total[name] and total[name].quantize(numbers.CENT) for name in AMOUNTS}
    if refused or cents["billed_usd"] is None:
        return True
    if None in cents.values():
        return False
    rest = cents["billed_usd"] - cents["metered_cost_usd"] - cents["surcharge_usd"]
    return bool(abs(rest + cents["own_key_usd"]) > _ROUNDED)


def _unknown_platform_days(con: duckdb.DuckDBPyConnection, month: date) -> int:
    """Return the number of days of which the platform's cost is in no sum."""
    ((count,),) = con.execute(
        "select coalesce(sum(unknown_platform_count), 0)::bigint from marts.fct_agent_months"
        " where month = ?",
        [month],
    ).fetchall()
    return int(count)


def _block(name: str, lines: list[Row]) -> Block:
    """Return the block of a workspace, with one line for all agents that cost nothing."""
    idle = [each for each in lines if each["line_type"] == "agent" and not _costs(each)]
    shown = [each for each in lines if each not in idle] if len(idle) > 1 else lines
    if len(idle) > 1:
        agents = len({each["agent_id"] for each in idle})
        blank = {"workspace_name": name, "owner": "", "cost_center": ""}
        folded = {**blank, **_sums(idle, "lines")}
        folded["agent_name"] = f"{numbers.plural(agents, 'agent')} without cost"
        shown.append(folded)
    return Block(name, shown, _sums(lines, "lines"))


def _costs(line: Mapping[str, Any]) -> bool:
    """Return True unless all amounts of a line are known to be zero."""
    return any(line[name] is None or line[name] for name in AMOUNTS)


def _adjustments(rows: list[Row]) -> Row:
    """Return the sums of adjustments, by the names of a line's columns."""
    found = _sums(rows, "adjustments")
    return {name: found[f"difference_{name}"] for name in (*AMOUNTS, "run_count")}


def _state(closing: ClosingFacts | None, status: str) -> tuple[str, str]:
    """Return the state of the month in the books, and the fact that explains it."""
    if closing is None:
        return "not closed: provisional", f"{status}: {_STATES[status]}"
    state = "closed early" if closing.is_early else "closed"
    at = days.instant_in_words(closing.closed_at)
    return state, f"revision {closing.revision}, {at}"


def _entity(con: duckdb.DuckDBPyConnection) -> str:
    found = con.execute(
        "select workspace_name, workspace_id from marts.dim_workspaces order by 1, 2"
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
