"""Whose key it is."""

from __future__ import annotations

from datetime import datetime

from analytics.levain.records import Me, typed
from analytics.levain.transport import Answer, Transport


class Auth:
    """`/auth`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self) -> Answer:
        """The key's workspace, undecoded."""
        return await self._transport.get("/api/v1/auth/me")

    async def me(self) -> tuple[Me, datetime]:
        """The key's workspace, and what the API's clock says."""
        answer = await self.read()
        return typed(answer.record, Me), answer.fetched_at
