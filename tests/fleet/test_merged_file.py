"""The file of a merge, of what shards have published, without the extra `fleet`."""

from __future__ import annotations

from pathlib import Path

import duckdb

from analytics.fleet.merged_file import Merged, merge_files


def test_a_merged_file_has_all_that_shards_published(
    shards: tuple[Path, Path], tmp_path: Path
) -> None:
    """It has each table of a shard, the rows of all, and what is built of all workspaces."""
    files = dict(zip("ab", shards, strict=True))
    target = tmp_path / "merged.duckdb"

    assert merge_files(files, dict.fromkeys(files), target, tmp_path) == Merged([], [])
    with duckdb.connect(target, read_only=True) as con:
        for shard, file in files.items():
            con.execute(f"attach '{file}' as {shard} (read_only)")
        tables = "select table_name from duckdb_tables() where (database_name, schema_name) = "
        names = con.execute(f"{tables} ('a', 'marts') order by 1").fetchall()
        assert con.execute(f"{tables} ('merged', 'marts') order by 1").fetchall() == names
        days = "(select count(*) from {}.marts.fct_agent_days)"
        sums = con.execute(f"select {', '.join(map(days.format, ('merged', 'a', 'b')))}").fetchall()
        assert sums[0][0] == sums[0][1] + sums[0][2] > 0
