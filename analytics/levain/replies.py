"""Bodies of responses as they come, and their texts as they may be shown: without keys."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable
from os.path import commonprefix
from typing import cast

import httpx
import msgspec

from analytics.levain import bounds
from analytics.levain.answers import body_of, fields_of
from analytics.levain.errors import AnswerBrokenError, AnswerTooLargeError

LONGEST_DETAIL = 200  # characters
KEY_MARK = b"[key]"
"""Stands in place of an API key in a text of the API."""

_SHORTEST_KEY = 8  # characters: a shorter one is no secret, and may be a part of any text

ENCODING = "gzip"
"""The encoding that requests ask for: one that can be bounded as it is unpacked."""

# Where none of these is in a text, no character of a key is written as an escape.
_ESCAPES = [
    (pattern[:1], re.compile(pattern).search)
    for pattern in (rb"\\(?:u00|x|/|_)", rb"%[2-7][0-9A-Fa-f]", rb"&#")
]


async def content_of(request: str, response: httpx.Response, came: Callable[[int], None]) -> bytes:
    """Return the body of a response, unpacked as it comes; `came` is told the length of each part.

    Where it is too long: AnswerTooLargeError of an answer, nothing of an error. Raises
    httpx.DecodingError for what cannot be unpacked.
    """
    largest = bounds.LARGEST_ANSWER if response.is_success else bounds.LARGEST_ERROR
    named = response.headers.get("content-encoding", "")
    encoding = named.lower()
    if encoding not in ("", "identity", ENCODING):  # as it was named, which may be a key to hide
        raise httpx.DecodingError(f"it is packed as {named!r}, not as asked for")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS + 16) if encoding == ENCODING else None
    length = response.headers.get("content-length", "")
    longest = int(length) if length.isdecimal() else 0
    content, count = bytearray(), 0
    parts = aiter(cast("httpx.AsyncByteStream", response.stream))
    try:
        while longest <= largest and (part := await anext(parts, None)) is not None:
            came(len(part))
            count += len(part)
            left = largest + 1 - len(content)
            content += unpacker.decompress(part, left) if unpacker else part
            longest = max(count, len(content))
            if unpacker and unpacker.unused_data:  # would be copied anew with each part
                break
        if longest <= largest:
            if unpacker and count and (not unpacker.eof or unpacker.unused_data):
                raise httpx.DecodingError(
                    "it cannot be unpacked: it does not end where its data do"
                )
            return bytes(content)
    except zlib.error as error:
        raise httpx.DecodingError(f"it cannot be unpacked: {error}") from error
    finally:
        content.clear()  # errors, with all that is in use, are kept over all tries
    if response.is_success:
        raise AnswerTooLargeError(request, f"it is longer than {largest:,} bytes")
    return b""


def hide_keys(keys: Iterable[str]) -> Callable[[bytes], bytes]:
    """Return a function that puts KEY_MARK in place of keys.

    Also of those with escapes in place of characters: of JSON, URLs and HTML, once or several times
    over.
    """
    plain = sorted({key for key in keys if len(key) >= _SHORTEST_KEY}, key=len, reverse=True)
    begin = commonprefix(plain)  # noqa: RUF071 - of characters: keys begin alike
    ends = "|".join(_spellings(key[len(begin) :]) for key in plain)
    spelled = re.compile(f"{_spellings(begin)}(?:{ends})".encode() if plain else rb"(?!)")

    def hide(text: bytes) -> bytes:
        for key in plain:
            text = text.replace(key.encode(), KEY_MARK)
        for mark, is_escape_in in _ESCAPES:
            if mark in text and is_escape_in(text):
                return spelled.sub(KEY_MARK, text)
        return text

    return hide


def _spellings(text: str) -> str:
    r"""Return a pattern of all spellings of a text: `l`, `\\u006c`, `\x6C`, `%256c`, `&#108;`.

    Each begins with a byte of its own, so that most of a text is passed over; a row of backslashes
    is looked at from its first one alone.
    """
    return "".join(
        rf"(?:{re.escape(char)}|\\(?<!\\\\)\\*+(?:(?:u00|x){_hex(char)}|{re.escape(char)})"
        rf"|%(?:25)*+{_hex(char)}|&\#(?:0*+{ord(char)}|[xX]0*+{_hex(char)});)"
        for char in text
    )


def _hex(char: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" for digit in f"{ord(char):02x}")


def detail_of(content: bytes) -> str:
    """Return the API's error message, in any of its shapes, cut to one line; empty if none."""
    try:
        body = body_of("", content)
        detail = {} if isinstance(body, list) else msgspec.json.decode(fields_of(body)["detail"])
    except (AnswerBrokenError, msgspec.MsgspecError, KeyError):
        return ""
    if isinstance(detail, dict):
        detail = detail.get("message") or detail.get("reason") or detail.get("error") or detail
    if isinstance(detail, list):
        detail = "; ".join(_problem(item) for item in detail if isinstance(item, dict))
    return one_line(str(detail)) if detail else ""


def _problem(item: dict[str, object]) -> str:
    """Return the message of an invalid field, after the path of the field."""
    message, path = str(item.get("msg", item)), item.get("loc")
    return f"{'.'.join(map(str, path))}: {message}" if path and isinstance(path, list) else message


def one_line(text: str) -> str:
    """Return the beginning of a text, in one line: after keys were hidden, as it may cut one."""
    return " ".join(text.split())[:LONGEST_DETAIL]
