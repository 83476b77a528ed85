"""A server of raw bytes: whatever a hostile API sends, a client of it must end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing, suppress
from typing import Any

from analytics.levain import AsyncLevain
from tests.levain.answering import KEY, Use

Answer = bytes | Callable[[], AsyncIterator[bytes]]


def response(
    body: bytes, *, status: int = 200, headers: str = "", length: int | None = None
) -> bytes:
    """Return a whole response; `length` is the one that it says it has."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body) if length is None else length}\r\n"
    return f"{head}{headers}\r\n".encode() + body


class Wire:
    """Answers in turn, the last answer for ever; one that is a function sends what it yields."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self._serving: set[asyncio.Task[Any]] = set()
        self.requests: list[bytes] = []
        self.url = ""

    def ask(self, use: Use, key: str = KEY, **options: Any) -> Any:
        """Return what a client of this server gets."""
        return asyncio.run(self._ask(use, key, options))

    async def _ask(self, use: Use, key: str, options: dict[str, Any]) -> Any:
        listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        try:
            async with AsyncLevain(key, self.url, **options) as levain:
                return await use(levain)
        finally:
            listening.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self._serving.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError), closing(writer):
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                answer = self._answers.pop(0) if self._answers[1:] else self._answers[0]
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                    continue
                async for part in answer():
                    writer.write(part)
                    await writer.drain()
