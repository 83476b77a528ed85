"""Responses as they arrived, whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response; `headers` by their names in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes


def reply_of(status: int, headers: Iterable[tuple[bytes, bytes]], content: bytes) -> Reply:
    """Return the response of these parts, decompressed; raises httpx.DecodingError."""
    fields: dict[str, str] = {}
    for raw_name, raw_text in headers:
        name, text = raw_name.decode("latin-1").lower(), raw_text.decode("latin-1")
        fields[name] = f"{fields[name]}, {text}" if name in fields else text
    if encoding := fields.get("content-encoding"):
        content = httpx.Response(
            status, headers={"Content-Encoding": encoding}, content=content
        ).content
    return Reply(status, fields, content)
