"""Clients of the emulator, and of a server that gives the answers of a test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from analytics.emulator.server import Emulator
from analytics.levain import AsyncLevain
from analytics.levain.rate_limiter import RateLimiter
from analytics.levain.transport import Transport

KEY, OTHER = "levain_key", "levain_other/key"
API = "https://api.test"

Use = Callable[[AsyncLevain], Awaitable[Any]]


def using(api: Emulator, use: Use, key: str | None = None) -> Any:
    """Return what a client of the emulator gets."""
    return _run(AsyncLevain(key or api.world.workspaces[0].api_key, api.url), use)


class Server:
    """Answers in turn as it is told, the last answer for ever; an error is a lost connection."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if self._answers[1:] else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask(self, use: Use, api: str = API) -> Any:
        """Return what a client of this server gets."""
        return _run(AsyncLevain(KEY, api, transport=httpx.MockTransport(self)), use)


def transport_of(
    *responses: httpx.Response | Exception, rate_limiter: RateLimiter | None = None
) -> Transport:
    """Return a client whose server returns these responses in turn."""
    return Transport(
        KEY,
        API,
        concurrency=1,
        rate_limiter=rate_limiter or RateLimiter(),
        other_keys=[OTHER],
        transport=httpx.MockTransport(Server(*responses)),
    )


def get(transport: Transport) -> Any:
    """Read something by a transport."""
    return asyncio.run(transport.get("/api/v1/thing"))


def _run(client: AsyncLevain, use: Use) -> Any:
    async def run() -> Any:
        async with client:
            return await use(client)

    return asyncio.run(run())
