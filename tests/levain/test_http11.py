"""The client's own HTTP/1.1, against servers that answer byte by byte as told."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop
import zstandard

from analytics.levain import AsyncLevain, ConnectionFailedError, http11, replies, transport
from analytics.levain.connections import in_words
from analytics.levain.http11 import DirectConnection
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
    async def connection(self, path: str = "") -> AsyncIterator[DirectConnection]:
        """Listen, and yield a connection that is not open yet."""
        listening = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        connection = DirectConnection(f"http://127.0.0.1:{port}{path}", httpx.create_ssl_context())
        try:
            yield connection
        finally:
            await connection.aclose()
            listening.close()
            await asyncio.gather(*self._serving)


def using(server: Server, use: Callable[[DirectConnection], Awaitable[Any]], path: str = "") -> Any:
    async def run() -> Any:
        async with server.connection(path) as connection:
            return await use(connection)

    return asyncio.run(run())


async def get(connection: DirectConnection) -> Reply:
    return await connection.exchange("GET", "/thing", {"Accept": "*/*"}, None)


async def get_twice(connection: DirectConnection) -> list[bytes]:
    return [(await get(connection)).content for _ in range(2)]


PACKED = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"


def test_requests_share_a_connection() -> None:
    """A second request goes over the connection of the first, below the path of the address."""
    server = Server(OK, OK)

    assert using(server, get_twice, "/base/") == [b"{}", b"{}"]

    assert server.connections == 1
    assert {request.split(b"\r\n")[0] for request in server.requests} == {
        b"GET /base/thing HTTP/1.1"
    }


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
            b"{}",
        ),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK, b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["chunked", "hints", "empty"],
)
def test_each_form_of_a_body_is_read(answer: bytes, content: bytes) -> None:
    """A chunked body, a response after a provisional one and one without a body are read whole."""
    server = Server(answer, OK)

    assert using(server, get_twice) == [content, b"{}"]
    assert server.connections == 1


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstandard.compress)]
)
def test_a_compressed_body_is_decompressed(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """The content is that before compression; a broken or torn one is an error."""
    body = pack(b'{"name": "Baker"}')

    def answer(body: bytes) -> Server:
        return Server(PACKED % (encoding.encode(), len(body)) + body)

    assert using(answer(body), get).content == b'{"name": "Baker"}'
    with pytest.raises(httpx.RemoteProtocolError, match="it cannot be unpacked"):
        using(answer(b"x" * len(body)), get)


@pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate", "br", "gzip, zstd, gzip"])
def test_another_encoding_than_asked_for_is_refused(encoding: str) -> None:
    """A body that is packed twice would grow by the square: it is not unpacked."""
    bomb = gzip.compress(gzip.compress(bytes(10_000)))

    with pytest.raises(httpx.RemoteProtocolError, match=f"packed as '{encoding}'"):
        using(Server(PACKED % (encoding.encode(), len(bomb)) + bomb), get)


def test_repeated_headers_are_joined() -> None:
    """Headers are found by their names in lower case; repeated ones are joined by commas."""
    reply = using(
        Server(b"HTTP/1.1 404 Not Found\r\nLink: a\r\nLINK: b\r\nContent-Length: 0\r\n\r\n"), get
    )

    assert (reply.status, reply.headers["link"]) == (404, "a, b")


@pytest.mark.parametrize(
    "answers",
    [
        [b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", CLOSED],
        [b"HTTP/1.0 200 OK\r\n\r\n{}", CLOSED],
        [OK + OK],
        [OK, CLOSED],
    ],
    ids=["announced", "by_end", "more_than_announced", "silently"],
)
def test_a_connection_that_cannot_be_used_again_is_replaced(answers: list[bytes]) -> None:
    """After a connection's last response, the next request opens another one."""
    server = Server(*answers, OK)

    assert using(server, get_twice) == [b"{}", b"{}"]
    assert server.connections == 2


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_close_during_other_work_is_heard(loop_factory: Any) -> None:
    """A change is not sent over a connection that closed while the event loop stood still."""
    listening = socket.create_server(("127.0.0.1", 0))
    may_close, is_closed = threading.Event(), threading.Event()

    def serve() -> None:
        for _ in range(2):
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(OK)
                may_close.wait()
            is_closed.set()

    async def use() -> bytes:
        port = listening.getsockname()[1]
        connection = DirectConnection(f"http://127.0.0.1:{port}", httpx.create_ssl_context())
        await get(connection)
        may_close.set()
        is_closed.wait()
        reply = await connection.exchange("POST", "/thing", {}, b"1")
        await connection.aclose()
        return reply.content

    serving = threading.Thread(target=serve)
    serving.start()
    with listening, asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(use()) == b"{}"
        serving.join()


def test_an_idle_connection_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was idle for too long is not used again."""
    monkeypatch.setattr(http11, "LONGEST_IDLE", -1)
    server = Server(OK, OK)

    using(server, get_twice)

    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (CLOSED, httpx.RemoteProtocolError, "Server disconnected without sending a response"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
            httpx.RemoteProtocolError,
            "received 2",
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", httpx.RemoteProtocolError, "illegal status line"),
    ],
    ids=["none", "cut", "not_http"],
)
def test_a_broken_response_is_an_error(answer: bytes, error: type[Exception], words: str) -> None:
    """A response that is missing, cut or no HTTP raises an error; the next request succeeds."""

    async def use(connection: DirectConnection) -> bytes:
        with pytest.raises(error, match=words):
            await get(connection)
        return (await get(connection)).content

    server = Server(*([answer] if answer == CLOSED else [answer, CLOSED]), OK)
    assert using(server, use) == b"{}"


def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends nothing for the longest wait raises httpx.ReadTimeout."""
    monkeypatch.setattr(http11, "ANSWER_SECONDS", 0.01)

    with pytest.raises(httpx.ReadTimeout) as raised:
        using(Server(b"HTTP/1.1 200 OK\r\n", OK), get)
    assert in_words(raised.value) == "no answer within 30 s"


def test_a_silent_address_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that takes longer than its limit is told with the limit."""
    monkeypatch.setattr(http11, "CONNECT_SECONDS", 0)

    with pytest.raises(httpx.ConnectTimeout) as raised:
        using(Server(OK), get)
    assert in_words(raised.value) == "no connection within 5 s"


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

    with pytest.raises(httpx.RemoteProtocolError, match="longer than 100,000 bytes"):
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

    async def use(connection: DirectConnection) -> None:
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
    assert server.connections == transport.TRIES


def test_a_response_that_goes_on_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try has a limit of its own, also where the server is never silent for long."""
    monkeypatch.setattr(transport, "LONGEST_EXCHANGE", 0.01)

    async def use(connection: DirectConnection) -> None:
        async with AsyncLevain("levain_test_key", connection._api) as levain:
            await levain.auth.me()

    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"
    with pytest.raises(ConnectionFailedError, match="took longer than"):
        using(Server(*[begun] * (transport.TRIES + 1)), use)


def test_an_error_of_http_shows_no_key() -> None:
    """A message that quotes what the server sent has a mark in place of the key."""

    async def use(connection: DirectConnection) -> None:
        async with AsyncLevain("levain_test_key", connection._api, tries=1) as levain:
            await levain.auth.me()

    with pytest.raises(ConnectionFailedError, match=r"\[key\]") as raised:
        using(Server(b"HTTP/9.9 levain_test_key\r\n\r\n"), use)
    assert "levain_test_key" not in str(raised.value)


def test_a_cancelled_request_leaves_no_response_behind() -> None:
    """The response to a cancelled request never answers the next one."""

    async def use(connection: DirectConnection) -> bytes:
        first = asyncio.create_task(get(connection))
        while not server.requests:
            await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return (await get(connection)).content

    server = Server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[", OK)
    assert using(server, use) == b"{}"
    assert server.connections == 2


def test_each_address_of_a_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a host's first address refuses the connection, the next one is tried."""
    found = [(2, 1, 6, "", ("127.0.0.2", 0)), (2, 1, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    assert using(Server(OK), get).content == b"{}"


def test_an_error_of_headers_hides_them() -> None:
    """A key that HTTP does not allow in a header is in no part of the error."""

    async def use(connection: DirectConnection) -> None:
        await connection.exchange("GET", "/thing", {"Authorization": "Bearer my\nkey"}, None)

    with pytest.raises(httpx.LocalProtocolError) as raised:
        using(Server(OK), use)
    assert raised.value.__suppress_context__
    assert "my" not in str(raised.value)


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_certificate_must_be_trusted(loop_factory: Any, certificate: Path) -> None:
    """Over TLS a response is read if the certificate is trusted; else the error names the cause."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def use(trusted: ssl.SSLContext) -> bytes:
        listening = await asyncio.start_server(Server(OK).serve, "127.0.0.1", 0, ssl=context)
        port = listening.sockets[0].getsockname()[1]
        connection = DirectConnection(f"https://localhost:{port}", trusted)
        try:
            return (await get(connection)).content
        finally:
            await connection.aclose()
            listening.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(use(ssl.create_default_context(cafile=certificate))) == b"{}"
        with pytest.raises(httpx.ConnectError) as raised:
            runner.run(use(httpx.create_ssl_context()))
    assert "self-signed certificate" in in_words(raised.value)
