"""A disk whose power is cut: ext4 in a file, of which only what was synced is ever copied."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEGABYTES = 320
# Nothing reaches the disk by itself while a test runs, and a rename saves no content by itself.
OPTIONS = "loop,noauto_da_alloc,commit=600"


def missing() -> str | None:
    """Return what is missing here to cut the power."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root of a Linux machine mounts disks"
    if not (shutil.which("mkfs.ext4") and shutil.which("mount")):
        return "mkfs.ext4 and mount are needed"
    return None


class Disk:
    """A mounted disk. What its file holds is what a cut of the power leaves."""

    def __init__(self, file: Path) -> None:
        self.file, self.root = file, file.with_suffix(".mounted")

    def cut(self, copy: Path, *, commits: bool = False) -> None:
        """Copy what is on the disk at this moment.

        With `commits`, the file system has just written its journal, as it does at any time: names
        are on the disk then, and the content of files that nobody synced is not.
        """
        if commits:
            with (self.root / "of another program").open("w") as file:
                file.write("x")
                file.flush()
                os.fsync(file.fileno())
        subprocess.run(["cp", "--sparse=always", self.file, copy], check=True)


@contextmanager
def new_disk(folder: Path) -> Iterator[Disk]:
    """Make an empty disk in a folder, and mount it."""
    disk = Disk(folder / "disk")
    with disk.file.open("wb") as file:
        file.truncate(MEGABYTES * 1_000_000)
    subprocess.run(["mkfs.ext4", "-q", disk.file], check=True)
    with mounted(disk):
        yield disk


@contextmanager
def mounted(disk: Disk) -> Iterator[Path]:
    """Mount a disk, or a copy of one, whose journal is replayed; yield its root."""
    disk.root.mkdir()
    subprocess.run(["mount", "-o", OPTIONS, disk.file, disk.root], check=True)
    try:
        yield disk.root
    finally:
        subprocess.run(["umount", disk.root], check=True)
        disk.root.rmdir()
        disk.file.unlink()
