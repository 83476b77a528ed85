"""The folder of a project after a power cut at each barrier of a command, which runs once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from signal import SIGKILL

from tests.torture.disk import Disk, mounted, new_disk
from tests.torture.lab import Lab, Scenario
from tests.torture.readers import Broken
from tests.torture.server import Ended
from tests.torture.shim import Action, Call, Kinds
from tests.torture.states import Snapshots, State, different

END = Call(0, "the end", "", "")


def states_after_cuts(
    lab: Lab,
    scenario: Scenario,
    *,
    every: int = 1,
    commits: bool,
    is_unsynced: bool = False,
) -> tuple[Snapshots, list[State], int]:
    """Return what a cut leaves before each `every`-th barrier of a scenario, and after its end.

    Equal states are there once; the number is that of all cuts. `commits`: see `Disk.cut`. Broken
    if the command does not end well.
    """
    folder = lab.new_folder()
    copy = Disk(folder / "cut")
    snapshots = Snapshots(copy.root / "project", are_times_true=False)
    taken: list[State] = []
    with new_disk(folder) as disk:
        project = Path(shutil.copytree(lab.base(scenario.base), disk.root / "project"))
        (project / "data").mkdir(exist_ok=True)
        subprocess.run(["sync", "--file-system", disk.root], check=True)

        def cut(call: Call, ended: Ended) -> None:
            disk.cut(copy.file, commits=commits)
            with mounted(copy):  # as a machine does that is started again
                taken.append(snapshots.take(call, ended))

        lab.shim.watch(
            project / "data",
            Action.PAUSE,
            every,
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
        cut(END, ended)
    if ended.code:
        raise Broken(f"ended with {ended.code}: {ended.err[-600:]}")
    return snapshots, different(taken), len(taken)
