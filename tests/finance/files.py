"""Files of `finance/` in the working directory, for tests that read them."""

from __future__ import annotations

from pathlib import Path


def write(name: str, *lines: str) -> None:
    """Write a file of these lines."""
    Path("finance").mkdir(exist_ok=True)
    Path("finance", name).write_text("\n".join(lines), encoding="utf-8")


def link_out(path: Path) -> None:
    """Make a link to a file outside of the project."""
    elsewhere = path.absolute().parents[2] / "elsewhere.csv"
    elsewhere.write_text("workspace,agent,owner\n*,*,secret\n", encoding="utf-8")
    path.symlink_to(elsewhere)
