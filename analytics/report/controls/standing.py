"""How far the data of each workspace can be trusted: a line each, with the way to its proof."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.report.writing.numbers import count, plural
from analytics.report.writing.tables import Cell, Column, Table, money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    import duckdb

    from analytics.report.figures.facts import Workspace
    from analytics.report.writing.tables import Row


@dataclass(frozen=True, slots=True)
class Standing:
    """What the data of a workspace lack, and how many of its days stand how."""

    hidden_count: int
    hidden_usd: Decimal | None
    unknown_count: int
    open_count: int
    provisional_count: int
    adjusted_count: int
    left_out_count: int
    day_count: int
    unreconciled_count: int


def table(con: duckdb.DuckDBPyConnection, workspaces: Sequence[Workspace]) -> Table | None:
    """A line for each workspace; None where there is none."""
    known = _read(con)
    if not workspaces:
        return None
    return Table(
        "standing",
        "What the data of each workspace lack, over all days, US dollars",
        [
            Column("Workspace", "name"),
            *(Column(each) for each in ("Hidden runs", "Cost of hidden runs", "Open runs")),
            *(Column(each) for each in ("Provisional", "Adjusted agent days", "Records left out")),
            Column("Reconciled", "text"),
            Column("More", "text"),
        ],
        [_row(each, known[each.row.workspace_id]) for each in workspaces],
        is_sortable=True,
        is_cards=True,
    )


def _row(workspace: Workspace, standing: Standing) -> Row:
    folder = f"workspaces/{workspace.data}"
    note = "part unknown" if standing.unknown_count else ""
    return [
        Cell(workspace.name, workspace.name.casefold(), href=workspace.path),
        count(standing.hidden_count),
        replace(money(standing.hidden_usd), note=note),
        count(standing.open_count),
        count(standing.provisional_count),
        count(standing.adjusted_count),
        count(standing.left_out_count),
        Cell(_verdict(standing), href=f"{folder}/reconciliation.html"),
        Cell("Data quality", href=f"{folder}/quality.html"),
    ]


def _verdict(standing: Standing) -> str:
    if not standing.day_count:
        return "\u25d4 no day yet"
    if standing.unreconciled_count:
        return f"\u2715 {plural(standing.unreconciled_count, 'unreconciled day')}"
    return f"\u2713 {plural(standing.day_count, 'day')}, none unreconciled"


def _read(con: duckdb.DuckDBPyConnection) -> dict[str, Standing]:
    rows = con.execute("""
        with hidden as (
            select workspace_id, sum(missing_run_count)::bigint as hidden_count,
                sum(missing_cost_usd) as hidden_usd,
                count(*) filter (missing_cost_usd is null) as unknown_count
            from marts.fct_listing_gaps group by workspace_id
        ), runs as (
            select workspace_id, count(*) filter (not is_terminal) as open_count,
                count(*) filter (is_terminal and not is_final) as provisional_count
            from marts.fct_runs group by workspace_id
        ), adjusted as (
            select workspace_id, count(*) as adjusted_count
            from marts.fct_adjustments group by workspace_id
        ), left_out as (
            select workspace_id, count(*) as left_out_count
            from audit.quarantined_records group by workspace_id
        ), days as (
            select workspace_id, count(*) as day_count,
                count(*) filter (status = 'unreconciled') as unreconciled_count
            from audit.reconciliation_days group by workspace_id
        )
        select workspace_id, coalesce(hidden_count, 0),
            if(hidden.workspace_id is null, 0, hidden_usd), coalesce(unknown_count, 0),
            coalesce(open_count, 0), coalesce(provisional_count, 0), coalesce(adjusted_count, 0),
            coalesce(left_out_count, 0), coalesce(day_count, 0), coalesce(unreconciled_count, 0)
        from marts.dim_workspaces
        left join hidden using (workspace_id)
        left join runs using (workspace_id)
        left join adjusted using (workspace_id)
        left join left_out using (workspace_id)
        left join days using (workspace_id)""").fetchall()
    return {row[0]: Standing(*row[1:]) for row in rows}
