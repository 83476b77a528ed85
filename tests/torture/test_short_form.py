"""The short form of all tests of this folder, and tests that they find what they look for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.damage import KINDS, Page, damage
from tests.torture.disk import missing
from tests.torture.lab import CLOSE, LATER, PUBLISH, REBUILD, Lab, Tally, sort_of
from tests.torture.power import states_after_cuts
from tests.torture.reading import read_through
from tests.torture.shim import Action, Kinds
from tests.torture.states import Entry, Snapshots, examine, states_before_calls
from tests.torture.trying import FAULTS, Disturbance, disturb, disturb_in_turn

CUTS = 4

needs_disks = pytest.mark.skipif(missing() is not None, reason=missing() or "")


def test_kills_of_a_publication(lab: Lab, tally: Tally) -> None:
    """Kills before each second rename of a publication, its last one included."""
    places = range(lab.count(PUBLISH, Kinds.RENAME), 0, -2)
    kills = [Disturbance(place, kinds=Kinds.RENAME) for place in places]
    disturb(lab, tally, PUBLISH, kills, "publish")
    assert not tally.problems, tally.report


def test_before_a_call_is_what_a_kill_there_leaves(lab: Lab) -> None:
    """What there is before a call that publishes is there after a kill at it, to the byte."""
    states = states_before_calls(lab, PUBLISH)[1]
    publishing = [state for state in states if state.call.path.startswith("/publishing")]
    assert len({str(lasting(state.entries)) for state in publishing}) == len(publishing) > 24
    for state in publishing[::24]:
        folder = lab.copy(lab.base(PUBLISH.base))
        lab.shim.watch(folder / "data", Action.KILL, state.call.number)
        lab.run(folder, lab.moments[PUBLISH.after], *PUBLISH.command)
        call = lab.shim.stop()[-1]
        killed = Snapshots(folder).take(call, state.ended)

        assert sort_of(call) == sort_of(state.call)
        assert lasting(killed.entries) == lasting(state.entries)


def lasting(entries: dict[str, Entry]) -> dict[str, Entry]:
    """Return what two publications have in common: all but random names, and records of when."""
    return {
        name: entry
        for name, entry in entries.items()
        if not any(part in name for part in ("publications/", "/.analytics-"))
        and not name.endswith((".lock", ".wal", "warehouse.duckdb"))
    }


def test_kills_in_turn(lab: Lab, tally: Tally) -> None:
    """Each command dies on what the one before it left, and one batch heals it all."""
    scenarios = (REBUILD, CLOSE, LATER)
    kills = [Disturbance(2, kinds=Kinds.RENAME) for _ in scenarios]
    disturb_in_turn(lab, tally, [*zip(scenarios, kills, strict=True)], "nightly")
    assert not tally.problems, tally.report


@needs_disks
def test_a_power_cut(lab: Lab, tally: Tally) -> None:
    """A few cuts of a publication, and one after its end."""
    every = lab.count(PUBLISH, Kinds.BARRIERS) // CUTS
    snapshots, states, _ = states_after_cuts(lab, PUBLISH, every=every, commits=True)
    examine(lab, tally, PUBLISH, snapshots, states, "publish")
    assert not tally.problems, tally.report


def test_a_full_disk(lab: Lab, tally: Tally) -> None:
    """A disk that is full from the third change of a publication on."""
    disturb(lab, tally, PUBLISH, [FAULTS["full from then on"](3)], "publish")
    assert not tally.problems, tally.report


def test_a_damaged_head(lab: Lab, tally: Tally) -> None:
    """The first page of the marts that a batch would bring up to date."""
    damage(lab, tally, lab.base("first"), [Page(Path("build.duckdb"), 0, KINDS[2])])
    assert not tally.problems, tally.report


def test_a_few_readers(lab: Lab, tally: Tally) -> None:
    """Some readers through some publications."""
    read_through(lab, tally, 3, 2)
    assert not tally.problems, tally.report


@needs_disks
def test_syncs_that_do_nothing_are_found(lab: Lab) -> None:
    """Without syncs, a power cut after the end loses what was published."""
    tally = Tally("unsynced")
    snapshots, states, _ = states_after_cuts(lab, PUBLISH, every=0, commits=True, is_unsynced=True)
    examine(lab, tally, PUBLISH, snapshots, states, "publish")

    assert tally.problems


def test_renames_in_another_order_are_found(lab: Lab) -> None:
    """With some rename of a publication made after the next one, a kill between both finds it."""
    tally = Tally("swapped")
    renames = [call for call in lab.calls(PUBLISH) if call.name == "rename"]
    for number, rename in enumerate(renames, 1):
        kill = Disturbance(number + 1, kinds=Kinds.RENAME, late=rename.path)
        disturb(lab, tally, PUBLISH, [kill], "publish")
        if tally.problems:
            break

    assert tally.problems
