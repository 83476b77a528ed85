"""Files behind time-limited URLs, on a host that gets no key: fetched whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO

import httpx
import stamina

from analytics.levain.connections import in_words
from analytics.levain.errors import DownloadFailedError
from analytics.levain.records import FileUrl
from analytics.levain.transport import FIRST_WAIT, LONGEST_WAIT, TRIES

UrlOf = Callable[[], Awaitable[FileUrl]]
"""Asks for a fresh URL of the file."""

_EXPIRED = {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.GONE}
_PASSING = _EXPIRED | {
    httpx.codes.TOO_MANY_REQUESTS,
    httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE,
}


class _Broken(Exception):  # noqa: N818  # never seen outside
    """A try brought nothing, the next one may."""


async def download(
    client: httpx.AsyncClient, url_of: UrlOf, target: Path, *, is_new: bool = False
) -> int:
    """Write a file to `target`, and return its size in bytes.

    A broken transfer goes on where it broke, an expired URL is asked for again. `target` appears,
    or is replaced, only when all is there; DownloadFailedError where that does not come about.
    FileExistsError where it should be new and is not.
    """
    handle, name = tempfile.mkstemp(prefix=".unfinished-", dir=target.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            size = await _Transfer(client, url_of, file).whole()
        if is_new:
            target.hardlink_to(unfinished)  # which, unlike a rename, replaces nothing
        else:
            unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return size


class _Transfer:
    """A file on its way, over as many connections as it takes."""

    def __init__(self, client: httpx.AsyncClient, url_of: UrlOf, file: BinaryIO) -> None:
        self._client = client
        self._url_of = url_of
        self._file = file
        self._url: str | None = None
        self._etag: str | None = None

    async def whole(self) -> int:
        """Fetch until nothing is missing; tries that bring something are not counted."""
        while not await self._get_on():
            pass
        return self._file.tell()

    async def _get_on(self) -> bool:
        """Whether the file is whole now; returns after the first try that brought something."""
        try:
            async for attempt in stamina.retry_context(
                on=_Broken, attempts=TRIES, wait_initial=FIRST_WAIT, wait_max=LONGEST_WAIT
            ):
                with attempt:
                    return await self._try()
        except (_Broken, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise self._failed(str(error)) from error
        raise AssertionError("the last try returns or raises")

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
            async with self._client.stream("GET", self._url, headers=headers) as response:
                return await self._take(response)
        except httpx.UnsupportedProtocol:
            raise
        except httpx.HTTPError as error:
            if self._file.tell() > had:
                return False
            raise _Broken(in_words(error)) from error

    async def _take(self, response: httpx.Response) -> bool:
        """Write what comes; True when the answer ended as it should."""
        if response.status_code in _EXPIRED:
            self._url = None
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._start_over()
        if response.is_client_error and response.status_code not in _PASSING:
            raise self._failed(f"HTTP {response.status_code}")
        if not response.is_success:
            raise _Broken(f"HTTP {response.status_code}")
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            self._start_over()
        elif not response.headers.get("Content-Range", "").startswith(
            f"bytes {self._file.tell()}-"
        ):
            self._start_over()
            raise _Broken("another part of the file came than was asked for")
        self._etag = response.headers.get("ETag")
        async for chunk in response.aiter_raw():
            self._file.write(chunk)
        return True

    def _failed(self, cause: str) -> DownloadFailedError:
        """The URL opens the file for whoever reads it: its query stays out of messages."""
        return DownloadFailedError(f"GET {(self._url or '').partition('?')[0]}", cause)

    def _start_over(self) -> None:
        self._file.seek(0)
        self._file.truncate()
