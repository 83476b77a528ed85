from __future__ import annotations

from pathlib import Path

import pytest

from tests.bounded.conftest import database, runner  # noqa: F401 - fixtures
from tests.project.own import make_marts
from tests.report.conftest import browser, reader  # noqa: F401 - fixtures


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published file with what pages of one's own need."""
    file = tmp_path_factory.mktemp("own") / "build.duckdb"
    make_marts(file)
    return file
