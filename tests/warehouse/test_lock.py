"""A batch waits for who copies the data directory, and removes what interrupted work left."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from unittest.mock import patch

import pytest

from analytics.errors import AnalyticsError, BusyError
from analytics.warehouse import lock
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock


@contextmanager
def copying(layout: Layout) -> Iterator[None]:
    """Hold the lock as `flock --shared` does."""
    with layout.lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def test_a_batch_waits_for_a_copy(tmp_path: Path) -> None:
    """A batch that begins during copies of the data directory waits until they have ended."""
    layout = Layout(tmp_path)
    with batch_lock(layout):
        pass
    began = threading.Event()

    def begin() -> None:
        with batch_lock(layout):
            began.set()

    with patch("analytics.warehouse.lock.PROBE_SECONDS", 0):
        with copying(layout), copying(layout):
            batch = threading.Thread(target=begin)
            batch.start()
            assert not began.wait(0.1)
        batch.join(10)
        assert began.is_set()
        with (
            copying(layout),
            patch("analytics.warehouse.lock.READER_SECONDS", 0),
            pytest.raises(BusyError, match=r"^A reader is at work"),
            batch_lock(layout),
        ):
            pass


@contextmanager
def file_on_a_full_disk(**_: object) -> Iterator[BinaryIO]:
    with Path("/dev/full").open("wb") as file:
        yield file


def test_a_directory_without_room_is_told_before_a_batch_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says which directory, why, and what to do; trying it leaves nothing there."""
    layout = Layout(tmp_path)
    with batch_lock(layout):
        before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(lock, "TemporaryFile", file_on_a_full_disk)
    with pytest.raises(AnalyticsError) as error, batch_lock(layout):
        pass

    assert str(error.value) == (
        f"The data directory {tmp_path} cannot be written: No space left on device: {tmp_path}.\n"
        "Make room on its disk, and run again."
    )
    assert sorted(tmp_path.iterdir()) == before


# Each of them stands for what a kill leaves.
LEFT = [
    "landing/w1/20261120T060000Z-000001-lists.unfinished/runs.ndjson.zst",
    "books/2026-10/.r1.unfinished/lines.parquet",
    "publications/.20261120T060000.000000Z.json.unfinished",
    "rebuild.unfinished/warehouse.duckdb",
    "published/next.unfinished/site/index.html",
    "build.next.duckdb",
    "warehouse.next.duckdb",
    ".alerts.json.q3k_x0a1.unfinished",
]
KEPT_FILES = [
    "landing/w1/20261120T060000Z-000001-lists/runs.ndjson.zst",
    "books/2026-10/r1/lines.parquet",
    "publications/20261120T060000.000000Z.json",
]


def test_a_batch_removes_what_interrupted_work_left(tmp_path: Path) -> None:
    """All of it goes, a link too and not what it leads to; what is whole stays."""
    layout = Layout(tmp_path / "data")
    for name in (*LEFT, *KEPT_FILES, "../outside/file"):
        file = layout.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    (layout.landing / "w1" / "x.unfinished").symlink_to(tmp_path / "outside")
    with batch_lock(layout):
        pass
    files = {path for path in layout.root.rglob("*") if path.is_symlink() or path.is_file()}

    assert files == {layout.lock, *(layout.root / name for name in KEPT_FILES)}
    assert (tmp_path / "outside" / "file").exists()
