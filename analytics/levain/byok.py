"""The workspace's own keys at model providers; a secret is never answered."""

from __future__ import annotations

from analytics.levain.paging import records_of
from analytics.levain.transport import Answer, Records, Transport


class Byok:
    """`/byok`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self) -> tuple[Answer, Records]:
        """The keys in force, undecoded; NotFoundError where the API has no such list."""
        answer = await self._transport.get("/api/v1/byok")
        return answer, records_of(answer)
