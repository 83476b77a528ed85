"""Bring your own key: model usage that your own provider account pays."""

from __future__ import annotations

from analytics.levain.paging import Page, one_page
from analytics.levain.paths import api_path
from analytics.levain.records import ProviderKey
from analytics.levain.transport import Transport


class Byok:
    """`/byok`; the API takes a key's secret and never returns it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> Page[ProviderKey]:
        """Read the keys in use, without their secrets."""
        return await one_page(self._transport, api_path("byok"), ProviderKey)

    async def add(self, provider: str, api_key: str) -> ProviderKey:
        """Use this key for a provider (such as `anthropic`) in all runs that start from now on."""
        return await self._transport.change(
            "POST", api_path("byok", provider), ProviderKey, {"api_key": api_key}
        )

    async def revoke(self, key_id: str) -> None:
        """Revoke a key at once; new runs use the platform's accounts again."""
        await self._transport.send("DELETE", api_path("byok", key_id))
