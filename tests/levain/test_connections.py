"""Proxies of the environment."""

from __future__ import annotations

import asyncio
import os

import pytest

from analytics.emulator.server import Emulator
from analytics.levain import (
    AnswerTooLargeError,
    AsyncLevain,
    ConnectionFailedError,
    LevainError,
    bounds,
)


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        *(
            ("ALL_PROXY", proxy, "the proxy that the environment names")
            for proxy in ("ftp://p.test", "socks5://p.test", "http://x:port")
        ),
        ("SSL_CERT_FILE", "/missing", "certificates that SSL_CERT_FILE or SSL_CERT_DIR names"),
    ],
)
def test_what_cannot_be_used_of_the_environment_is_the_cause(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    """A malformed proxy, or a missing file, raises an error like any other failure to connect."""
    monkeypatch.setenv(name, value)

    with pytest.raises(LevainError, match=f"http://levain.test: .*{told}"):
        AsyncLevain("levain_key", "http://levain.test")


def test_requests_go_through_the_proxy(api: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request for a host behind a proxy reaches it, with its key; its answer has a limit.

    It goes past the proxy where `NO_PROXY` names the host.
    """
    monkeypatch.setenv("HTTP_PROXY", api.url)
    workspace = api.world.workspaces[0]

    async def name() -> str | None:
        async with AsyncLevain(workspace.api_key, "http://levain.test") as levain:
            return (await levain.auth.me()).workspace_name

    assert asyncio.run(name()) == workspace.name
    monkeypatch.setattr(bounds, "LARGEST_ANSWER", 10)
    with pytest.raises(AnswerTooLargeError, match="longer than 10 bytes"):
        asyncio.run(name())
    monkeypatch.setenv("NO_PROXY", "levain.test")
    with pytest.raises(ConnectionFailedError):
        asyncio.run(name())
