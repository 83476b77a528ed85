"""A wrong time of the API fails its workspace; a rebuild heals what one moved before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from unittest.mock import patch

import pytest

from analytics.emulator.server import Emulator
from analytics.emulator.world import World
from analytics.levain.clock import Clock
from analytics.machine_clock import machine_clock
from tests.batches import Batch, Row, publish, read
from tests.cli.conftest import Command, publish_again
from tests.cli.test_rebuild import asked
from tests.worlds import NOW, StartRun

DAY = timedelta(days=1)
HALF_A_YEAR = timedelta(days=180)
ANSWERS = ("/auth/me", "/runs/daily", "/log/events")
"""Answers of a batch, of its steps in turn; the first one says when it began."""

READ = ("load_id", "file_line", "first_seen_at", "last_changed_at")
"""Columns that say where a batch landed something, and when."""


def misdate(api: Emulator, path: str, by: timedelta = HALF_A_YEAR) -> None:
    """Let the next answer to a path tell a time that is so wrong."""
    api.faults.add(path, "misdated", date=format_datetime(api.world.now + by, usegmt=True))


def figures(batch: Batch) -> dict[str, list[Row]]:
    """All that a data directory publishes, but for where it was landed, and when."""
    return {
        name: [{key: value for key, value in row.items() if key not in READ} for row in rows]
        for name, rows in publish(batch).figures.items()
    }


def data_to() -> datetime:
    """The time to which the published figures reach."""
    ((moment,),) = asked("select max(last_batch_at) from marts.dim_workspaces")
    return moment


@contextmanager
def any_time_goes() -> Iterator[None]:
    """Let batches take each time of the API as it is told, as they once did."""
    with (
        patch.object(Clock, "require_right", lambda *_: None),
        patch("analytics.warehouse.load.FURTHEST", 9 * HALF_A_YEAR),
        machine_clock(lambda: NOW + 9 * HALF_A_YEAR),
    ):
        yield


@pytest.fixture
def undisturbed(batch: Batch, tmp_path: Path) -> Batch:
    """Another data directory, whose batches are told the right time."""
    settings = batch.settings.model_copy(update={"data_dir": tmp_path / "undisturbed"})
    return Batch(settings, batch.api)


def test_right_batches_have_all_that_a_wrong_time_would_have_moved(
    batch: Batch, undisturbed: Batch, world: World, start_run: StartRun
) -> None:
    """Whichever answer tells one, the workspace fails, and figures are then as if none had."""
    for day, path in enumerate(ANSWERS):
        start_run(cost="0.75", status="running" if day % 2 else "failed")
        wrong = world.now + HALF_A_YEAR * (-1) ** day
        misdate(batch.api, path, wrong - world.now)
        (outcome,) = batch.extract()
        assert f"the API's says {wrong:%Y-%m-%d} 06:00 UTC" in outcome.error
        assert f"this machine's {world.now:%Y-%m-%d} 06:00 UTC" in outcome.error
        assert "over a day apart, so that nothing of this answer is kept" in outcome.error
        assert "Set this machine's clock if it is wrong, and run again." in outcome.error
        for each in (batch, undisturbed):
            read(each)
        world.pass_time(DAY)
    for each in (batch, undisturbed):
        read(each)

    found, expected = figures(batch), figures(undisturbed)
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        assert found[name] == rows, name


def test_a_collection_lands_nothing_of_a_wrong_time(
    published: Command, api: Emulator, batch: Batch, start_run: StartRun
) -> None:
    """It fails like a batch, and the next one has the run."""
    start_run()
    before = sorted(batch.layout.landing.glob("*/*"))
    misdate(api, "/runs/$")

    assert published("collect").code == 1
    assert sorted(batch.layout.landing.glob("*/*")) == before
    assert "read 1 new or changed run in 2 requests" in published("collect").err


def test_a_rebuild_heals_what_a_wrong_time_has_moved(
    published: Command, batch: Batch, undisturbed: Batch, world: World, start_run: StartRun
) -> None:
    """All other commands name the rebuild, after which figures are as if no batch had been told."""
    shutil.copytree(batch.layout.root, undisturbed.layout.root, symlinks=True)
    with any_time_goes():
        for wrong in ("/auth/me", "none of this batch"):
            world.pass_time(DAY)
            start_run(cost="0.75", status="failed")
            misdate(batch.api, wrong)
            read(batch)
            batch.api.faults.clear()
            read(undisturbed)
        publish_again()
    world.pass_time(DAY)
    start_run(hours_ago=3)
    assert data_to() == NOW + DAY + HALF_A_YEAR
    before = Path("data/analytics.duckdb").read_bytes()

    for words in (["nightly"], ["collect"], ["rebuild", "--verify"]):
        refused = published(*words)
        assert refused.code == 1
        assert "20270520T060000Z-000001-meters holds answers of the future" in refused.err
        assert "this machine's clock says 2026-11-23 06:00 UTC.\n" in refused.err
        assert "run `analytics rebuild`" in refused.err
    assert Path("data/analytics.duckdb").read_bytes() == before

    healed = published("rebuild")
    assert (healed.code, data_to()) == (0, NOW), healed.err
    (aside,) = batch.layout.landing.glob("*/aside-20261123T060000Z")
    assert f"{aside.relative_to(Path.cwd())}. The next batch reads anew" in healed.err
    assert "is gone" not in published("status").out
    assert (published("nightly").code, data_to()) == (0, world.now)
    read(undisturbed)
    found, expected = figures(batch), figures(undisturbed)
    for name, rows in expected.items():
        assert found[name] == rows, name


def test_an_answer_that_told_a_wrong_time_is_named(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """Of a batch that began at the right time, too, the next one names the load and the rebuild."""
    with any_time_goes():
        misdate(batch.api, "/runs/daily")
        read(batch)
    world.pass_time(DAY)
    start_run()
    (outcome,) = batch.extract()

    assert "20261120T060000Z-000002-counts holds answers of the future" in outcome.error
    assert "run `analytics rebuild`" in outcome.error


def test_a_directory_that_began_with_a_wrong_time(
    command: Command, batch: Batch, world: World
) -> None:
    """Nothing else is whole: after a rebuild the next batch begins anew."""
    misdate(batch.api, "/auth/me")
    with any_time_goes():
        read(batch)
    healed = command("rebuild")

    assert (healed.code, "`analytics nightly` begins anew" in healed.err) == (0, True), healed.err
    assert command("nightly").code == 0
    assert data_to() == world.now
    assert asked("select count(*) from marts.fct_runs") == [(3,)]
