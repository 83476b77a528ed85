"""Whatever is killed, full, cut off or damaged: readers find a whole batch, and the next heals."""

from __future__ import annotations

import errno
import shutil
from itertools import count

import pytest

from tests.torture.lab import CUT, LATER, SCENARIOS, Disk, Lab, Scenario
from tests.torture.moments import Broken
from tests.torture.stepping import GO, KILL, Step, run

FULL = str(errno.ENOSPC)


@pytest.mark.long
@pytest.mark.parametrize("path", ["-lists", "published/now"], ids=["landing", "publication"])
def test_a_kill(lab: Lab, path: str) -> None:
    """A killed batch leaves the one before it, or itself, and the next one is exact."""

    def is_here(_: int, step: Step) -> bool:
        return step.name in ("rename", "replace") and step.paths[-1].endswith(path)

    assert lab.disturb(LATER, KILL, is_here)


def test_each_step_of_a_publication(lab: Lab) -> None:
    """Between any two steps readers find one whole batch, and so they do where the power is cut.

    They would not if syncs did nothing.
    """
    folder, (before, after) = lab.copy(LATER.base), lab.moments
    disk, unsynced = Disk(folder / "data"), Disk(folder / "data")
    found, left = [], folder.with_suffix(".cut")

    def at(step: Step) -> str:
        if found or step == ("begin", ("publish",)):
            found.append(lab.find(LATER, folder))
            assert lab.find(LATER, disk.cut(left))
            shutil.rmtree(left)
        disk.see(step)
        return GO

    run(folder, after.environment, *LATER.command, at=at)

    turn = found.index(after)
    assert found == [before] * turn + [after] * (len(found) - turn)
    assert 10 < turn < len(found) - 1
    with pytest.raises(Broken):
        lab.find(LATER, unsynced.cut(left))


@pytest.mark.long
@pytest.mark.parametrize("answer", [KILL, FULL, CUT], ids=["kill", "full disk", "power cut"])
@pytest.mark.parametrize(
    "scenario", SCENARIOS, ids=lambda each: f"{each.command[0]} on {each.base}"
)
def test_each_step(lab: Lab, scenario: Scenario, answer: str, stride: int) -> None:
    """A command is disturbed at each step, and after the last one."""
    for place in count(0, stride):
        if not lab.disturb(scenario, answer, lambda number, _, place=place: number == place):
            break


@pytest.mark.long
def test_damage_of_each_file(lab: Lab, stride: int) -> None:
    """Damage of each file is healed, or named with what helps."""
    data = lab.base("later") / "data"
    for path in [path for path in sorted(data.rglob("*")) if path.is_file()][::stride]:
        lab.damage("later", path.relative_to(data))
