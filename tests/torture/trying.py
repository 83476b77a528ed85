"""A try: a scenario is disturbed, readers look, and the next command heals."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import SIGKILL

from tests.torture.lab import Lab, Scenario, Tally
from tests.torture.moments import Moment
from tests.torture.readers import Broken
from tests.torture.server import Ended
from tests.torture.shim import Action, Kinds

_OUTCOMES = {0: "ended well", 1: "failed", -SIGKILL: "killed"}
_LATER_OUTCOMES = _OUTCOMES | {2: "refused"}
"""Of a command after another: a month that a killed one closed is not closed once more."""


@dataclass(frozen=True)
class Disturbance:
    """The call at which a scenario is disturbed: a number among those that count, and how."""

    place: int
    action: Action = Action.KILL
    kinds: Kinds = Kinds.ALL
    error: int = 0
    every: int = 0
    late: str = ""


_CHANGES = Kinds.WRITE | Kinds.OPEN | Kinds.OTHER

_fault = partial(partial, Disturbance)
FAULTS = {
    "EIO": _fault(action=Action.FAIL, kinds=Kinds.WRITE | Kinds.SYNC, error=errno.EIO),
    "ENOSPC": _fault(action=Action.FAIL, kinds=_CHANGES, error=errno.ENOSPC),
    "full from then on": _fault(action=Action.FAIL, kinds=_CHANGES, error=errno.ENOSPC, every=1),
    "half a write": _fault(action=Action.SHORT, kinds=Kinds.WRITE),
}
"""Disturbances, but for their place: a fault of one call, or of all later ones too."""


def disturb(
    lab: Lab, tally: Tally, scenario: Scenario, disturbances: Iterable[Disturbance], heal: str
) -> None:
    """Disturb a scenario in each of these ways, each time on the data that it begins with."""
    for each in disturbances:
        disturb_in_turn(lab, tally, [(scenario, each)], heal)


def disturb_in_turn(
    lab: Lab, tally: Tally, turns: Sequence[tuple[Scenario, Disturbance]], heal: str
) -> None:
    """Disturb one command after the other on the same data, which `heal` makes exact at the end.

    Readers look after each. What is not killed ends with 0 or 1, or 2 after another command, and
    says why.
    """
    folder = lab.copy(lab.base(turns[0][0].base))
    places: list[str] = []
    found: list[Moment | None] = []
    for scenario, how in turns:
        lab.shim.watch(
            folder / "data",
            how.action,
            how.place,
            kinds=how.kinds,
            error=how.error,
            every=how.every,
            late=how.late,
        )
        ended = lab.run(folder, lab.moments[scenario.after], *scenario.command)
        calls = lab.shim.stop()
        call = next((each for each in calls if each.number == how.place), "no such call any more")
        places.append(f"{scenario}, {call}")
        where = "; ".join(places)
        outcomes = _LATER_OUTCOMES if found else _OUTCOMES
        tally.add(outcomes.get(ended.code, "ended otherwise"))
        if ended.code not in outcomes or "Traceback" in ended.err:
            tally.found(where, f"ended with {ended.code}: {ended.err[-600:]}")
        found.append(look_at(lab, tally, scenario, folder, ended, where))
        if (
            lab.moments[scenario.after] in found[:-1]
            and found[-1] is not lab.moments[scenario.after]
        ):
            tally.found(where, "readers no longer find what they found before")
    heal_all(lab, tally, scenario, folder, ended, where, heal)


def look_at(
    lab: Lab, tally: Tally, scenario: Scenario, folder: Path, ended: Ended, where: object
) -> Moment | None:
    """Record the moment that readers find after a command, or what is wrong; return the moment."""
    try:
        moment = lab.check(scenario, folder, ended)
    except Broken as problem:
        tally.found(where, problem)
        return None
    tally.add(f"readers: {moment.name if moment else 'nothing yet'}")
    return moment


def heal_all(
    lab: Lab,
    tally: Tally,
    scenario: Scenario,
    folder: Path,
    ended: Ended,
    where: object,
    command: str,
) -> None:
    """Record what is wrong after the next command, and remove the folder."""
    try:
        lab.heal(scenario, folder, ended, command)
    except Broken as problem:
        tally.found(where, f"after `{command}`: {problem}")
    shutil.rmtree(folder)
