"""`follow` yields each event once, however the API lists them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from analytics.levain import AsyncLevain
from tests.levain.answering import Server

RUN = {"id": "r", "status": "running", "created_at": "2026-11-20T06:00:00Z"}


def numbered(*numbers: int) -> list[dict[str, Any]]:
    return [{"seq": number, "msg": f"{number}"} for number in numbers]


def without_numbers(*texts: str) -> list[dict[str, Any]]:
    return [{"msg": text} for text in texts]


@pytest.mark.parametrize(
    ("lists", "messages", "asked"),
    [
        ([numbered(1, 2), [], numbered(3)], "123", ["", "since=2", "since=2"]),
        ([numbered(1, 2), numbered(1, 2), numbered(1, 2, 3)], "123", ["", "since=2", "since=2"]),
        ([numbered(0), numbered(0, 1), numbered(0, 1)], "01", ["", "since=0", "since=1"]),
        ([without_numbers(*each) for each in ("a", "a", "aab")], "aab", ["", "", ""]),
    ],
    ids=["since is heeded", "all are listed", "from zero", "by their places"],
)
def test_each_event_comes_once(
    lists: list[list[dict[str, Any]]], messages: str, asked: list[str]
) -> None:
    """An event is known by its number, or by its place where events have no numbers."""
    answers = []
    for number, events in enumerate(lists, 1):
        status = "running" if number < len(lists) else "succeeded"
        answers += [
            httpx.Response(200, json=RUN | {"status": status}),
            httpx.Response(200, json={"events": events}),
        ]
    server = Server(*answers)

    async def follow(levain: AsyncLevain) -> list[str | None]:
        steps = levain.runs.follow("r", interval=0)
        return [event.msg async for step in steps for event in step.events]

    assert server.ask(follow) == [*messages]
    queries = [each.url for each in server.requests if each.url.path.endswith("/events")]
    assert [url.query.decode() for url in queries] == asked
