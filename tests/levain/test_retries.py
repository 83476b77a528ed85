from __future__ import annotations

import asyncio
from typing import Literal

import httpx
import pytest
import stamina

from analytics.emulator.records import Workspace
from analytics.emulator.server import Emulator
from analytics.levain import (
    AnswerBrokenError,
    ConnectionFailedError,
    ForbiddenError,
    LevainError,
    NotFoundError,
    OutcomeUnknownError,
    RedirectedError,
    RefusedError,
    ServerFailedError,
    TooManyRequestsError,
    UnauthorizedError,
)
from analytics.levain.rate_limiter import RateLimiter
from analytics.levain.transport import TRIES, Transport
from tests.levain.answering import client_of, get, transport_of


@pytest.mark.parametrize("answer", ["500", "503", "429", "307", "cut", "truncated", "invalid"])
def test_what_may_pass_is_tried_again(
    api: Emulator, workspace: Workspace, answer: Literal["500", "503", "429", "cut"]
) -> None:
    """The sixth attempt succeeds after five broken responses."""
    api.faults.add("/auth/me", answer, TRIES - 1, retry_after_seconds=0)

    async def name() -> str | None:
        async with client_of(api) as client:
            me = await client.auth.me()
            return me.workspace_name

    assert workspace.name == asyncio.run(name())


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("500", ServerFailedError),
        ("429", TooManyRequestsError),
        ("cut", ConnectionFailedError),
        ("truncated", AnswerBrokenError),
        ("invalid", AnswerBrokenError),
    ],
)
def test_the_sixth_broken_answer_is_the_last(
    api: Emulator, answer: Literal["500", "429"], error: type[LevainError]
) -> None:
    """Six broken responses raise an error that names the request."""
    api.faults.add("/auth/me", answer, TRIES, retry_after_seconds=0)

    async def ask() -> None:
        async with client_of(api) as client:
            await client.auth.me()

    with pytest.raises(error, match=r"GET http://127\.0\.0\.1:\d+/api/v1/auth/me: "):
        asyncio.run(ask())
    assert len(api.requests) == TRIES


def test_the_time_of_all_attempts_counts_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the first attempt takes all the time that there is, there is no second one."""
    monkeypatch.setattr("analytics.levain.transport.GIVE_UP_AFTER", 0.0)
    transport = transport_of(*[httpx.Response(503)] * TRIES)

    with stamina.set_testing(False), pytest.raises(ServerFailedError):
        get(transport)
    assert transport.request_count == 1


@pytest.mark.parametrize("status", [408, 425])
def test_an_early_or_late_request_is_sent_again(status: int) -> None:
    """A 408 and a 425 are about the moment, not about what was asked for."""
    transport = transport_of(httpx.Response(status), httpx.Response(200, json={}))

    assert get(transport).status == 200


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, UnauthorizedError), (403, ForbiddenError), (404, NotFoundError), (422, RefusedError)],
)
def test_a_refusal_is_not_tried_again(status: int, error: type[LevainError]) -> None:
    """Another 4xx than 408, 425 and 429 is raised at once, with the API's message."""
    transport = transport_of(httpx.Response(status, json={"detail": "no such thing"}))

    with pytest.raises(error, match=f"HTTP {status}, no such thing"):
        get(transport)
    assert transport.request_count == 1


@pytest.mark.parametrize(("status", "sent"), [(307, TRIES), (303, 1)])
def test_a_redirected_change_is_sent_again_unless_it_was_made(status: int, sent: int) -> None:
    """A change is sent again after a redirect, but not after 303, which may confirm it."""
    transport = transport_of(*[httpx.Response(status, headers={"Location": "/there"})] * TRIES)

    with pytest.raises(RedirectedError if sent > 1 else OutcomeUnknownError, match="to /there;"):
        asyncio.run(transport.send("POST", "/api/v1/thing", {}))
    assert transport.request_count == sent


def test_retry_after_may_be_a_date() -> None:
    """`Retry-After` as an HTTP date counts from the response's own date."""
    late = httpx.Response(
        429,
        headers={
            "Retry-After": "Fri, 20 Nov 2026 06:00:07 GMT",
            "Date": "Fri, 20 Nov 2026 06:00:00 GMT",
        },
    )
    transport = transport_of(*[late] * TRIES)

    with pytest.raises(TooManyRequestsError) as raised:
        asyncio.run(_without_pauses(transport))
    assert raised.value.retry_after == 7.0


@pytest.mark.parametrize(("seconds", "tries"), [(60, TRIES), (120, TRIES), (121, 1)])
def test_a_pause_that_is_asked_for_is_no_time_of_ours(
    monkeypatch: pytest.MonkeyPatch, seconds: int, tries: int
) -> None:
    """A pause of up to two minutes is kept, however often; of a longer one the error tells."""
    clock = Elapsed()
    monkeypatch.setattr("analytics.levain.transport.time.monotonic", clock)
    limiter = RateLimiter(clock=clock, sleep=clock.sleep)
    busy = httpx.Response(429, headers={"Retry-After": str(seconds)})
    answers = [*[busy] * (TRIES - 1), httpx.Response(200, json={})]
    transport = transport_of(*answers, rate_limiter=limiter)

    if tries == 1:
        with pytest.raises(TooManyRequestsError, match="HTTP 429, it asks to wait 121 s"):
            get(transport)
    else:
        get(transport)
        assert clock() == seconds * (TRIES - 1)
    assert transport.request_count == tries


def test_a_pause_that_another_request_was_asked_for_is_no_time_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request that waited for it is still tried again."""
    clock = Elapsed()
    monkeypatch.setattr("analytics.levain.transport.time.monotonic", clock)
    limiter = RateLimiter(clock=clock, sleep=clock.sleep)
    limiter.pause_for(100)
    answers = (httpx.Response(503), httpx.Response(200, json={}))
    transport = transport_of(*answers, rate_limiter=limiter)

    get(transport)
    assert (clock(), transport.request_count) == (100, 2)


class Elapsed:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def __call__(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        self._seconds += seconds


async def _without_pauses(transport: Transport) -> None:
    transport._rate_limiter.pause_for = lambda _: None  # type: ignore[method-assign]
    await transport.get("/api/v1/thing")
