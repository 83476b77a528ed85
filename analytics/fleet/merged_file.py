"""The merged file: what all shards have published, as one file of marts.

Relations of workspaces are those of the shards, put together; no figure is computed again. Only
budgets may be of several workspaces at once, and findings are ranked over all: both are built anew,
by the same models, from the merged marts and the files of `finance/`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import duckdb

from analytics.batch.last_batch import LastBatch
from analytics.errors import AnalyticsError
from analytics.finance.load import load_finance
from analytics.format import names
from analytics.transform.build import build_only
from analytics.transform.build_state import row_counts
from analytics.transform.measures import create_macros, create_what_if
from analytics.warehouse.database import (
    BUILD_FILE,
    attach_read_only,
    attached_marts,
    quoted,
    spilling,
)
from analytics.warehouse.schema import finance_statements

AT_ONCE = 50
"""Files of shards that are open at a time."""

_BUILT = ("marts.dim_prices", "marts.fct_budgets", "marts.fct_findings")
_MODELS = (
    "intermediate.int_workspace_names",
    "intermediate.int_agent_names",
    "intermediate.int_budget_members",
    "intermediate.int_budgets",
    "intermediate.int_budget_days",
    "intermediate.int_forecasts",
    *_BUILT,
)
_STAND_INS = """
    create schema intermediate;
    create schema staging;
    create view staging.workspaces as select workspace_id, workspace_name from marts.dim_workspaces;
    create view intermediate.int_agents as
        select *, first_seen_at as began_at from marts.dim_agents where line_type = 'agent';
    create view intermediate.int_metered_days as
        select
            workspace_id,
            utc_date,
            min(utc_date) over (partition by workspace_id) as first_date,
            max(utc_date) over (partition by workspace_id) as last_date
        from audit.reconciliation_days;
    create view intermediate.int_findings as
        select * exclude (
            finding_id, agent_name, urgency, sentence, next_step, is_silenced, silenced_note, rank
        )
        from found;
    create view intermediate.int_waste_findings as from intermediate.int_findings limit 0;
    create view intermediate.int_agent_findings as from intermediate.int_findings limit 0;
"""
"""Relations of a batch that these models read, made from the published ones."""

_OWN = "select workspace_id from {}.marts.dim_workspaces"


class Partition(NamedTuple):
    """The rows of a workspace and month; of a workspace, or all, in tables that have none."""

    workspace_id: str = ""
    month: date | None = None


@dataclass(frozen=True)
class Merged:
    """Problems of the project's files, and the shards whose files are of another release."""

    problems: list[str]
    left_out: list[str]


def merge_files(
    files: Mapping[str, Path], batches: Mapping[str, LastBatch | None], target: Path, project: Path
) -> Merged:
    """Merge the published files of shards, by shard, into the new file `target`.

    `batches` has the last batch of each shard, also of those without a file. A file is left out
    that has not the tables and columns that most have. AnalyticsError, which names the shards, if a
    workspace is in two of them; and if rows are lost, or are of a workspace of another shard.
    """
    with spilling(target.parent) as con:
        workspaces, left_out = _read_shards(con, files)
        files = {shard: file for shard, file in files.items() if shard not in left_out}
        con.execute("set TimeZone = 'UTC'; attach ':memory:' as warehouse; use warehouse")
        con.execute(finance_statements())
        with attached_marts(con, target, has_log=False):
            expected: Counter[str] = Counter()  # rows of each relation
            for catalogs in _attached(con, files):
                if not expected:
                    _create(con, next(iter(catalogs)))
                expected.update(_add(con, catalogs))
                _add_found(con, catalogs)
            _require_one_shard_each(con)
            _require_all_rows(con, expected)
            _add_shards(con, batches, workspaces, left_out)
            create_macros(con, f"{BUILD_FILE}.marts")
            con.execute(_STAND_INS)
            problems = load_finance(con, project)
            build_only(con, _MODELS)
            create_what_if(con, f"{BUILD_FILE}.marts")
    return Merged(problems, left_out)


def _read_shards(
    con: duckdb.DuckDBPyConnection, files: Mapping[str, Path]
) -> tuple[dict[str, list[tuple[str, str]]], list[str]]:
    """Return identifier and name of each workspace by shard, and the shards of other releases.

    These have not the merged tables and columns that most have.
    """
    shards: defaultdict[frozenset[tuple[str, ...]], list[str]] = defaultdict(list)
    workspaces: dict[str, list[tuple[str, str]]] = {}
    for catalogs in _attached(con, files):
        for catalog, shard in catalogs.items():
            shards[_columns(con, catalog)].append(shard)
            workspaces[shard] = con.execute(
                "select workspace_id, coalesce(workspace_name, workspace_id)"
                f" from {catalog}.marts.dim_workspaces"
            ).fetchall()
    _, *others = sorted(shards.values(), key=len, reverse=True)
    return workspaces, sorted(shard for each in others for shard in each)


def _columns(con: duckdb.DuckDBPyConnection, catalog: str) -> frozenset[tuple[str, ...]]:
    """Return relation, name and type of each column that is merged."""
    merged = [relation for relation, _ in _relations(con, catalog)]
    rows = con.execute(
        """
        select concat_ws('.', schema_name, table_name) as relation, column_name, data_type
        from duckdb_columns() where database_name = ? and list_contains(?, relation)
        """,
        [catalog, merged],
    ).fetchall()
    return frozenset(rows)


def _attached(
    con: duckdb.DuckDBPyConnection, files: Mapping[str, Path]
) -> Iterator[dict[str, str]]:
    """Attach files of shards, some at a time, and yield the shard of each attached catalog."""
    left = iter(files)
    while group := [*islice(left, AT_ONCE)]:
        catalogs = {f"shard_{number}": shard for number, shard in enumerate(group)}
        for catalog, shard in catalogs.items():
            attach_read_only(con, files[shard], catalog)
        yield catalogs
        for catalog in catalogs:
            con.execute(f"detach {catalog}")


def _create(con: duckdb.DuckDBPyConnection, catalog: str) -> None:
    """Create all merged relations, empty, as the file of a shard has them, with their comments."""
    con.execute(f"create schema {BUILD_FILE}.fleet")
    con.execute(f"create table {BUILD_FILE}.fleet.workspaces (workspace_id varchar, shard varchar)")
    for relation, has_workspace in _relations(con, catalog):
        shard = "" if has_workspace else "''::varchar as shard, "
        con.execute(
            f"create table {BUILD_FILE}.{relation} as"
            f" select {shard}* from {catalog}.{relation} limit 0"
        )
    comments = con.execute(
        """
        select 'table', concat_ws('.', schema_name, table_name), comment from duckdb_tables()
        where database_name = $catalog and comment is not null
        union all
        select 'column', concat_ws('.', schema_name, table_name, '"' || column_name || '"'), comment
        from duckdb_columns() where database_name = $catalog and comment is not null
        """,
        {"catalog": catalog},
    ).fetchall()
    merged = {relation for relation, _ in _relations(con, catalog)}
    for kind, name, comment in comments:
        if ".".join(name.split(".")[:2]) in merged:
            con.execute(f"comment on {kind} {BUILD_FILE}.{name} is '{quoted(comment)}'")


def _relations(con: duckdb.DuckDBPyConnection, catalog: str) -> list[tuple[str, bool]]:
    """Return the relations that are merged, and of each whether its rows name a workspace."""
    rows = con.execute(
        """
        select concat_ws('.', schema_name, table_name) as relation,
            bool_or(column_name = 'workspace_id')
        from duckdb_columns()
        where database_name = ? and schema_name in ('marts', 'audit')
        group by relation order by relation
        """,
        [catalog],
    ).fetchall()
    return [row for row in rows if row[0] not in _BUILT]


def _add(con: duckdb.DuckDBPyConnection, catalogs: Mapping[str, str]) -> Counter[str]:
    """Add the rows of shards; return the number that each relation has of them.

    Only rows of a shard's own workspaces are added, so that the number tells of others.
    """
    counts: Counter[str] = Counter()
    for relation, has_workspace in _relations(con, next(iter(catalogs))):
        parts, numbers = [], []
        for catalog, shard in catalogs.items():
            parts.append(
                f"(select * from {catalog}.{relation}"
                f" where workspace_id in ({_OWN.format(catalog)}))"
                if has_workspace
                else f"(select '{shard}' as shard, * from {catalog}.{relation})"
            )
            numbers.append(f"(select count(*) from {catalog}.{relation})")
        con.execute(
            f"insert into {BUILD_FILE}.{relation} by name {' union all by name '.join(parts)}"
        )
        ((counts[relation],),) = con.execute(f"select {' + '.join(numbers)}").fetchall()
    for catalog, shard in catalogs.items():
        con.execute(
            f"insert into {BUILD_FILE}.fleet.workspaces"
            f" select workspace_id, '{shard}' from ({_OWN.format(catalog)})"
        )
    return counts


def _add_found(con: duckdb.DuckDBPyConnection, catalogs: Collection[str]) -> None:
    """Add what shards found in their own workspaces, as the model of findings reads it."""
    con.execute(
        "create table if not exists found as"
        f" select * from {next(iter(catalogs))}.marts.fct_findings limit 0"
    )
    for catalog in catalogs:
        con.execute(
            f"insert into found by name from {catalog}.marts.fct_findings"
            f" where kind not in ('budget', 'data') and workspace_id in ({_OWN.format(catalog)})"
        )


def _require_one_shard_each(con: duckdb.DuckDBPyConnection) -> None:
    twice = con.execute(f"""
        select workspace_id, list(shard order by shard) from {BUILD_FILE}.fleet.workspaces
        group by workspace_id having count(*) > 1 order by workspace_id
    """).fetchone()
    if twice:
        raise AnalyticsError(
            f"The workspace {twice[0]} is in several shards: {', '.join(twice[1])}.\n"
            "Nothing was published. Remove all but one of them from the fleet, with their folders."
        )


def _require_all_rows(con: duckdb.DuckDBPyConnection, expected: Mapping[str, int]) -> None:
    counts = row_counts(con, [f"{BUILD_FILE}.{relation}" for relation in expected])
    for relation, number in expected.items():
        if (merged := counts[f"{BUILD_FILE}.{relation}"]) != number:
            raise AnalyticsError(
                f"{relation} has {merged:,} rows merged and {number:,} in the files of the shards:"
                " some are of a workspace of another shard.\n"
                "Nothing was published. Report this; the shards' own files are as they were."
            )


def _add_shards(
    con: duckdb.DuckDBPyConnection,
    batches: Mapping[str, LastBatch | None],
    workspaces: Mapping[str, list[tuple[str, str]]],
    left_out: Collection[str],
) -> None:
    """Add how the last batch of each shard ended, one row for each of its workspaces."""
    con.execute(f"""
        create table {BUILD_FILE}.fleet.shards (
            shard varchar, workspace_id varchar, workspace_name varchar, ended_at timestamptz,
            exit_code integer, message varchar, page varchar
        )
    """)
    rows = [
        row
        for shard, batch in batches.items()
        for row in _rows_of(shard, batch, workspaces.get(shard, []))
    ]
    con.executemany(f"insert into {BUILD_FILE}.fleet.shards values (?, ?, ?, ?, ?, ?, ?)", rows)
    con.execute(
        f"update {BUILD_FILE}.fleet.shards set message = concat_ws('; ', message, ?)"
        " where list_contains(?, shard)",
        ["its figures are of another release, and not among these", [*left_out]],
    )
    con.execute(f"drop table {BUILD_FILE}.fleet.workspaces")


def _rows_of(
    shard: str, batch: LastBatch | None, workspaces: list[tuple[str, str]]
) -> list[tuple[object, ...]]:
    """Return a row for each workspace of a shard; one without a workspace if it has none yet."""
    if batch is None:
        ended: tuple[object, ...] = (None, None, "no batch of it has ended")
    else:
        ended = (batch.ended_at, batch.exit_code, batch.failure)
    return [
        (shard, workspace_id, name, *ended, _page(shard, workspace_id))
        for workspace_id, name in workspaces
    ] or [(shard, None, None, *ended, None)]


def _page(shard: str, workspace_id: str) -> str:
    """Return the address of a workspace's page within the site of the fleet."""
    return f"shards/{shard}/{names.workspace_page(workspace_id)}"
