"""Downloads from time-limited URLs, on a host that gets no key: whole files or none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO

import httpx
import stamina

from analytics import disk
from analytics.levain.connections import in_words
from analytics.levain.errors import DownloadFailedError
from analytics.levain.records import FileUrl
from analytics.levain.transport import FIRST_WAIT, LONGEST_WAIT, TRIES

LARGEST_FILE = 1_000_000_000
"""Bytes of a log or an artifact: a host that sends on and on does not fill the disk."""

MOST_ADDRESSES = 5  # of a file: the first one, and those that redirects name

UrlOf = Callable[[], Awaitable[FileUrl]]
"""Requests a fresh URL of the file."""

_EXPIRED = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.GONE}
_COMPLETE = {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}
_PASSING = _EXPIRED | {
    httpx.codes.REQUEST_TIMEOUT,
    httpx.codes.TOO_EARLY,
    httpx.codes.TOO_MANY_REQUESTS,
    httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE,
}


class _Broken(Exception):  # noqa: N818  # private
    """An attempt received nothing; the next one may."""


async def download(
    client: httpx.AsyncClient, url_of: UrlOf, target: Path, *, is_new: bool = False
) -> int:
    """Write a file to `target`, and return its size in bytes.

    A broken transfer resumes at the byte where it broke, and an expired URL is replaced by a fresh
    one. `target` appears, or is replaced, only once the file is complete; DownloadFailedError if it
    cannot be completed; FileExistsError if `is_new` and `target` exists.
    """
    with disk.replacing(target, is_new=is_new) as file:
        return await _Transfer(client, url_of, file).whole()


class _Transfer:
    """A download in progress, over as many connections as it needs."""

    def __init__(self, client: httpx.AsyncClient, url_of: UrlOf, file: BinaryIO) -> None:
        self._client = client
        self._url_of = url_of
        self._file = file
        self._url: str | None = None
        self._etag: str | None = None

    async def whole(self) -> int:
        """Download until the file is complete; an attempt that received bytes is not counted."""
        while not await self._get_on():
            pass
        return self._file.tell()

    async def _get_on(self) -> bool:
        """Return True if the file is complete; stop after the first attempt that received bytes."""
        try:
            async for attempt in stamina.retry_context(
                on=_Broken, attempts=TRIES, wait_initial=FIRST_WAIT, wait_max=LONGEST_WAIT
            ):
                with attempt:
                    return await self._try()
        except (_Broken, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
            raise self._failed(str(error).rstrip(".")) from error
        except ExceptionGroup as errors:  # of a port that is none, when it is connected to
            raise self._failed(str(errors.exceptions[0]).rstrip(".")) from errors
        raise AssertionError("the last attempt returns or raises")

    async def _try(self) -> bool:
        if self._url is None:
            self._url = (await self._url_of()).url
        had = self._file.tell()
        headers = {"Accept-Encoding": "identity"}
        if had:
            headers["Range"] = f"bytes={had}-"
            if self._etag:
                headers["If-Range"] = self._etag
        try:
            request = self._client.build_request("GET", self._url, headers=headers)
            for _ in range(MOST_ADDRESSES):
                response = await self._client.send(request, stream=True)
                try:
                    if response.next_request is None:
                        return await self._take(response)
                finally:
                    await (
                        response.aclose()
                    )  # httpx would read what comes with a redirect, however long
                request = response.next_request
        except httpx.UnsupportedProtocol:
            raise
        except httpx.HTTPError as error:
            if self._file.tell() > had:
                return False
            raise _Broken(in_words(error)) from error
        raise self._failed(f"it was redirected {MOST_ADDRESSES} times")

    async def _take(self, response: httpx.Response) -> bool:
        """Write the bytes of a response; return True if the response ended normally."""
        if response.status_code in _EXPIRED:
            self._url = None
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._start_over()
        if response.is_client_error and response.status_code not in _PASSING:
            raise self._failed(f"HTTP {response.status_code}")
        if response.status_code not in _COMPLETE:
            raise _Broken(f"HTTP {response.status_code}")
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            self._start_over()
        elif not response.headers.get("Content-Range", "").startswith(
            f"bytes {self._file.tell()}-"
        ):
            self._start_over()
            raise _Broken("the host sent another range than requested")
        self._etag = response.headers.get("ETag")
        self._require_size(int(response.headers.get("Content-Length", 0)))
        async for chunk in response.aiter_raw():
            self._require_size(len(chunk))
            self._file.write(chunk)
        return True

    def _require_size(self, more: int) -> None:
        if self._file.tell() + more > LARGEST_FILE:
            raise self._failed(f"it is larger than {LARGEST_FILE:,} bytes")

    def _failed(self, cause: str) -> DownloadFailedError:
        """Return an error without the URL's query, because the query grants access to the file."""
        return DownloadFailedError(f"GET {(self._url or '').partition('?')[0]}", cause)

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
