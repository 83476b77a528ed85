from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.levain.answers import escape_lone_surrogates
from tests.levain.answering import Server


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r'"a\ud83d\ude00b"', "a😀b"),
        (r'"a\ud800b"', r"a\ud800b"),
        (r'"\udc00"', r"\udc00"),
        (r'"\uD83D\uD83D\uDE00"', r"\uD83D😀"),
        (r'"\\ud800"', r"\ud800"),
        (r'"\\\ud800"', r"\\ud800"),
    ],
)
def test_half_a_character_becomes_its_escape(body: str, text: str) -> None:
    """A lone surrogate is escaped; pairs and escaped backslashes stay as they are."""
    assert json.loads(escape_lone_surrogates(body.encode())) == text


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=30))
def test_whatever_json_can_hold_becomes_text(text: str) -> None:
    """Any JSON text can be encoded afterwards, and text without lone surrogates is unchanged."""
    content = json.dumps(text).encode()

    decoded = json.loads(escape_lone_surrogates(content))

    decoded.encode()
    if not any("\ud800" <= char <= "\udfff" for char in text):
        assert decoded == text


def test_half_a_character_in_an_answer_is_read() -> None:
    """A response with a lone surrogate is decoded."""
    body = rb'{"events":[{"seq":1,"msg":"TOOL  \ud83d cut","level":"INFO"}]}'
    server = Server(httpx.Response(200, content=body))

    (event,) = server.ask(lambda levain: levain.runs.log_events("a"))
    assert event.msg == r"TOOL  \ud83d cut"
