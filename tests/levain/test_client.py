from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import httpx
import pytest

from analytics.emulator.records import Agent
from analytics.emulator.server import Emulator
from analytics.levain import AnswerBrokenError, AsyncLevain, NotFoundError
from analytics.levain.answers import fields_of
from analytics.levain.records import Run
from analytics.levain.transport import TRIES
from tests.conftest import NOW, StartRun

T = TypeVar("T")


async def collected(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


def with_client(api: Emulator, use: Any) -> Any:
    async def run() -> Any:
        async with AsyncLevain(api.world.workspaces[0].api_key, api.url) as client:
            return await use(client)

    return asyncio.run(run())


def mocked(*responses: httpx.Response) -> AsyncLevain:
    waiting = iter(responses)
    return AsyncLevain(
        "levain_key", "https://api.test", transport=httpx.MockTransport(lambda _: next(waiting))
    )


def test_a_try_that_failed_is_logged(api: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """The client's logger records the failed request, its error and the wait that follows."""
    api.faults.add("/auth/me", "503")

    with_client(api, lambda client: client.auth.me())

    (record,) = caplog.records
    assert (record.name, record.levelno) == ("analytics.levain", logging.WARNING)
    request = f"GET {api.url}/api/v1/auth/me: HTTP 503, Service Unavailable"
    assert record.getMessage() == f"{request}; trying again in 0.0 s"


def test_a_run_is_typed_and_its_money_exact(api: Emulator, start_run: StartRun) -> None:
    """A run's cost is a Decimal with the API's digits, its instants are in UTC."""
    run = start_run(cost="0.1000000000000000055511")

    read: Run = with_client(api, lambda client: client.runs.get(run.id))

    assert Decimal("0.1000000000000000055511") == read.cost_usd
    assert NOW - timedelta(hours=1) == read.created_at
    assert (read.status, read.tokens_in, read.tokens_out) == ("succeeded", 1000, 100)


def test_lists_iterate_newest_first(api: Emulator, agent: Agent, start_run: StartRun) -> None:
    """A list of an agent's runs iterates newest first."""
    older, newer = start_run(hours_ago=5), start_run(hours_ago=2)

    runs = with_client(api, lambda client: collected(client.runs.list(agent.id)))

    assert [newer.id, older.id] == [run.id for run in runs]


def test_agents_and_counts_are_read(api: Emulator, agent: Agent, start_run: StartRun) -> None:
    """Agents have a name and a slug, daily counts a day and a status."""
    start_run(status="failed")

    agents = with_client(api, lambda client: collected(client.agents.list()))
    (count,) = with_client(api, lambda client: client.runs.daily(agent.id, days=2))

    assert [(each.name, each.slug) for each in agents] == [("Baker", "baker")]
    assert (count.date, count.status, count.count) == ("2026-11-20", "failed", 1)


def test_windows_are_utc_days(api: Emulator, start_run: StartRun) -> None:
    """A window from one day to the next holds that day's usage alone."""
    start_run(hours_ago=1)
    start_run(hours_ago=30)
    day = date(2026, 11, 20)

    page = with_client(api, lambda client: client.analytics.hourly(day, day + timedelta(days=1)))

    assert [hour.cost_usd for hour in page] == [Decimal("0.25")]
    assert [bytes(fields_of(row)["cost_usd"]) for row in page.records] == [b"0.25"]


def test_an_unknown_run_is_not_found(api: Emulator) -> None:
    """An id that the workspace does not know raises NotFoundError."""
    with pytest.raises(NotFoundError):
        with_client(api, lambda client: client.runs.get("00000000-0000-4000-8000-000000000000"))


def test_a_next_link_is_followed(api: Emulator, start_run: StartRun) -> None:
    """If a list has several pages, all of them are read."""
    for hours in range(1, 211):
        start_run(hours_ago=hours)
    api.world.variants = api.world.variants.changed({"next_links": True})

    runs = with_client(api, lambda client: collected(client.runs.list()))

    assert len({run.id for run in runs}) == 210


@pytest.mark.parametrize("cursor", ["x", 50, 0])
def test_a_cursor_in_the_body_is_followed(cursor: str | int) -> None:
    """A cursor in a wrapper, a text or an integer, leads to the next page."""
    run = {"id": "a", "status": "running", "created_at": "2026-11-20T06:00:00Z"}
    client = mocked(
        httpx.Response(200, json={"runs": [run], "next_cursor": cursor, "has_more": True}),
        httpx.Response(200, json={"runs": [run | {"id": "b"}], "next_cursor": None}),
    )

    assert [run.id for run in asyncio.run(collected(client.runs.list()))] == ["a", "b"]


def test_a_list_of_one_answer_has_the_rest_too() -> None:
    """A list that comes in one response today is read whole if it gets several pages."""
    client = mocked(
        httpx.Response(200, json={"events": [{"seq": 1}], "next_cursor": "x"}),
        httpx.Response(200, json={"events": [{"seq": 2}]}),
    )

    assert [event.seq for event in asyncio.run(client.runs.log_events("r"))] == [1, 2]


def test_a_link_to_another_host_is_asked_of_our_own() -> None:
    """The client uses only a link's query, and sends the key to no other host."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        links = {"Link": '<https://evil.test/x?cursor=2>; rel="next"'} if len(asked) == 1 else {}
        return httpx.Response(200, json=[], headers=links)

    client = AsyncLevain("levain_k", "https://api.test", transport=httpx.MockTransport(answer))
    asyncio.run(collected(client.runs.list()))

    assert asked[:1] == ["https://api.test/api/v1/runs/?limit=200"]
    assert asked[1] == "https://api.test/api/v1/runs/?limit=200&cursor=2"


def test_new_and_null_fields_are_no_news() -> None:
    """An unknown field is ignored, null is None, an instant without an offset is UTC."""
    record = {"id": "a", "status": "dreaming", "created_at": "2026-11-20T06:00:00", "mood": "🍞"}
    client = mocked(httpx.Response(200, json=record | {"cost_usd": None}))

    run = asyncio.run(client.runs.get("a"))

    assert (run.status, run.cost_usd) == ("dreaming", None)
    assert datetime(2026, 11, 20, 6, tzinfo=UTC) == run.created_at


def test_a_wrong_type_names_its_field() -> None:
    """A record that does not fit raises an error with the field's name."""
    record = {"id": "a", "status": "running", "created_at": "2026-11-20T06:00:00Z"}
    client = mocked(*[httpx.Response(200, json=record | {"tokens_in": "many"})] * TRIES)

    with pytest.raises(AnswerBrokenError, match=r"^GET .*/runs/a: Run a: .*tokens_in"):
        asyncio.run(client.runs.get("a"))
