"""Answers of the API: records in the API's own text, which no one has decoded yet.

JSON that no decoder takes is repaired: values nested too deeply, `NaN`, and half a character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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

_USUAL_LEVELS = 10
_NO_MARKS = bytes(set(range(256)) - set(b"[]{},"))
_NO_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))

# All are of a body without escaped quotes and backslashes. A mark, or what is no number, is
# found with all before it, and at last the end, so that no byte is looked at twice.
_STRING = rb'"[^"]*+"?+'
_TEXT = re.compile(_STRING)
_MARK = re.compile(rb'(?:[^"\[\]{},]++|' + _STRING + rb")*+(?:([\[{])|([\]}])|,|\Z)")
_OPENS, _CLOSES = 1, 2
_NO_NUMBER = re.compile(
    rb'(?:[^"NI-]++|' + _STRING + rb"|(?!-?(?:NaN|Infinity))[NI-]++)*+(-?(?:NaN|Infinity)|\Z)"
)
# An escape such as \ud800 alone is valid JSON, but no Unicode text.
_HALF = re.compile(
    rb"""\\u[dD](?:
        [89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})
        | (?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F][0-9a-fA-F]{2}
    )""",
    re.VERBOSE,
)

Change = tuple[int, int, bytes]
"""Where a part of a body begins and ends, and what takes its place."""


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
    if not _is_small(content):
        content = _changed(request, content, _too_deep(request, content))
    try:
        if not content.isascii():
            content.decode()  # msgspec does not validate strings that it leaves undecoded
        if content.lstrip().startswith(b"["):
            return _split(request, content)
        fields_of(content)
    except msgspec.ValidationError as error:
        raise AnswerBrokenError(request, f"neither an object nor a list ({error})") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if (repaired := _repaired(request, content)) != content:
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


def _is_small(content: bytes) -> bool:
    """Return True if a body has few values and levels, sooner than it can be decoded.

    That may be False of one whose texts have many commas: each mark of it is looked at.
    """
    most = bounds.MOST_MARKS
    if len(content) > most and len(content.translate(None, _NO_MARKS)) > most:
        return False
    brackets = _unescaped(content).translate(None, _NO_BRACKETS)
    brackets = _TEXT.sub(b"", brackets.replace(b'""', b""))  # most texts have none
    for _ in range(_USUAL_LEVELS):  # each pass removes the innermost level
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return len(brackets) <= bounds.DEEPEST


def _too_deep(request: str, content: bytes) -> Iterator[Change]:
    """Yield null in place of each value below DEEPEST levels: decoders recurse.

    AnswerTooLargeError for too many commas and brackets, outside of texts.
    """
    most, deepest = bounds.MOST_MARKS, bounds.DEEPEST
    depth = start = 0
    for count, found in enumerate(_MARK.finditer(_unescaped(content))):
        if count > most:
            raise AnswerTooLargeError(request, f"it has more than {most:,} values")
        kind = found.lastindex
        if kind == _OPENS:
            depth += 1
            if depth == deepest + 1:
                start = found.end() - 1
        elif kind == _CLOSES:
            if depth == deepest + 1:
                yield start, found.end(), b"null"
            depth -= 1
    if depth > deepest:
        yield start, len(content), b""  # it does not end: neither does its body, which is no JSON


def _repaired(request: str, content: bytes) -> bytes:
    """Return JSON whose `NaN` and `Infinity`, which some encoders write, are texts.

    A lone surrogate is escaped once more.
    """
    plain = _unescaped(content)
    if plain.count(b'"') > 4 * bounds.MOST_MARKS:  # JSON has a mark to four quotes
        return content
    halves = ((found.start(), found.start(), b"\\") for found in _HALF.finditer(plain))
    content = _changed(request, content, halves)
    numbers = (
        (*found.span(1), b'"%b"' % found[1])
        for found in _NO_NUMBER.finditer(_unescaped(content))
        if found[1]
    )
    return _changed(request, content, numbers)


def _unescaped(content: bytes) -> bytes:
    """Return a body with spaces in place of escaped backslashes and quotes."""
    if b"\\" not in content:  # found or not in a twentieth of the time of a replacement
        return content
    return content.replace(rb"\\", b"  ").replace(rb"\"", b"  ")


def _changed(request: str, content: bytes, changes: Iterable[Change]) -> bytes:
    """Return a body with its changes made; AnswerTooLargeError for too many."""
    kept: list[bytes] = []
    at = 0
    for number, (start, end, new) in enumerate(changes):
        if number == bounds.MOST_REPAIRS:
            cause = f"more than {number:,} of its values are nested too deeply, or are no JSON"
            raise AnswerTooLargeError(request, cause)
        kept += (content[at:start], new)
        at = end
    return b"".join((*kept, content[at:]))
