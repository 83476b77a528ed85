"""The API's clock, by the `Date` of its responses."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from analytics.levain import AsyncLevain, LevainError
from analytics.levain.clock import Clock
from analytics.machine_clock import machine_clock, machine_time
from tests.levain.answering import Server

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
        "Fri, 20 Nov 2026 12:00:00 +9999999999",
    ],
)
def test_what_is_no_time_of_the_api(date: str) -> None:
    """Without a time of this age, a response has that of the clock as it was set, else ours."""
    clock = Clock()
    assert clock.time_of(date) == machine_time()
    clock.set(NOW - timedelta(days=3))
    assert abs(clock.time_of(date) - NOW + timedelta(days=3)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("told", "first", "is_right"),
    [
        (0, None, True),
        (23.9, None, True),
        (-23.9, None, True),
        (24.1, None, False),
        (-24.1, None, False),
        (24 * 180, None, False),
        (20, 20, True),
        (20, -3, True),
        (20, -5, False),
        (-20, 5, False),
        (24.1, 20, False),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None, False),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 0, False),
        ("Fri, 31 Dec 9999 23:59:59 -1200", 0, True),
        ("yesterday", 20, True),
        ("", None, True),
    ],
)
def test_a_time_that_is_refused(told: float | str, first: float | None, is_right: bool) -> None:
    """In hours: a time is over a day from the machine's, or from the first answer of its batch.

    What is no time is none of them. A client of one's own takes each.
    """
    clock = Clock()
    if first is not None:
        clock.set(NOW + timedelta(hours=first))
    is_number = isinstance(told, int | float)
    date = format_datetime(NOW + timedelta(hours=told), usegmt=True) if is_number else told
    with machine_clock(lambda: NOW):
        clock.require_right("GET /thing", date)
        clock.is_strict = True
        with nullcontext() if is_right else pytest.raises(LevainError, match="over a day apart"):
            clock.require_right("GET /thing", date)


def test_a_wrong_time_is_told_and_not_asked_for_again() -> None:
    """The message has all clocks, and what to do; another try would have another time by chance."""
    dates = ["Fri, 20 Nov 2026 13:00:00 GMT", "Thu, 20 May 2027 12:00:00 GMT"]
    server = Server(*(httpx.Response(200, json={}, headers={"Date": each}) for each in dates))

    async def use(levain: AsyncLevain) -> None:
        levain.clock.is_strict = True
        levain.clock.set((await levain.runs.read("r-1")).fetched_at)
        await levain.runs.read("r-1")

    with machine_clock(lambda: NOW), pytest.raises(LevainError) as caught:
        server.ask(use)

    assert len(server.requests) == 2
    assert caught.value.cause == (
        "clocks are over a day apart, so that nothing of this answer is kept: the API's says"
        " 2027-05-20 12:00 UTC, this machine's 2026-11-20 12:00 UTC, by the first answer of this"
        " batch it is 2026-11-20 13:00 UTC.\nSet this machine's clock if it is wrong, and run"
        " again. If it is right, tell those who run the API, or a proxy before it."
    )
