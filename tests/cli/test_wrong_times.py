"""A wrong time of the API fails its workspace; one of this machine stops all that writes."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from analytics.emulator.server import Emulator
from analytics.emulator.world import World
from analytics.machine_clock import machine_clock
from tests.batches import Batch, Row, publish, read
from tests.cli.conftest import Command
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


@pytest.mark.parametrize(
    "words",
    [
        "nightly",
        "collect",
        "rebuild",
        "rebuild --verify",
        "close 2026-11 --approved-by B",
    ],
)
def test_a_clock_that_went_back_stops_each_command_that_writes(
    published: Command, api: Emulator, words: str
) -> None:
    """It is told with both times, no request is made, and nothing is moved or published."""
    (publication,) = Path("data/publications").iterdir()
    before = sorted(Path("data").glob("l*/**")), Path("data/published/now").readlink()
    with machine_clock(lambda: NOW - DAY - timedelta(hours=1)):
        result = published(*words.split())
        problems = published("status").out

    told = (
        "The newest data in data is of 2026-11-20 06:00 UTC, but this machine's clock says"
        " 2026-11-19 05:00 UTC.\n"
    )
    assert (result.code, told in result.err, told.strip() in problems) == (2, True, True)
    assert "Set this machine's clock, and run again." in result.err
    assert not api.requests
    assert publication.exists()
    assert (sorted(Path("data").glob("l*/**")), Path("data/published/now").readlink()) == before
