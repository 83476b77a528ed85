"""A laboratory for all tests of a module, and a table of what was tried at the end."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.warehouse.database import OFFLINE
from tests.torture.lab import Lab, Tally
from tests.torture.moments import moments
from tests.torture.server import Server
from tests.torture.shim import Shim

MEMORY = Path("/dev/shm")  # syncs take no time there
NEEDED = 4_000_000_000
"""Bytes: of copies of a disk, mostly."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stride", type=int, default=1, help="of each sort of call, try each n-th only"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line for each tally."""
    lines = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if report.when == "teardown" and name == "torture"
    ]
    if lines:
        terminalreporter.section("what was tried")
        for line in sorted(lines):
            terminalreporter.write_line(str(line))


@pytest.fixture(scope="session")
def stride(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--stride", 1))


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The laboratory, with quick commands."""
    if sys.platform != "linux":
        pytest.skip("the shim is for Linux")
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > NEEDED
    with tempfile.TemporaryDirectory(dir=MEMORY if has_room else None) as name:
        folder = Path(name).resolve()
        try:
            shim = Shim(folder)
        except RuntimeError as error:
            pytest.skip(str(error))
        server = Server(shim, folder, str(OFFLINE.get("disabled_optimizers", "")))
        with moments() as both:
            yield Lab(folder, both, shim, server)
        server.close()


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Counts that the summary shows."""
    made = Tally(request.node.name.removeprefix("test_"))
    yield made
    request.node.user_properties.append(("torture", str(made)))
