"""Middleware before the routes: the request log, the date, the faults."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from analytics.emulator.api.faults import Fault, Faults
    from analytics.emulator.world import World

PREFIXES = ("/api/", "/files/")


class Request(NamedTuple):
    """A request as received."""

    method: str
    path: str
    query: str


class Middleware:
    """An ASGI application around the API."""

    def __init__(self, app: ASGIApp, world: World, faults: Faults, requests: list[Request]) -> None:
        self._app = app
        self._world = world
        self._faults = faults
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, normally or by a fault."""
        path: str = scope["path"]
        with self._world.lock:  # while time passes, the clock stands at moments of the past
            date = format_datetime(self._world.now, usegmt=True).encode()

        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"date", date)]
            await send(message)

        fault = None
        if path.startswith(PREFIXES):
            self._requests.append(Request(scope["method"], path, scope["query_string"].decode()))
            fault = self._faults.take(path)
        if fault and fault.answer == "misdated":
            date = fault.date.encode()
        if fault is None or fault.answer == "misdated":
            await self._app(scope, receive, send_dated)
        elif fault.answer in ("cut", "truncated"):
            await self._break_body(fault, scope, receive, send_dated)
        else:
            await _answer(fault, send_dated)

    async def _break_body(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """Send half of the correct response."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        start = messages[0]
        body = b"".join(message.get("body", b"") for message in messages[1:])
        half = body[: len(body) // 2]
        is_cut = fault.answer == "cut"
        if not is_cut:
            others = [item for item in start["headers"] if item[0] != b"content-length"]
            start["headers"] = [*others, (b"content-length", str(len(half)).encode())]
        await send(start)
        # The server ends the connection of an application that leaves a body unfinished.
        await send({"type": "http.response.body", "body": half, "more_body": is_cut})


async def _answer(fault: Fault, send: Send) -> None:
    status, body = {
        "500": (500, b'{"detail":"Internal Server Error"}'),
        "503": (503, b'{"detail":"Service Unavailable"}'),
        "429": (429, b'{"detail":"Too Many Requests"}'),
        "307": (307, b""),
        "403": (403, b'{"detail":"Forbidden"}'),
        "404": (404, b'{"detail":"Not Found"}'),
        "invalid": (200, b"<html><body>upstream sent no JSON</body></html>"),
    }[fault.answer]
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if status == 429:
        headers.append((b"retry-after", str(fault.retry_after_seconds).encode()))
    if fault.location:
        headers.append((b"location", fault.location.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
