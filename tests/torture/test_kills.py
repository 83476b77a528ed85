"""Whatever command is killed, before whichever call: readers find a whole batch, the next heals."""

from __future__ import annotations

import random

import pytest

from tests.torture.lab import CLOSE, LATER, REBUILD, SCENARIOS, Lab, Scenario, Tally
from tests.torture.trying import Disturbance, disturb, disturb_in_turn

SHARDS = 8
CHAINS = 40
LONGEST_CHAIN = 4


@pytest.mark.torture
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_kill_before_each_call(
    lab: Lab, tally: Tally, scenario: Scenario, shard: int, stride: int
) -> None:
    """Each call is a place at which a command may die; of each sort, one is tried at least."""
    places = lab.places(scenario, stride)[shard::SHARDS]
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
