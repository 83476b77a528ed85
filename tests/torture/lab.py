"""Commands that are disturbed: on which data, what readers may find, and what must follow."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path

from analytics.warehouse.database import open_warehouse
from analytics.warehouse.layout import Layout
from tests.torture.moments import Moment, write_settings
from tests.torture.readers import Broken, check_whole, look
from tests.torture.server import Ended, Server
from tests.torture.shim import NAMES, Action, Call, Kinds, Shim

MONTH = "2026-10"
PUBLISHED = "  published "
CLOSED = f"closed {MONTH} as revision 1"


_VARIES = re.compile(r"(?<=scratch-)\w+|[0-9a-fTZ-]*\d[0-9a-fTZ-]*")
_IN_FOLDER = re.compile(r"(/site[^/]*|/publishing/[^/]*/site|/books/[^/]*)/.*(\.\w+|/)[^/]*$")


@dataclass(frozen=True)
class Scenario:
    """A command on data of an earlier state; `before` and `after` are indexes of moments."""

    name: str
    base: str
    command: tuple[str, ...]
    before: int | None
    after: int

    def __str__(self) -> str:
        return self.name


FIRST = Scenario("first batch", "empty", ("nightly",), None, 0)
LATER = Scenario("later batch", "first", ("nightly",), 0, 1)
REBUILD = Scenario("rebuild", "read", ("rebuild",), 0, 1)
CLOSE = Scenario("close", "read", ("close", MONTH, "--prepared-by", "Ann"), 0, 1)
PUBLISH = Scenario("publish", "staged", ("publish",), 0, 1)
SCENARIOS = (FIRST, LATER, REBUILD, CLOSE, PUBLISH)


@dataclass
class Tally:
    """Counts of what was tried, and the problems that were found."""

    name: str
    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def found(self, where: object, problem: object) -> None:
        self.problems.append(f"{where}: {problem}")

    @property
    def report(self) -> str:
        """All problems, one a line."""
        return "\n".join([f"{len(self.problems):,} problems", *self.problems])

    def __str__(self) -> str:
        counts = ", ".join(f"{number:,} {what}" for what, number in self.counts.items())
        return f"{self.name:28} {counts}, {len(self.problems):,} problems"


def each_nth(calls: Sequence[Call], stride: int) -> list[int]:
    """Return the indexes of the first call of each sort, and of each n-th after it."""
    sorts: dict[tuple[str, ...], list[int]] = {}
    for index, call in enumerate(calls):
        sorts.setdefault(sort_of(call), []).append(index)
    return sorted(index for indexes in sorts.values() for index in indexes[::stride])


def sort_of(call: Call) -> tuple[str, ...]:
    """Return what a call has in common with others: its name, and the sort of file it changes.

    Files of a folder of pages or books are alike that have the same suffix.
    """
    return (call.name, *(_IN_FOLDER.sub(r"\1\2", _VARIES.sub("*", path)) for path in call[2:]))


class Lab:
    """A folder for tries, the states that they begin with, and the commands."""

    def __init__(
        self, folder: Path, moments: tuple[Moment, ...], shim: Shim, server: Server
    ) -> None:
        self.folder, self.moments, self.shim, self.server = folder, moments, shim, server
        self._numbers = count()
        self.base = cache(self._base)
        self.calls = cache(self._calls)

    def _base(self, name: str) -> Path:
        """Return a project folder in some state; it is made once, and only copied."""
        first, later = self.moments
        if name == "empty":
            folder = self.new_folder()
            write_settings(folder)
        elif name == "first":
            folder = self.copy(self.base("empty"))
            self.must(folder, first, "nightly")
            with open_warehouse(Layout(folder / "data")) as con:  # another port from now on
                con.execute("update ledger.workspaces set api = ?", [later.api.url])
        elif name == "read":
            folder = self.copy(self.base("first"))
            self.must(folder, later, "extract")
        elif name == "staged":
            folder = self.copy(self.base("read"))
            for stage in ("transform", "check", "report"):
                self.must(folder, later, stage)
        elif name == "closed":
            folder = self.copy(self.base("first"))
            self.must(folder, later, *CLOSE.command)
        else:
            assert name == "killed"
            folder = self.copy(self.base("first"))
            self.shim.watch(folder / "data", Action.KILL, 3 * self.count(LATER) // 5)
            self.run(folder, later, "nightly")
            self.shim.stop()
        return folder

    def new_folder(self) -> Path:
        folder = self.folder / f"{next(self._numbers)}"
        folder.mkdir()
        return folder

    def copy(self, base: Path) -> Path:
        folder = self.folder / f"{next(self._numbers)}"
        return Path(shutil.copytree(base, folder, symlinks=True))

    def run(
        self,
        folder: Path,
        moment: Moment,
        *command: str,
        at_pause: Callable[[], object] | None = None,
    ) -> Ended:
        return self.server.run(folder, *command, api=moment.environment, at_pause=at_pause)

    def must(self, folder: Path, moment: Moment, *command: str) -> Ended:
        """Run a command that has to work; Broken if it does not."""
        ended = self.run(folder, moment, *command)
        if ended.code or "Traceback" in ended.err:
            raise Broken(f"`{command[0]}` ended with {ended.code}: {ended.err[-600:]}")
        return ended

    def _calls(self, scenario: Scenario) -> list[Call]:
        """Return the calls of a scenario that nothing disturbs."""
        folder = self.copy(self.base(scenario.base))
        self.shim.watch(folder / "data")
        self.must(folder, self.moments[scenario.after], *scenario.command)
        calls = self.shim.stop()
        check_whole(folder / "data", self.moments[scenario.after])
        shutil.rmtree(folder)
        return calls

    def count(self, scenario: Scenario, kinds: Kinds = Kinds.ALL) -> int:
        """Return the number of calls of these kinds in a scenario that nothing disturbs."""
        return sum(bool(NAMES[call.name] & kinds) for call in self.calls(scenario))

    def places(self, scenario: Scenario, stride: int, kinds: Kinds = Kinds.ALL) -> list[int]:
        """Return places among the calls of these kinds: the first of each sort, each n-th after."""
        calls = [call for call in self.calls(scenario) if NAMES[call.name] & kinds]
        return [index + 1 for index in each_nth(calls, stride)]

    def check(self, scenario: Scenario, folder: Path, ended: Ended) -> Moment | None:
        """Return the moment that readers find whole; Broken unless it is before or after.

        Where the command has said that it published, it is after.
        """
        after = self.moments[scenario.after]
        allowed = [after] if scenario.before is None else [self.moments[scenario.before], after]
        moment = look(folder / "data", allowed)
        if moment is None and scenario.before is not None:
            raise Broken("what was published is gone")
        if (ended.code == 0 or PUBLISHED in ended.err) and moment is not after:
            raise Broken(f"said that it published, but readers find {moment and moment.name}")
        if moment:
            self.must(folder, moment, "status")
        return moment

    def heal(self, scenario: Scenario, folder: Path, ended: Ended, command: str) -> None:
        """Run the next command; Broken unless all is exact then, and what `ended` said is true."""
        after = self.moments[scenario.after]
        self.must(folder, after, command)
        check_whole(folder / "data", after)
        if CLOSED in ended.err:
            listed = self.must(folder, after, "books", "--json").out
            if f'"{MONTH}"' not in listed or '"closed"' not in listed:
                raise Broken(f"said that it closed {MONTH}, but the books have {listed}")
        if scenario is CLOSE:
            self.must(folder, after, "books")
