"""For any history, what batches bring up to date is what a full build makes of the same data."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from unittest import mock

import duckdb
import pytest
from hypothesis import given, settings

from analytics.transform import build as building
from analytics.transform.build import build, update
from analytics.transform.checks import run_checks
from analytics.warehouse.database import attached_marts, open_warehouse, quoted
from analytics.warehouse.layout import Layout
from analytics.warehouse.publications import next_moment, record_publication
from tests.batches import Batch, read, read_until_killed
from tests.properties.story import BEGINS, TIMEZONES, Chapter, Event, chapters, lasting, living
from tests.worlds import NOW


def own(batch: Batch, owners: dict[str, str]) -> None:
    """Have the rules of finance/owners.csv say whose each agent is."""
    with open_warehouse(batch.layout) as con:
        con.execute("delete from finance.owner_rules")
        for number, rule in enumerate(owners.items()):
            con.execute(
                "insert into finance.owner_rules (precedence, line, workspace, agent, owner)"
                " values (?, ?, '*', ?, ?)",
                [number, number, *rule],
            )


def bring_up_to_date(batch: Batch) -> bool:
    """Build and check what changed; False where all was built anew."""
    timezone = batch.settings.reporting.timezone
    with open_warehouse(batch.layout) as con, attached_marts(con, batch.layout.marts):
        updated = update(con, timezone=timezone)
        if updated is None:
            build(con, timezone=timezone)
        found = {
            each.name: each.violation_count
            for each in run_checks(con, update=updated[1] if updated else None)
        }
        compared = con.execute("from audit.controls order by all").fetchall()
        assert found == {each.name: each.violation_count for each in run_checks(con)}
        assert compared == con.execute("from audit.controls order by all").fetchall()
    return updated is not None


def publish(batch: Batch) -> None:
    """Record the publication of what was brought up to date."""
    with open_warehouse(batch.layout) as con, attached_marts(con, batch.layout.marts):
        record_publication(con, next_moment(con, batch.layout))


def differences(batch: Batch) -> list[str]:
    """Build all anew from the same sources, beside; return the relations that differ."""
    layout = batch.layout
    with tempfile.TemporaryDirectory() as root:
        beside = Layout(Path(root))
        shutil.copyfile(layout.warehouse, beside.warehouse)
        with open_warehouse(beside) as con, attached_marts(con, beside.marts):
            build(con, timezone=batch.settings.reporting.timezone)
            run_checks(con)
            return _differing(con, layout)


def _differing(con: duckdb.DuckDBPyConnection, updated: Layout) -> list[str]:
    con.execute(f"attach '{quoted(updated.warehouse)}' as updated_warehouse (read_only)")
    con.execute(f"attach '{quoted(updated.marts)}' as updated_build_file (read_only)")
    tables = con.execute("""
        select database_name, concat_ws('.', schema_name, table_name) from duckdb_tables()
        where database_name in ('warehouse', 'build_file')
            and schema_name in ('intermediate', 'reports', 'marts', 'audit')
            and table_name <> 'check_results'  -- it says when
    """).fetchall()
    counts = " union all ".join(
        f"select '{table}', ({_surplus(one, other)}) + ({_surplus(other, one)})"
        for database, table in tables
        for one, other in [(f"{database}.{table}", f"updated_{database}.{table}")]
    )
    return [table for table, count in con.execute(counts).fetchall() if count]


def _surplus(one: str, other: str) -> str:
    return f"select count(*) from (from {one} except all from {other})"


def tell(story: list[Chapter], timezone: str, begins_at: datetime) -> int:
    """Live a history; return how many batches brought the relations up to date."""
    update_count = 0
    with living(timezone, begins_at) as (life, batch), mock.patch.object(building, "AUDITED", 2):
        for chapter in story:
            life.live(chapter)
            if chapter.act == "missed":
                continue
            if chapter.act == "killed":
                read_until_killed(batch, chapter.number)
            else:
                read(batch)
            if not batch.layout.warehouse.exists():
                continue
            own(batch, life.owners)
            update_count += bring_up_to_date(batch)
            assert differences(batch) == []
            if chapter.act in ("whole", "twice"):
                publish(batch)
    return update_count


STORY = [
    Chapter([Event("burst", 1, 7), Event("start", 0), Event("launch", 0)], 18, "whole"),
    Chapter([Event("succeed", 0), Event("rename", 0), Event("late", 1, 30)], 24, "whole"),
    Chapter([Event("correct", 0), Event("own_key", 0), Event("hire", 1)], 25, "unpublished"),
    Chapter([Event("burst", 2, 4), Event("platform", 0, 3), Event("agentless")], 24, "killed", 40),
    Chapter([Event("hide", 1), Event("amend", 0, 1), Event("own"), Event("own", 1)], 216, "whole"),
]


def test_updates_are_a_full_build() -> None:
    """After each batch of a history, every relation is what a full build makes of the data."""
    assert tell(STORY, "Europe/Berlin", NOW) == 4


@pytest.mark.long
@settings(lasting, max_examples=1000)
@given(chapters(most=6), TIMEZONES, BEGINS)
def test_updates_of_many_lives(story: list[Chapter], timezone: str, begins_at: datetime) -> None:
    """The same of other lives each time; a failure prints how to repeat it."""
    tell(story, timezone, begins_at)
