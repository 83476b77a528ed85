"""Wherever the power is cut: readers find a whole batch, what was published is kept."""

from __future__ import annotations

import pytest

from tests.torture.disk import missing
from tests.torture.lab import SCENARIOS, Lab, Scenario, Tally, each_nth
from tests.torture.power import END, states_after_cuts
from tests.torture.states import examine

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.mark.torture
@pytest.mark.parametrize("commits", [False, True], ids=["synced only", "journal written"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_power_cut_at_each_barrier(
    lab: Lab, tally: Tally, scenario: Scenario, stride: int, *, commits: bool
) -> None:
    """Before each sync, rename and unlink, and after the end; of equal disks, one counts."""
    snapshots, states, cuts = states_after_cuts(lab, scenario, commits=commits)
    tally.counts |= {"cuts": cuts, "different states": len(states)}
    chosen = [states[index] for index in each_nth([state.call for state in states], stride)]
    assert chosen[-1].call is END
    examine(lab, tally, scenario, snapshots, chosen, "nightly")
    assert not tally.problems, tally.report
