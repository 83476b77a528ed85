"""When a request is sent, and sent again.

The user's own limit sets the rate, and the API asks for pauses; what may pass is tried again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

from analytics.levain.errors import (
    AnswerTooLargeError,
    LevainError,
    RedirectedError,
    ServerFailedError,
    TooManyRequestsError,
    TransientError,
)

TRIES = 6
FIRST_WAIT = 0.5  # seconds before the second try; doubled before each one after
LONGEST_WAIT = 8.0
LONGEST_RETRY_AFTER = 120.0  # seconds; whoever is asked to wait longer is told so at once
GIVE_UP_AFTER = 45.0  # seconds, without those that the API asked to wait

_logger = logging.getLogger("analytics.levain")

T = TypeVar("T")

OnRetry = Callable[[LevainError, float], object]
"""Gets the error of a try, and the seconds until the next one."""


def log_retry(error: LevainError, seconds: float) -> None:
    """Log a try that failed, as a warning of the logger `analytics.levain`."""
    _logger.warning("%s; trying again in %.1f s", error, seconds)


class RateLimiter:
    """Spaces requests out; blocks all of them while the API has asked for a pause."""

    def __init__(self, requests_per_second: float = 0) -> None:
        self._spacing = 1 / requests_per_second if requests_per_second else 0.0
        self._next_start = 0.0
        self._paused_until = 0.0

    def pause_for(self, seconds: float) -> None:
        """Block all requests for this many seconds."""
        self._paused_until = max(self._paused_until, _now() + seconds)

    async def acquire(self) -> float:
        """Wait until the next request may be sent; return the seconds that took."""
        began, start = _now(), self._next()
        while (wait := start - _now()) > 0:
            await asyncio.sleep(wait)
            if start < self._paused_until:  # a pause came meanwhile: starts are spaced after it
                start = self._next()
        return _now() - began

    def _next(self) -> float:
        start = max(_now(), self._next_start, self._paused_until)
        self._next_start = start + self._spacing
        return start


class Pace:
    """Sends requests at the rate of a limiter, and each of them `tries` times at most."""

    def __init__(self, rate_limiter: RateLimiter, tries: int, on_retry: OnRetry) -> None:
        self._rate_limiter = rate_limiter
        self._tries = tries
        self._on_retry = on_retry

    def pause_for(self, seconds: float | None) -> None:
        """Block all requests for as long as the API asks, unless that is too long; None: a bit."""
        pause = FIRST_WAIT if seconds is None else seconds
        if pause <= LONGEST_RETRY_AFTER:
            self._rate_limiter.pause_for(pause)

    async def retry(
        self, once: Callable[[], Awaitable[T]], again: Callable[[LevainError], bool]
    ) -> T:
        """Return what `once` returns; it is called again after an error that may pass."""
        end = _now() + GIVE_UP_AFTER
        number = 0
        while True:
            end += await self._rate_limiter.acquire()
            try:
                return await once()
            except LevainError as error:
                number += 1
                if number == self._tries or _now() >= end or not again(error):
                    raise
                wait = min(FIRST_WAIT * 2 ** (number - 1), LONGEST_WAIT)
                wait += random.uniform(0, FIRST_WAIT)  # noqa: S311 - so that not all come at once
                if isinstance(error, TooManyRequestsError) and error.retry_after is not None:
                    self._on_retry(error, error.retry_after)  # for which the rate limiter waits
                else:
                    self._on_retry(error, wait)
                    await asyncio.sleep(wait)


def may_pass(error: LevainError) -> bool:
    """Return True if another try may succeed, and the API did not ask for too long a pause."""
    if isinstance(error, TooManyRequestsError):
        return (error.retry_after or 0) <= LONGEST_RETRY_AFTER
    return isinstance(error, TransientError) and not isinstance(error, AnswerTooLargeError)


def was_not_done(error: LevainError) -> bool:
    """Return True if the API asked to wait or to go elsewhere, or if no connection was made."""
    if isinstance(error, ServerFailedError):
        return error.status == httpx.codes.TOO_EARLY
    if isinstance(error, RedirectedError):
        return error.status != httpx.codes.SEE_OTHER
    return isinstance(error, TooManyRequestsError) or isinstance(
        error.__cause__, httpx.ConnectError | httpx.ConnectTimeout
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
