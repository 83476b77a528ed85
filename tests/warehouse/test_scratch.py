"""Scratch folders are gone after their process, however it ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analytics.warehouse.scratch import remove_left, scratch_folder, work_folder

_KILLED = """
import os, sys
from pathlib import Path
from analytics.warehouse.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "spilled").write_text("x")
    os.kill(os.getpid(), 9)
"""


def test_a_folder_lives_as_long_as_its_block(tmp_path: Path) -> None:
    """It lies in the data directory, and another process's start leaves it alone."""
    with scratch_folder(tmp_path) as folder:
        assert folder is not None
        assert folder.parent == tmp_path.resolve()
        remove_left(tmp_path)
        assert folder.is_dir()

    assert not [*tmp_path.iterdir()]


def test_who_may_not_write_there_gets_none(tmp_path: Path) -> None:
    """Then nothing is spilled, and other files go to a folder of the system."""
    nowhere = tmp_path / "nowhere"
    with scratch_folder(nowhere) as folder, work_folder(nowhere) as work:
        assert folder is None
        assert work.is_dir()
        assert not work.is_relative_to(tmp_path)


def test_the_folder_of_a_killed_process_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one removes it, but no folder of another user, as in `/tmp` one may be anybody's."""
    subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path)], check=False)
    (left,) = tmp_path.iterdir()
    assert (left / "spilled").exists()
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        remove_left(tmp_path)
        assert left.exists()

    with scratch_folder(tmp_path):
        assert not left.exists()
