"""Downloads from time-limited URLs, on a host that gets no key: whole files or none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO

import httpx
import stamina

from analytics import files
from analytics.levain import bounds
from analytics.levain.connections import in_words
from analytics.levain.errors import DownloadFailedError
from analytics.levain.records import FileUrl
from analytics.levain.transport import FIRST_WAIT, LONGEST_WAIT, TRIES

LARGEST_FILE = 1_000_000_000
"""Bytes of a log or an artifact: a host that sends on and on does not fill the disk."""

MOST_ADDRESSES = 5  # of a file: the first one, and those that redirects name

_PASSING = {
    httpx.codes.UNAUTHORIZED,  # an address whose time is over
    httpx.codes.FORBIDDEN,
    httpx.codes.GONE,
    httpx.codes.REQUEST_TIMEOUT,
    httpx.codes.TOO_EARLY,
    httpx.codes.TOO_MANY_REQUESTS,
}

UrlOf = Callable[[], Awaitable[FileUrl]]
"""Requests a fresh URL of the file."""


class _Broken(Exception):  # noqa: N818  # private
    """An attempt did not receive the whole file; the next one may."""


async def download(
    client: httpx.AsyncClient,
    url_of: UrlOf,
    target: Path,
    *,
    is_new: bool = False,
    hidden: Callable[[str], str] = str,
) -> int:
    """Write a file to `target`, and return its size in bytes.

    `hidden` returns a text without keys: a message may quote what the host sent.
    Each attempt asks for a fresh URL. `target` appears, or is replaced, only once the file is
    complete; DownloadFailedError if it cannot be completed; FileExistsError if `is_new` and
    `target` exists.
    """
    url = ""
    with files.replacing(target, is_new=is_new) as file:
        try:
            async for attempt in stamina.retry_context(
                on=_Broken, attempts=TRIES, wait_initial=FIRST_WAIT, wait_max=LONGEST_WAIT
            ):
                with attempt:
                    url = (await url_of()).url
                    file.seek(0)
                    file.truncate()
                    await _fetch(client, url, file, hidden)
                    return file.tell()
        except (_Broken, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
            raise _failed(url, hidden(str(error)).rstrip(".")) from error
        except ExceptionGroup as errors:  # of a port that is none, when it is connected to
            raise _failed(url, hidden(str(errors.exceptions[0])).rstrip(".")) from errors
    raise AssertionError("the last attempt returns or raises")


async def _fetch(
    client: httpx.AsyncClient, url: str, file: BinaryIO, hidden: Callable[[str], str]
) -> None:
    """Write the bytes that a URL, or the address that it redirects to, gives."""
    request = client.build_request("GET", url, headers={"Accept-Encoding": "identity"})
    try:
        async with bounds.in_time(bounds.SLOWEST_FILE) as came:
            for _ in range(MOST_ADDRESSES):
                response = await client.send(request, stream=True)
                try:
                    if response.next_request is None:
                        await _take(response, url, file, came)
                        return
                finally:
                    # httpx would read what comes with a redirect, however long.
                    await response.aclose()
                request = response.next_request
    except TimeoutError as error:
        raise _Broken(str(error)) from error
    except httpx.UnsupportedProtocol:
        raise
    except httpx.HTTPError as error:
        raise _Broken(hidden(in_words(error))) from error
    raise _failed(url, f"it was redirected {MOST_ADDRESSES} times")


async def _take(
    response: httpx.Response, url: str, file: BinaryIO, came: Callable[[int], None]
) -> None:
    if response.status_code != httpx.codes.OK:
        cause = f"HTTP {response.status_code}"
        if response.is_client_error and response.status_code not in _PASSING:
            raise _failed(url, cause)
        raise _Broken(cause)
    _require_size(url, int(response.headers.get("Content-Length", 0)))
    async for chunk in response.aiter_raw():
        came(len(chunk))
        _require_size(url, file.tell() + len(chunk))
        file.write(chunk)


def _require_size(url: str, size: int) -> None:
    if size > LARGEST_FILE:
        raise _failed(url, f"it is larger than {LARGEST_FILE:,} bytes")


def _failed(url: str, cause: str) -> DownloadFailedError:
    """Return an error without the URL's query, because the query grants access to the file."""
    return DownloadFailedError(f"GET {url.partition('?')[0]}", cause)
