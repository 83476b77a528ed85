"""The cost of controls and of stored versions: time, and disk."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import duckdb

from analytics.warehouse.layout import Layout
from analytics.warehouse.sources import SOURCES
from benchmarks.fleet import Served
from benchmarks.measure import median, megabytes, run, seconds

ROUNDS = 5
BATCHES = 10
CHANGED = 0.01


def measure(fleet: Served, build: Path, environment: dict[str, str]) -> None:
    """Run batches with and without controls in turn.

    Then size the warehouse without old versions.
    """
    (build / "analytics.toml").write_text("[extract]\nhistory_days = 60\n")
    full, plain = build / "full", build / "plain"
    command = [sys.executable, "-m", "benchmarks.batch"]
    run([*command, str(full)], environment)
    shutil.copytree(full, plain)
    sizes = [_size(full)]
    batches = []
    for number in range(BATCHES):
        fleet.change(2 * CHANGED)  # half of them are new
        with_controls = run([*command, str(full)], environment)
        sizes.append(_size(full))
        if number < ROUNDS:
            _forget_versions(plain)
            batches.append((with_controls, run([*command, str(plain), "plain"], environment)))
    controlled, others = [a for a, _ in batches], [b for _, b in batches]
    print(f"\nA batch up to its checks, {CHANGED:.0%} of 100,000 runs changed and as many new")
    print(
        f"  with counts, controls and versions {seconds(controlled)} peak {megabytes(controlled)}"
    )
    print(f"  plain                              {seconds(others)} peak {megabytes(others)}")
    print(f"  ratio {median(controlled) / median(others):.2f}")
    _forget_versions(full)
    kept = _size(full)
    old = sizes[-1] - kept
    growth = (sizes[-1] - sizes[0]) / BATCHES
    print(f"The warehouse after {BATCHES} such batches {sizes[-1]:.1f} MB")
    print(f"  of which {old:.1f} MB are versions that hold no more: {old / kept:.1%} of the rest")
    print(f"  a batch {old / BATCHES / kept:.2%}; all growth of a batch {growth:.1f} MB")


def _size(data_dir: Path) -> float:
    """Return the megabytes of stored data, without the free space of the file."""
    compact = data_dir / "compact.duckdb"
    compact.unlink(missing_ok=True)
    with duckdb.connect(compact) as con:
        con.execute(f"attach '{Layout(data_dir).warehouse}' as stored (read_only)")
        for schema, table in con.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = 'stored' and schema_name in ('raw', 'ledger')"
        ).fetchall():
            con.execute(f"create schema if not exists {schema}")
            con.execute(f"create table {schema}.{table} as from stored.{schema}.{table}")
    return compact.stat().st_size / 1e6


def _forget_versions(data_dir: Path) -> None:
    """Delete all superseded versions."""
    with duckdb.connect(Layout(data_dir).warehouse) as con:
        for source in SOURCES:
            con.execute(
                f"delete from raw.{source.name}"
                " where version_id in (select version_id from raw.superseded)"
            )
        con.execute("delete from raw.superseded")
