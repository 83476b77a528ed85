from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

from analytics.emulator import Variants, World, serialize
from analytics.emulator.catalogue import GLM, OPUS
from analytics.emulator.quantiles import CODE
from analytics.emulator.records import Totals
from analytics.emulator.worlds.behaviour import Habit, Worker

from .conftest import NOW


def snapshot(world: World) -> list[tuple[object, ...]]:
    """Return the records of a world as comparable values."""
    return [
        (
            w.id,
            w.api_key,
            [serialize.agent_record(world.lies, agent) for agent in w.agents.values()],
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


def test_equal_seeds_make_equal_worlds() -> None:
    """The same seed and present give the same world, ids, keys and digits included."""
    one, two = (World.demo(1, NOW, history_days=9) for _ in range(2))

    assert snapshot(one) == snapshot(two)


def test_other_seeds_make_other_worlds() -> None:
    """Another seed gives other ids and keys."""
    assert World.empty(1, NOW).workspaces[0].api_key != World.empty(2, NOW).workspaces[0].api_key


def test_steps_do_not_matter() -> None:
    """A day that passes in 24 steps is the same as one that passes at once."""
    at_once, stepwise = at_work(), at_work()

    at_once.pass_time(timedelta(hours=24))
    for _ in range(24):
        stepwise.pass_time(timedelta(hours=1))

    assert snapshot(at_once) == snapshot(stepwise)


def test_ids_are_random_uuids(demo: World) -> None:
    """Every run id is a well-formed version 4 UUID."""
    versions = {(UUID(i).version, str(UUID(i)) == i) for i in demo.workspaces[0].runs}

    assert {(4, True)} == versions


def test_an_api_key_opens_its_workspace_alone(demo: World) -> None:
    """Keys differ between workspaces and begin like the vendor's."""
    first, second = demo.workspaces

    assert first is demo.workspace_of(first.api_key)
    assert second is demo.workspace_of(second.api_key)
    assert demo.workspace_of("levain_nonsense") is None
    assert first.api_key.startswith("levain_")


def test_the_clock_stands_still_until_it_ticks() -> None:
    """A world's time does not move by itself; once ticking, it never goes back."""
    world = World.empty(1, NOW)
    assert world.now == NOW

    world.clock.tick()

    assert world.now >= NOW


def test_the_present_is_kept_in_utc() -> None:
    """A time in another zone is the same instant in UTC, and a naive one is UTC."""
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))

    assert NOW.isoformat() == World.empty(1, tokyo).now.isoformat()
    assert World.empty(1, datetime(2026, 11, 24, 15, 30)).now == NOW  # noqa: DTZ001 - the rule


def test_the_agenda_is_worked_off_in_order_of_time() -> None:
    """Actions happen in order of their moments, later ones not yet."""
    world = World.empty(1, NOW)
    done: list[int] = []
    for hours in (3, 1, 2):
        world.at(NOW + timedelta(hours=hours), lambda hours=hours: done.append(hours))

    world.pass_time(timedelta(hours=2))

    assert done == [1, 2]
    assert NOW + timedelta(hours=2) == world.now


def test_a_run_costs_what_its_entries_cost() -> None:
    """A run's record sums its ledger entries to the last digit."""
    world = World.empty(1, NOW)
    run = one_run(world)

    meter(world, run, "0.10000000000000000555")
    meter(world, run, "1000000000000000000.0000000001")

    assert b'"cost_usd":1000000000000000000.10000000010000000555,' in serialize.encode_run(
        world.lies, run
    )


def test_a_change_is_seen_in_the_record() -> None:
    """A cached record is encoded again after a change."""
    world = World.empty(1, NOW)
    run = one_run(world)
    before = serialize.encode_run(world.lies, run)

    meter(world, run)
    world.finish_run(run, "failed", error="ToolError: no flour")

    assert b'"status":"running"' in before
    assert b'"status":"failed"' in serialize.encode_run(world.lies, run)
    assert b'"cost_usd":0.1,"tokens_in":5,"tokens_out":2' in serialize.encode_run(world.lies, run)


def test_a_correction_is_booked_when_it_is_made() -> None:
    """A late correction raises the run's cost, in the hour of the correction, not of the run."""
    world = World.empty(1, NOW)
    run = one_run(world)
    meter(world, run)
    world.finish_run(run, "cancelled")
    ledger = world.workspaces[0].ledger

    world.pass_time(timedelta(days=3))
    world.correct_cost(run, Decimal("0.25"))

    hour = timedelta(hours=1)
    assert Decimal("0.35") == Totals(ledger.of_run(run.id)).cost_usd
    assert Decimal("0.1") == Totals(ledger.between(NOW, NOW + hour)).cost_usd
    assert Decimal("0.25") == Totals(ledger.between(world.now, world.now + hour)).cost_usd


def test_late_corrections_can_be_switched_off() -> None:
    """Ended runs cost more as time passes, unless the variant is off."""
    changed = []
    for late_corrections in (True, False):
        world = at_work(Habit(**BUSY, cancel_rate=0.9, correction_rate=1.0))
        world.pass_time(timedelta(days=2))
        world.variants = Variants(late_corrections=late_corrections)
        ended = [run for run in world.workspaces[0].runs.values() if not run.is_open]
        records = [serialize.encode_run(world.lies, run) for run in ended]
        world.pass_time(timedelta(days=7))
        changed.append(records != [serialize.encode_run(world.lies, run) for run in ended])

    assert changed == [True, False]


def test_a_run_that_was_ended_by_hand_stays_as_it_is() -> None:
    """Planned actions of a run are skipped once the run is ended."""
    world = at_work()
    world.variants.late_corrections = False
    world.pass_time(timedelta(hours=12))
    run = next(run for run in world.workspaces[0].runs.values() if run.status == "running")
    world.finish_run(run, "cancelled")
    record = serialize.encode_run(world.lies, run)

    world.pass_time(timedelta(days=2))

    assert record == serialize.encode_run(world.lies, run)


def test_bills_follow_the_account_that_pays() -> None:
    """Billed is cost times the account's charge, to ten decimals, unless it is given."""
    world = World.empty(1, NOW)
    world.add_provider_key(world.workspaces[0], "own", "made-up-key")
    run = one_run(world)
    world.launch_run(run)

    for provider, billed in (("own", None), ("other", None), ("other", Decimal(0))):
        world.meter(
            run,
            model="m",
            provider=provider,
            tokens_in=1,
            tokens_out=1,
            cost_usd=Decimal("0.5"),
            billed_usd=billed,
        )

    billed = [entry.billed_usd for entry in world.workspaces[0].ledger.of_run(run.id)]
    assert [Decimal("0.01"), Decimal("0.55"), 0] == billed
