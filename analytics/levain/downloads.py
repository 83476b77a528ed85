"""Downloads from time-limited URLs, on a host that gets no key: whole files or none."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import httpx

from analytics import files
from analytics.levain import bounds
from analytics.levain.errors import (
    ConnectionFailedError,
    DownloadFailedError,
    LevainError,
    TransientError,
)
from analytics.levain.records import FileUrl
from analytics.levain.transport import Transport

_PASSING = {
    httpx.codes.UNAUTHORIZED,  # an address whose time is over
    httpx.codes.FORBIDDEN,
    httpx.codes.GONE,
    httpx.codes.REQUEST_TIMEOUT,
    httpx.codes.TOO_EARLY,
    httpx.codes.TOO_MANY_REQUESTS,
}


async def download(transport: Transport, path: str, target: Path, *, is_new: bool = False) -> int:
    """Write a file to `target`, and return its size in bytes.

    Each attempt asks `path` for a fresh URL of the file. `target` appears, or is replaced, only
    once the file is complete; DownloadFailedError if it cannot be completed; FileExistsError if
    `is_new` and `target` exists.
    """
    with files.replacing(target, is_new=is_new) as file:

        async def once() -> int:
            url = (await transport.read(path, FileUrl)).url
            told = f"GET {url.partition('?')[0]}"  # the query grants access to the file
            file.seek(0)
            file.truncate()
            try:
                await _fetch(transport, url, told, file)
            except LevainError as error:
                raise DownloadFailedError(told, error.cause) from error
            return file.tell()

        return await transport.pace.retry(
            once,
            lambda error: (
                isinstance(error, DownloadFailedError)
                and isinstance(error.__cause__, TransientError)
            ),
        )


async def _fetch(transport: Transport, url: str, told: str, file: BinaryIO) -> None:
    """Write the bytes that a URL, or the address that it redirects to, gives.

    The address grants access to the file: after https none is sent in clear.
    """
    client, is_secret = transport.file_client, transport.is_secure
    with transport.told(told):
        request = client.build_request("GET", url, headers={"Accept-Encoding": "identity"})
        async with bounds.in_time(bounds.SLOWEST_FILE) as came:
            for _ in range(bounds.MOST_ADDRESSES):
                if is_secret and request.url.scheme != "https":
                    raise LevainError(told, "it leads from https to http, and is not followed")
                is_secret |= request.url.scheme == "https"
                response = await client.send(request, stream=True)
                try:
                    if response.next_request is None:
                        _require_file(response, told)
                        async for part in response.aiter_raw():
                            came(len(part))
                            _require_size(told, file.tell() + len(part))
                            file.write(part)
                        return
                finally:
                    # httpx would read what comes with a redirect, however long.
                    await response.aclose()
                request = response.next_request
    raise LevainError(told, f"it was redirected {bounds.MOST_ADDRESSES} times")


def _require_file(response: httpx.Response, told: str) -> None:
    if response.status_code != httpx.codes.OK:
        is_lasting = response.is_client_error and response.status_code not in _PASSING
        kind = LevainError if is_lasting else ConnectionFailedError
        raise kind(told, f"HTTP {response.status_code}")
    _require_size(told, int(response.headers.get("Content-Length", 0)))


def _require_size(told: str, size: int) -> None:
    if size > bounds.LARGEST_FILE:
        raise LevainError(told, f"it is larger than {bounds.LARGEST_FILE:,} bytes")
