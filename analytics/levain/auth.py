"""Whose key it is."""

from __future__ import annotations

from analytics.levain.paths import api_path
from analytics.levain.records import Me, typed
from analytics.levain.transport import Answer, Transport


class Auth:
    """`/auth`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self) -> Answer:
        """The key's workspace, undecoded; `fetched_at` is what the API's clock says."""
        return await self._transport.get_record(api_path("auth", "me"))

    async def me(self) -> Me:
        """The key's workspace.

        >>> levain.auth.me().workspace_name
        'Blank Slate'
        """
        return typed((await self.read()).record, Me)
