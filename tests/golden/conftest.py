from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-write", action="store_true", help="make the golden tables anew")


def pytest_configure(config: pytest.Config) -> None:
    """Who names these tests alone has all of them: also the demo's, which take a minute."""
    if all(Path(name.partition("::")[0]).is_relative_to("tests/golden") for name in config.args):
        config.option.markexpr = config.option.markexpr or "long or not long"
