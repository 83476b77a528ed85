"""Connections to the API, each for one request at a time, and the proxies of the environment."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from analytics.levain import bounds
from analytics.levain.errors import AnswerTooLargeError
from analytics.levain.replies import Body, Reply, TooLong, headers_of

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
"""Seconds: the longest silence of the API within a request, and to connect."""

_EXTENSIONS = {"timeout": TIMEOUT.as_dict()}


class Connection:
    """Sends requests one at a time by a transport of httpx; the first one opens it."""

    def __init__(self, api: str, transport: httpx.AsyncBaseTransport) -> None:
        self._api = api
        self._transport = transport

    async def exchange(
        self, method: str, path: str, headers: dict[str, str], content: bytes | None
    ) -> Reply:
        """Send a request and read its whole response.

        Raises httpx.HTTPError, httpx.InvalidURL; TimeoutError for one that comes too slowly, and
        AnswerTooLargeError. Of an error that is too long, its status is returned.
        """
        request = httpx.Request(
            method, self._api + path, headers=headers, content=content, extensions=_EXTENSIONS
        )
        async with bounds.in_time(bounds.SLOWEST_ANSWER) as came:
            try:
                response = await self._transport.handle_async_request(request)
            except httpx.LocalProtocolError:  # whose message would show the key
                raise httpx.LocalProtocolError("a header holds what HTTP does not allow") from None
            try:
                return await _received(response, came)
            except TooLong as error:
                asked = f"{method} {self._api}{path.partition('?')[0]}"
                raise AnswerTooLargeError(asked, str(error)) from None
            finally:
                await response.aclose()

    async def aclose(self) -> None:
        """Close it."""
        await self._transport.aclose()


async def _received(response: httpx.Response, came: Callable[[int], None]) -> Reply:
    """Return the whole response; that of an error without its body, where that is too long."""
    status, headers = response.status_code, headers_of(response.headers.raw)
    is_answer = httpx.codes.is_success(status)
    largest = bounds.LARGEST_ANSWER if is_answer else bounds.LARGEST_ERROR
    body = Body(headers.get("content-encoding", ""), largest)
    try:
        body.expect(headers.get("content-length", ""))
        async for part in cast("httpx.AsyncByteStream", response.stream):
            came(len(part))
            body.add(part)
        return Reply(status, headers, body.content())
    except TooLong:
        if is_answer:
            raise
        return Reply(status, headers, b"")
    finally:
        body.clear()


def connection_to(api: str, context: ssl.SSLContext) -> Connection:
    """Return a connection, through the proxy if the environment sets one."""
    limits = httpx.Limits(max_connections=1)
    return Connection(
        api, httpx.AsyncHTTPTransport(verify=context, limits=limits, proxy=proxy_for(api))
    )


def file_client(
    api: str, context: ssl.SSLContext, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    """Return a client for files on other hosts, which must not see the key.

    Their addresses grant access, so after https none is sent in clear: not by a redirect either.
    """
    is_secret = api.startswith("https:")

    async def require_https(request: httpx.Request) -> None:
        nonlocal is_secret
        if is_secret and request.url.scheme != "https":
            raise httpx.UnsupportedProtocol("it leads from https to http, and is not followed")
        is_secret |= request.url.scheme == "https"

    return httpx.AsyncClient(
        timeout=TIMEOUT,
        verify=context,
        transport=transport,
        event_hooks={"request": [require_https]},
    )


def proxy_for(api: str) -> str | None:
    """Return the proxy that the environment sets for a URL (`HTTPS_PROXY`, less `NO_PROXY`).

    ValueError for one with a port that is none.
    """
    url = urlsplit(api)
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.netloc.rpartition("@")[2]):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    _ = urlsplit(proxy).port
    return proxy


def in_words(error: httpx.HTTPError) -> str:
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
