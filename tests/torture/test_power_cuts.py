"""Wherever the power is cut: readers find a whole batch, what was published is kept."""

from __future__ import annotations

import pytest

from tests.torture.disk import missing
from tests.torture.lab import SCENARIOS, Lab, Scenario, Tally
from tests.torture.power import cut_power, examine
from tests.torture.shim import Kinds

AT_ONCE = 25
"""Copies of a disk that are kept at a time."""

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")


@pytest.mark.torture
@pytest.mark.parametrize("commits", [False, True], ids=["synced only", "journal written"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_power_cut_at_each_barrier(
    lab: Lab, tally: Tally, scenario: Scenario, stride: int, *, commits: bool
) -> None:
    """Before each sync, rename and unlink, and after the end."""
    every = max(stride, lab.count(scenario, Kinds.BARRIERS) // AT_ONCE + 1)
    for first in range(1, every + 1, stride):
        for cut in cut_power(lab, scenario, first, every, commits=commits):
            examine(lab, tally, scenario, cut, "nightly")
    assert not tally.problems, tally.report
