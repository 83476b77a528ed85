"""Readers that never rest: run as a program, it forks them; they end with its standard input.

Each opens the published file and the site again and again, and prints its findings as JSON when it
ends.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from tests.torture.moments import figures_of
from tests.torture.readers import Broken, as_of_file, check_site

if TYPE_CHECKING:
    from tests.torture.lab import Lab, Tally

ROOT = Path(__file__).parents[2]
PAUSE = 0.02
"""Seconds between two reads of a reader."""


@dataclass(frozen=True)
class Findings:
    """What readers have found: reads of the file and the site, distinct batches, and problems."""

    reads: int
    batches: int
    problems: list[str]


class Readers:
    """A number of readers, each a process."""

    def __init__(self, data: Path, number: int) -> None:
        self._number = number
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.reading", data, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        )
        assert self._process.stdout
        for _ in range(number):  # each has read once
            self._process.stdout.readline()

    def end(self) -> Findings:
        """End all readers, and return what they found."""
        out, _ = self._process.communicate()
        found = [json.loads(line) for line in out.splitlines()]
        assert len(found) == self._number
        return Findings(
            sum(each["reads"] for each in found),
            len({batch for each in found for batch in each["batches"]}),
            [problem for each in found for problem in each["problems"]],
        )


def read_through(lab: Lab, tally: Tally, readers: int, publications: int) -> None:
    """Publish two batches in turn under the eyes of readers."""
    _, later = lab.moments
    staged = lab.base("staged") / "data"
    first = lab.base("first") / "data"
    folder = lab.copy(staged.parent)
    data = folder / "data"
    watching = Readers(data, readers)
    for number in range(publications):
        if number:
            build, site = (staged, "site.next") if number % 2 == 0 else (first, "site")
            shutil.copyfile(build / "build.duckdb", data / "build.duckdb")
            shutil.copytree(build / site, data / "site.next")
        lab.must(folder, later, "publish")
        tally.add("publications")
    found = watching.end()
    tally.counts |= {"readers": readers, "reads": found.reads, "batches": found.batches}
    tally.problems += found.problems
    assert found.batches == 2


def _read(data: Path) -> None:
    """Read until standard input ends."""
    reads, batches, problems = 0, set(), []
    while not reads or not select.select([sys.stdin], [], [], PAUSE)[0]:
        try:
            batches.add(_read_whole(data))
        except (Broken, OSError, duckdb.Error, ValueError) as error:
            problems.append(f"{type(error).__name__}: {error}")
        if not reads:
            print("reading", flush=True)
        reads += 1
    print(
        json.dumps({"reads": reads, "batches": sorted(batches), "problems": problems}), flush=True
    )


def _read_whole(data: Path) -> str:
    """Read the file, all pages, and the file again: all of it is of one batch.

    Again, as people do, where another one was published meanwhile.
    """
    while True:
        before = _read_file(data)
        try:
            check_site(data / "site", before[0])
        except Broken:
            if _read_file(data) == before:
                raise
        else:
            return str(before[:2])


def _read_file(data: Path) -> tuple[str, list[str], int]:
    """Return moment and figures of the published file, and when it was written.

    DuckDB opens a file more than once. Where it was replaced in between, it is opened again.
    """
    file = data / "analytics.duckdb"
    while True:
        written_at = file.stat().st_mtime_ns
        try:
            with duckdb.connect(file, read_only=True) as con:
                figures = sorted(map(str, figures_of(con).items()))
                return as_of_file(con), figures, file.stat().st_mtime_ns
        except duckdb.Error:
            if file.stat().st_mtime_ns == written_at:
                raise


if __name__ == "__main__":
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    children = []
    for _ in range(count):
        if not (child := os.fork()):
            with suppress(BrokenPipeError):
                _read(folder)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
