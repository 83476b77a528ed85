from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.lab import Lab
from tests.torture.moments import moments

MEMORY = Path("/dev/shm")  # syncs take no time there


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    if sys.platform != "linux":
        pytest.skip("paths of descriptors are those of Linux")
    folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
    with folder as name, moments() as both:
        yield Lab(Path(name).resolve(), both)
