from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conftest import shared_folder
from tests.report.browser import CHROMIUM, WHY_NOT, Reader
from tests.report.browser import browser as opened_browser
from tests.report.pages import Site
from tests.report.published import Asked, publish
from tests.transform.given import warehouse

__all__ = ["warehouse"]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of two real batches, which tests only read."""

    def fill(folder: Path) -> None:
        with ThreadPoolExecutor(1) as apart:  # a browser that is open keeps a loop running here
            apart.submit(publish, folder).result()

    return shared_folder(tmp_path_factory, "batches", fill) / "data"


@pytest.fixture(scope="session")
def batches(published: Path) -> Site:
    """The site of those batches."""
    return Site(published / "site")


@pytest.fixture
def sql(published: Path) -> Asked:
    """SQL on what was published with it."""
    return Asked(published / "analytics.duckdb")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a module; without any, they are skipped.

    It keeps a loop running, in which other modules could not start theirs.
    """
    if not CHROMIUM:
        pytest.skip(WHY_NOT)
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    """A reader whom nothing failed in the end."""
    one = Reader(browser)
    yield one
    one.close()
    assert one.complaints == []
