"""`analytics open`: the published pages in a browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from tests.cli.conftest import Command


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was given."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: addresses.append(url) is None)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    return addresses


@pytest.fixture
def url() -> str:
    """The address of pages in the data directory."""
    index = Path("data/site/index.html")
    index.parent.mkdir(parents=True)
    index.touch()
    return index.resolve().as_uri()


def test_pages_open_where_there_is_a_display(
    analytics: Command, opened: list[str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is printed; a browser in a text terminal, which it would take over, stays out."""
    assert analytics("open").out == f"{url}\n"
    assert opened == []

    monkeypatch.setenv("DISPLAY", ":0")
    result = analytics("open")
    assert (result.code, result.out, result.err) == (0, f"{url}\n", "")
    assert opened == [url]


@pytest.mark.usefixtures("opened")
def test_pages_that_are_not_there_are_told(analytics: Command) -> None:
    """The error names what to run."""
    result = analytics("open")

    assert (result.code, "Run `analytics nightly` first" in result.err) == (1, True)
