"""Definitions in a statement: its sources, and the meaning of each term."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.report.writing import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    import duckdb


class Definition(NamedTuple):
    """A term, and its meaning."""

    term: str
    meaning: str


_READING = (
    Definition(
        "How it adds up",
        "The last line, Total, is the sum of the lines above it, to the last digit. Nothing is "
        "rounded. complete_cost_usd = cost_usd + gap_cost_usd; metered_cost_usd = billed_usd + "
        "not_billed_usd.",
    ),
    Definition("An empty cell", "Unknown, or not told by the API; never 0."),
    Definition(
        "Days",
        "Runs, cost, failures and adjustments belong to the day on which the run was created, in "
        "the reporting time zone. Hidden runs, metered cost, bill and the platform's own runs are "
        "known by UTC day only, of the creation (hidden, platform) or of the model request "
        "(metered cost, bill).",
    ),
    Definition(
        "Cost and metered cost",
        "complete_cost_usd and metered_cost_usd differ by what was requested on the other side of "
        "the month's edge from its run's creation, and by what the reconciliation leaves "
        "unexplained (below, by workspace). Runs without an agent have cost in their own line, "
        "and metered cost in the platform's.",
    ),
    Definition(
        "Cost and bill",
        "Cost is at the provider's list price, whoever pays it. What is not billed is no debt to "
        "the platform, and may be billed by a provider directly; below 0, the platform charges "
        "more than the list price.",
    ),
)
_STATUS = {
    "open": "open: the month is not over, or some of its days may still change; provisional",
    "incomplete": "incomplete: the days before the first one that was read are missing",
    "closed": "closed: every day was read, is over and is final",
}
_WORKSPACES = """
    select
        w.workspace_name,
        w.workspace_id,
        w.last_batch_at,
        w.reporting_timezone,
        m.status,
        m.first_date,
        coalesce(m.open_count, 0),
        coalesce(m.provisional_count, 0),
        coalesce(m.unreconciled_day_count, 0),
        m.unexplained_usd,
        l.load_id,
        l.code_version
    from marts.dim_workspaces as w
    left join marts.dim_months as m on m.workspace_id = w.workspace_id and m.month = $month
    left join (
        select workspace_id, max(load_id) as load_id, arg_max(code_version, load_id) as code_version
        from audit.loads
        group by workspace_id
    ) as l on l.workspace_id = w.workspace_id
    where list_contains($workspace_ids, w.workspace_id)
    order by w.workspace_name, w.workspace_id
"""


def definitions(
    con: duckdb.DuckDBPyConnection,
    month: date,
    workspace_ids: Sequence[str],
    columns: Sequence[str],
) -> list[Definition]:
    """Return notes on the statement, the state of each workspace's data, and column meanings."""
    return [
        *_READING,
        *data_of_workspaces(con, month, workspace_ids),
        *_columns(con, columns),
    ]


def data_of_workspaces(
    con: duckdb.DuckDBPyConnection, month: date, workspace_ids: Sequence[str]
) -> Iterator[Definition]:
    """Yield the cut-off of each workspace's data, and the reasons why they may still change."""
    rows = con.execute(
        _WORKSPACES, {"month": month, "workspace_ids": list(workspace_ids)}
    ).fetchall()
    for (
        name, workspace_id, last_batch_at, timezone, status, first_date,
        open_count, provisional_count, unreconciled_day_count, unexplained_usd, load_id,
        code_version,
    ) in rows:  # fmt: skip
        facts = [
            _STATUS.get(status, "no figures of this month"),
            f"first UTC day read {first_date}" if first_date else "",
            f"{numbers.plural(open_count, 'open run')}" if open_count else "",
            f"{numbers.plural(provisional_count, 'run')} that may be corrected"
            if provisional_count
            else "",
            f"{numbers.plural(unreconciled_day_count, 'unreconciled day')}"
            if unreconciled_day_count
            else "",
            f"unexplained {numbers.usd_exact(unexplained_usd)} US dollars"
            if unexplained_usd
            else "",
            f"data cut-off {last_batch_at:%Y-%m-%d %H:%M:%S} UTC" if last_batch_at else "",
            f"days and months in {timezone}",
            f"last load {load_id}, by levain-analytics {code_version}" if load_id else "",
            f"workspace_id {workspace_id}",
        ]
        yield Definition(f"Workspace {name}", "; ".join(fact for fact in facts if fact) + ".")


def _columns(con: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> Iterator[Definition]:
    """Yield the comment of each column in the published table."""
    meanings = dict(
        con.execute(
            "select column_name, comment from duckdb_columns()"
            " where schema_name = 'marts' and table_name = 'fct_agent_months_complete'"
        ).fetchall()
    )
    for column in columns:
        yield Definition(column, meanings.get(column) or "")
