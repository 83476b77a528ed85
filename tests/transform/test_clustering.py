"""The stretch of a relation that a batch reads for its touched parts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from analytics.resources import folder
from analytics.transform.build import all_models
from analytics.transform.changes import Changes
from analytics.transform.clustering import Clustering
from tests.transform.given import WORKSPACE, Warehouse

PARTS = {  # by the expression, its column
    "run_id": "run_id",
    "session_id": "session_id",
    "date": "date",
    "utc_date": "utc_date",
    "date_trunc('month', date)::date": "date",
    "date_trunc('month', utc_date)::date": "utc_date",
}
CLUSTERED = [model for model in all_models(folder("queries")) if model.header.clustered]


@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "UTC", "Pacific/Niue"])
def test_each_row_of_a_touched_part_is_in_it(warehouse: Warehouse, timezone: str) -> None:
    """A row lies in the stretch of each part that it is of: about midnight, of moved runs too."""
    midnights = [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 10, 31, 23, 59, tzinfo=UTC)]
    for number, (midnight, hour) in enumerate(product(midnights, range(-15, 16, 5))):
        created = midnight + timedelta(hours=hour)
        run = {
            "run_id": f"r-{number}",
            "session_id": f"s-{number % 5}",
            "finished_at": created + timedelta(days=2),
        }
        version = warehouse.given("runs", **run, created_at=created)
        if number % 3 == 0:
            moved = created - timedelta(days=40)
            warehouse.replaced(version, "runs", **run, created_at=moved)
    con = warehouse._con
    warehouse.build(timezone)
    warehouse.rows("from intermediate.int_first_runs")
    for model in CLUSTERED:
        columns = {row[0] for row in warehouse.rows(f"describe from {model.relation}")}
        clustering, tried = Clustering(con, Changes(con)), 0
        for part in (part for part, column in PARTS.items() if column in columns):
            for (value,) in con.execute(f"select distinct {part} from {model.relation}").fetchall():
                kind = "varchar" if part in ("run_id", "session_id") else "date"
                con.execute(
                    f"create or replace temp table touched (workspace_id varchar, part {kind})"
                )
                con.execute("insert into temp.touched values (?, ?)", [WORKSPACE, value])
                clustering.forget_conditions()
                stretch = clustering.of_parts(model.header, (part,))
                rows = f"from {model.relation} where {part} = (select part from temp.touched)"
                left_out = con.execute(f"select * {rows} and not ({stretch})").fetchall()
                assert left_out == [], (model.relation, part)
                tried += 1
        assert tried >= 5, model.relation


def test_no_other_block_is_read(warehouse: Warehouse) -> None:
    """Of many blocks of runs, the one with the touched run is read."""
    con = warehouse.con
    con.execute("reset disabled_optimizers")
    con.execute(f"""
        insert into raw.runs (version_id, workspace_id, run_id, created_at)
        select i, '{WORKSPACE}', md5(i::varchar), '2026-01-01'::timestamptz + i * interval 1 minute
        from range(400_000) as numbers (i)
    """)
    con.execute(
        "create temp table touched as"
        " select workspace_id, run_id as part from raw.runs where version_id = 250_000"
    )
    (model,) = (each for each in CLUSTERED if each.relation == "staging.stg_runs")
    where = "where (workspace_id, run_id) in (from temp.touched)"

    def scanned(condition: str) -> int:
        sql = f"explain analyze select * from raw.runs {where} {condition}"
        ((_, plan),) = con.execute(sql).fetchall()
        return sum(int(each) for each in re.findall(r"Row Groups Scanned: (\d+) / [3-9]", plan))

    assert scanned("") >= 3
    assert scanned(f"and {Clustering(con, Changes(con)).of_parts(model.header, ('run_id',))}") == 1


def test_no_run_touched_is_no_row_read(warehouse: Warehouse) -> None:
    """Where no run is touched, or none that is known, no row is read."""
    con = warehouse.con
    con.execute("create temp table touched (workspace_id varchar, part varchar)")

    for model in CLUSTERED:
        assert Clustering(con, Changes(con)).of_parts(model.header, ("run_id",)) == "false"
    con.execute("insert into temp.touched values (?, 'r-unknown')", [WORKSPACE])
    for model in CLUSTERED:
        assert Clustering(con, Changes(con)).of_parts(model.header, ("run_id",)) == "false"


@pytest.mark.parametrize("day", ["5874897-12-31", "5877642-06-25 (BC)", "infinity", "-infinity"])
def test_a_day_of_no_run_is_no_error(warehouse: Warehouse, day: str) -> None:
    """The API may give a sum for any day that DuckDB has."""
    con = warehouse.con
    con.execute("create temp table touched (workspace_id varchar, part date)")
    con.execute("insert into temp.touched values (?, ?)", [WORKSPACE, day])
    con.execute("create temp table moments (created_at timestamptz, first_run_at timestamptz)")

    clustering = Clustering(con, Changes(con))
    for model in CLUSTERED:
        stretch = clustering.of_parts(model.header, ("date_trunc('month', date)::date",))
        assert con.execute(f"select * from moments where {stretch}")
