"""Commands that are disturbed at a step: what readers find then, and what the next batch heals."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from analytics.warehouse.database import open_warehouse
from analytics.warehouse.layout import Layout
from tests.torture.moments import Broken, Moment, check_whole, look
from tests.torture.stepping import GO, KILL, Ended, Step, run

PAGE = 4096
CUT = "power cut"
SETTINGS = "[extract]\nhistory_days = 36\nconcurrency = 1\n"
OWN_SYNCS = ("warehouse", "build.")
"""Names of files that DuckDB writes, and syncs without Python."""


@dataclass(frozen=True)
class Scenario:
    """A command on data of an earlier state; `before` and `after` are indexes of moments."""

    base: str
    command: tuple[str, ...]
    before: int | None
    after: int


FIRST = Scenario("empty", ("nightly",), None, 0)
LATER = Scenario("first", ("nightly",), 0, 1)
REBUILD = Scenario("later", ("rebuild",), 1, 1)
SCENARIOS = (FIRST, LATER, REBUILD)


class Lab:
    """A folder for tries, the states that they begin with, and the commands."""

    def __init__(self, folder: Path, moments: tuple[Moment, ...]) -> None:
        self.folder, self.moments, self._numbers = folder, moments, count()
        self.base = cache(self._base)

    def _base(self, name: str) -> Path:
        """Return a project folder in some state; it is made once, and only copied."""
        folder, (first, later) = self.folder / name, self.moments
        if name == "empty":
            folder.mkdir()
            (folder / "analytics.toml").write_text(SETTINGS)
        elif name == "first":
            shutil.copytree(self.base("empty"), folder, symlinks=True)
            self.must(folder, first, "nightly")
            with open_warehouse(Layout(folder / "data")) as con:  # another port from now on
                con.execute("update ledger.workspaces set api = ?", [later.api.url])
        else:
            shutil.copytree(self.base("first"), folder, symlinks=True)
            self.must(folder, later, "nightly")
        return folder

    def copy(self, base: str) -> Path:
        folder = self.folder / f"{next(self._numbers)}"
        return Path(shutil.copytree(self.base(base), folder, symlinks=True))

    def must(self, folder: Path, moment: Moment, *command: str) -> None:
        """Run a command that has to work; Broken if it does not."""
        ended = run(folder, moment.environment, *command)
        if ended.code or "Traceback" in ended.said:
            raise Broken(f"`{command[0]}` ended with {ended.code}: {ended.said[-600:]}")

    def find(self, scenario: Scenario, folder: Path) -> Moment | None:
        """Return the moment that readers find whole; Broken unless it is before or after."""
        places = {scenario.before, scenario.after} - {None}
        moment = look(folder / "data", [self.moments[place] for place in places])
        if moment is None and scenario.before is not None:
            raise Broken("what was published is gone")
        return moment

    def disturb(
        self, scenario: Scenario, answer: str, is_here: Callable[[int, Step], bool]
    ) -> Step | None:
        """Disturb a command at a step; readers find a whole batch, and the next batch heals.

        Return the step; None if there was none such. An errno stays for all later steps, and the
        power is cut after the end at last.
        """
        folder, after = self.copy(scenario.base), self.moments[scenario.after]
        disk, numbers, met = Disk(folder / "data"), count(), []

        def at(step: Step) -> str:
            if met or is_here(next(numbers), step):
                met.append(step)
                return KILL if answer == CUT else answer
            disk.see(step)
            return GO

        ended = run(folder, after.environment, *scenario.command, at=at)
        left = disk.cut(folder.with_suffix(".cut")) if answer == CUT else folder
        try:
            self._judge(scenario, left, ended)
        except Broken as problem:
            problem.add_note(f"{scenario}, {answer} at {met[:1]}")
            raise
        for each in {folder, left}:
            shutil.rmtree(each)
        return met[0] if met else None

    def _judge(self, scenario: Scenario, folder: Path, ended: Ended) -> None:
        """Raise Broken unless readers find what a command said, and the next batch heals."""
        if ended.code not in (0, 1, -9) or "Traceback" in ended.said:
            raise Broken(f"ended with {ended.code}: {ended.said[-600:]}")
        found, after = self.find(scenario, folder), self.moments[scenario.after]
        if "  published " in ended.said and found is not after:
            raise Broken("said that it published, but readers find what was before")
        self.must(folder, after, "nightly")
        check_whole(folder / "data", after)

    def damage(self, base: str, file: Path) -> str:
        """Let a batch come upon a damaged file: it is exact, or names the file, and what helps.

        Return what that batch said.
        """
        folder, moment = self.copy(base), self.moments[1]
        with (folder / "data" / file).open("r+b") as opened:
            size = len(opened.read(PAGE))
            opened.seek(0)
            opened.write(random.Random(str(file)).randbytes(size))
        ended = run(folder, moment.environment, "nightly")
        if ended.code:
            if "Traceback" in ended.said or file.name not in ended.said:
                raise Broken(f"{file} is not named: {ended.said}")
            if "`analytics rebuild`" in ended.said:
                self.must(folder, moment, "rebuild")
            else:
                shutil.copyfile(self.base(base) / "data" / file, folder / "data" / file)
            self.must(folder, moment, "nightly")
        check_whole(folder / "data", moment)
        shutil.rmtree(folder)
        return ended.said


class Disk:
    """A disk that keeps all names, but only what was synced of the content of files."""

    def __init__(self, data: Path) -> None:
        self._data, self._synced = data, {}
        self._sync(data.rglob("*"))

    def see(self, step: Step) -> None:
        """Take note of a step."""
        if step.name == "fsync":
            self._sync(map(self._data.joinpath, step.paths))

    def cut(self, target: Path) -> Path:
        """Copy what a cut of the power leaves of a project; return its new folder."""
        lost = [
            path.relative_to(self._data)
            for path in self._data.rglob("*")
            if path.is_file()
            and not path.is_symlink()
            and not path.name.startswith(OWN_SYNCS)
            and self._synced.get(path.stat().st_ino) != path.read_bytes()
        ]
        shutil.copytree(self._data.parent, target, symlinks=True)
        for path in lost:
            (target / "data" / path).write_bytes(b"")
        return target

    def _sync(self, paths: Iterable[Path]) -> None:
        files = [path for path in paths if path.is_file() and not path.name.startswith(OWN_SYNCS)]
        self._synced |= {path.stat().st_ino: path.read_bytes() for path in files}
