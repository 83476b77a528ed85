"""What a fleet published, compared with what one machine publishes of the same landing files."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from analytics.batch.rebuild import rebuild
from analytics.settings import load_settings
from analytics.warehouse.layout import Layout
from tests.fleet.fleets import Given, quiet

NOT_OF_A_WORKSPACE = {"check_results", "project_files",
                      "alert_findings", "closings"}  # fmt: skip
"""Relations of schema audit that tell of a batch of its own in each shard."""

CLOCK = {"loads": "* exclude (loaded_at, published_at)"}
"""Columns that tell when a machine did something."""


def on_one_machine(given: Given, root: Path) -> Path:
    """Return the file that one machine publishes of all that the shards have landed."""
    layout = Layout(root / "data")
    for shard in given.fleet.shards:
        shutil.copytree(given.fleet.layout(shard).landing, layout.landing, dirs_exist_ok=True)
    rebuild(load_settings(layout.root, given.root / "analytics.toml"), quiet())
    return layout.published_file


def differences(one: Path, merged: Path) -> list[str]:
    """Return the relations whose rows differ, and the columns whose type or comment does."""
    with duckdb.connect() as con:
        con.execute(f"attach '{one}' as one (read_only); attach '{merged}' as merged (read_only)")
        relations = con.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = 'one' and schema_name in ('marts', 'audit') order by all"
        ).fetchall()
        assert relations
        found = []
        for schema, name in relations:
            if name in NOT_OF_A_WORKSPACE:
                continue
            rows, others = (
                f"select {CLOCK.get(name, '*')} from {each}.{schema}.{name}"
                for each in ("one", "merged")
            )
            ((count,),) = con.execute(
                f"select count(*) from (({rows} except all {others})"
                f" union all ({others} except all {rows}))"
            ).fetchall()
            if count:
                found.append(f"{name}: {count} rows")
        unlike = con.execute("""
            select table_name || '.' || column_name
            from (
                select table_name, column_name, data_type, comment from duckdb_columns()
                where database_name = 'one' and schema_name = 'marts'
                except
                select table_name, column_name, data_type, comment from duckdb_columns()
                where database_name = 'merged'
            ) order by all
        """).fetchall()
    return found + [column for (column,) in unlike]
