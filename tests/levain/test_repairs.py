"""Values that no decoder takes cost their field, and nothing else of their answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.levain import AnswerBrokenError
from analytics.levain.answers import _MARK, _NO_NUMBER, _unescaped, body_of
from analytics.levain.bounds import DEEPEST


def nested(depth: int, opening: str, closing: str) -> bytes:
    """Return two records, the first of which has a field that nests so deep."""
    value = opening * depth + "1" + closing * depth
    return f'[{{"id":"a","x":{value},"y":"[[{{"}},{{"id":"b"}}]'.encode()


@pytest.mark.parametrize("depth", [DEEPEST, 150, 500, 10_000])
@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("[", "]"),
        ('{"x":', "}"),
        ('[{"]":"\\"}","z":', ',"y":[]},2]'),
        ('["]",', ',"["]'),
        ('["","]","",', ',"","","[","[",""]'),
    ],
)
def test_a_monster_costs_only_what_lies_too_deep(depth: int, opening: str, closing: str) -> None:
    """A value that nests deeper than decoders recurse is cut; all other values stay."""
    monster, whole = body_of("request", nested(depth, opening, closing))

    assert bytes(whole) == b'{"id":"b"}'
    assert len(monster) < len(opening + closing) * DEEPEST + 100
    assert json.loads(bytes(monster))["y"] == "[[{"


@pytest.mark.parametrize("left_out", [1, 9_950, 20_000])
def test_a_monster_that_does_not_end_is_no_body(left_out: int) -> None:
    """A body that breaks off within a value that is too deep is broken, like any other."""
    with pytest.raises(AnswerBrokenError):
        body_of("request", nested(10_000, "[", "]")[:-left_out])


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("NaN", '"NaN"'),
        ("[-Infinity,Infinity]", '["-Infinity","Infinity"]'),
        (r'[NaN,"NaN \" Infinity"]', r'["NaN","NaN \" Infinity"]'),
        (r'"a\ud800b"', r'"a\\ud800b"'),
        (r'"\udc00"', r'"\\udc00"'),
        (r'"\uD83D\uD83D\uDE00"', r'"\\uD83D\uD83D\uDE00"'),
        (r'"\\\ud800"', r'"\\\\ud800"'),
        (r'"\\ud800 \ud83d\ude00"', r'"\\ud800 \ud83d\ude00"'),
        ("[" * (DEEPEST - 3) + '"[[[["' + "]" * (DEEPEST - 3),) * 2,
    ],
)
def test_what_is_no_number_or_half_a_character_is_a_text(sent: str, read: str) -> None:
    """`NaN` and `Infinity` are read as texts, and a lone surrogate as its escape.

    Pairs, escaped backslashes, and what is not too deep stay as they are.
    """
    record = '{{"a":{},"b":1}}'

    (found,) = body_of("request", f"[{record.format(sent)}]".encode())

    assert bytes(found).decode() == record.format(read)


@pytest.mark.parametrize("begin", [b'[{"a":', b'[NaN,{"a":', b"[" * 200 + b'{"a":'])
def test_a_string_that_does_not_end_is_looked_at_once(begin: bytes) -> None:
    """The rest of the body is one string: no scan begins again at each quote within it."""
    quotes = b'"\\' * 500_000
    for scan in (_MARK, _NO_NUMBER):
        assert {found.end() for found in scan.finditer(_unescaped(quotes))} == {len(quotes)}

    with pytest.raises(AnswerBrokenError):
        body_of("request", begin + quotes)


TEXTS = st.text(alphabet=st.characters(exclude_categories=()), max_size=30)


@given(st.recursive(st.none() | st.integers() | TEXTS, lambda inner: st.lists(inner)))
def test_whatever_json_can_hold_is_read(value: object) -> None:
    """It can be encoded afterwards, and is unchanged where it has whole characters."""
    content = json.dumps([[value]]).encode()

    (record,) = body_of("request", content)

    text = json.dumps(json.loads(bytes(record)), ensure_ascii=False)
    text.encode()
    if not any("\ud800" <= char <= "\udfff" for char in json.dumps(value, ensure_ascii=False)):
        assert bytes(record) == content[1:-1]
