"""Proxies of the environment."""

from __future__ import annotations

import asyncio
import os
from unittest.mock import Mock

import httpx
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


@pytest.mark.parametrize("proxy", ["ftp://p.test", "socks5://p.test", "http://x:port"])
def test_a_proxy_that_cannot_be_used_is_named_as_the_cause(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A malformed proxy variable raises an error like any other failure to connect."""
    monkeypatch.setenv("ALL_PROXY", proxy)

    with pytest.raises(LevainError, match=r"http://levain.test: the proxy that the environment"):
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


def test_certificates_that_cannot_be_used_are_named_as_the_cause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the variables of certificates name no file of some, the error says so."""
    missing = FileNotFoundError(2, "No such file or directory")
    monkeypatch.setattr(httpx, "create_ssl_context", Mock(side_effect=missing))

    with pytest.raises(LevainError, match="certificates that SSL_CERT_FILE or SSL_CERT_DIR names"):
        AsyncLevain("levain_key", "https://api.test")
