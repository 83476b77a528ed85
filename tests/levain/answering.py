"""Clients of the emulator, and of a server that gives the answers of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from analytics.emulator.server import Emulator
from analytics.levain import (
    AsyncLevain,
)
from analytics.levain.rate_limiter import RateLimiter
from analytics.levain.transport import Transport

KEY, OTHER = "levain_key", "levain_other/key"


@asynccontextmanager
async def client_of(api: Emulator, key: str | None = None) -> AsyncIterator[AsyncLevain]:
    async with AsyncLevain(key or api.world.workspaces[0].api_key, api.url) as client:
        yield client


def transport_of(*responses: httpx.Response, rate_limiter: RateLimiter | None = None) -> Transport:
    """Return a client whose server returns these responses in turn."""
    waiting = iter(responses)
    return Transport(
        KEY,
        "https://api.test",
        concurrency=1,
        rate_limiter=rate_limiter or RateLimiter(),
        other_keys=[OTHER],
        transport=httpx.MockTransport(lambda _: next(waiting)),
    )


def get(transport: Transport) -> Any:
    return asyncio.run(transport.get("/api/v1/thing"))
