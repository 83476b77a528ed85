"""What happened while no batch ran, or while the API refused something, is read once one can."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from unittest import mock

import pytest

from analytics.emulator import routes as emulated
from analytics.emulator.aggregates import Analytics
from analytics.emulator.platform_agents import BUILDER
from analytics.emulator.records import Run, Workspace
from analytics.emulator.world import World
from tests.batches import Batch, Published, Row, publish, read, run_batch
from tests.scenarios.conftest import Burst, ledger_total
from tests.worlds import StartRun

FIRST = date(2026, 11, 20)


def first_day(published: Published) -> Row:
    """The figures of all runs of the first day."""
    return next(row for row in published["fct_workspace_days"] if row["date"] == FIRST)


def require_right(published: Published, world: World) -> None:
    """Cost and bill are those of the emulator's ledger, and no check fails."""
    assert published.findings == []
    days = published["fct_workspace_days"]
    assert sum(row["cost_usd"] or 0 for row in days) == ledger_total(world)
    billed = sum(row["billed_usd"] for row in published["fct_billing_days"])
    assert billed == ledger_total(world) * Decimal("1.1")


def test_usage_that_is_metered_late(batch: Batch, world: World, workspace: Workspace) -> None:
    """Each day is read again until the API adds no more to it, however rarely batches run."""
    runs: list[Run] = []
    for day in range(15):
        runs.append(world.start_platform_run(workspace, BUILDER))
        world.meter(
            runs[day], model="m", provider="p", tokens_in=1, tokens_out=1, cost_usd=Decimal(1)
        )
        world.finish_run(runs[day])
        if day >= 3:
            world.correct_cost(runs[day - 3], Decimal(1), is_backdated=True)
        if day and day % 7 == 0:
            read(batch)
        world.pass_time(timedelta(days=1))

    require_right(run_batch(batch), world)


@pytest.mark.long
def test_counts_that_were_refused(
    batch: Batch, world: World, start_run: StartRun, burst: Burst
) -> None:
    """Of days without a count the roll-up has the runs; once counted, their outcomes are known."""
    burst(3)
    read(batch)
    burst(20, hours_ago=-1)  # on the day of that batch, and after it
    batch.api.faults.add("/runs/daily", "403", 10**6)
    for _ in range(12):
        world.pass_time(timedelta(days=1))
        read(batch)
    refused = publish(batch)
    require_right(refused, world)
    batch.api.faults.clear()
    start_run()
    counted = run_batch(batch)

    for published, succeeded in ((refused, 8), (counted, 23)):
        day = first_day(published)
        assert (day["run_count"], day["unlisted_run_count"]) == (23, 15)
        assert day["succeeded_count"] == succeeded
    require_right(counted, world)


@pytest.mark.long
def test_counts_of_an_agent_that_rests(batch: Batch, world: World, burst: Burst) -> None:
    """An agent that was counted on its last day alone is counted again, once."""
    burst(8)
    read(batch)
    batch.api.faults.add("/runs/daily", "403", 10**6)
    for _ in range(9):
        world.pass_time(timedelta(days=1))
        read(batch)
    batch.api.faults.clear()
    batch.forget()
    for _ in range(3):
        world.pass_time(timedelta(days=1))
        read(batch)

    assert batch.asked("/runs/daily") == 1
    day = first_day(publish(batch))
    assert (day["run_count"], day["succeeded_count"], day["failure_rate"]) == (8, 8, 0)


def test_an_unlisted_run_that_is_open_for_weeks(
    batch: Batch, world: World, start_run: StartRun, burst: Burst
) -> None:
    """Its day is counted again until it ends, and then has its outcome; after that no more."""
    opened = start_run(status="running", hours_ago=2)
    burst(6)
    for _ in range(3):
        read(batch)
        world.pass_time(timedelta(days=20))
    world.finish_run(opened, "failed")
    read(batch)
    world.pass_time(timedelta(days=1))
    day = first_day(publish(batch))
    batch.forget()
    read(batch)

    counts = ("run_count", "unlisted_run_count", "open_count", "failed_count", "failure_rate")
    assert [day[name] for name in counts] == [7, 2, 0, 1, 1 / 7]
    assert batch.asked("/runs/daily") == 0


@pytest.mark.long
def test_counts_that_never_agree(batch: Batch, world: World, burst: Burst) -> None:
    """A roll-up with more runs than are counted is no reason to ask in each batch."""
    burst(2)
    with mock.patch.object(emulated, "daily_counts", return_value=[]):
        for _ in range(10):
            read(batch)
            world.pass_time(timedelta(days=1))
        batch.forget()
        read(batch)

    assert batch.asked("/runs/daily") == 0


def test_a_roll_up_that_was_read_in_part(batch: Batch, world: World, burst: Burst) -> None:
    """Where nothing whole is there to compare with, no list contradicts it."""
    burst(3)
    read(batch)
    burst(2, hours_ago=-1)
    for path in ("/runs/daily", "/analytics/agents"):
        batch.api.faults.add(path, "403", 10**6)
    world.pass_time(timedelta(hours=2))
    read(batch)
    world.pass_time(timedelta(days=12))
    published = run_batch(batch)

    assert published.findings == []
    assert first_day(published)["unlisted_run_count"] is None


@pytest.mark.long
def test_a_run_that_appears_behind_a_full_list(
    batch: Batch, world: World, start_run: StartRun, burst: Burst
) -> None:
    """The roll-up has a run more than was counted: the day is counted again."""
    start_run()
    for _ in range(11):
        read(batch)
        world.pass_time(timedelta(days=1))
        burst(6, cost="0.01")
    start_run(hours_ago=24 * 11 + 1, cost="100")
    world.pass_time(timedelta(days=1))
    published = run_batch(batch)

    require_right(published, world)
    day = first_day(published)
    assert (day["run_count"], day["unlisted_run_count"]) == (2, 1)
    assert day["cost_usd"] == Decimal("100.25")


@pytest.mark.long
def test_a_correction_of_an_unlisted_run(batch: Batch, world: World, burst: Burst) -> None:
    """A roll-up that changes is a reason to read the meter and the bill of its day again."""
    runs = burst(20, cost="1")
    for _ in range(11):
        read(batch)
        world.pass_time(timedelta(days=1))
    world.correct_cost(runs[0], Decimal(100), is_backdated=True)

    require_right(run_batch(batch), world)


def test_windows_that_include_their_end(batch: Batch, world: World, start_run: StartRun) -> None:
    """What a window gives of the day after it does not replace what that day's own window gave."""
    batch.set_extract(history_days=40)
    for hours in (0, 5, 10, 15):
        start_run(hours_ago=24 * 9 + 6 - hours, cost="1")  # on the first day of the newest window
    hourly, ends = Analytics.hourly, []

    def inclusive(self: Analytics, start: date, end: date, **of: str | None) -> object:
        ends.append(end)
        return hourly(self, start, end + timedelta(hours=1), **of)

    with mock.patch.object(Analytics, "hourly", inclusive):
        published = run_batch(batch)

    assert len(ends) > 1
    require_right(published, world)
    assert len(published["fct_usage_hours"]) == 4


@pytest.mark.parametrize("refused", ["agents", "platform-agents"])
def test_a_day_that_was_read_in_part_before_a_refusal(
    batch: Batch, world: World, workspace: Workspace, burst: Burst, refused: str
) -> None:
    """What was read of it is not the whole day's: the cost that is refused is unknown."""
    burst(20, cost="1")

    def of_platform(usd: int) -> None:
        run = world.start_platform_run(workspace, BUILDER)
        world.meter(run, model="m", provider="p", tokens_in=1, tokens_out=1, cost_usd=Decimal(usd))
        world.finish_run(run)

    of_platform(1)
    read(batch)
    burst(20, hours_ago=-1, cost="1")
    world.pass_time(timedelta(hours=3))
    of_platform(50)
    batch.api.faults.add(f"/analytics/{refused}", "403", 10**6)
    world.pass_time(timedelta(hours=21))
    day = first_day(run_batch(batch))

    assert day["run_count"] == 40
    if refused == "agents":
        assert (day["unlisted_cost_usd"], day["unknown_cost_count"]) == (None, 30)
        assert day["platform_cost_usd"] == 51
    else:
        assert (day["platform_cost_usd"], day["unlisted_cost_usd"]) == (None, 30)


def test_unlisted_runs_without_an_agent(
    batch: Batch, world: World, workspace: Workspace, burst: Burst
) -> None:
    """Given 7 runs of no agent where 5 are listed, the cost of the 2 is unexplained.

    The API has neither a count nor a roll-up of runs without an agent.
    """
    read(batch)
    burst(7, of=workspace, hours_ago=-6, cost="1.25")
    world.pass_time(timedelta(days=1))

    published = run_batch(batch)

    assert published.rows("fct_agent_days", "agent_name date run_count cost_usd") == [
        ("No agent", FIRST, 5, Decimal("6.25"))
    ]
    assert {row["unlisted_run_count"] for row in published["fct_agent_days"]} == {0}
    assert published.rows("int_agent_days_vs_api", "utc_date agent_id unexplained_usd") == [
        (FIRST, "(platform)", Decimal("2.5"))
    ]
    assert {
        row["utc_date"]: row["unexplained_usd"]
        for row in published["reconciliation_days"]
        if row["unexplained_usd"]
    } == {FIRST: Decimal("2.5")}


def test_unlisted_runs_of_days_that_a_longer_history_adds(batch: Batch, burst: Burst) -> None:
    """Given a history that is made longer later, unlisted runs of its new days are found."""
    batch.set_extract(history_days=3)
    burst(8, hours_ago=24 * 5, cost="1")
    read(batch)
    batch.set_extract(history_days=10)

    published = run_batch(batch)

    columns = "date run_count listed_run_count unlisted_run_count unlisted_cost_usd"
    assert published.rows("fct_agent_days", columns) == [(date(2026, 11, 15), 8, 5, 3, Decimal(3))]
    assert published.findings == []
