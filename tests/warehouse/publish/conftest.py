from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from analytics.warehouse.layout import Layout


@pytest.fixture(autouse=True)
def without_syncs() -> Iterator[None]:
    """A process that is killed needs no disk, and hundreds of publications would wait for it."""
    with mock.patch.object(os, "fsync"):
        yield


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A data directory without a batch."""
    layout = Layout(tmp_path / "data")
    layout.root.mkdir()
    return layout
