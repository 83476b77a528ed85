"""A scenario on a disk whose power is cut at its barriers."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

from tests.torture.disk import Disk, mounted, new_disk
from tests.torture.lab import Lab, Scenario, Tally
from tests.torture.readers import Broken
from tests.torture.server import Ended
from tests.torture.shim import Action, Call, Kinds
from tests.torture.trying import heal_all, look_at


@dataclass(frozen=True)
class Cut:
    """What the disk held before a call, and what the command had said by then."""

    file: Path
    call: Call | str
    ended: Ended


def cut_power(
    lab: Lab,
    scenario: Scenario,
    at: int,
    every: int,
    *,
    commits: bool,
    is_unsynced: bool = False,
) -> list[Cut]:
    """Run a scenario; copy the disk before its `at`-th barrier, each `every`-th, and at its end.

    The command goes on after each copy. Broken if it does not end well.
    """
    folder = lab.new_folder()
    cuts: list[Cut] = []
    with new_disk(folder) as disk:
        project = Path(shutil.copytree(lab.base(scenario.base), disk.root / "project"))
        (project / "data").mkdir(exist_ok=True)
        subprocess.run(["sync", "--file-system", disk.root], check=True)

        def cut(call: Call | str, ended: Ended) -> None:
            file = folder / f"cut{len(cuts)}"
            disk.cut(file, commits=commits)
            cuts.append(Cut(file, call, ended))

        lab.shim.watch(
            project / "data",
            Action.PAUSE,
            at,
            every=every,
            kinds=Kinds.BARRIERS,
            is_unsynced=is_unsynced,
        )
        ended = lab.run(
            project,
            lab.moments[scenario.after],
            *scenario.command,
            at_pause=lambda: cut(lab.shim.calls[-1], Ended(-SIGKILL, "", lab.server.said)),
        )
        lab.shim.stop()
        cut("the end", ended)
    if ended.code:
        raise Broken(f"ended with {ended.code}: {ended.err[-600:]}")
    return cuts


def examine(lab: Lab, tally: Tally, scenario: Scenario, cut: Cut, heal: str) -> None:
    """Mount what a cut left, as a machine does that is started again, and examine it."""
    folder = lab.new_folder()
    with mounted(Disk(cut.file)) as root:
        project = Path(shutil.copytree(root / "project", folder / "project", symlinks=True))
    tally.add("cuts")
    look_at(lab, tally, scenario, project, cut.ended, cut.call)
    heal_all(lab, tally, scenario, project, cut.ended, cut.call, heal)
    folder.rmdir()
