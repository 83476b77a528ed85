from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TypeVar

import httpx
import pytest

from analytics.emulator.server import Emulator
from analytics.levain import AnswerBrokenError, AsyncLevain
from tests.levain.answering import Server, using

T = TypeVar("T")
RUN = {"id": "a", "status": "running", "created_at": "2026-11-20T06:00:00Z"}


async def collected(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


async def run_ids(levain: AsyncLevain) -> list[str]:
    return [run.id for run in await collected(levain.runs.list())]


def test_a_try_that_failed_is_logged(api: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """The client's logger records the failed request, its error and the wait that follows."""
    api.faults.add("/auth/me", "503")

    using(api, lambda levain: levain.auth.me())

    (record,) = caplog.records
    assert (record.name, record.levelno) == ("analytics.levain", logging.WARNING)
    request = f"GET {api.url}/api/v1/auth/me: HTTP 503, Service Unavailable"
    assert record.getMessage() == f"{request}; trying again in 0.0 s"


@pytest.mark.parametrize("cursor", ["x", 50, 0])
def test_a_cursor_in_the_body_is_followed(cursor: str | int) -> None:
    """A cursor leads to the next page, also of a list that comes in one response today."""
    server = Server(
        httpx.Response(200, json={"runs": [RUN], "next_cursor": cursor, "has_more": True}),
        httpx.Response(200, json={"runs": [RUN | {"id": "b"}], "next_cursor": None}),
        httpx.Response(200, json={"events": [{"seq": 1}], "next_cursor": cursor}),
        httpx.Response(200, json={"events": [{"seq": 2}]}),
    )

    assert server.ask(run_ids) == ["a", "b"]
    events = server.ask(lambda levain: levain.runs.log_events("r"))
    assert [event.seq for event in events] == [1, 2]


def test_a_link_to_another_host_is_asked_of_our_own() -> None:
    """The client uses only a link's query, and sends the key to no other host."""
    link = {"Link": '<https://evil.test/x?cursor=2>; rel="next"'}
    server = Server(
        httpx.Response(200, json=[RUN], headers=link),
        httpx.Response(200, json=[RUN | {"id": "b"}]),
    )

    assert server.ask(run_ids) == ["a", "b"]
    assert [str(request.url) for request in server.requests] == [
        "https://api.test/api/v1/runs/?limit=200",
        "https://api.test/api/v1/runs/?limit=200&cursor=2",
    ]


def test_a_link_that_is_not_an_address_is_a_broken_answer() -> None:
    """A link to the next page that cannot be parsed is an error of its list."""
    link = {"Link": '<http://[::1/agents>; rel="next"'}
    server = Server(httpx.Response(200, json=[RUN], headers=link))

    with pytest.raises(AnswerBrokenError, match="the link to its next page is not an address"):
        server.ask(run_ids)


def test_new_and_null_fields_are_no_news() -> None:
    """An unknown field is ignored, null is None, an instant without an offset is UTC."""
    record = {"id": "a", "status": "dreaming", "created_at": "2026-11-20T06:00:00", "mood": "🍞"}
    server = Server(httpx.Response(200, json=record | {"cost_usd": None}))

    run = server.ask(lambda levain: levain.runs.get("a"))

    assert (run.status, run.cost_usd) == ("dreaming", None)
    assert datetime(2026, 11, 20, 6, tzinfo=UTC) == run.created_at


def test_a_wrong_type_names_its_field() -> None:
    """A record that does not fit raises an error with the field's name."""
    server = Server(httpx.Response(200, json=RUN | {"tokens_in": "many"}))

    with pytest.raises(AnswerBrokenError, match=r"^GET .*/runs/a: Run a: .*tokens_in"):
        server.ask(lambda levain: levain.runs.get("a"))
