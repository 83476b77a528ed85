from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser

from analytics.report.site import About, build_site
from tests.report import marts
from tests.report.browser import CHROMIUM, WHY_NOT, Reader
from tests.report.browser import browser as opened_browser
from tests.report.pages import Site
from tests.report.published import Asked, publish

BuildSite = Callable[..., Site]


def about(**changes: object) -> About:
    """What the sites of tests say of themselves."""
    given = {
        "as_of": marts.AS_OF,
        "code_version": "0.1.0",
        "timezone": "UTC",
        "load_count": 42,
        "warnings": [],
    }
    return About(**(given | changes))  # type: ignore[arg-type]


@pytest.fixture
def build(tmp_path: Path) -> BuildSite:
    """Builds the site of a connection into the test's own folder."""

    def build(con: duckdb.DuckDBPyConnection, name: str = "site", **changes: object) -> Site:
        target = tmp_path / name
        target.mkdir()
        return Site(target, build_site(con, target, about=about(**changes)))

    return build


@pytest.fixture(scope="session")
def con() -> duckdb.DuckDBPyConnection:
    """Marts with two workspaces."""
    return marts.made_up()


@pytest.fixture(scope="session")
def site(con: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site of those marts."""
    target = tmp_path_factory.mktemp("site")
    summary = build_site(con, target, about=about(warnings=["Staging could not be read."]))
    return Site(target, summary)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of two real batches, made by the first process of the suite to ask."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "batches"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "data").exists():
            with ThreadPoolExecutor(1) as apart:  # a browser that is open keeps a loop running here
                apart.submit(publish, folder).result()
    return folder / "data"


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
    """One Chromium for all tests of a module; without any, they are skipped."""
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
