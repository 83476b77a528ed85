"""Responses are read whole and unpacked, whatever a server answers."""

from __future__ import annotations

import gzip

import pytest

from analytics.levain import AsyncLevain, ConnectionFailedError, LevainError
from tests.levain.answering import KEY
from tests.levain.wire import Wire, response

ME = b'{"workspace_id": "w", "workspace_name": "Baker"}'
ENCODED = "Content-Encoding: {}\r\n"


async def name(levain: AsyncLevain) -> str | None:
    return (await levain.auth.me()).workspace_name


def test_a_compressed_body_is_decompressed() -> None:
    """The content is that before compression; a broken or torn one is an error."""
    body, headers = gzip.compress(ME), ENCODED.format("gzip")

    assert Wire(response(body, headers=headers)).ask(name) == "Baker"
    for broken in (b"x" * len(body), body[:-1], body + b"x", body + bytes(10_000)):
        with pytest.raises(ConnectionFailedError, match="it cannot be unpacked"):
            Wire(response(broken, headers=headers)).ask(name, tries=1)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate", "br", "zstd"])
def test_another_encoding_than_asked_for_is_refused(encoding: str) -> None:
    """A body that is packed twice would grow by the square: it is not unpacked."""
    bomb = gzip.compress(gzip.compress(bytes(10_000)))

    with pytest.raises(ConnectionFailedError, match=f"packed as '{encoding}'"):
        Wire(response(bomb, headers=ENCODED.format(encoding))).ask(name, tries=1)


def test_an_error_of_http_shows_no_key() -> None:
    """A message that quotes what the server sent has a mark in place of the key."""
    with pytest.raises(ConnectionFailedError, match=r"\[key\]") as raised:
        Wire(b"HTTP/9.9 %b\r\n\r\n" % KEY.encode()).ask(name, tries=1)
    assert KEY not in str(raised.value)


def test_an_error_of_headers_hides_them() -> None:
    """A key that HTTP does not allow in a header is in no part of the error."""
    wire = Wire(response(ME))

    with pytest.raises(LevainError, match="a header holds what HTTP does not allow") as raised:
        wire.ask(name, key="levain_my\nkey")
    assert raised.value.__suppress_context__
    assert "my" not in str(raised.value)
    assert wire.requests == []


def test_no_cookie_is_kept() -> None:
    """Nothing that a server sets goes with the next request."""
    wire = Wire(response(ME, headers="Set-Cookie: a=b\r\n"))

    async def twice(levain: AsyncLevain) -> None:
        await name(levain)
        await name(levain)

    wire.ask(twice)
    assert [b"cookie" in request.lower() for request in wire.requests] == [False, False]
