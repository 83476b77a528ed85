"""States of the folder of a project, and that before each call of a command: what a kill leaves.

The command runs once and stands still before each call, so that no batch is begun anew for each. A
kill leaves the same, as all that a process has written outlives it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from signal import SIGKILL
from stat import S_ISLNK, S_ISREG
from typing import NamedTuple

from tests.torture.lab import Lab, Scenario, Tally
from tests.torture.readers import Broken
from tests.torture.server import Ended
from tests.torture.shim import Action, Call
from tests.torture.trying import heal_all, look_at

BLOCK = 262_144
"""Bytes: a write changes one block of a DuckDB file, or a few."""

TICK = 50_000_000
"""Nanoseconds: two writes that are closer may have one time."""


class Entry(NamedTuple):
    """A file, folder or link: the digests of a file's blocks, or where a link leads."""

    mode: int
    blocks: tuple[bytes, ...] = ()
    target: str = ""


class State(NamedTuple):
    """What there is before a call, by path, when each was changed, and what was said so far."""

    call: Call
    ended: Ended
    entries: dict[str, Entry]
    times: dict[str, int]


class Snapshots:
    """States of a folder; equal blocks of all of them are kept once.

    Without `are_times_true`, a file may hold other bytes although its times are as they were.
    """

    def __init__(self, folder: Path, *, are_times_true: bool = True) -> None:
        self._folder, self._are_times_true = folder, are_times_true
        self._blocks: dict[bytes, bytes] = {}
        self._known: dict[tuple[int, int, int], tuple[bytes, ...]] = {}

    def take(self, call: Call, ended: Ended) -> State:
        """Return the state at this moment."""
        entries, times = {}, {}
        now = time.time_ns()
        for path in sorted(self._folder.rglob("*")):
            name, status = path.relative_to(self._folder).as_posix(), path.lstat()
            if S_ISLNK(status.st_mode):
                entries[name] = Entry(status.st_mode, target=str(path.readlink()))
                continue
            blocks: tuple[bytes, ...] = ()
            if S_ISREG(status.st_mode):
                key = (status.st_ino, status.st_size, status.st_mtime_ns)
                blocks = self._known.get(key) or self._read(path)
                if self._are_times_true and now - status.st_mtime_ns > TICK:
                    self._known[key] = blocks
            entries[name] = Entry(status.st_mode, blocks)
            times[name] = status.st_mtime_ns
        return State(call, ended, entries, times)

    def _read(self, path: Path) -> tuple[bytes, ...]:
        digests = []
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest = blake2b(block, digest_size=20).digest()
                self._blocks.setdefault(digest, block)
                digests.append(digest)
        return tuple(digests)

    def restore(self, state: State, folder: Path) -> None:
        """Write a state into an empty folder."""
        for name, entry in state.entries.items():
            path = folder / name
            if entry.target:
                path.symlink_to(entry.target)
            elif S_ISREG(entry.mode):
                path.write_bytes(b"".join(map(self._blocks.__getitem__, entry.blocks)))
            else:
                path.mkdir()
        for name, changed_at in reversed(state.times.items()):  # what is in a folder before it
            (folder / name).chmod(state.entries[name].mode & 0o7777)
            os.utime(folder / name, ns=(changed_at, changed_at))


def states_before_calls(lab: Lab, scenario: Scenario) -> tuple[Snapshots, list[State], int]:
    """Return the states before the calls of a scenario, equal ones once, and the number of calls.

    Broken if the command does not end well.
    """
    folder = lab.copy(lab.base(scenario.base))
    snapshots = Snapshots(folder)
    taken: list[State] = []

    def take() -> None:
        taken.append(snapshots.take(lab.shim.calls[-1], Ended(-SIGKILL, "", lab.server.said)))

    lab.shim.watch(folder / "data", Action.PAUSE, 1, every=1)
    ended = lab.run(folder, lab.moments[scenario.after], *scenario.command, at_pause=take)
    calls = lab.shim.stop()
    if ended.code:
        raise Broken(f"ended with {ended.code}: {ended.err[-600:]}")
    return snapshots, different(taken), len(calls)


def different(states: Iterable[State]) -> list[State]:
    """Return the first of those states that differ in nothing but times."""
    first: dict[object, State] = {}
    for each in states:
        first.setdefault((each.ended, tuple(each.entries.items())), each)
    return [*first.values()]


def examine(
    lab: Lab,
    tally: Tally,
    scenario: Scenario,
    snapshots: Snapshots,
    states: Iterable[State],
    heal: str,
) -> None:
    """Let readers look at each state, and the next command heal it."""
    for state in states:
        folder = lab.new_folder()
        snapshots.restore(state, folder)
        tally.add("tried")
        look_at(lab, tally, scenario, folder, state.ended, state.call)
        heal_all(lab, tally, scenario, folder, state.ended, state.call, heal)
