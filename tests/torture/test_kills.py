"""Whatever command is killed, before whichever call: readers find a whole batch, the next heals."""

from __future__ import annotations

import random

import pytest

from tests.torture.lab import CLOSE, LATER, REBUILD, SCENARIOS, Lab, Scenario, Tally, each_nth
from tests.torture.states import examine, states_before_calls
from tests.torture.trying import Disturbance, disturb, disturb_in_turn

CHAINS = 40
LONGEST_CHAIN = 4


@pytest.mark.torture
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_what_a_kill_leaves_before_each_call(
    lab: Lab, tally: Tally, scenario: Scenario, stride: int
) -> None:
    """Each call is a place at which a command may die; of those that leave the same, one counts."""
    snapshots, states, calls = states_before_calls(lab, scenario)
    tally.counts |= {"calls": calls, "different states": len(states)}
    chosen = [states[index] for index in each_nth([state.call for state in states], stride)]
    examine(lab, tally, scenario, snapshots, chosen, "nightly")
    assert not tally.problems, tally.report


@pytest.mark.torture
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_kill_before_a_call_of_each_sort(lab: Lab, tally: Tally, scenario: Scenario) -> None:
    """A command is killed before the first call of each sort, with its threads and children."""
    places = lab.places(scenario, lab.count(scenario))
    disturb(lab, tally, scenario, map(Disturbance, places), "nightly")
    assert not tally.problems, tally.report


@pytest.mark.torture
def test_chains_of_kills(lab: Lab, tally: Tally, stride: int) -> None:
    """Any commands die in turn, each anywhere, before one batch heals it all."""
    chance = random.Random(17)
    for _ in range(0, CHAINS, stride):
        scenarios = chance.choices((LATER, REBUILD, CLOSE), k=chance.randint(2, LONGEST_CHAIN))
        places = [chance.randint(1, lab.count(scenario)) for scenario in scenarios]
        turns = [*zip(scenarios, map(Disturbance, places), strict=True)]
        disturb_in_turn(lab, tally, turns, "nightly")
    assert not tally.problems, tally.report
