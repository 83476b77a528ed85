from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from analytics.emulator import World, serialize
from analytics.emulator.catalogue import GLM, OPUS
from analytics.emulator.chance import CODE
from analytics.emulator.records import Totals
from analytics.emulator.workers import Habit, Worker

from .conftest import NOW


def snapshot(world: World) -> list[tuple[object, ...]]:
    """Return the records of a world as comparable values."""
    return [
        (
            w.id,
            w.api_key,
            [serialize.agent_record(agent) for agent in w.agents.values()],
            [serialize.encode_run(world.lies, run) for run in w.runs.values()],
            [(e.booked_at, e.run.id, *e[2:]) for e in w.ledger],
        )
        for w in world.workspaces
    ]


BUSY = {"runs_per_day": 60, "traffic": CODE, "offers": (OPUS, GLM), "seconds_per_request": 300}


def at_work(habit: Habit = Habit(**BUSY)) -> World:  # noqa: B008 - habits are frozen
    """A world in which one agent is about to start its first day."""
    world = World.empty(3, NOW.replace(hour=0, minute=0))
    agent = world.add_agent(world.workspaces[0], "Baker", "baker")
    Worker(world, agent, habit, "baker").work_from(world.now)
    return world


def one_run(world: World):
    agent = world.add_agent(world.workspaces[0], "Baker", "baker")
    run = world.start_run(agent)
    world.launch_run(run)
    return run


def meter(world: World, run, cost: str = "0.1") -> None:
    world.meter(run, model="m", provider="p", tokens_in=5, tokens_out=2, cost_usd=Decimal(cost))


def test_equal_seeds_make_equal_worlds(demo: World) -> None:
    """The same seed and present give the same world, ids, keys and digits included; others not."""
    assert snapshot(World.demo(1, NOW, history_days=9)) == snapshot(demo)
    assert World.empty(1, NOW).workspaces[0].api_key != World.empty(2, NOW).workspaces[0].api_key


def test_a_failed_input_runs_again() -> None:
    """A retry follows a failed run in its session, with its input; all other runs stay the same."""
    plain, retrying = at_work(), at_work(Habit(**BUSY, retry_rate=0.8))
    for world in (plain, retrying):
        world.pass_time(timedelta(hours=24))
    [workspace] = retrying.workspaces
    turns = [session.runs for session in workspace.sessions.values()]
    retried = [runs for runs in turns if len(runs) > 1]

    assert retried
    for failed, retry in retried:
        assert failed.status == "failed"
        assert failed.finished_at < retry.created_at
        assert failed.user_prompt == retry.user_prompt
    assert "succeeded" in {retry.status for _, retry in retried}
    first = [serialize.encode_run(retrying.lies, runs[0]) for runs in turns]
    assert first == [
        serialize.encode_run(plain.lies, run) for run in plain.workspaces[0].runs.values()
    ]


def test_steps_do_not_matter() -> None:
    """A day that passes in 24 steps is the same as one that passes at once."""
    at_once, stepwise = at_work(), at_work()

    at_once.pass_time(timedelta(hours=24))
    for _ in range(24):
        stepwise.pass_time(timedelta(hours=1))

    assert snapshot(at_once) == snapshot(stepwise)


def test_a_correction_is_booked_when_it_is_made() -> None:
    """It raises the run's cost in the hour of the correction, not of the run.

    A backdated one is booked in the hour of the run's last request, not of an earlier correction.
    """
    world = World.empty(1, NOW)
    run = one_run(world)
    meter(world, run)
    world.finish_run(run, "cancelled")
    ledger, hour = world.workspaces[0].ledger, timedelta(hours=1)

    world.pass_time(timedelta(days=3))
    world.correct_cost(run, Decimal("0.25"))

    assert Decimal("0.35") == Totals.of(ledger.of_run(run.id)).cost_usd
    assert Decimal("0.1") == Totals.of(ledger.between(NOW, NOW + hour)).cost_usd
    assert Decimal("0.25") == Totals.of(ledger.between(world.now, world.now + hour)).cost_usd
    world.pass_time(timedelta(days=8))
    world.correct_cost(run, Decimal("0.5"), is_backdated=True)
    assert Decimal("0.6") == Totals.of(ledger.between(NOW, NOW + hour)).cost_usd
