"""Addresses of files that are valid for a while without a key."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlencode

if TYPE_CHECKING:
    from datetime import datetime


class Signer:
    """Signs a path together with the second in which its address expires."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def address(self, path: str, expires: int) -> str:
        """Return a quoted path with the query that authorizes it until a Unix second."""
        signature = self._signature(unquote(path), expires)
        return f"{path}?{urlencode({'expires': expires, 'signature': signature})}"

    def refusal(self, path: str, expires: int, signature: str, now: datetime) -> str | None:
        """Return the reason why an address is invalid, or None if it is valid."""
        expected = self._signature(path, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            return "The signature does not match"
        if now.timestamp() >= expires:
            return "The address has expired"
        return None

    def _signature(self, path: str, expires: int) -> str:
        text = f"{expires}\n{path}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()
