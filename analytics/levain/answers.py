"""Answers of the API: records in the API's own text, which no one has decoded yet.

JSON that no decoder takes is repaired: values nested too deeply, `NaN`, and half a character.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import msgspec

from analytics.levain import bounds
from analytics.levain.errors import AnswerBrokenError, AnswerTooLargeError

Record = msgspec.Raw
"""The text of a JSON object, with every digit as the API sent it."""

Records = list[Record]

Fields = dict[str, msgspec.Raw]
"""The fields of an object, each of them undecoded."""

Params = Mapping[str, str | int]

fields_of = msgspec.json.Decoder(Fields).decode
"""Return the fields of a record; msgspec.ValidationError if it is not an object."""

_items_of = msgspec.json.Decoder(Records).decode

_NO_MARKS = bytes(set(range(256)) - set(b"[]{},"))
_STRING = rb'"(?:[^"\\]++|\\.)*+"?'
"""A string, or the rest of the body where none ends it: no byte of it is looked at again."""
_STRINGS = re.compile(_STRING, re.DOTALL)
_TOKENS = re.compile(_STRING + rb"|[\[\]{}]|-?(?:NaN|Infinity)", re.DOTALL)

# An escape such as \ud800 alone is valid JSON, but no Unicode text.
_ESCAPE = re.compile(
    rb"""\\(?:
        u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}  # a pair: one whole character
        | (?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})
        | .
    )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Answer:
    """A 2xx response: its body, a list split into records, and its request."""

    path: str
    params: Params
    status: int
    fetched_at: datetime
    byte_count: int
    body: Records | Record
    next_link: str | None = None

    @property
    def record(self) -> Record:
        """The one object of the response; AnswerBrokenError if it is a list."""
        if isinstance(self.body, list):
            raise AnswerBrokenError(self.path, "a list came where one object was expected")
        return self.body

    @cached_property
    def fields(self) -> Fields:
        """The fields of the one object; none if the response is a list."""
        return {} if isinstance(self.body, list) else fields_of(self.body)

    @cached_property
    def records(self) -> Records:
        """The list of the response, bare or in a wrapper such as `{"events": […]}`.

        AnswerBrokenError if it is another object.
        """
        if isinstance(self.body, list):
            return self.body
        lists = [each for each in self.fields.values() if bytes(each)[:1] == b"["]
        if len(lists) != 1:
            raise AnswerBrokenError(self.path, "an object came where a list was expected")
        return _split(self.path, lists[0])


def body_of(request: str, content: bytes) -> Records | Record:
    """Return a list as its undecoded items, or an object as it is; AnswerBrokenError if neither.

    A value that no decoder takes is read as null or as a text: it costs its field, not the body.
    AnswerTooLargeError for a body that has too much in it.
    """
    if _is_deep(request, content):
        if not _are_few(content):
            raise AnswerTooLargeError(request, f"it is nested below {bounds.DEEPEST} levels")
        content = _repaired(content)
    try:
        if not content.isascii():
            content.decode()  # msgspec does not validate strings that it leaves undecoded
        if content.lstrip().startswith(b"["):
            return _split(request, content)
        fields_of(content)
    except msgspec.ValidationError as error:
        raise AnswerBrokenError(request, f"neither an object nor a list ({error})") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if _are_few(content) and (repaired := _repaired(content)) != content:
            return body_of(request, repaired)
        raise AnswerBrokenError(request, f"the body is not whole JSON ({error})") from error
    return Record(content)


def _split(request: str, content: bytes | Record) -> Records:
    """Return the undecoded items of a list; AnswerTooLargeError for too many."""
    records = _items_of(content)
    if len(records) > bounds.MOST_RECORDS:
        cause = f"it has more than {bounds.MOST_RECORDS:,} records"
        raise AnswerTooLargeError(request, cause)
    return records


def _is_deep(request: str, content: bytes) -> bool:
    """Return False if a body is shallow, sooner than it can be decoded.

    AnswerTooLargeError for one of too many commas and brackets. Those of texts do not count; they
    may only let it return True once too often.
    """
    marks = content.translate(None, _NO_MARKS)
    if len(marks) > bounds.MOST_MARKS and _are_few(content):
        marks = _STRINGS.sub(b"", content).translate(None, _NO_MARKS)
    if len(marks) > bounds.MOST_MARKS:
        raise AnswerTooLargeError(request, f"it has more than {bounds.MOST_MARKS:,} values")
    brackets = marks.translate(None, b",")
    for _ in range(bounds.DEEPEST):  # each pass removes the innermost level
        if len(brackets) <= bounds.DEEPEST:
            return False
        left = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(left) == len(brackets):
            break
        brackets = left
    return True


def _are_few(content: bytes) -> bool:
    """Return True if a body has so few texts and escapes that each of them may be looked at.

    `NaN` and `Infinity` count as the two quotes that a repair gives them.
    """
    quotes = content.count(b'"') + 2 * (content.count(b"NaN") + content.count(b"Infinity"))
    return quotes + content.count(b"\\") <= bounds.MOST_TOKENS


def _repaired(content: bytes) -> bytes:
    """Return JSON with null in place of each value below DEEPEST levels: decoders recurse.

    `NaN` and `Infinity`, which some encoders write, are texts, and a lone surrogate is escaped once
    more.
    """
    kept, depth, start = [], 0, 0
    for found in _TOKENS.finditer(content):
        token, new = found[0], None
        if token in b"[{":
            depth += 1
            new = b"null" if depth == bounds.DEEPEST + 1 else None
        elif token in b"]}":
            if depth == bounds.DEEPEST + 1:
                start = found.end()
            depth -= 1
        elif depth <= bounds.DEEPEST:
            is_text = token.startswith(b'"')
            new = _ESCAPE.sub(_escaped, token) if is_text else b'"%b"' % token
        if new is not None and new != token:
            kept += [content[start : found.start()], new]
            start = found.end()
    # A value that does not end is cut off with its body, which then is no JSON.
    return b"".join(kept) + (content[start:] if depth <= bounds.DEEPEST else b"")


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"\\" * bool(found["half"]) + found[0]
