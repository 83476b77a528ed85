"""A call fails: a command says so or goes on, what was published stands, the next one heals."""

from __future__ import annotations

import pytest

from tests.torture.lab import SCENARIOS, Lab, Scenario, Tally
from tests.torture.trying import FAULTS, disturb

SHARDS = 4


@pytest.mark.torture
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_fault_at_each_write(
    lab: Lab, tally: Tally, scenario: Scenario, fault: str, shard: int, stride: int
) -> None:
    """Each write of a command fails once; on a full disk all later ones do too."""
    kinds = FAULTS[fault].keywords["kinds"]
    places = lab.places(scenario, stride, kinds)[shard::SHARDS]
    disturb(lab, tally, scenario, map(FAULTS[fault], places), "nightly")
    assert not tally.problems, tally.report
