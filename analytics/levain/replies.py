"""Responses as they arrived, whole."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any

import httpx
import msgspec
import zstandard

from analytics.levain.answers import body_of, fields_of
from analytics.levain.errors import AnswerBrokenError

LONGEST_DETAIL = 200  # characters
KEY_MARK = b"[key]"
"""Stands in place of an API key in a text of the API."""

_SHORTEST_KEY = 8  # characters: a shorter one is no secret, and may be a part of any text

ENCODINGS = "gzip, zstd"
"""Encodings that requests ask for. A response has one of them at most."""

_SLICE = 512  # bytes that are unpacked at a time: of the worst ones come 17 MB
_NO_END = "it cannot be unpacked: it does not end where its data do"
_LARGEST_WINDOW = 8 << 20  # bytes that an unpacker holds of what it has unpacked (RFC 9659)

# Where none of these is in a text, no character of a key is written as an escape.
_ESCAPES = [
    (pattern[:1], re.compile(pattern).search)
    for pattern in (rb"\\(?:u00|x|/)", rb"%[2-7][0-9A-Fa-f]", rb"&#")
]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response; `headers` by their names in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes


class TooLong(Exception):  # noqa: N818  # private to the client
    """A body is longer than it may be; no more of it is read, nor unpacked."""


class Body:
    """The body of a response, unpacked as it comes; raises httpx.DecodingError and TooLong."""

    def __init__(self, encoding: str, largest: int) -> None:
        match encoding.lower():
            case "" | "identity":
                self._packed: Any = None
            case "gzip":
                self._packed = zlib.decompressobj(wbits=zlib.MAX_WBITS + 16)
            case "zstd":
                unpacker = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
                self._packed = unpacker.decompressobj()
            case _:
                raise httpx.DecodingError(f"it is packed as {encoding!r}, not as asked for")
        self._largest = largest
        self._came = 0
        self._content = bytearray()

    def expect(self, length: str) -> None:
        """Take the length that the response says it has, if it says one."""
        if length.isdecimal():
            self._require(int(length))

    def add(self, part: bytes) -> None:
        """Take what has come."""
        self._came += len(part)
        self._require(self._came)
        if self._packed is None:
            self._content += part
            return
        try:
            for start in range(0, len(part), _SLICE):
                if self._packed.eof:
                    raise httpx.DecodingError(_NO_END)
                self._content += self._packed.decompress(part[start : start + _SLICE])
                self._require(len(self._content))
        except (zlib.error, zstandard.ZstdError) as error:
            raise httpx.DecodingError(f"it cannot be unpacked: {error}") from error

    def clear(self) -> None:
        """Free what has come: errors, with all that is in use, are kept over all tries."""
        self._content.clear()

    def content(self) -> bytes:
        """Return the whole body."""
        if self._packed and self._came and (not self._packed.eof or self._packed.unused_data):
            raise httpx.DecodingError(_NO_END)
        return bytes(self._content)

    def _require(self, length: int) -> None:
        if length > self._largest:
            raise TooLong(f"it is longer than {self._largest:,} bytes")


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by their names in lower case; those of one name are joined."""
    fields: dict[str, str] = {}
    for raw_name, raw_text in raw:
        name, text = raw_name.decode("latin-1").lower(), raw_text.decode("latin-1")
        fields[name] = f"{fields[name]}, {text}" if name in fields else text
    return fields


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


def detail_of(reply: Reply) -> str:
    """Return the API's error message, in any of its shapes, cut to one line; empty if none."""
    try:
        body = body_of("", reply.content)
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
