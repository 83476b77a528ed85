"""Responses are read whole, unpacked, and up to a limit, whatever a server answers."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import httpx
import pytest
import zstandard

from analytics.levain import AsyncLevain, ConnectionFailedError, replies, transport
from analytics.levain.connections import Connection, connection_to
from analytics.levain.replies import Reply

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CLOSED = b""
"""In a script: the server closes the connection."""


class Server:
    """Answers each request by the next of its answers, over any number of connections."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self._serving: set[asyncio.Task[Any]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        if task := asyncio.current_task():
            self._serving.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError), closing(writer):
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or b"0"
                self.requests.append(head + await reader.readexactly(int(length)))
                answer = self.answers.pop(0)
                writer.write(answer)
                if answer == CLOSED:
                    return
                if self.answers[:1] == [CLOSED]:
                    del self.answers[0]
                    return

    @asynccontextmanager
    async def connection(self, path: str = "") -> AsyncIterator[Connection]:
        """Listen, and yield a connection that is not open yet."""
        listening = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        connection = connection_to(f"http://127.0.0.1:{port}{path}", httpx.create_ssl_context())
        try:
            yield connection
        finally:
            await connection.aclose()
            listening.close()
            await asyncio.gather(*self._serving)


def using(server: Server, use: Callable[[Connection], Awaitable[Any]], path: str = "") -> Any:
    async def run() -> Any:
        async with server.connection(path) as connection:
            return await use(connection)

    return asyncio.run(run())


async def get(connection: Connection) -> Reply:
    return await connection.exchange("GET", "/thing", {"Accept": "*/*"}, None)


PACKED = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)]
)
def test_a_compressed_body_is_decompressed(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """The content is that before compression; a broken or torn one is an error."""
    body = pack(b'{"name": "Baker"}')

    def answer(body: bytes) -> Server:
        return Server(PACKED % (encoding.encode(), len(body)) + body)

    assert using(answer(body), get).content == b'{"name": "Baker"}'
    with pytest.raises(httpx.DecodingError, match="it cannot be unpacked"):
        using(answer(b"x" * len(body)), get)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate", "br", "gzip, zstd, gzip"])
def test_another_encoding_than_asked_for_is_refused(encoding: str) -> None:
    """A body that is packed twice would grow by the square: it is not unpacked."""
    bomb = gzip.compress(gzip.compress(bytes(10_000)))

    with pytest.raises(httpx.DecodingError, match=f"packed as '{encoding}'"):
        using(Server(PACKED % (encoding.encode(), len(bomb)) + bomb), get)


@pytest.mark.parametrize("encoding", ["gzip", "zstd", None])
def test_a_response_that_is_too_long_is_given_up(
    monkeypatch: pytest.MonkeyPatch, encoding: str | None
) -> None:
    """A response is read up to a limit, packed and unpacked: a bomb does not fill the memory."""
    monkeypatch.setattr(replies, "LARGEST_ANSWER", 100_000)
    packed = {"gzip": gzip.compress, "zstd": zstandard.compress, None: bytes}[encoding](
        bytes(10_000_000)
    )
    header = f"Content-Encoding: {encoding}\r\n" if encoding else ""
    answer = f"HTTP/1.1 200 OK\r\n{header}Content-Length: {len(packed)}\r\n\r\n".encode() + packed

    with pytest.raises(httpx.DecodingError, match="longer than 100,000 bytes"):
        using(Server(answer, OK), get)


@pytest.mark.parametrize("is_packed", [True, False])
def test_a_response_that_is_too_long_is_freed(
    monkeypatch: pytest.MonkeyPatch, is_packed: bool
) -> None:
    """A response that is too long is freed before the next try: memory does not grow with tries."""
    limit = 8_000_000
    monkeypatch.setattr(replies, "LARGEST_ANSWER", limit)
    body = gzip.compress(bytes(2 * limit)) if is_packed else bytes(2 * limit)
    header = b"Content-Encoding: gzip\r\n" if is_packed else b""
    answer = b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (header, len(body), body)

    async def use(connection: Connection) -> None:
        async with AsyncLevain("levain_test_key", connection._api) as levain:
            await levain.auth.me()

    server = Server(*[answer] * transport.TRIES)
    tracemalloc.start()
    try:
        with pytest.raises(ConnectionFailedError, match="longer than"):
            using(server, use)
        assert tracemalloc.get_traced_memory()[1] < 4 * limit
    finally:
        tracemalloc.stop()
    assert len(server.requests) == transport.TRIES


def test_a_response_that_goes_on_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try has a limit of its own, also where the server is never silent for long."""
    monkeypatch.setattr(transport, "LONGEST_EXCHANGE", 0.01)

    async def use(connection: Connection) -> None:
        async with AsyncLevain("levain_test_key", connection._api) as levain:
            await levain.auth.me()

    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"
    with pytest.raises(ConnectionFailedError, match="took longer than"):
        using(Server(*[begun] * (transport.TRIES + 1)), use)


def test_an_error_of_http_shows_no_key() -> None:
    """A message that quotes what the server sent has a mark in place of the key."""

    async def use(connection: Connection) -> None:
        async with AsyncLevain("levain_test_key", connection._api, tries=1) as levain:
            await levain.auth.me()

    with pytest.raises(ConnectionFailedError, match=r"\[key\]") as raised:
        using(Server(b"HTTP/9.9 levain_test_key\r\n\r\n"), use)
    assert "levain_test_key" not in str(raised.value)


def test_an_error_of_headers_hides_them() -> None:
    """A key that HTTP does not allow in a header is in no part of the error."""

    async def use(connection: Connection) -> None:
        await connection.exchange("GET", "/thing", {"Authorization": "Bearer my\nkey"}, None)

    with pytest.raises(httpx.LocalProtocolError) as raised:
        using(Server(OK), use)
    assert raised.value.__suppress_context__
    assert "my" not in str(raised.value)
