"""Middleware before the routes: the request log, the date, and the faults that tests order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import format_datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from analytics.emulator.world import World

Answer = Literal["500", "503", "307", "403", "404", "cut", "silent", "invalid", "misdated"]
_BODIES = {
    "500": b'{"detail":"Internal Server Error"}',
    "503": b'{"detail":"Service Unavailable"}',
    "307": b"",
    "403": b'{"detail":"Forbidden"}',
    "404": b'{"detail":"Not Found"}',
    "invalid": b"<html><body>upstream sent no JSON</body></html>",
}


class Request(NamedTuple):
    """A request as received."""

    method: str
    path: str
    query: str


@dataclass(slots=True)
class Fault:
    """The next responses to matching paths: an error status, a broken body, or a wrong `Date`.

    `cut` ends the connection within the body, `silent` answers nothing, `invalid` sends 200 with a
    body that is not JSON. `307` redirects to `location`. `misdated` is the right response, with
    another `date`.
    """

    path: str
    answer: Answer
    times: int = 1
    location: str = ""
    date: str = ""


class Faults:
    """The pending faults."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []
        self._lock = Lock()

    def add(self, path: str, answer: Answer, times: int = 1, **more: Any) -> None:
        """Break the next responses to paths that match the expression; see `Fault`."""
        with self._lock:
            self._pending.append(Fault(path, answer, times, **more))

    def clear(self) -> None:
        """Remove all faults: responses are normal again."""
        with self._lock:
            self._pending.clear()

    def take(self, path: str) -> Fault | None:
        """Return the oldest fault for a path and count it down."""
        with self._lock:
            fault = next((each for each in self._pending if re.search(each.path, path)), None)
            if fault:
                fault.times -= 1
                if fault.times <= 0:
                    self._pending.remove(fault)
            return fault


class Middleware:
    """An ASGI application around the API."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world
        self.faults = Faults()
        self.requests: list[Request] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, normally or by a fault."""
        path: str = scope["path"]
        with self._world.lock:  # while time passes, the clock stands at moments of the past
            date = format_datetime(self._world.now, usegmt=True)
        self.requests.append(Request(scope["method"], path, scope["query_string"].decode()))
        fault = self.faults.take(path)
        if fault and fault.date:
            date = fault.date

        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"date", date.encode())]
            await send(message)

        if fault is None or fault.answer == "misdated":
            await self._app(scope, receive, send_dated)
        elif fault.answer == "silent":
            while (await receive())["type"] != "http.disconnect":
                pass
        elif fault.answer in _BODIES:
            await _answer(fault)(scope, receive, send_dated)
        else:
            await self._cut(scope, receive, send_dated)

    async def _cut(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send half of the correct response."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        start, *parts = messages
        body = b"".join(part.get("body", b"") for part in parts)
        await send(start)
        # The server ends the connection of an application that leaves a body unfinished.
        half = body[: len(body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


def _answer(fault: Fault) -> Response:
    headers = {"location": fault.location} if fault.location else {}
    status = 200 if fault.answer == "invalid" else int(fault.answer)
    return Response(_BODIES[fault.answer], status, headers, "application/json")
