"""The customer's own keys, which select the provider account that pays for a run's requests."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

LEVAIN_CHARGE = Decimal("1.1")  # billed for a dollar of cost on Levain's account
PLATFORM_CHARGE = Decimal("0.02")  # billed for a dollar that the provider bills the customer
SHOWN_DIGITS = 4


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """The stored fields of a provider's API key, without its secret."""

    id: str
    provider: str
    last_four: str
    created_at: datetime


class KeyRing:
    """A workspace's provider keys, one for each provider; a second one replaces the first."""

    def __init__(self) -> None:
        self._keys: dict[str, ProviderKey] = {}

    def __iter__(self) -> Iterator[ProviderKey]:
        return iter(self._keys.values())

    @property
    def providers(self) -> frozenset[str]:
        """The providers that bill the customer for runs that start now."""
        return frozenset(self._keys)

    def add(self, key_id: str, provider: str, secret: str, at: datetime) -> ProviderKey:
        """Store a key's last four characters and route its provider's requests to it."""
        key = ProviderKey(key_id, provider, secret[-SHOWN_DIGITS:], at)
        self._keys.pop(provider, None)
        self._keys[provider] = key
        return key

    def revoke(self, key_id: str) -> ProviderKey | None:
        """Delete a key at once and return it, or None if there is none."""
        key = next((key for key in self if key.id == key_id), None)
        if key:
            del self._keys[key.provider]
        return key
