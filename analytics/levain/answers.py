"""Answers of the API: records in the API's own text, which no one has decoded yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import msgspec

from analytics.levain import bounds
from analytics.levain.errors import AnswerBrokenError, AnswerTooLargeError
from analytics.levain.repairs import are_few, quote_not_finite, shallow

Record = msgspec.Raw
"""The text of a JSON object, with every digit as the API sent it."""

Records = list[Record]

Fields = dict[str, msgspec.Raw]
"""The fields of an object, each of them undecoded."""

Params = Mapping[str, str | int]

fields_of = msgspec.json.Decoder(Fields).decode
"""Return the fields of a record; msgspec.ValidationError if it is not an object."""

_items_of = msgspec.json.Decoder(Records).decode

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
    """
    try:
        if not content.isascii():
            content.decode()  # msgspec does not validate strings that it leaves undecoded
        content = shallow(request, content)
        if content.lstrip().startswith(b"["):
            return _split(request, content)
        fields_of(content)
    except msgspec.ValidationError as error:
        raise AnswerBrokenError(request, f"neither an object nor a list ({error})") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if are_few(content):
            repaired = quote_not_finite(escape_lone_surrogates(content))
            if repaired != content:
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


def escape_lone_surrogates(content: bytes) -> bytes:
    """Return JSON in which each lone surrogate is escaped once more, so that it can be decoded."""
    return _ESCAPE.sub(lambda found: b"\\" * bool(found["half"]) + found[0], content)
