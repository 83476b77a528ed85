"""Responses as they arrived, whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

import httpx

from analytics.levain.repairs import shallow

LONGEST_DETAIL = 200  # characters
LARGEST_ANSWER = 256_000_000
"""Bytes of a response, as they come and as they are unpacked."""

_SLICE = 4096  # bytes that are unpacked at a time: a bomb is noticed before it fills the memory


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
    slices = (content[at : at + _SLICE] for at in range(0, len(content), _SLICE))
    packed = httpx.Response(200, headers={"Content-Encoding": encoding}, content=slices)
    unpacked = bytearray()
    for part in packed.iter_bytes():
        unpacked += part
        require_length(len(unpacked))
    return bytes(unpacked)
