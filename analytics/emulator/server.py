"""The emulator's server: for the command line, and in a thread for tests."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import msgspec
import uvicorn
from fastapi import FastAPI

from analytics.emulator import routes
from analytics.emulator.faults import Middleware

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.emulator.world import World

HOST = "127.0.0.1"
IDLE_SECONDS = 75  # longer than any client keeps an idle connection


class Emulator:
    """A world behind a bound socket."""

    def __init__(self, world: World, port: int = 0) -> None:
        self.world = world
        api = FastAPI(openapi_url=None, routes=[*routes.router.routes, *routes.files.routes])
        api.state.world = world
        self.app = Middleware(api, world)
        self.faults, self.requests = self.app.faults, self.app.requests
        self._socket = socket.create_server((HOST, port), backlog=512)
        # Its connections inherit it: head and body go at once, not each 40 ms after the other.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app,
                http="httptools",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                date_header=False,
                server_header=False,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=1,
            )
        )

    def run(self) -> None:
        """Serve until stopped."""
        self._server.run(sockets=[self._socket])

    def stop(self, *_: object) -> None:
        """End `run`, also if it has not begun."""
        self._server.should_exit = True


def serve(world: World, port: int = 0, *, speed: float = 1.0) -> None:
    """Serve a world on loopback until SIGTERM or SIGINT; port 0 takes a free one.

    The first line on standard output is one JSON object with the URL and the keys. The world's
    clock runs at `speed` times real time; at speed 0 it stands still.
    """
    emulator = Emulator(world, port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, emulator.stop)
    world.clock.tick(speed)
    workspaces = [
        {"workspace_id": w.id, "workspace_name": w.name, "api_key": w.api_key}
        for w in world.workspaces
    ]
    line = {"url": emulator.url, "workspaces": workspaces}
    print(msgspec.json.encode(line).decode(), flush=True)
    emulator.run()


@contextmanager
def running(world: World, *, speed: float = 0.0) -> Iterator[Emulator]:
    """Serve a world from a thread, on a free loopback port, within the block.

    Without a speed its clock stands still, and runs continue only by `World.pass_time`. The thread
    is not waited for: the server ends within a second.
    """
    emulator = Emulator(world)
    if speed:
        world.clock.tick(speed)
    Thread(target=emulator.run, name="emulator", daemon=True).start()
    try:
        yield emulator
    finally:
        emulator.stop()
