"""Requests to the API, each retried until it succeeds or fails for good."""

from __future__ import annotations

import asyncio
import email.utils
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx
import msgspec
import stamina

from analytics import __version__
from analytics.levain.connections import TIMEOUT, connection_to, exchange, in_words
from analytics.levain.errors import (
    AnswerBrokenError,
    ConnectionFailedError,
    ForbiddenError,
    LevainError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    ServerFailedError,
    TooManyRequestsError,
    TransientError,
    UnauthorizedError,
)
from analytics.levain.rate_limiter import RateLimiter
from analytics.levain.surrogates import escape_lone_surrogates

Record = msgspec.Raw
"""The text of a JSON object, with every digit as the API sent it."""

Records = list[Record]

Fields = dict[str, msgspec.Raw]
"""The fields of an object, each of them undecoded."""

Params = Mapping[str, str | int]

_logger = logging.getLogger("analytics.levain")

TRIES = 6
FIRST_WAIT = 0.5  # seconds before the second try; doubled before each one after
LONGEST_WAIT = 8.0
LONGEST_RETRY_AFTER = 8.0  # cuts a longer `Retry-After`: a batch fails within a minute
GIVE_UP_AFTER = 45.0

fields_of = msgspec.json.Decoder(Fields).decode
"""Return the fields of a record; msgspec.ValidationError if it is not an object."""

_split = msgspec.json.Decoder(Records).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode
"""Encodes raw records and money digit for digit."""
_JSON = {"Content-Type": "application/json"}
_EMPTY = Record(b"{}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx response: its body, a list split into records, and its request."""

    path: str
    params: Params
    status: int
    fetched_at: datetime
    byte_count: int
    body: Records | Record
    next_link: str | None = None

    @property
    def record(self) -> Record:
        """The one object of the response; AnswerBrokenError if it is a list."""
        if isinstance(self.body, list):
            raise AnswerBrokenError(self.path, "a list came where one object was expected")
        return self.body


def _any(answer: Answer) -> Answer:
    """Accept a response of any shape."""
    return answer


class Transport:
    """Sends requests with a key, several at a time, and retries those that may succeed later."""

    def __init__(
        self,
        api_key: str,
        api: str,
        *,
        concurrency: int,
        requests_per_second: float,
        tries: int = TRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._api = api.rstrip("/")
        self._tries = tries
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate, zstd",
            "User-Agent": f"levain-analytics/{__version__}",
        }
        context = httpx.create_ssl_context()
        try:
            # One connection for each slot: a shared pool scans all connections at every request.
            self._connections = [
                transport or connection_to(self._api, context) for _ in range(concurrency)
            ]
            self.files = httpx.AsyncClient(
                timeout=TIMEOUT, follow_redirects=True, verify=context, transport=transport
            )
            """For files on other hosts, which must not see the key."""
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            cause = f"the proxy that the environment names cannot be used ({error})"
            raise LevainError(self._api, cause) from error
        self._free: asyncio.Queue[httpx.AsyncBaseTransport] = asyncio.Queue()
        for connection in self._connections:
            self._free.put_nowait(connection)
        self._rate_limiter = RateLimiter(requests_per_second)
        self.request_count = 0

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

    async def get_record(self, path: str, params: Params | None = None) -> Answer:
        """Read one object."""
        return await self.get(path, params, lambda answer: answer.record)

    async def send(
        self, method: str, path: str, body: object = None, *, is_repeatable: bool = False
    ) -> Answer:
        """Send a change. A change that may have been carried out already is not sent again.

        It is retried if the API answered 429, or if the request never reached the API; after any
        failure if repeating it has no further effect (`is_repeatable`). Else OutcomeUnknownError.
        """
        connection = await self._free.get()
        again = _worth_another_try if is_repeatable else _worth_another_write
        try:
            return await self._try(connection, method, path, {}, again, body=body)
        except TransientError as error:
            if is_repeatable or _was_not_done(error):
                raise
            raise OutcomeUnknownError(error.request, error.cause) from error
        finally:
            self._free.put_nowait(connection)

    async def _try(
        self,
        connection: httpx.AsyncBaseTransport,
        method: str,
        path: str,
        params: Params,
        again: Callable[[Exception], bool | float],
        shape: Callable[[Answer], object] = _any,
        body: object = None,
    ) -> Answer:
        async for attempt in stamina.retry_context(
            on=again,
            attempts=self._tries,
            timeout=GIVE_UP_AFTER,
            wait_initial=FIRST_WAIT,
            wait_max=LONGEST_WAIT,
            wait_jitter=FIRST_WAIT,
        ):
            with attempt:
                await self._rate_limiter.acquire()
                try:
                    answer = await self._ask(connection, method, path, params, body)
                except TooManyRequestsError as error:
                    self._rate_limiter.pause_for(_retry_after(error))
                    raise
                shape(answer)
                return answer
        raise AssertionError("the last attempt returns or raises")

    async def _ask(
        self,
        connection: httpx.AsyncBaseTransport,
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
            response = await exchange(
                connection, method, self._api + path + query, headers, content
            )
        except httpx.HTTPError as error:
            raise ConnectionFailedError(request, in_words(error)) from error
        except httpx.InvalidURL as error:
            raise LevainError(request, str(error)) from error
        _logger.debug(
            "%s%s: HTTP %d, %d bytes in %.3f s",
            request,
            query,
            response.status_code,
            len(response.content),
            time.monotonic() - began,
        )
        if not response.is_success:
            raise _status_error(request, response)
        body_is_due = method == "GET"  # a DELETE may have an empty body
        return Answer(
            path=path,
            params=params,
            status=response.status_code,
            fetched_at=_server_time(response.headers.get("Date")),
            byte_count=len(response.content),
            body=_body(request, response.content) if response.content or body_is_due else _EMPTY,
            next_link=response.links.get("next", {}).get("url"),
        )


def _worth_another_try(error: Exception) -> bool | float:
    if isinstance(error, TooManyRequestsError):
        return _retry_after(error)
    return isinstance(error, TransientError)


def _worth_another_write(error: Exception) -> bool | float:
    return _was_not_done(error) and _worth_another_try(error)


def _was_not_done(error: Exception) -> bool:
    """Return True if the API asked to wait, or if no connection was made."""
    return isinstance(error, TooManyRequestsError) or isinstance(
        error.__cause__, httpx.ConnectError | httpx.ConnectTimeout
    )


def _retry_after(error: TooManyRequestsError) -> float:
    return min(FIRST_WAIT if error.retry_after is None else error.retry_after, LONGEST_RETRY_AFTER)


def _status_error(request: str, response: httpx.Response) -> LevainError:
    status, detail = response.status_code, _detail(response)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return TooManyRequestsError(request, status, detail, _seconds(response))
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return ServerFailedError(request, status, detail)
    if status == httpx.codes.UNAUTHORIZED:
        return UnauthorizedError(request, status, detail)
    if status == httpx.codes.FORBIDDEN:
        return ForbiddenError(request, status, detail)
    if status == httpx.codes.NOT_FOUND:
        return NotFoundError(request, status, detail)
    return RefusedError(request, status, detail)


def _detail(response: httpx.Response) -> str:
    """Return the API's error message, in any of its shapes, cut to one line."""
    try:
        detail = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return ""
    if isinstance(detail, dict):
        detail = detail.get("message") or detail.get("reason") or detail.get("error") or detail
    if isinstance(detail, list):
        detail = "; ".join(str(item.get("msg", item)) for item in detail if isinstance(item, dict))
    return " ".join(str(detail).split())[:200]


def _seconds(response: httpx.Response) -> float | None:
    """Return `Retry-After` in seconds, from either of its two forms; None if it is malformed."""
    text = response.headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None
    return max(0.0, (moment - _server_time(response.headers.get("Date"))).total_seconds())


def _server_time(date: str | None) -> datetime:
    """Return the time of the API's clock: a wrong local clock must not shift days or finality."""
    try:
        return email.utils.parsedate_to_datetime(date or "").astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)


def _body(request: str, content: bytes) -> Records | Record:
    """Return a list as its undecoded items, or an object as it is."""
    try:
        if not content.isascii():
            content.decode()  # msgspec does not validate strings that it leaves undecoded
        if content.lstrip().startswith(b"["):
            return _split(content)
        fields_of(content)
    except msgspec.ValidationError as error:
        raise AnswerBrokenError(request, f"neither an object nor a list ({error})") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        escaped = escape_lone_surrogates(content)
        if escaped != content:
            return _body(request, escaped)
        raise AnswerBrokenError(request, f"the body is not whole JSON ({error})") from error
    return Record(content)
