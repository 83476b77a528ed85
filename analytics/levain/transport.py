"""Requests to the API, each retried until it succeeds or fails for good."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode

import httpx
import msgspec
import stamina

from analytics import __version__
from analytics.levain.answers import Answer, Params, body_of
from analytics.levain.clock import Clock, http_date
from analytics.levain.connections import (
    Connection,
    connection_to,
    file_client,
    in_words,
)
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
    TooManyRequestsError,
    TransientError,
    UnauthorizedError,
)
from analytics.levain.rate_limiter import RateLimiter
from analytics.levain.records import typed
from analytics.levain.replies import ENCODINGS, Reply, detail_of, hide_keys, one_line

_logger = logging.getLogger("analytics.levain")

TRIES = 6
FIRST_WAIT = 0.5  # seconds before the second try; doubled before each one after
LONGEST_WAIT = 8.0
LONGEST_RETRY_AFTER = 120.0  # seconds; whoever is asked to wait longer is told so at once
GIVE_UP_AFTER = 45.0  # seconds, without those that the API asked to wait

_OF_THE_MOMENT = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY)

_encode = msgspec.json.Encoder(decimal_format="number").encode
"""Encodes raw records and money digit for digit."""
_JSON = {"Content-Type": "application/json"}

T = TypeVar("T")


def _any(answer: Answer) -> Answer:
    """Accept a response of any shape."""
    return answer


def _typed(kind: type[T], answer: Answer) -> T:
    return typed(answer.record, kind)


class Transport:
    """Sends requests with a key, several at a time, and retries those that may succeed later."""

    def __init__(
        self,
        api_key: str,
        api: str,
        *,
        concurrency: int,
        rate_limiter: RateLimiter,
        tries: int = TRIES,
        other_keys: Iterable[str] = (),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._hide_keys = hide_keys([api_key, *other_keys])
        self._api = api.rstrip("/")
        self._tries = tries
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Accept": "application/json",
            "Accept-Encoding": ENCODINGS,
            "User-Agent": f"levain-analytics/{__version__}",
        }
        try:
            context = httpx.create_ssl_context()
        except OSError as error:
            names = "SSL_CERT_FILE or SSL_CERT_DIR"
            cause = f"the certificates that {names} names cannot be used ({error})"
            raise LevainError(self._api, cause) from error
        try:
            # One connection for each slot: a shared pool scans all connections at every request.
            self._connections: list[Connection] = [
                Connection(self._api, transport) if transport else connection_to(self._api, context)
                for _ in range(concurrency)
            ]
            self.files = file_client(self._api, context, transport)
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            cause = f"the proxy that the environment names cannot be used ({error})"
            raise LevainError(self._api, cause) from error
        self._free: asyncio.Queue[Connection] = asyncio.Queue()
        for connection in self._connections:
            self._free.put_nowait(connection)
        self._rate_limiter = rate_limiter
        self.request_count = 0
        self.clock = Clock()

    async def aclose(self) -> None:
        """Close the connections."""
        for connection in self._connections:
            await connection.aclose()
        await self.files.aclose()

    async def get(
        self,
        path: str,
        params: Params | None = None,
        shape: Callable[[Answer], object] = _any,
    ) -> Answer:
        """Read `path` (below the base URL); LevainError if all attempts fail.

        A response for which `shape` raises AnswerBrokenError is requested again, like a torn one.
        """
        connection = await self._free.get()  # outside the retries: waiting for a slot is no failure
        try:
            return await self._try(connection, "GET", path, params or {}, _worth_another_try, shape)
        finally:
            self._free.put_nowait(connection)

    async def get_record(self, path: str) -> Answer:
        """Read one object."""
        return await self.get(path, shape=lambda answer: answer.record)

    async def read(self, path: str, kind: type[T], params: Params | None = None) -> T:
        """Read one object, decoded as `kind`; one that does not fit is requested again."""
        return typed((await self.get(path, params, partial(_typed, kind))).record, kind)

    async def get_records(self, path: str, params: Params) -> Answer:
        """Read one page of a list."""
        return await self.get(path, params, lambda answer: answer.records)

    async def change(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: object = None,
        *,
        is_repeatable: bool = False,
    ) -> T:
        """Send a change, and return the record that confirms it; without one, it is not known."""
        shape = partial(_typed, kind)
        answer = await self.send(method, path, body, shape=shape, is_repeatable=is_repeatable)
        return typed(answer.record, kind)

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        shape: Callable[[Answer], object] = _any,
        is_repeatable: bool = False,
    ) -> Answer:
        """Send a change. A change that may have been carried out already is not sent again.

        It is retried if the API answered 425 or 429, or if the request never reached the API; after
        any failure if repeating it has no further effect (`is_repeatable`). Else
        OutcomeUnknownError.
        """
        connection = await self._free.get()
        again = _worth_another_try if is_repeatable else _worth_another_write
        try:
            return await self._try(connection, method, path, {}, again, shape, body)
        except TransientError as error:
            if is_repeatable or _was_not_done(error):
                raise
            raise OutcomeUnknownError(error.request, error.cause) from error
        finally:
            self._free.put_nowait(connection)

    async def _try(
        self,
        connection: Connection,
        method: str,
        path: str,
        params: Params,
        again: Callable[[Exception], bool | float],
        shape: Callable[[Answer], object],
        body: object = None,
    ) -> Answer:
        """Send a request until it succeeds; if the first attempt does, stamina is not set up."""
        began, paused = time.monotonic(), 0.0

        async def once() -> Answer:
            nonlocal paused
            paused += await self._rate_limiter.acquire()
            return await self._once(connection, method, path, params, shape, body)

        def is_in_time(error: Exception) -> bool | float:
            nonlocal paused
            wait = again(error)
            if time.monotonic() - began - paused >= GIVE_UP_AFTER:
                return False
            paused += 0 if isinstance(wait, bool) else wait
            return wait

        try:
            return await once()
        except LevainError as error:
            first = error
        async for attempt in stamina.retry_context(
            on=is_in_time,
            attempts=self._tries,
            timeout=None,
            wait_initial=FIRST_WAIT,
            wait_max=LONGEST_WAIT,
            wait_jitter=FIRST_WAIT,
        ):
            with attempt:
                if attempt.num == 1:
                    raise first
                return await once()
        raise AssertionError("the last attempt returns or raises")

    async def _once(
        self,
        connection: Connection,
        method: str,
        path: str,
        params: Params,
        shape: Callable[[Answer], object],
        body: object,
    ) -> Answer:
        try:
            answer = await self._ask(connection, method, path, params, body)
        except TooManyRequestsError as error:
            self._rate_limiter.pause_for(_pause(error))
            raise
        try:
            shape(answer)
        except AnswerBrokenError as error:
            cause = error.cause if error.request == path else str(error)
            raise type(error)(f"{method} {self._api}{path}", cause) from error
        return answer

    async def _ask(
        self,
        connection: Connection,
        method: str,
        path: str,
        params: Params,
        body: object,
    ) -> Answer:
        request = f"{method} {self._api}{path}"
        self.request_count += 1
        query = f"?{urlencode(params)}" if params else ""  # httpx would parse the URL twice
        headers, content = self._headers, None
        if body is not None:
            headers, content = headers | _JSON, _encode(body)
        began = time.monotonic()
        try:
            reply = self._keyless(await connection.exchange(method, path + query, headers, content))
        except TimeoutError as error:
            raise ConnectionFailedError(request, str(error)) from error
        except httpx.HTTPError as error:
            # The library's message may quote what came, and its cause does.
            raise ConnectionFailedError(request, one_line(self.hidden(in_words(error)))) from error
        except (httpx.InvalidURL, UnicodeError) as error:  # of a name that no host can have
            raise LevainError(request, str(error)) from error
        _logger.debug(
            "%s%s: HTTP %d, %d bytes in %.3f s",
            request,
            query,
            reply.status,
            len(reply.content),
            time.monotonic() - began,
        )
        if not httpx.codes.is_success(reply.status):
            raise self._status_error(request, reply)
        is_read = method == "GET"  # a change may have any 2xx, and an empty body
        if is_read and reply.status != httpx.codes.OK:
            raise AnswerBrokenError(request, f"HTTP {reply.status}, where 200 was expected")
        self.clock.require_right(request, reply.headers.get("date"))
        return Answer(
            path=path,
            params=params,
            status=reply.status,
            fetched_at=self.clock.time_of(reply.headers.get("date")),
            byte_count=len(reply.content),
            body=body_of(request, reply.content if reply.content or is_read else b"{}"),
            next_link=_next_link(reply.headers.get("link")),
        )

    def _keyless(self, reply: Reply) -> Reply:
        """Return a response without keys: before anything of it is read, kept or shown."""
        headers = {name: self.hidden(text) for name, text in reply.headers.items()}
        return Reply(reply.status, headers, self._hide_keys(reply.content))

    def hidden(self, text: str) -> str:
        """Return a text without keys."""
        return self._hide_keys(text.encode()).decode()

    def _status_error(self, request: str, reply: Reply) -> LevainError:
        status, detail = reply.status, detail_of(reply)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return TooManyRequestsError(request, status, detail, self._seconds(reply))
        if httpx.codes.is_redirect(status):
            return RedirectedError(request, status, _target(reply))
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _OF_THE_MOMENT:
            return ServerFailedError(request, status, detail)
        if status == httpx.codes.UNAUTHORIZED:
            return UnauthorizedError(request, status, detail)
        if status == httpx.codes.FORBIDDEN:
            return ForbiddenError(request, status, detail)
        if status == httpx.codes.NOT_FOUND:
            return NotFoundError(request, status, detail)
        return RefusedError(request, status, detail)

    def _seconds(self, reply: Reply) -> float | None:
        """Return `Retry-After` in seconds, from either of its two forms; None if malformed."""
        text = reply.headers.get("retry-after", "")
        if text.isdecimal():
            return float(text)
        try:
            moment = http_date(text)
        except ValueError:
            return None
        return max(0.0, (moment - self.clock.time_of(reply.headers.get("date"))).total_seconds())


def _next_link(header: str | None) -> str | None:
    """Return the URL of the next page that a `Link` header names."""
    if header is None:
        return None
    return httpx.Response(200, headers={"Link": header}).links.get("next", {}).get("url")


def _worth_another_try(error: Exception) -> bool | float:
    if isinstance(error, AnswerTooLargeError):
        return False
    if isinstance(error, TooManyRequestsError) and error.retry_after is not None:
        return error.retry_after <= LONGEST_RETRY_AFTER and error.retry_after
    return isinstance(error, TransientError)


def _worth_another_write(error: Exception) -> bool | float:
    return _was_not_done(error) and _worth_another_try(error)


def _was_not_done(error: Exception) -> bool:
    """Return True if the API asked to wait or to go elsewhere, or if no connection was made."""
    if isinstance(error, ServerFailedError):
        return error.status == httpx.codes.TOO_EARLY
    if isinstance(error, RedirectedError):
        return error.status != httpx.codes.SEE_OTHER
    return isinstance(error, TooManyRequestsError) or isinstance(
        error.__cause__, httpx.ConnectError | httpx.ConnectTimeout
    )


def _pause(error: TooManyRequestsError) -> float:
    """Return the seconds for which no request is sent; none where the wait would be too long."""
    seconds = FIRST_WAIT if error.retry_after is None else error.retry_after
    return seconds if seconds <= LONGEST_RETRY_AFTER else 0.0


def _target(reply: Reply) -> str:
    """Return the address that a redirect names, in a few words; its query may hold secrets."""
    location = " ".join(reply.headers.get("location", "").split())
    target = location.partition("?")[0].partition("#")[0][:200] or "no address"
    return f"a redirect to {target}; it is not followed, because the key must not go elsewhere"
