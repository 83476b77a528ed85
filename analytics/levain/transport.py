"""Requests to the API over httpx, each retried until it succeeds or fails for good."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypedDict, TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from analytics import __version__
from analytics.levain import bounds
from analytics.levain.answers import Answer, Params, body_of
from analytics.levain.clock import Clock
from analytics.levain.errors import (
    AnswerBrokenError,
    AnswerTooLargeError,
    ConnectionFailedError,
    ForbiddenError,
    LevainError,
    NotFoundError,
    OutcomeUnknownError,
    RedirectedError,
    RefusedError,
    ServerFailedError,
    StatusError,
    TooManyRequestsError,
    TransientError,
    UnauthorizedError,
)
from analytics.levain.rate_limiter import RateLimiter
from analytics.levain.records import typed
from analytics.levain.replies import ENCODING, content_of, detail_of, hide_keys, one_line

_logger = logging.getLogger("analytics.levain")

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
"""Seconds: the longest silence of the API within a request, and to connect."""

TRIES = 6
FIRST_WAIT = 0.5  # seconds before the second try; doubled before each one after
LONGEST_WAIT = 8.0
LONGEST_RETRY_AFTER = 120.0  # seconds; whoever is asked to wait longer is told so at once
GIVE_UP_AFTER = 45.0  # seconds, without those that the API asked to wait

_OF_THE_MOMENT = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY)
_REFUSALS: dict[int, type[StatusError]] = {
    httpx.codes.UNAUTHORIZED: UnauthorizedError,
    httpx.codes.FORBIDDEN: ForbiddenError,
    httpx.codes.NOT_FOUND: NotFoundError,
}

_encode = msgspec.json.Encoder(decimal_format="number").encode
"""Encodes raw records and money digit for digit."""

T = TypeVar("T")

OnRetry = Callable[[LevainError, float], object]
"""Gets the error of a try, and the seconds until the next one."""

Shape = Callable[[Answer], object]
"""Raises AnswerBrokenError for an answer of another shape, which is asked for again if torn."""


def log_retry(error: LevainError, seconds: float) -> None:
    """Log a try that failed, as a warning of the logger `analytics.levain`."""
    _logger.warning("%s; trying again in %.1f s", error, seconds)


class Options(TypedDict, total=False):
    """Options of a client.

    At most `concurrency` requests run at a time; with `requests_per_second` 0 the client sets no
    limit of its own. A request that may succeed later is tried `tries` times; `on_retry` gets the
    error of each try before, and the seconds until the next one. Where a text of the API repeats
    the key, or one of `other_keys`, it reads `[key]`. A `transport` stands in place of the network.
    """

    concurrency: int
    requests_per_second: float
    tries: int
    on_retry: OnRetry
    other_keys: Iterable[str]
    transport: httpx.AsyncBaseTransport


class Transport:
    """Sends requests with a key, several at a time, and retries those that may succeed later."""

    def __init__(
        self,
        api_key: str,
        api: str,
        *,
        concurrency: int = 8,
        requests_per_second: float = 0,
        rate_limiter: RateLimiter | None = None,
        tries: int = TRIES,
        on_retry: OnRetry = log_retry,
        other_keys: Iterable[str] = (),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._hide_keys = hide_keys([api_key, *other_keys])
        self._api = api.rstrip("/")
        self.is_secure = self._api.startswith("https:")
        self._tries = tries
        self._on_retry = on_retry
        self._rate_limiter = rate_limiter or RateLimiter(requests_per_second)
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Accept": "application/json",
            "Accept-Encoding": ENCODING,
            "User-Agent": f"levain-analytics/{__version__}",
        }
        self.request_count = 0
        self.clock = Clock()
        try:
            client = partial(
                httpx.AsyncClient,
                verify=httpx.create_ssl_context(),
                timeout=TIMEOUT,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none is kept
                transport=transport,
            )
            # One client for each slot: a shared pool scans all connections at every request.
            limits = httpx.Limits(max_connections=1)
            hooks = {"response": [self._refuse_redirect]}
            self._clients = [client(limits=limits, event_hooks=hooks) for _ in range(concurrency)]
            self.files = client()
        except OSError as error:
            names = "SSL_CERT_FILE or SSL_CERT_DIR"
            cause = f"the certificates that {names} names cannot be used ({error})"
            raise LevainError(self._api, cause) from error
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            cause = f"the proxy that the environment names cannot be used ({error})"
            raise LevainError(self._api, cause) from error
        self._free: asyncio.Queue[httpx.AsyncClient] = asyncio.Queue()
        for each in self._clients:
            self._free.put_nowait(each)

    async def aclose(self) -> None:
        """Close the connections."""
        for client in (*self._clients, self.files):
            await client.aclose()

    async def get(
        self, path: str, params: Params | None = None, shape: Shape | None = None
    ) -> Answer:
        """Read `path` (below the base URL); LevainError if all attempts fail."""
        return await self._send("GET", path, params or {}, shape, None, may_pass)

    async def read(self, path: str, kind: type[T], params: Params | None = None) -> T:
        """Read one object, decoded as `kind`; one that does not fit is requested again."""
        answer = await self.get(path, params, lambda answer: typed(answer.record, kind))
        return typed(answer.record, kind)

    async def change(
        self, path: str, kind: type[T], body: object = None, *, is_repeatable: bool = False
    ) -> T:
        """Post a change, and return the record that confirms it.

        One that may have been carried out is not sent again, unless repeating it has no further
        effect (`is_repeatable`): else OutcomeUnknownError.
        """

        def again(error: LevainError) -> bool:
            return may_pass(error) and (is_repeatable or _was_not_done(error))

        try:
            answer = await self._send(
                "POST", path, {}, lambda answer: typed(answer.record, kind), body, again
            )
        except TransientError as error:
            if is_repeatable or _was_not_done(error):
                raise
            raise OutcomeUnknownError(error.request, error.cause) from error
        return typed(answer.record, kind)

    async def _send(
        self,
        method: str,
        path: str,
        params: Params,
        shape: Shape | None,
        body: object,
        again: Callable[[LevainError], bool],
    ) -> Answer:
        client = await self._free.get()  # outside the retries: waiting for a slot is no failure

        async def once() -> Answer:
            answer = await self._ask(client, method, path, params, body)
            try:
                if shape:
                    shape(answer)
            except AnswerBrokenError as error:
                cause = error.cause if error.request == path else str(error)
                raise type(error)(f"{method} {self._api}{path}", cause) from error
            return answer

        try:
            return await self.retry(once, again)
        finally:
            self._free.put_nowait(client)

    async def retry(
        self, once: Callable[[], Awaitable[T]], again: Callable[[LevainError], bool]
    ) -> T:
        """Return what `once` returns; it is called again after an error that may pass."""
        now = asyncio.get_running_loop().time
        end = now() + GIVE_UP_AFTER
        for number in itertools.count():
            end += await self._rate_limiter.acquire()
            try:
                return await once()
            except LevainError as error:
                if number + 1 == self._tries or now() >= end or not again(error):
                    raise
                wait = min(FIRST_WAIT * 2**number, LONGEST_WAIT)
                wait += random.uniform(0, FIRST_WAIT)  # noqa: S311 - so that not all come at once
                if isinstance(error, TooManyRequestsError) and error.retry_after is not None:
                    self._on_retry(error, error.retry_after)  # for which the rate limiter waits
                else:
                    self._on_retry(error, wait)
                    await asyncio.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _ask(
        self, client: httpx.AsyncClient, method: str, path: str, params: Params, body: object
    ) -> Answer:
        """Send a request once."""
        request = f"{method} {self._api}{path}"
        self.request_count += 1
        query = f"?{urlencode(params)}" if params else ""  # httpx would parse the URL twice
        headers, content = self._headers, None
        if body is not None:
            headers, content = headers | {"Content-Type": "application/json"}, _encode(body)
        began = time.monotonic()
        with self.told(request):
            url = self._api + path + query
            sent = httpx.Request(method, url, headers=headers, content=content)
            async with bounds.in_time(bounds.SLOWEST_ANSWER) as came:
                response = await client.send(sent, stream=True)
                try:
                    content = self._hide_keys(await content_of(request, response, came))
                finally:
                    await response.aclose()
        status, took = response.status_code, time.monotonic() - began
        _logger.debug(
            "%s%s: HTTP %d, %d bytes in %.3f s", request, query, status, len(content), took
        )
        date = response.headers.get("date", "")
        if not response.is_success:
            raise self._status_error(request, response, content, date)
        is_read = method == "GET"  # a change may have any 2xx, and an empty body
        if is_read and status != httpx.codes.OK:
            raise AnswerBrokenError(request, f"HTTP {status}, where 200 was expected")
        self.clock.require_right(request, date)
        return Answer(
            path=path,
            params=params,
            status=status,
            fetched_at=self.clock.time_of(date),
            byte_count=len(content),
            body=body_of(request, content if content or is_read else b"{}"),
            next_link=self.hidden(response.links.get("next", {}).get("url", "")),
        )

    @contextmanager
    def told(self, request: str) -> Iterator[None]:
        """Tell what httpx raises as errors of a request, without keys.

        ConnectionFailedError for what may pass, else LevainError.
        """
        try:
            yield
        except httpx.LocalProtocolError:  # whose message, and that of its cause, show the key
            raise LevainError(request, "a header holds what HTTP does not allow") from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError, ExceptionGroup) as error:
            # A name or a port that no host can have: a group tells of the port.
            cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            raise LevainError(request, self.hidden(str(cause)).rstrip(".")) from error
        except (TimeoutError, httpx.HTTPError) as error:
            # The library's message may quote what came.
            cause = one_line(self.hidden(in_words(error)))
            raise ConnectionFailedError(request, cause) from error

    def hidden(self, text: str) -> str:
        """Return a text without keys."""
        return self._hide_keys(text.encode(errors="replace")).decode()

    async def _refuse_redirect(self, response: httpx.Response) -> None:
        """Raise RedirectedError before httpx looks at the address, whose query may hold secrets."""
        if not response.is_redirect:
            return
        request = f"{response.request.method} {response.request.url}".partition("?")[0]
        location = " ".join(self.hidden(response.headers.get("location", "")).split())
        target = location.partition("?")[0].partition("#")[0][:200] or "no address"
        why = "it is not followed, because the key must not go elsewhere"
        detail = f"a redirect to {target}; {why}"
        raise RedirectedError(request, response.status_code, detail)

    def _status_error(
        self, request: str, response: httpx.Response, content: bytes, date: str
    ) -> LevainError:
        status, detail = response.status_code, detail_of(content)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            seconds = self.clock.seconds_until(response.headers.get("retry-after", ""), date)
            pause = FIRST_WAIT if seconds is None else seconds
            if pause <= LONGEST_RETRY_AFTER:
                self._rate_limiter.pause_for(pause)
            return TooManyRequestsError(request, status, detail, seconds)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _OF_THE_MOMENT:
            return ServerFailedError(request, status, detail)
        return _REFUSALS.get(status, RefusedError)(request, status, detail)


def may_pass(error: LevainError) -> bool:
    """Return True if another try may succeed, and the API did not ask for too long a pause."""
    if isinstance(error, TooManyRequestsError):
        return (error.retry_after or 0) <= LONGEST_RETRY_AFTER
    return isinstance(error, TransientError) and not isinstance(error, AnswerTooLargeError)


def _was_not_done(error: LevainError) -> bool:
    """Return True if the API asked to wait or to go elsewhere, or if no connection was made."""
    if isinstance(error, ServerFailedError):
        return error.status == httpx.codes.TOO_EARLY
    if isinstance(error, RedirectedError):
        return error.status != httpx.codes.SEE_OTHER
    return isinstance(error, TooManyRequestsError) or isinstance(
        error.__cause__, httpx.ConnectError | httpx.ConnectTimeout
    )


def in_words(error: Exception) -> str:
    """Return the system's message (`Connection refused`), else httpx's, else the class name.

    httpx raises "All connection attempts failed" for most failures of a connection, and an empty
    message for some others; where it is a limit of time that has passed, that is named.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):  # one failure an address of the host
            cause = cause.exceptions[0]
        if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and cause.errno:
            return os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
        cause = cause.__cause__ or cause.__context__
    if text := str(error).rstrip("."):
        return text
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection within {TIMEOUT.connect:g} s"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {TIMEOUT.read:g} s"
    return type(error).__name__
