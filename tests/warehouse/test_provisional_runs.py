"""The runs that were provisional after any earlier load."""

from __future__ import annotations

import random
from datetime import timedelta

import duckdb

from analytics.warehouse.provisional_runs import PROVISIONAL
from tests.warehouse.conftest import READ_AT, Load, run_record

STATUSES = ("pending", "running", "succeeded", "failed", "unheard of")


def test_each_earlier_set_is_the_sum_of_its_changes(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """The set after each load of a random life is that of the changes until this load."""
    random_life = random.Random(7)
    sets = []
    for hours in range(0, 400, 10):
        read_at = READ_AT + timedelta(hours=hours)
        load(
            "runs",
            [
                run_record(
                    each,
                    status=random_life.choice(STATUSES if hours < 200 else STATUSES[2:4]),
                    cost_usd=random_life.choice((0.25, 0.5)),
                    finished_at=random_life.choice(
                        (None, (read_at - timedelta(hours=random_life.randrange(80))).isoformat())
                    ),
                )
                for each in random_life.sample("abcdef", 3)
            ],
            read_at=read_at,
        )
        found = "select workspace_id, run_id from ledger.provisional_runs order by all"
        sets.append(con.execute(found).fetchall())
    loads = con.execute("select load_id from ledger.loads order by 1").fetchall()

    assert len({len(each) for each in sets}) > 3
    for (load_id,), expected in zip(loads, sets, strict=True):
        until = f"(from ledger.provisional_changes where load_id <= '{load_id}')"
        then = PROVISIONAL.replace("ledger.provisional_changes", until)
        assert con.execute(f"from ({then}) order by all").fetchall() == expected


def test_an_open_run_that_comes_back_is_provisional(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """An open run that was given up, and is listed again as it was, is read until it ends."""
    run = run_record(status="running", finished_at=None)
    load("runs", [run])
    con.execute("delete from ledger.provisional_runs")

    load("runs", [run])

    assert con.execute("select run_id from ledger.provisional_runs").fetchall() == [("r1",)]
