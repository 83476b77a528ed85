"""Definitions in a statement: notes, the state of its data, and the meaning of each term."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.format import numbers
from analytics.transform.measures import measures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    import duckdb

    from analytics.published.export.month_tables import Table


class Definition(NamedTuple):
    """A term, its label on pages (empty if it has none), and its meaning."""

    term: str
    label: str
    meaning: str


class PackDefinition(NamedTuple):
    """A definition in a pack: that of a column names its file and its sheet, a note neither."""

    file: str
    sheet: str
    term: str
    label: str
    meaning: str


_READING = (
    Definition(
        "How it adds up",
        "",
        "The last line, Total, is the sum of the lines above it, to the last digit. Nothing is "
        "rounded. cost_usd = listed_cost_usd + unlisted_cost_usd, but for the platform's line, "
        "whose runs are neither; metered_cost_usd + surcharge_usd - own_key_usd = billed_usd. "
        "failed_cost_high_usd of the total is empty where a line with unlisted failed runs has "
        "none.",
    ),
    Definition("An empty cell", "", "Unknown, or not reported by the API; never 0."),
    Definition(
        "Owners",
        "",
        "Owner and cost center are those of the agent on the day, by finance/owners.csv: an agent "
        "that changed hands within the month has a line for each owner. (none) is a line without "
        "one.",
    ),
    Definition(
        "Days",
        "",
        "Listed runs, their cost, failures and adjustments belong to the day on which the run was "
        "created, in the reporting time zone. Unlisted runs, metered cost, bill and the platform's "
        "own runs are known by UTC day only, of the creation (unlisted runs, platform) or of the "
        "model request (metered cost, bill).",
    ),
    Definition(
        "Cost and metered cost",
        "",
        "cost_usd and metered_cost_usd differ by timing differences, metered in another month "
        "than that of the run's creation, and by what the reconciliation leaves unexplained "
        "(below, by workspace). Runs without an agent have cost in their own line, and metered "
        "cost in the platform's.",
    ),
    Definition(
        "Cost and bill",
        "",
        "Cost is at the provider's list price, whoever pays it. Own-key cost is payable to the "
        "provider and not to Levain; surcharge is what Levain bills above the list price.",
    ),
)
_MONTH_END = (
    Definition(
        "How it adds up",
        "",
        "The books are kept in UTC months of the meter, as the bill is. In each line "
        "metered_cost_usd + surcharge_usd - own_key_usd = billed_usd; the lines add up to the bill "
        "by provider, and to the last step of the table Cost to bill, to the last digit. Nothing "
        "is rounded but where it is shown.",
    ),
    Definition(
        "Runs beside the amounts",
        "",
        "Runs, their outcomes, their cost (run_cost_usd) and the cost of failed ones are of the "
        "runs created in the month, in the reporting time zone; metered cost and bill are of the "
        "requests of its UTC days. The table Cost to bill leads from one to the other.",
    ),
    Definition(
        "Total to book",
        "",
        "The month's lines, and the adjustments of earlier, closed months that it books.",
    ),
    Definition("An empty cell", "", "Unknown, or not reported by the API; never 0."),
    *(each for each in _READING if each.term == "Owners"),
)
_METERED_TOKENS = {
    "tokens_in": "Input tokens of the requests metered in the month, cached ones included.",
    "tokens_out": "Output tokens of the requests metered in the month.",
}
_TOKENS_OF_RUNS = {
    "tokens_in": "Input tokens of the runs created in the month, cached ones included.",
    "tokens_out": "Output tokens of the runs created in the month.",
}
_NAMED_IN = ("dim_workspaces", "dim_agents")
_STATUS = {
    "open": "open: the month is not over, or some of its days may still change; provisional",
    "incomplete": "incomplete: the days before the first one that was read are missing",
    "final": "final: every day was read, is over and may change no more",
    "closed": "closed: booked; a later change is an adjustment of the next open month",
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


def month_end_definitions(
    con: duckdb.DuckDBPyConnection,
    month: date,
    workspace_ids: Sequence[str],
    tables: Mapping[Table, Sequence[str]],
    *,
    is_closed: bool,
) -> list[PackDefinition]:
    """Return notes on a month's tables, the state of its data, and what their columns mean.

    `tables` have their columns, `is_closed` says that the month is closed, or just being closed.
    """
    comments = _comments(con)
    notes = (*_MONTH_END, *data_of_workspaces(con, month, workspace_ids, is_closed=is_closed))
    columns = (
        PackDefinition(
            table.file, table.sheet, name, table.label(name),
            table.meanings.get(name)
            or _METERED_TOKENS.get(name)
            or _meaning_in(comments, table, name),
        )
        for table, of_table in tables.items()
        for name in of_table
    )  # fmt: skip
    return [
        *(PackDefinition("", "", *note) for note in notes),
        *(each for each in columns if each.meaning),
    ]


def _meaning_in(comments: Mapping[tuple[str, str], str], table: Table, name: str) -> str:
    """Return what a column of a table means, which has names besides, and writes months as text."""
    found = (_meaning(comments, each, name) for each in (table.relation, *_NAMED_IN))
    meaning = next(filter(None, found), "")
    return meaning.replace("First day of the ", "YYYY-MM: ") if name.endswith("month") else meaning


def data_of_workspaces(
    con: duckdb.DuckDBPyConnection,
    month: date,
    workspace_ids: Sequence[str],
    *,
    is_closed: bool = False,
) -> Iterator[Definition]:
    """Yield the cut-off of each workspace's data, and the reasons why they may still change.

    `is_closed` if the month is just being closed.
    """
    rows = con.execute(
        _WORKSPACES, {"month": month, "workspace_ids": list(workspace_ids)}
    ).fetchall()
    for (
        name, workspace_id, last_batch_at, timezone, status, first_date,
        open_count, provisional_count, unreconciled_day_count, unexplained_usd, load_id,
        code_version,
    ) in rows:  # fmt: skip
        facts = [
            _STATUS.get("closed" if is_closed else status, "no figures of this month"),
            f"first UTC day read {first_date}" if first_date else "",
            f"{numbers.plural(open_count, 'open run')}" if open_count else "",
            f"{numbers.plural(provisional_count, 'provisional run')}" if provisional_count else "",
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
        yield Definition(f"Workspace {name}", "", "; ".join(fact for fact in facts if fact) + ".")


def _columns(con: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> Iterator[Definition]:
    """Yield each column: a measure by its declaration, any other by the table's comment."""
    comments = _comments(con)
    for column in columns:
        label = measures()[column].label if column in measures() else ""
        meaning = _meaning(comments, "fct_agent_owner_months", column)
        yield Definition(column, label, _TOKENS_OF_RUNS.get(column, meaning))


def _meaning(comments: Mapping[tuple[str, str], str], relation: str, column: str) -> str:
    if measure := measures().get(column):
        return measure.meaning
    return comments.get((relation, column), "")


def _comments(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    rows = con.execute(
        "select table_name, column_name, comment from duckdb_columns()"
        " where schema_name in ('marts', 'audit', 'reports') and comment is not null"
    ).fetchall()
    return {(relation, column): comment for relation, column, comment in rows}
