"""Connections to the API: httpx transports without the features of its clients for browsers.

Cookies, redirects and credentials by host are not needed here; they took a quarter of the time of a
request.
"""

from __future__ import annotations

import os
import ssl
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

TIMEOUT = httpx.Timeout(30.0, connect=5.0)

_EXTENSIONS = {"timeout": TIMEOUT.as_dict()}


def connection_to(api: str, context: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    """Return a connection through the system's proxy.

    Its first request opens it, and it stays open.
    """
    return httpx.AsyncHTTPTransport(
        verify=context, limits=httpx.Limits(max_connections=1), proxy=proxy_for(api)
    )


async def exchange(
    connection: httpx.AsyncBaseTransport,
    method: str,
    url: str,
    headers: dict[str, str],
    content: bytes | None,
) -> httpx.Response:
    """Send a request and read its whole response; raises httpx.HTTPError, httpx.InvalidURL."""
    request = httpx.Request(method, url, headers=headers, content=content, extensions=_EXTENSIONS)
    response = await connection.handle_async_request(request)
    try:
        await response.aread()
    finally:
        await response.aclose()
    return response


def proxy_for(api: str) -> str | None:
    """Return the proxy that the environment sets for a URL (`HTTPS_PROXY`, less `NO_PROXY`)."""
    url = urlsplit(api)
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(url.netloc.rpartition("@")[2]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def in_words(error: httpx.HTTPError) -> str:
    """Return the system's message (`Connection refused`), else httpx's, else the class name.

    httpx raises "All connection attempts failed" for most failures of a connection, and an empty
    message for some others.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):  # one failure an address of the host
            cause = cause.exceptions[0]
        if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and cause.errno:
            return os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
