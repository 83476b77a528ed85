"""From plain code into the client: one event loop in a thread, and methods that wait for it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from threading import Thread
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
N = TypeVar("N")


class Portal:
    """An event loop in a thread of its own; any other thread may call in."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="levain", daemon=True)
        self._thread.start()

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be called any more."""
        return self._loop.is_closed()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the result; whoever is interrupted while waiting takes the work along."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Each item as it comes; leaving the loop ends the asking."""
        steps: list[asyncio.Task[Any] | None] = []

        async def step() -> T:
            steps[:] = [asyncio.current_task()]
            return await anext(items)

        async def close() -> None:
            for unfinished in filter(None, steps):  # by whoever was interrupted while it waited
                unfinished.cancel()
                await asyncio.wait([unfinished])
            if isinstance(items, AsyncGenerator):
                await items.aclose()

        try:
            while True:
                try:
                    yield self.call(step())
                except StopAsyncIteration:
                    return
        finally:
            if not self.is_closed:
                self.call(close())

    def close(self) -> None:
        """End the thread."""
        self.call(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Noun(Generic[N]):
    """The plain face of a noun of the API."""

    def __init__(self, portal: Portal, noun: N) -> None:
        self._portal = portal
        self._noun = noun


def waits(
    method: Callable[Concatenate[N, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Noun[N], P], T]:
    """The same method for plain code: same parameters, same words, and the result itself."""

    @functools.wraps(method)
    def call(self: Noun[N], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._portal.call(method(self._noun, *args, **kwargs))

    return call


def iterates(
    method: Callable[Concatenate[N, P], AsyncIterator[T]],
) -> Callable[Concatenate[Noun[N], P], Iterator[T]]:
    """The same for a method that gives one thing after the other."""

    @functools.wraps(method)
    def call(self: Noun[N], /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return self._portal.iterate(method(self._noun, *args, **kwargs))

    return call
