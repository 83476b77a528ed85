"""Clients of the emulator, and of a server that gives the answers of a test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from analytics.emulator.server import Emulator
from analytics.levain import AsyncLevain
from tests.jumping import run

KEY, OTHER = "levain_key", "levain_other/key"
API = "https://api.test"

Use = Callable[[AsyncLevain], Awaitable[Any]]


def using(api: Emulator, use: Use, key: str | None = None) -> Any:
    """Return what a client of the emulator gets."""
    return asyncio.run(_used(AsyncLevain(key or api.world.workspaces[0].api_key, api.url), use))


class Server:
    """Answers in turn as it is told, the last answer for ever; an error is a lost connection.

    Its clients wait on a clock that jumps.
    """

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if self._answers[1:] else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def ask(self, use: Use, api: str = API, **options: Any) -> Any:
        """Return what a client of this server gets."""
        transport = httpx.MockTransport(self)
        client = AsyncLevain(KEY, api, other_keys=[OTHER], transport=transport, **options)
        return run(_used(client, use))

    def read(self, **options: Any) -> Any:
        """Return the answer to a read of a run."""
        return self.ask(lambda levain: levain.runs.read("a"), **options)


async def _used(client: AsyncLevain, use: Use) -> Any:
    async with client:
        return await use(client)
