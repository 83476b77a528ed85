"""A batch waits for who copies the data directory."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from analytics.errors import BusyError
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
