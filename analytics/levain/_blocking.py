"""Blocking calls into the async client: an event loop in a thread, and methods that wait for it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from threading import Thread
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
N = TypeVar("N")


class EventLoopThread:
    """An event loop in its own thread; any other thread may call into it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="levain", daemon=True)
        self._thread.start()

    @property
    def is_closed(self) -> bool:
        """Return True once the loop is closed and takes no more calls."""
        return self._loop.is_closed()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Block until the coroutine finishes; if the caller is interrupted, cancel it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Yield each item as it arrives; when the caller stops iterating, close `items`."""
        steps: list[asyncio.Task[Any] | None] = []

        async def step() -> T:
            steps[:] = [asyncio.current_task()]
            return await anext(items)

        async def close() -> None:
            for unfinished in filter(None, steps):  # the caller was interrupted during this step
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
        """Stop the loop and join the thread."""
        self.call(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class SyncResource(Generic[N]):
    """The blocking counterpart of a resource such as `Runs`."""

    def __init__(self, loop_thread: EventLoopThread, resource: N) -> None:
        self._loop_thread = loop_thread
        self._resource = resource


def blocking(
    method: Callable[Concatenate[N, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[SyncResource[N], P], T]:
    """Return a blocking version of a coroutine method, with the same parameters and docstring."""

    @functools.wraps(method)
    def call(self: SyncResource[N], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._loop_thread.call(method(self._resource, *args, **kwargs))

    return call


def blocking_iter(
    method: Callable[Concatenate[N, P], AsyncIterator[T]],
) -> Callable[Concatenate[SyncResource[N], P], Iterator[T]]:
    """Return a blocking version of a method that returns an async iterator."""

    @functools.wraps(method)
    def call(self: SyncResource[N], /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return self._loop_thread.iterate(method(self._resource, *args, **kwargs))

    return call
