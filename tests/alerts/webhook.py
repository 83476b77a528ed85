"""A webhook on loopback that keeps the messages that it gets."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook:
    """Its messages with their paths; it answers with `status`, or not at all if that is 0.

    The first requests are answered with the codes of `first`.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.status = 200
        self.first: list[int] = []
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.goes_on = threading.Event()

    def address(self, path: str = "hook", **options: object) -> str:
        """The address of Apprise for a path."""
        query = "&".join(f"{name}={value}" for name, value in ({"rto": 60} | options).items())
        return f"json://127.0.0.1:{self.port}/{path}?{query}"

    @property
    def findings(self) -> Counter[tuple[str, str]]:
        """How often each path got each finding."""
        return Counter(
            (path, line.removeprefix("- "))
            for path, message in self.received
            for line in message["message"].splitlines()
            if line.startswith("- ")
        )


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Serve a webhook."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.received.append((self.path.strip("/").partition("?")[0], json.loads(body)))
            if not hook.status:
                hook.goes_on.wait()
            self.send_response(hook.first.pop(0) if hook.first else hook.status or 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that has given up is no error here."""

    with Server(("127.0.0.1", 0), Handler) as server:
        hook = Webhook(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hook
        finally:
            hook.goes_on.set()
            server.shutdown()
            thread.join()
