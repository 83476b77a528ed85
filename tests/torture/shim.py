"""The shim of `shim.c`, and the mapped file through which a test commands it."""

from __future__ import annotations

import errno
import mmap
import shutil
import struct
import subprocess
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).with_name("shim.c")
LOG_BYTES = 4_000_000

_HEAD = struct.Struct("14i512s256s256s4096s4096s")
_ACTIVE, _PAUSED, _COUNT, _USED = 0, 5, 6, 10


class Kinds(IntFlag):
    """Kinds of calls that change files."""

    OPEN = 1
    WRITE = 2
    SYNC = 4
    RENAME = 8
    REMOVE = 16
    OTHER = 32
    BARRIERS = SYNC | RENAME | REMOVE
    ALL = 63


_OF_KIND = {
    Kinds.OPEN: "open",
    Kinds.WRITE: "write pwrite writev pwritev sendfile copy_file_range"
    " ftruncate fallocate truncate",
    Kinds.SYNC: "fsync fdatasync syncfs sync_file_range",
    Kinds.RENAME: "rename",
    Kinds.REMOVE: "unlink unlinkat remove rmdir",
    Kinds.OTHER: "mkdir mkdirat symlink symlinkat link linkat chmod fchmodat fchmod"
    " utimensat futimens",
}
NAMES = {name: kind for kind, names in _OF_KIND.items() for name in names.split()}
"""The kind of each call."""


class Action(IntEnum):
    """What happens at a call, before it is made; a SHORT write writes half."""

    NOTHING = 0
    KILL = 1
    FAIL = 2
    SHORT = 3
    PAUSE = 4


class Call(NamedTuple):
    """A call: its number among those that count (0 for others), its paths below the root."""

    number: int
    name: str
    path: str
    to: str

    def __str__(self) -> str:
        names = " -> ".join(filter(None, (self.path, self.to)))
        return f"call {self.number}: {self.name} {names}"


class Shim:
    """A compiled shim; RuntimeError where there is no compiler."""

    def __init__(self, folder: Path) -> None:
        self.library, self.control = folder / "shim.so", folder / "control"
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise RuntimeError("there is no C compiler")
        subprocess.run(
            [compiler, "-O1", "-shared", "-fPIC", "-o", self.library, SOURCE, "-ldl"], check=True
        )
        self.control.write_bytes(bytes(_HEAD.size + LOG_BYTES))
        with self.control.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to run under the shim."""
        return {"LD_PRELOAD": str(self.library), "TORTURE_CONTROL": str(self.control)}

    def watch(
        self,
        root: Path,
        action: Action = Action.NOTHING,
        at: int = 0,
        *,
        every: int = 0,
        kinds: Kinds = Kinds.ALL,
        match: str = "",
        error: int = errno.EIO,
        is_unsynced: bool = False,
        late: str = "",
    ) -> None:
        """Count from now on calls below `root` that have `match` in their name and paths.

        The action is done at the `at`-th one, and at every `every`-th one after it. `is_unsynced`:
        no sync does anything. `late`: a rename with this in a path is made after the next one.
        """
        head = _HEAD.pack(
            1, kinds, action, error, is_unsynced, 0, 0, at, every, 0, 0, len(self._map), 0, 0,
            bytes(root), match.encode(), late.encode(), b"", b"",
        )  # fmt: skip
        self._map[: len(head)] = head

    def stop(self) -> list[Call]:
        """Let all calls be as they are again; return those that were watched."""
        self._set(_ACTIVE, 0)
        return self.calls

    @property
    def calls(self) -> list[Call]:
        """The calls so far; the last one is the one that was killed, failed or paused."""
        log = self._map[_HEAD.size : _HEAD.size + self._get(_USED)].decode()
        fields = (line.split("\t") for line in log.splitlines())
        return [Call(int(number), *rest) for number, *rest in fields]

    @property
    def count(self) -> int:
        """The number of calls that counted."""
        return self._get(_COUNT)

    @property
    def is_paused(self) -> bool:
        """True while a call waits, and with it all others that change files."""
        return self._get(_PAUSED) == 2

    def go_on(self) -> None:
        """End a pause."""
        self._set(_PAUSED, 0)

    def _get(self, index: int) -> int:
        (number,) = struct.unpack_from("i", self._map, 4 * index)
        return int(number)

    def _set(self, index: int, number: int) -> None:
        struct.pack_into("i", self._map, 4 * index, number)
