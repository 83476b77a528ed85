"""A command that asks before each of its steps, which is killed there, fails there, or goes on.

A step is the begin or the end of a stage, or a call of Python that renames, links or syncs below
`data`. As a program, this runs `analytics` so: it writes one line a step to standard output, and
reads an answer from standard input.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from signal import SIGKILL
from threading import Lock
from typing import Any, NamedTuple

from analytics.machine_clock import machine_clock
from analytics.warehouse.database import OFFLINE

ROOT = Path(__file__).parents[2]
KILL, GO, FREE = "kill", "go", "free"
"""Answers: end here, go on, go on and ask no more. A number is an errno with which to fail."""

_CALLS = {"rename": 2, "replace": 2, "link": 2, "symlink": 2, "fsync": 1}
"""Calls of Python, with the number of their paths."""


class Step(NamedTuple):
    """What a command is about to do, and to which paths below `data`, or in which stage."""

    name: str
    paths: tuple[str, ...]


class Ended(NamedTuple):
    """A command that ended: its exit code, negative for a signal, and all that it printed."""

    code: int
    said: str


def run(
    folder: Path,
    environment: dict[str, str],
    *command: str,
    at: Callable[[Step], str] = lambda _: FREE,
) -> Ended:
    """Run a command in a project folder; `at` answers to each step."""
    said = folder / "said"
    own = {"PYTHONPATH": str(ROOT), "OPTIMIZERS": str(OFFLINE.get("disabled_optimizers", ""))}
    with (
        said.open("w") as printed,
        subprocess.Popen(
            [sys.executable, "-m", "tests.torture.stepping", *command],
            cwd=folder,
            env={**os.environ, **environment, **own},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=printed,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        for line in process.stdout:
            name, *paths = line.rstrip("\n").split("\t")
            if (answer := at(Step(name, tuple(paths)))) == KILL:
                os.killpg(process.pid, SIGKILL)
                break
            print(answer, file=process.stdin, flush=True)
    return Ended(process.returncode, said.read_text())


class _Steps:
    """Asks before each step, one at a time."""

    def __init__(self) -> None:
        self._questions, self._lock = os.fdopen(os.dup(1), "w"), Lock()
        os.dup2(2, 1)
        self._data, self._answer = Path("data").resolve(), GO

    def ask(self, name: str, *paths: object) -> None:
        with self._lock:
            if self._answer != FREE:
                print(name, *paths, sep="\t", file=self._questions, flush=True)
                self._answer = sys.stdin.readline().strip()
            if self._answer.isdecimal():
                raise OSError(int(self._answer), os.strerror(int(self._answer)), *paths[:1])

    def asking(self, call: Any, name: str, number: int) -> Any:
        """Return a call that asks first, if it is about what lies below `data`."""

        def asked(*given: Any, **options: Any) -> Any:
            paths = [_path_of(each) for each in given[:number]]
            if any(path.is_relative_to(self._data) for path in paths):
                self.ask(name, *(os.path.relpath(path, self._data) for path in paths))
            return call(*given, **options)

        return asked


def _path_of(given: Any) -> Path:
    if isinstance(given, int):
        return Path(f"/proc/self/fd/{given}").readlink()
    return Path(os.path.normpath(Path.cwd() / os.fsdecode(given)))


def _main() -> None:
    from analytics.batch import transform
    from analytics.batch.progress import Progress
    from analytics.cli import main
    from analytics.transform import build

    steps, stage = _Steps(), Progress.stage

    @contextmanager
    def stepped(self: Progress, name: str) -> Iterator[Any]:
        steps.ask("begin", name)
        with stage(self, name) as done:
            yield done
        steps.ask("end", name)

    Progress.stage = stepped
    for name, number in _CALLS.items():
        setattr(os, name, steps.asking(getattr(os, name), name, number))
    transform.SMALL = 0  # what a later batch brings up to date is what a kill may break
    vars(build)["comment_on"] = lambda *_: None  # comments and optimizers take half of the time
    OFFLINE["disabled_optimizers"] = os.environ.pop("OPTIMIZERS")
    now = datetime.fromisoformat(os.environ.pop("NOW"))
    with machine_clock(lambda: now):
        main()


if __name__ == "__main__":
    _main()
