"""Files of `finance/` in the working directory, for tests that read them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

Maker = Callable[[Path], object]


def write(name: str, *lines: str) -> None:
    """Write a file of these lines."""
    Path("finance").mkdir(exist_ok=True)
    Path("finance", name).write_text("\n".join(lines), encoding="utf-8")


def link_out(path: Path) -> None:
    """Make a link to a file outside of the project."""
    elsewhere = path.absolute().parents[2] / "elsewhere.csv"
    elsewhere.write_text("workspace,agent,owner\n*,*,secret\n", encoding="utf-8")
    path.symlink_to(elsewhere)


UNUSABLE: tuple[tuple[Maker, str], ...] = (
    (link_out, "it is a link that leads out of the project"),
    (os.mkfifo, "it is no ordinary file"),
    (Path.mkdir, "it is no ordinary file"),
    (lambda path: path.symlink_to("nowhere"), "No such file or directory"),
    (lambda path: path.write_bytes(b"x" * 10_000_001), "it is larger than 10 MB"),
    (lambda path: path.write_bytes(b"a\nS\xf6hne"), "line 2 is not UTF-8"),
    (lambda path: path.write_bytes(b"a\0"), "it holds a NUL character, so it is no text"),
)
"""Functions that make something that is no text of the project, and the reason."""
