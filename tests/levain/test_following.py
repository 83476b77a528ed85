"""`follow` yields each event once, however the API lists them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from analytics.levain import AsyncLevain

RUN = {"id": "r", "status": "running", "created_at": "2026-11-20T06:00:00Z"}


def followed(*answers: list[dict[str, Any]]) -> tuple[list[str | None], list[str]]:
    """Return the messages yielded, and the queries sent, for a growing list of events."""
    growing, asked = list(answers), []

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/events"):
            status = "running" if len(growing) > 1 else "succeeded"
            return httpx.Response(200, json=RUN | {"status": status})
        asked.append(request.url.query.decode())
        return httpx.Response(200, content=json.dumps({"events": growing.pop(0)}))

    async def follow() -> list[str | None]:
        transport = httpx.MockTransport(answer)
        async with AsyncLevain("levain_k", "https://api.test", transport=transport) as levain:
            return [
                event.msg
                async for step in levain.runs.follow("r", interval=0)
                for event in step.events
            ]

    return asyncio.run(follow()), asked


def numbered(*numbers: int) -> list[dict[str, Any]]:
    return [{"seq": number, "msg": f"event {number}"} for number in numbers]


@pytest.mark.parametrize("is_heeded", [True, False])
def test_numbered_events_come_once(*, is_heeded: bool) -> None:
    """An event is yielded once, whether the API heeds `since` or lists all events each time."""
    later = numbered(3) if is_heeded else numbered(1, 2, 3)

    messages, asked = followed(numbered(1, 2), [] if is_heeded else numbered(1, 2), later)

    assert messages == ["event 1", "event 2", "event 3"]
    assert asked == ["", "since=2", "since=2"]


def test_numbers_may_begin_at_zero() -> None:
    """The first event is yielded, whatever its number."""
    messages, asked = followed(numbered(0), numbered(0, 1), numbered(0, 1))

    assert messages == ["event 0", "event 1"]
    assert asked == ["", "since=0", "since=1"]


def test_events_without_numbers_come_once() -> None:
    """Without numbers, the position in the list identifies new events."""
    one, two, three = ({"msg": text} for text in ("a", "a", "b"))

    messages, asked = followed([one], [one], [one, two, three])

    assert messages == ["a", "a", "b"]
    assert asked == ["", "", ""]
