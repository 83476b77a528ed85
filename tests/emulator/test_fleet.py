"""Plain large worlds."""

from __future__ import annotations

from datetime import timedelta

from analytics.emulator import serialize
from analytics.emulator.worlds.fleet import Fleet

from .conftest import NOW


def test_a_fleet_has_the_size_it_was_asked_for() -> None:
    """Agents and runs per agent are as given; every run has ended and is metered once or twice."""
    fleet = Fleet(1, NOW, agents=4, runs_per_agent=30)

    runs = list(fleet.workspace.agent_runs)
    assert [len(fleet.workspace.agents), len(runs)] == [4, 120]
    assert {len(runs) for runs in fleet.workspace.runs_by_agent.values()} == {30}
    assert {len(fleet.workspace.ledger.of_run(run.id)) for run in runs} == {1, 2}
    assert not any(run.is_open for run in runs)
    assert max(run.finished_at for run in runs) <= NOW


def test_a_change_touches_the_share_asked_for() -> None:
    """A change is new runs and recent unlucky ones that cost more; nothing else changes."""
    fleet = Fleet(1, NOW, agents=10, runs_per_agent=40)
    before = {run.id: serialize.encode_run(fleet.lies, run) for run in fleet.workspace.agent_runs}

    changed = fleet.change(0.05)

    after = {run.id: serialize.encode_run(fleet.lies, run) for run in fleet.workspace.agent_runs}
    different = {key for key, record in after.items() if before.get(key) != record}
    assert different == {run.id for run in changed}
    assert len(different) == 20
    old = [run for run in changed if run.id in before]
    assert 0 < len(old) <= 10
    assert {run.status for run in old} <= {"failed", "cancelled"}
    assert all(run.created_at >= fleet.now - timedelta(days=7) for run in old)
    assert all(run.created_at > NOW for run in changed if run.id not in before)


def test_equal_seeds_make_equal_fleets() -> None:
    """The same seed gives the same records."""
    one, two = (Fleet(5, NOW, agents=2, runs_per_agent=5) for _ in range(2))

    for a, b in zip(one.workspace.agent_runs, two.workspace.agent_runs, strict=True):
        assert serialize.encode_run(one.lies, a) == serialize.encode_run(two.lies, b)
