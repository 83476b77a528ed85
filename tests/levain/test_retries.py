"""Which answers a read is asked for again after, and how long that takes."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest

from analytics.levain import (
    AnswerBrokenError,
    AsyncLevain,
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
from analytics.levain.pace import TRIES, RateLimiter
from tests.levain.answering import Server


def torn(content: bytes) -> httpx.Response:
    return httpx.Response(200, content=content)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        *((httpx.Response(each), ServerFailedError) for each in (408, 425, 500, 503)),
        (httpx.Response(429, headers={"Retry-After": "0"}), TooManyRequestsError),
        (httpx.Response(307, headers={"Location": "/there"}), RedirectedError),
        (httpx.ReadError("gone"), ConnectionFailedError),
        *((torn(each), AnswerBrokenError) for each in (b"", b"nul", b'[{"a": 1}', b"3", b'"text"')),
        (torn(b'[{"a": "\xff"}]'), AnswerBrokenError),
        *((httpx.Response(each, content=b"[]"), AnswerBrokenError) for each in (201, 203, 206)),
    ],
)
def test_what_may_pass_is_tried_again(
    answer: httpx.Response | Exception, error: type[LevainError]
) -> None:
    """The sixth broken response is an error that names the request; a good one there is taken.

    A read is answered by a 200 with a whole body of JSON in UTF-8, an object or a list.
    """
    server = Server(*[answer] * (TRIES + TRIES - 1), httpx.Response(200, json={}))

    with pytest.raises(error, match=r"^GET https://api\.test/api/v1/runs/a: "):
        server.read()
    assert len(server.requests) == TRIES
    assert server.read().status == 200


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, UnauthorizedError), (403, ForbiddenError), (404, NotFoundError), (422, RefusedError)],
)
def test_a_refusal_is_not_tried_again(status: int, error: type[LevainError]) -> None:
    """Another 4xx than 408, 425 and 429 is raised at once, with the API's message."""
    server = Server(httpx.Response(status, json={"detail": "no such thing"}))

    with pytest.raises(error, match=f"HTTP {status}, no such thing"):
        server.read()
    assert len(server.requests) == 1


@pytest.mark.parametrize("target", ["/there", "http://xn--a/", "http://[", "", "/x?token=y"])
@pytest.mark.parametrize(("status", "sent"), [(307, TRIES), (303, 1)])
def test_a_redirected_change_is_sent_again_unless_it_was_made(
    status: int, sent: int, target: str
) -> None:
    """A change is sent again after a redirect, but not after 303, which may confirm it.

    So it is wherever the redirect leads.
    """
    server = Server(httpx.Response(status, headers={"Location": target}))
    told = f"to {target.partition('?')[0] or 'no address'};"

    error = RedirectedError if sent > 1 else OutcomeUnknownError
    with pytest.raises(error, match=re.escape(told)):
        server.ask(lambda levain: levain.runs.trigger("a"))
    assert len(server.requests) == sent


def test_the_time_of_all_attempts_counts_from_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the first attempt takes all the time that there is, there is no second one."""
    monkeypatch.setattr("analytics.levain.pace.GIVE_UP_AFTER", 0.0)
    server = Server(httpx.Response(503))

    with pytest.raises(ServerFailedError):
        server.read()
    assert len(server.requests) == 1


async def seconds_to_read(levain: AsyncLevain) -> float:
    """Return how long a read takes."""
    await levain.runs.read("a")
    return asyncio.get_running_loop().time()


DATE = "Fri, 20 Nov 2026 06:%02d:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds", "tries"),
    [
        ({"Retry-After": "60"}, 60, TRIES),
        ({"Retry-After": "120"}, 120, TRIES),
        ({"Retry-After": "121"}, 121, 1),
        ({"Retry-After": DATE % 1, "Date": DATE % 0}, 60, TRIES),
    ],
)
def test_a_pause_that_is_asked_for_is_no_time_of_ours(
    headers: dict[str, str], seconds: int, tries: int
) -> None:
    """A pause of up to two minutes is kept, however often; of a longer one the error tells."""
    busy = httpx.Response(429, headers=headers)
    server = Server(*[busy] * (TRIES - 1), httpx.Response(200, json={}))

    if tries == 1:
        with pytest.raises(TooManyRequestsError, match="HTTP 429, it asks to wait 121 s") as raised:
            server.ask(seconds_to_read)
        assert raised.value.retry_after == seconds
    else:
        assert server.ask(seconds_to_read) == pytest.approx(seconds * (TRIES - 1))
    assert len(server.requests) == tries


def test_a_pause_that_another_request_was_asked_for_is_no_time_of_ours() -> None:
    """A request that waited for it is still tried again."""
    limiter = RateLimiter()
    server = Server(httpx.Response(503), httpx.Response(200, json={}))

    async def use(levain: AsyncLevain) -> float:
        limiter.pause_for(100)
        return await seconds_to_read(levain)

    assert server.ask(use, rate_limiter=limiter) == pytest.approx(100)
    assert len(server.requests) == 2
