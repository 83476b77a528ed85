"""Requests to the API over httpx, one client a slot: what came is an answer, or an error."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from analytics import __version__
from analytics.levain import bounds
from analytics.levain.answers import Answer, Params, body_of
from analytics.levain.clock import Clock
from analytics.levain.errors import (
    AnswerBrokenError,
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
from analytics.levain.pace import (
    TRIES,
    OnRetry,
    Pace,
    RateLimiter,
    log_retry,
    may_pass,
    was_not_done,
)
from analytics.levain.records import typed
from analytics.levain.replies import ENCODING, content_of, detail_of, hide_keys, one_line

_logger = logging.getLogger("analytics.levain")

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
"""Seconds: the longest silence of the API within a request, and to connect."""

_OF_THE_MOMENT = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY)
_REFUSALS: dict[int, type[StatusError]] = {
    httpx.codes.UNAUTHORIZED: UnauthorizedError,
    httpx.codes.FORBIDDEN: ForbiddenError,
    httpx.codes.NOT_FOUND: NotFoundError,
}

_encode = msgspec.json.Encoder(decimal_format="number").encode
"""Encodes raw records and money digit for digit."""

T = TypeVar("T")

Shape = Callable[[Answer], T]
"""Raises AnswerBrokenError for an answer of another shape, which is asked for again if torn."""


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, _: httpx.Response) -> None:
        """Keep none; httpx parses the URL of each request anew to look for them."""


_NO_COOKIES = _NoCookies()


class _Client(httpx.AsyncClient):
    @property  # type: ignore[misc] # none can be set
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES


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
        self.pace = Pace(rate_limiter or RateLimiter(requests_per_second), tries, on_retry)
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
                _Client,
                verify=httpx.create_ssl_context(),
                timeout=TIMEOUT,
                transport=transport,
            )
            # One client for each slot: a shared pool scans all connections at every request.
            limits = httpx.Limits(max_connections=1)
            hooks = {"response": [self._refuse_redirect]}
            self._clients = [client(limits=limits, event_hooks=hooks) for _ in range(concurrency)]
            self.file_client = client()
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
        for client in (*self._clients, self.file_client):
            await client.aclose()

    async def get(self, path: str, params: Params, shape: Shape[T]) -> tuple[Answer, T]:
        """Read `path` (below the base URL), and what its shape makes of the answer.

        LevainError if all attempts fail.
        """
        return await self._send("GET", path, params, shape)

    async def read(self, path: str, kind: type[T], params: Params | None = None) -> T:
        """Read one object, decoded as `kind`; one that does not fit is requested again."""
        _, one = await self.get(path, params or {}, one_of(kind))
        return one

    async def change(
        self, path: str, kind: type[T], body: object = None, *, is_repeatable: bool = False
    ) -> T:
        """Post a change, and return the record that confirms it.

        One that may have been carried out is not sent again, unless repeating it has no further
        effect (`is_repeatable`): else OutcomeUnknownError.
        """

        def again(error: LevainError) -> bool:
            return may_pass(error) and (is_repeatable or was_not_done(error))

        try:
            _, one = await self._send("POST", path, {}, one_of(kind), body, again)
        except TransientError as error:
            if is_repeatable or was_not_done(error):
                raise
            raise OutcomeUnknownError(error.request, error.cause) from error
        return one

    async def _send(
        self,
        method: str,
        path: str,
        params: Params,
        shape: Shape[T],
        body: object = None,
        again: Callable[[LevainError], bool] = may_pass,
    ) -> tuple[Answer, T]:
        """Return an answer, and what its shape makes of it."""
        client = await self._free.get()  # outside the retries: waiting for a slot is no failure

        async def once() -> tuple[Answer, T]:
            answer = await self._ask(client, method, path, params, body)
            try:
                return answer, shape(answer)
            except AnswerBrokenError as error:
                cause = error.cause if error.request == path else str(error)
                raise type(error)(f"{method} {self._api}{path}", cause) from error

        try:
            return await self.pace.retry(once, again)
        finally:
            self._free.put_nowait(client)

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
            self.pace.pause_for(seconds)
            return TooManyRequestsError(request, status, detail, seconds)
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _OF_THE_MOMENT:
            return ServerFailedError(request, status, detail)
        return _REFUSALS.get(status, RefusedError)(request, status, detail)


def one_of(kind: type[T]) -> Shape[T]:
    """Return what decodes the one object of an answer."""
    return lambda answer: typed(answer.record, kind)


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
