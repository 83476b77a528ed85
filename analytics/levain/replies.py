"""Responses as they arrived, whole."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import zstandard

from analytics.levain.repairs import shallow

LONGEST_DETAIL = 200  # characters
KEY_MARK = b"[key]"
"""Stands in place of an API key in a text of the API."""

_SHORTEST_KEY = 8  # characters: a shorter one is no secret, and may be a part of any text
LARGEST_ANSWER = 256_000_000
"""Bytes of a response, as they come and as they are unpacked."""

ENCODINGS = "gzip, zstd"
"""Encodings that requests ask for. A response has one of them at most."""

_SLICE = 1 << 20  # bytes that are unpacked at a time


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response; `headers` by their names in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes


def reply_of(status: int, headers: Iterable[tuple[bytes, bytes]], content: bytes) -> Reply:
    """Return the response of these parts, decompressed; raises httpx.DecodingError.

    A response that is longer than LARGEST_ANSWER is an error of decoding too.
    """
    fields: dict[str, str] = {}
    for raw_name, raw_text in headers:
        name, text = raw_name.decode("latin-1").lower(), raw_text.decode("latin-1")
        fields[name] = f"{fields[name]}, {text}" if name in fields else text
    if encoding := fields.get("content-encoding"):
        content = _unpacked(encoding, content)
    return Reply(status, fields, content)


def hide_keys(keys: Iterable[str]) -> Callable[[bytes], bytes]:
    """Return a function that puts KEY_MARK in place of keys, also of those escaped in JSON."""
    plain = [key.encode() for key in dict.fromkeys(keys) if len(key) >= _SHORTEST_KEY]
    each = [
        b"".join(rb"(?:%b|\\u(?i:%04x))" % (re.escape(bytes([c])), c) for c in k) for k in plain
    ]
    escaped = re.compile(b"|".join(each) or rb"(?!)")

    def hide(text: bytes) -> bytes:
        for key in plain:
            text = text.replace(key, KEY_MARK)
        return escaped.sub(KEY_MARK, text) if b"\\u00" in text else text

    return hide


def detail_of(reply: Reply) -> str:
    """Return the API's error message, in any of its shapes, cut to one line; empty if none."""
    try:
        detail = json.loads(shallow(reply.content))["detail"]
    except (ValueError, KeyError, TypeError):
        return ""
    if isinstance(detail, dict):
        detail = detail.get("message") or detail.get("reason") or detail.get("error") or detail
    if isinstance(detail, list):
        detail = "; ".join(_problem(item) for item in detail if isinstance(item, dict))
    return "" if detail is None else " ".join(str(detail).split())[:LONGEST_DETAIL]


def _problem(item: dict[str, object]) -> str:
    """Return the message of an invalid field, after the path of the field."""
    message, path = str(item.get("msg", item)), item.get("loc")
    return f"{'.'.join(map(str, path))}: {message}" if path and isinstance(path, list) else message


def require_length(length: int) -> None:
    """Raise httpx.DecodingError for a response of so many bytes that is too long."""
    if length > LARGEST_ANSWER:
        raise httpx.DecodingError(f"the response is longer than {LARGEST_ANSWER:,} bytes")


def _unpacked(encoding: str, content: bytes) -> bytes:
    """Return what was packed; of more than LARGEST_ANSWER bytes no more is unpacked."""
    match encoding.lower():
        case "identity":
            return content
        case "gzip":
            stream: Any = gzip.GzipFile(fileobj=io.BytesIO(content))
        case "zstd":
            stream = zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True)
        case _:
            raise httpx.DecodingError(f"it is packed as {encoding[:50]!r}, not as asked for")
    unpacked = bytearray()
    try:
        while part := stream.read(_SLICE):
            unpacked += part
            require_length(len(unpacked))
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise httpx.DecodingError(f"it cannot be unpacked: {error}") from error
    return bytes(unpacked)
