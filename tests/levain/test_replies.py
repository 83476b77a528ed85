"""Responses are read whole and unpacked, whatever a server answers."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import httpx
import pytest
import zstandard

from analytics.levain import AsyncLevain, ConnectionFailedError, transport
from analytics.levain.connections import Connection, connection_to
from analytics.levain.replies import Reply

KEY = "levain_test_key"
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


async def me(connection: Connection) -> object:
    async with AsyncLevain(KEY, connection._api) as levain:
        return await levain.auth.me()


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
    for broken in (b"x" * len(body), body[:-1], body + b"x", body + bytes(10_000)):
        with pytest.raises(httpx.DecodingError, match="it cannot be unpacked"):
            using(answer(broken), get)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate", "br", "gzip, zstd, gzip"])
def test_another_encoding_than_asked_for_is_refused(encoding: str) -> None:
    """A body that is packed twice would grow by the square: it is not unpacked."""
    bomb = gzip.compress(gzip.compress(bytes(10_000)))

    with pytest.raises(httpx.DecodingError, match=f"packed as '{encoding}'"):
        using(Server(PACKED % (encoding.encode(), len(bomb)) + bomb), get)


def test_an_error_of_http_shows_no_key() -> None:
    """A message that quotes what the server sent has a mark in place of the key."""
    answers = [b"HTTP/9.9 %b\r\n\r\n" % KEY.encode()] * transport.TRIES

    with pytest.raises(ConnectionFailedError, match=r"\[key\]") as raised:
        using(Server(*answers), me)
    assert KEY not in str(raised.value)


def test_an_error_of_headers_hides_them() -> None:
    """A key that HTTP does not allow in a header is in no part of the error."""

    async def use(connection: Connection) -> None:
        await connection.exchange("GET", "/thing", {"Authorization": "Bearer my\nkey"}, None)

    with pytest.raises(httpx.LocalProtocolError) as raised:
        using(Server(OK), use)
    assert raised.value.__suppress_context__
    assert "my" not in str(raised.value)
