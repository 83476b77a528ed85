"""The workspace that a key belongs to."""

from __future__ import annotations

from analytics.levain.answers import Answer
from analytics.levain.paths import api_path
from analytics.levain.records import Me, typed
from analytics.levain.transport import Transport

_ME = api_path("auth", "me")


class Auth:
    """`/auth`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self) -> Answer:
        """Read the key's workspace, undecoded; `fetched_at` is the time of the API's clock."""
        return await self._transport.get(_ME, None, lambda answer: typed(answer.record, Me))

    async def me(self) -> Me:
        """Read the key's workspace.

        >>> levain.auth.me().workspace_name
        'Blank Slate'
        """
        return await self._transport.read(_ME, Me)
