"""A connection to the API without a proxy: HTTP/1.1 by h11 on a transport of the event loop.

httpx's clients, and the pools and streams below them, take three times the time for a request.
Failures are httpx's errors, as those of its transports are.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections.abc import Iterable
from typing import cast

import h11
import httpx

from analytics.levain.replies import Reply, reply_of, require_length

CONNECT_SECONDS = 5.0
FIRST_ADDRESSES_SECONDS = 1.0
"""Each address of the host but the last has so long to answer: some networks drop IPv6 silently."""

ANSWER_SECONDS = 30.0
"""The longest silence of the API within a request."""

LONGEST_IDLE = 5.0
"""Seconds after which a connection is not used again: the API may be closing it."""

LONGEST_HEAD = 100 * 1024

_PORTS = {"http": 80, "https": 443}
_WITH_BODY = ("POST", "PUT", "PATCH")


class DirectConnection:
    """Sends requests one at a time; opens its connection at the first, and after each failure."""

    def __init__(self, api: str, context: ssl.SSLContext) -> None:
        self._api = api
        self._context = context
        self._context.set_alpn_protocols(["http/1.1"])
        self._wire: _Wire | None = None
        self._host = self._base = b""

    async def exchange(
        self, method: str, path: str, headers: dict[str, str], content: bytes | None
    ) -> Reply:
        """Send a request and read its whole response; raises httpx.HTTPError, httpx.InvalidURL."""
        wire = await self._open_wire()
        try:
            return await wire.exchange(self._parts(method, path, headers, content))
        except BaseException:
            wire.close()  # the rest of a response may be on its way
            raise

    async def aclose(self) -> None:
        """Close the connection."""
        if self._wire is not None:
            self._wire.close()
            await asyncio.sleep(0)  # the event loop closes its socket

    async def _open_wire(self) -> _Wire:
        if self._wire is not None and self._wire.is_usable():
            return self._wire
        await self.aclose()
        url = httpx.URL(self._api)
        if url.scheme not in _PORTS or not url.host:
            raise httpx.UnsupportedProtocol("the address is not one of http:// or https://")
        self._host, self._base = url.netloc, url.raw_path.rstrip(b"/")
        self._wire = await self._connect(url)
        return self._wire

    async def _connect(self, url: httpx.URL) -> _Wire:
        """Try the addresses of the host in turn."""
        host = url.raw_host.decode("ascii")
        port = url.port or _PORTS[url.scheme]
        loop = asyncio.get_running_loop()
        tls, name = (self._context, host) if url.scheme == "https" else (None, None)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await loop.getaddrinfo(url.raw_host, port, type=socket.SOCK_STREAM)
                addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
                for address in addresses:
                    limit = FIRST_ADDRESSES_SECONDS if address != addresses[-1] else None
                    try:
                        async with asyncio.timeout(limit):
                            _, wire = await loop.create_connection(
                                _Wire, address, port, ssl=tls, server_hostname=name
                            )
                    except OSError:  # a TimeoutError is one
                        if address == addresses[-1]:
                            raise
                    else:
                        return wire
        except TimeoutError as error:
            raise httpx.ConnectTimeout("") from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        raise httpx.ConnectError(f"{host} has no address")

    def _parts(
        self, method: str, path: str, headers: dict[str, str], content: bytes | None
    ) -> Iterable[h11.Event]:
        fields = [(b"Host", self._host)]
        if content is not None or method in _WITH_BODY:
            fields.append((b"Content-Length", b"%d" % len(content or b"")))
        fields += [(name.encode("ascii"), text.encode("ascii")) for name, text in headers.items()]
        try:
            yield h11.Request(method=method, target=self._base + path.encode(), headers=fields)
        except h11.LocalProtocolError:  # whose message would show the key
            raise httpx.LocalProtocolError("a header holds what HTTP does not allow") from None
        if content:
            yield h11.Data(content)
        yield h11.EndOfMessage()


class _Wire(asyncio.Protocol):
    """An open connection, and the response that it is receiving."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        self._transport: asyncio.Transport
        self._reply: asyncio.Future[Reply] | None = None
        self._head: h11.Response
        self._body: list[bytes | bytearray] = []
        self._length = 0
        self._heard_at = self._loop.time()
        self._is_closed = False
        self._arrivals = select.poll()

    async def exchange(self, parts: Iterable[h11.Event]) -> Reply:
        """Send a request, and return its response."""
        request = b"".join(filter(None, map(self._http.send, parts)))
        self._reply = self._loop.create_future()
        self._heard_at = self._loop.time()
        self._timer = self._loop.call_later(ANSWER_SECONDS, self._give_up_if_silent)
        try:
            self._transport.write(request)
            return await self._reply
        finally:
            self._timer.cancel()
            self._reply = None

    def is_usable(self) -> bool:
        """Return True if another request can be sent."""
        if self._is_closed or self._loop.time() - self._heard_at > LONGEST_IDLE:
            return False
        # Between two responses the API has nothing to say but that it closes the connection, and
        # the event loop may not have come to read that yet.
        return not self._arrivals.poll(0)

    def close(self) -> None:
        """Close the connection at once."""
        self._is_closed = True
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is of no such class
        self._arrivals.register(transport.get_extra_info("socket"), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Read on in the response."""
        self._heard_at = self._loop.time()
        self._receive(data)

    def eof_received(self) -> None:
        """Read the end of the response, if the end of the connection is that."""
        self._is_closed = True
        self._receive(b"")

    def connection_lost(self, error: Exception | None) -> None:
        """Fail the response that is under way."""
        self._is_closed = True
        self._fail(httpx.ReadError(str(error or "")), error)

    def _receive(self, data: bytes) -> None:
        if self._reply is None or self._reply.done():
            self.close()  # between two responses the API has nothing to say
            return
        self._http.receive_data(data)
        if not data and self._http.their_state is h11.SEND_RESPONSE:
            self._fail(httpx.RemoteProtocolError("Server disconnected without sending a response."))
            return
        try:
            self._read_events(self._reply)
        except (h11.RemoteProtocolError, httpx.HTTPError, MemoryError) as error:
            self._fail(httpx.RemoteProtocolError(str(error) or "no memory is left"), error)

    def _read_events(self, reply: asyncio.Future[Reply]) -> None:
        while (event := self._http.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                self._head, self._body, self._length = event, [], 0
            elif isinstance(event, h11.Data):
                self._body.append(event.data)
                self._length += len(event.data)
                require_length(self._length)
            elif isinstance(event, h11.EndOfMessage):
                self._end_cycle()
                head = self._head
                reply.set_result(
                    reply_of(head.status_code, head.headers.raw_items(), b"".join(self._body))
                )
                return

    def _end_cycle(self) -> None:
        http = self._http
        is_over = http.our_state is h11.DONE and http.their_state is h11.DONE
        if is_over and not http.trailing_data[0]:
            http.start_next_cycle()
        else:
            self.close()

    def _give_up_if_silent(self) -> None:
        silence = self._loop.time() - self._heard_at
        if silence < ANSWER_SECONDS:
            self._timer = self._loop.call_later(ANSWER_SECONDS - silence, self._give_up_if_silent)
        else:
            self._fail(httpx.ReadTimeout(""), TimeoutError())

    def _fail(self, failure: httpx.HTTPError, cause: Exception | None = None) -> None:
        self._body = []  # errors are kept over all tries: not so what was received of a response
        if self._reply is not None and not self._reply.done():
            failure.__cause__ = cause and cause.with_traceback(None)
            self._reply.set_exception(failure)
