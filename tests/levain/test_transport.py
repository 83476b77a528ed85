from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec
import pytest

from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from analytics.levain import (
    AsyncLevain,
    ForbiddenError,
    LevainError,
    RedirectedError,
    RefusedError,
)
from analytics.levain.pace import TRIES
from analytics.levain.replies import hide_keys
from tests.levain.answering import API, KEY, OTHER, Server, using
from tests.worlds import NOW


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({"message": "quota reached"}, "quota reached"),
        ({"code": "x", "error": "locked"}, "locked"),
        (
            [
                {"loc": ["body", "initial_state", 2], "msg": "Field required"},
                {"loc": [], "msg": "No"},
                {"msg": "Nor this"},
            ],
            "body.initial_state.2: Field required; No; Nor this",
        ),
        ("two\nlines", "two lines"),
        (None, ""),
        (msgspec.Raw(b"[" * 10_000 + b"]" * 10_000), ""),
    ],
)
def test_errors_are_told_in_words_of_the_api(detail: Any, words: str) -> None:
    """Each documented shape of an error body becomes one line, with the path of each field.

    Of details that no decoder takes there are no words.
    """
    server = Server(httpx.Response(400, content=msgspec.json.encode({"detail": detail})))

    with pytest.raises(RefusedError) as error:
        server.read()
    assert error.value.detail == words


def test_a_redirect_is_not_followed(api: Emulator) -> None:
    """A lasting redirect is an error that names its target; the target never sees a request."""
    with running(World.empty(1, NOW)) as other:
        target = f"{other.url}/api/v1/auth/me"
        api.faults.add("/auth/me", "307", TRIES, location=f"{target}?token=x")

        with pytest.raises(RedirectedError, match=f"HTTP 307, a redirect to {target};"):
            using(api, lambda levain: levain.auth.me())
        assert (len(api.requests), other.requests) == (TRIES, [])


@pytest.mark.parametrize(
    ("api", "told"),
    [
        ("http://127.0.0.1:9", "Connection refused"),
        ("http://xn--a.test", ""),
        ("http://api.test/\udcff", ""),
    ],
)
def test_an_address_that_does_not_answer_is_an_error(api: str, told: str) -> None:
    """A refused connection, or a name that no host can have, is told with the URL."""

    async def ask() -> None:
        async with AsyncLevain(KEY, api) as levain:
            await levain.auth.me()

    with pytest.raises(LevainError, match=f"auth/me: .*{told}"):
        asyncio.run(ask())


@pytest.mark.parametrize(
    ("broken", "whole", "ask"),
    [
        ({"id": "r-1"}, [], lambda levain: levain.runs.log_events("r-1")),
        ({"events": 3}, {"events": []}, lambda levain: levain.runs.log_events("r-1")),
        ([], {"workspace_id": "w-1"}, lambda levain: levain.auth.me()),
        ({}, {"workspace_id": "w-1"}, lambda levain: levain.auth.read()),
    ],
    ids=["object_for_list", "number_for_list", "list_for_object", "no_identifier"],
)
def test_an_answer_of_another_shape_is_broken(broken: Any, whole: Any, ask: Any) -> None:
    """An object in place of a list, or the reverse, is requested again like a torn body."""
    answers = [broken] * (TRIES - 1) + [whole]
    server = Server(*(httpx.Response(200, json=answer) for answer in answers))

    server.ask(ask)
    assert len(server.requests) == TRIES


def test_digits_come_as_they_were_sent() -> None:
    """No number is decoded on the way: a long fraction keeps every digit."""
    text = b'{"cost_usd": 0.1000000000000000055511}'

    assert bytes(Server(httpx.Response(200, content=text)).read().record) == text
    server = Server(httpx.Response(200, content=b" [%b]" % text))
    (record,) = server.ask(lambda levain: levain.runs.log_events("a")).records
    assert bytes(record) == text


def test_the_clock_is_the_apis(api: Emulator) -> None:
    """The time of a response is that of the API's `Date` header, not of the local clock."""
    assert using(api, lambda levain: levain.auth.read())[0].fetched_at == NOW


def test_no_more_requests_are_under_way_than_allowed() -> None:
    """Thirty reads with a concurrency of two never have three requests in flight."""
    under_way: list[int] = []
    most = 0

    async def answer(_: httpx.Request) -> httpx.Response:
        nonlocal most
        under_way.append(1)
        most = max(most, len(under_way))
        await asyncio.sleep(0)
        under_way.pop()
        return httpx.Response(200, json={"workspace_id": "w"})

    async def ask() -> None:
        transport = httpx.MockTransport(answer)
        async with AsyncLevain(KEY, API, concurrency=2, transport=transport) as client:
            await asyncio.gather(*(client.auth.me() for _ in range(30)))

    asyncio.run(ask())
    assert most == 2


@pytest.mark.parametrize(
    "echo",
    [
        KEY,
        OTHER,
        r"\u006cevain_key",
        r"levain\_key",
        r"\u006Cevain_\u006bey",
        r"\\u006cevain_key",
        r"levain_other\u002fkey",
        r"levain_other\/key",
        "levain_other%2Fkey",
        "levain%5fkey",
        "".join(f"%{ord(char):02x}" for char in KEY),
        "".join(f"%2525{ord(char):02X}" for char in KEY),
        "&#108;evain&#x5F;key",
    ],
)
def test_a_text_of_the_api_has_a_mark_in_place_of_keys(echo: str) -> None:
    """Records, messages of errors and redirect targets never hold a key, nor one with escapes."""
    of_key = f"Bearer {echo} lacks a scope"
    server = Server(
        httpx.Response(200, content=f'{{"name":"{of_key}"}}'),
        httpx.Response(403, content=f'{{"detail":"{of_key}"}}'),
        httpx.Response(307, headers={"Location": f"/{echo}"}),
    )

    name = bytes(server.read().record)
    with pytest.raises(ForbiddenError) as refused:
        server.read()
    with pytest.raises(RedirectedError, match=r"to /\[key\];"):
        server.read()

    assert name == b'{"name":"Bearer [key] lacks a scope"}'
    assert refused.value.cause == "HTTP 403, Bearer [key] lacks a scope"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-32-le", "utf-8-sig"])
def test_a_detail_that_is_not_utf_8_is_none(encoding: str) -> None:
    """A text is decoded once, as UTF-8: a key in another encoding is in no error."""
    detail = f'{{"detail":"{KEY} lacks a scope"}}'.encode(encoding)

    with pytest.raises(ForbiddenError) as refused:
        Server(httpx.Response(403, content=detail)).read()
    assert refused.value.cause == "HTTP 403"


@pytest.mark.parametrize("answer", ["detail", "Location", "Content-Encoding"])
def test_a_text_is_cut_after_keys_were_hidden(answer: str) -> None:
    """No beginning of a key stands at the end of what is shown of a long text."""
    text = "x" * 195 + KEY
    given = httpx.Response(403, json={"detail": text})
    if answer != "detail":
        status = 307 if answer == "Location" else 200
        given = httpx.Response(status, headers={answer: text}, stream=httpx.ByteStream(b""))

    with pytest.raises(LevainError) as raised:
        Server(given).read()
    assert "xxx" in raised.value.cause
    assert "lev" not in raised.value.cause


def test_a_short_key_replaces_nothing() -> None:
    """What is too short to be a secret may be a part of any figure, and stays."""
    assert hide_keys(["1", "2026"])(b'{"cost_usd":1.2026}') == b'{"cost_usd":1.2026}'
