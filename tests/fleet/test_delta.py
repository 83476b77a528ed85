"""Marts as Delta tables: what a publication replaces, and what readers see meanwhile."""

from __future__ import annotations

import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

pytest.importorskip("deltalake", reason="no extra `fleet` here: make test-all")

from deltalake import DeltaTable, write_deltalake

from analytics.errors import AnalyticsError
from analytics.fleet import delta
from analytics.fleet.delta import Tables
from tests.fleet.conftest import mart_names
from tests.fleet.publishing import of_shards, publish_costs
from tests.fleet.small_mart import COSTS, NAME, costs


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(str(tmp_path / "delta"))


def _table(tables: Tables, name: str = NAME) -> DeltaTable:
    table = tables.find(name)
    assert table is not None
    return table


def _rows(
    tables: Tables, columns: str = "*", name: str = NAME, *, grouped: bool = False
) -> list[tuple]:
    frame = _table(tables, name).to_pyarrow_table()  # noqa: F841 - DuckDB reads it by its name
    by = " group by all" if grouped else ""
    return duckdb.sql(f"select {columns} from frame{by} order by all").fetchall()


def test_partitions(con):
    """Facts are kept by workspace and month; dimensions and budgets by workspace."""
    days = {
        name: delta.read_mart(con, name, "s0", of_shards(name)).day
        for name in mart_names(con, "s0")
    }

    by_workspace = {name for name, day in days.items() if day is None}
    assert by_workspace == {name for name in days if name.startswith("dim_")} | {"fct_budgets"}
    assert {
        "fct_runs": "date",
        "fct_billing_days": "utc_date",
        "fct_invoices": "usage_month",
        "fct_accruals": "booked_month",
        "fct_usage_hours": "hour",
        "fct_sessions": "first_run_at",
        "fct_tool_calls": "called_at",
        "fct_log_events": "occurred_at",
        "fct_run_models": "first_request_at",
    }.items() <= days.items()


def test_only_touched_partitions_are_replaced(own, tables):
    """A publication replaces the files of partitions that changed, in one commit, or makes none.

    Rows and partitions that are gone disappear.
    """
    first = publish_costs(own, tables)
    before = set(_table(tables).file_uris())
    own.execute("update marts.fct_costs set cost_usd = 2 where (workspace_id, date) = ('w-1', ?)",
                [date(2026, 10, 5)])  # fmt: skip
    second = publish_costs(own, tables, old=first.digests)

    after = set(_table(tables).file_uris())
    assert (first.count, second.count) == (9, 1)
    assert _table(tables).version() == 1
    assert {path.split("/part-")[0][-26:] for path in before ^ after} == {
        "workspace_id=w-1/month=2026-10-01"[-26:]
    }
    assert len(before & after) == 8
    assert sum(cost for *_, cost, _ in _rows(tables)) == 3 * 91 + 1

    third = publish_costs(own, tables, old=second.digests)
    assert (third.count, _table(tables).version()) == (0, 1)

    own.execute("delete from marts.fct_costs where workspace_id <> 'w-1' or month(date) = 9")
    assert publish_costs(own, tables, old=third.digests).count == 7
    assert _rows(tables, "workspace_id, count(*), min(month)", grouped=True) == [
        ("w-1", 61, date(2026, 10, 1))
    ]


def test_names_with_quotes(own, tables):
    """A workspace's id is text, never SQL or a path."""
    hostile = ["' or true --", "../a/b %2F", "ü=1/month=2026-01-01"]
    for number, name in enumerate(hostile):
        own.execute(
            "update marts.fct_costs set workspace_id = ? where workspace_id = ?",
            [name, f"w-{number}"],
        )
    first = publish_costs(own, tables)
    own.execute("update marts.fct_costs set cost_usd = 5 where workspace_id = ?", [hostile[0]])
    second = publish_costs(own, tables, old=first.digests)

    assert second.count == 3
    assert _rows(tables, "distinct workspace_id, cost_usd") == sorted(
        zip(hostile, map(Decimal, (5, 1, 1)), strict=True)
    )


@pytest.mark.parametrize(
    "change",
    [
        "alter table marts.fct_costs add column tokens_in bigint",
        "alter table marts.fct_costs drop column cost_usd",
        "alter table marts.fct_costs alter cost_usd type decimal(18, 10)",
        "comment on column marts.fct_costs.cost_usd is 'US dollars'",
    ],
)
def test_changed_columns(own, tables, change):
    """A column that a release adds, removes or changes replaces the whole table in one commit."""
    first = publish_costs(own, tables)
    own.execute(change)
    second = publish_costs(own, tables, old=first.digests)

    assert second.count == 9
    assert _table(tables).version() == 1
    expected = own.sql(f"select *, date_trunc('month', date)::date {COSTS} order by all").fetchall()
    assert _rows(tables) == expected


@pytest.mark.parametrize("has_table", [False, True])
def test_two_merges_at_once(own, tables, monkeypatch, has_table):
    """Of two merges that write a table at once, the later commit fails and changes nothing."""
    old = {}
    if has_table:
        old = publish_costs(own, tables).digests
    costs(own, 2)

    def overtaken(*arguments, **options):
        monkeypatch.undo()
        with duckdb.connect() as other:
            costs(other, 3)
            publish_costs(other, tables, old=old)
        write_deltalake(*arguments, **options)

    monkeypatch.setattr(delta, "write_deltalake", overtaken)
    with pytest.raises(AnalyticsError, match=r"Another merge wrote|table already exists"):
        publish_costs(own, tables, old=old)

    assert _rows(tables, "sum(cost_usd)") == [(Decimal(3 * 273),)]


def test_vacuum(own, tables, tmp_path):
    """Files that no version of the time to keep needs are removed, leftovers of kills too."""
    old = publish_costs(own, tables).digests
    costs(own, 2)
    publish_costs(own, tables, old=old)
    folder = tmp_path / "delta" / NAME
    leftover = folder / "workspace_id=w-0" / "month=2026-09-01" / "part-killed.parquet"
    leftover.write_bytes(b"PAR1")
    os.utime(leftover, (0, 0))

    assert delta.vacuum(tables, NAME, timedelta(days=7)) == 1
    assert not leftover.exists()
    assert len([*folder.rglob("part-*.parquet")]) == 18
    assert delta.vacuum(tables, NAME, timedelta(0)) == 9
    assert len([*folder.rglob("part-*.parquet")]) == 9
    assert _rows(tables, "sum(cost_usd)") == [(Decimal(2 * 273),)]
    assert delta.vacuum(tables, "fct_absent", timedelta(0)) == 0


def test_storage_that_is_no_folder(own, tmp_path):
    """A storage that cannot be written is an error of two lines, with its cause."""
    (tmp_path / "file").write_text("")
    with pytest.raises(AnalyticsError, match=r"could not be .*\nThe table is as it was") as error:
        publish_costs(own, Tables(str(tmp_path / "file")))

    assert str(error.value).count("\n") == 1
