from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.levain import AnswerBrokenError
from analytics.levain.answers import _STRING, body_of, quote_not_finite, shallow
from analytics.levain.bounds import DEEPEST


def nested(depth: int, opening: str, closing: str) -> bytes:
    """Return two records, the first of which has a field that nests so deep."""
    value = opening * depth + "1" + closing * depth
    return f'[{{"id":"a","x":{value},"y":"[[{{"}},{{"id":"b"}}]'.encode()


@pytest.mark.parametrize("depth", [DEEPEST, 500, 10_000])
@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ('{"x":', "}"), ('[{"]":"\\"}",', '"y":[]},2]')]
)
def test_a_monster_costs_only_what_lies_too_deep(depth: int, opening: str, closing: str) -> None:
    """A value that nests deeper than decoders recurse is cut; all other values stay."""
    if opening.endswith(","):
        opening += '"z":'
        closing = "," + closing

    monster, whole = body_of("request", nested(depth, opening, closing))

    assert bytes(whole) == b'{"id":"b"}'
    assert len(monster) < len(opening + closing) * DEEPEST + 100
    assert json.loads(bytes(monster))["y"] == "[[{"


def test_what_is_not_too_deep_stays_as_it_is() -> None:
    """A body of as many levels as are read is not touched, whatever its texts hold."""
    for content in (nested(DEEPEST - 2, "[", "]"), b'["' + b"[" * 1000 + b'"]'):
        assert shallow("request", content) == content


@pytest.mark.parametrize("left_out", [1, 9_950, 20_000])
def test_a_monster_that_does_not_end_is_no_body(left_out: int) -> None:
    """A body that breaks off within a value that is too deep is broken, like any other."""
    with pytest.raises(AnswerBrokenError):
        body_of("request", nested(10_000, "[", "]")[:-left_out])


def test_what_is_no_number_is_a_text() -> None:
    """`NaN` and `Infinity`, which some encoders write for a float, are read as texts."""
    content = b'[{"a":NaN,"b":[-Infinity,Infinity],"c":"NaN \\" Infinity","d":1}]'

    (record,) = body_of("request", content)

    assert json.loads(bytes(record)) == {
        "a": "NaN",
        "b": ["-Infinity", "Infinity"],
        "c": 'NaN " Infinity',
        "d": 1,
    }


@pytest.mark.parametrize("begin", [b'[{"a":', b'[NaN,{"a":', b"[" * 200 + b'{"a":'])
def test_a_string_that_does_not_end_is_looked_at_once(begin: bytes) -> None:
    """The rest of the body is one string: no scan begins again at each quote within it."""
    quotes = b'"\\' * 500_000
    assert [found.end() for found in re.finditer(_STRING, quotes, re.DOTALL)] == [len(quotes) - 1]

    with pytest.raises(AnswerBrokenError):
        body_of("request", begin + quotes)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_whatever_is_shallow_is_unchanged(value: object) -> None:
    """No repair touches a body that decoders take."""
    content = json.dumps([value]).encode()

    assert quote_not_finite(shallow("request", content)) == content
