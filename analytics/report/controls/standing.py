"""How far the data of each workspace can be trusted: a line each, with the way to its pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analytics.format.numbers import count, percent, plural
from analytics.report.writing.tables import Cell, Column, Table, money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    import duckdb

    from analytics.report.figures.facts import Workspace
    from analytics.report.writing.tables import Row


@dataclass(frozen=True, slots=True)
class Standing:
    """The limits of a workspace's data, findings of its controls, and the states of its days."""

    run_count: int
    listed_count: int
    unlisted_count: int
    unlisted_usd: Decimal | None
    unknown_count: int
    open_count: int
    provisional_count: int
    adjusted_count: int
    quarantined_count: int
    day_count: int
    unreconciled_count: int
    finding_count: int


def table(con: duckdb.DuckDBPyConnection, workspaces: Sequence[Workspace]) -> Table | None:
    """A line for each workspace; None where there is none."""
    known = _read(con)
    if not workspaces:
        return None
    return Table(
        "standing",
        "Data quality of each workspace, over all days, US dollars",
        [
            Column("Workspace", "name"),
            *(Column(each) for each in ("Detail coverage", "Unlisted runs")),
            *(Column(each) for each in ("Cost of unlisted runs", "Open runs", "Provisional")),
            *(Column(each) for each in ("Adjustments", "Quarantined")),
            *(Column(each, "text") for each in ("Reconciliation", "More")),
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
        percent(standing.listed_count, standing.run_count),
        count(standing.unlisted_count),
        replace(money(standing.unlisted_usd), note=note),
        count(standing.open_count),
        count(standing.provisional_count),
        count(standing.adjusted_count),
        count(standing.quarantined_count),
        Cell(_verdict(standing), href=f"{folder}/reconciliation.html"),
        Cell("Data quality", href=f"{folder}/quality.html"),
    ]


def _verdict(standing: Standing) -> str:
    if standing.finding_count:
        return f"\u2715 {plural(standing.finding_count, 'finding')} of controls"
    if standing.unreconciled_count:
        return f"\u2715 {plural(standing.unreconciled_count, 'unreconciled day')}"
    if not standing.day_count:
        return "\u25d4 no day yet"
    return f"\u2713 {plural(standing.day_count, 'day')}, none unreconciled"


def _read(con: duckdb.DuckDBPyConnection) -> dict[str, Standing]:
    rows = con.execute("""
        with agent_days as (
            select workspace_id, sum(run_count)::bigint as run_count,
                sum(listed_run_count)::bigint as listed_count,
                sum(unlisted_run_count)::bigint as unlisted_count,
                sum(unlisted_cost_usd) filter (unlisted_run_count > 0) as unlisted_usd,
                count(*) filter (unlisted_run_count > 0 and unlisted_cost_usd is null)
                    as unknown_count
            from marts.fct_agent_days group by workspace_id
        ), runs as (
            select workspace_id, count(*) filter (not is_terminal) as open_count,
                count(*) filter (is_terminal and not is_final) as provisional_count
            from marts.fct_runs group by workspace_id
        ), adjusted as (
            select workspace_id, count(*) as adjusted_count
            from marts.fct_adjustments group by workspace_id
        ), quarantined as (
            select workspace_id, count(*) as quarantined_count
            from audit.quarantined_records group by workspace_id
        ), days as (
            select workspace_id, count(*) as day_count,
                count(*) filter (status = 'unreconciled') as unreconciled_count
            from audit.reconciliation_days group by workspace_id
        ), findings as (
            select workspace_id,
                sum(finding_count) filter (finding_number = 1)::bigint as finding_count
            from audit.control_findings group by workspace_id
        )
        select workspace_id, coalesce(run_count, 0), coalesce(listed_count, 0),
            coalesce(unlisted_count, 0), if(coalesce(unlisted_count, 0) = 0, 0, unlisted_usd),
            coalesce(unknown_count, 0), coalesce(open_count, 0), coalesce(provisional_count, 0),
            coalesce(adjusted_count, 0), coalesce(quarantined_count, 0), coalesce(day_count, 0),
            coalesce(unreconciled_count, 0), coalesce(finding_count, 0)
        from marts.dim_workspaces
        left join agent_days using (workspace_id)
        left join runs using (workspace_id)
        left join adjusted using (workspace_id)
        left join quarantined using (workspace_id)
        left join days using (workspace_id)
        left join findings using (workspace_id)""").fetchall()
    return {row[0]: Standing(*row[1:]) for row in rows}
