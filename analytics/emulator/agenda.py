"""Future actions, in the order of their times."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class Agenda:
    """Actions with their times; actions of one time keep the order in which they were added."""

    def __init__(self) -> None:
        self._entries: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = count()

    @property
    def due(self) -> datetime | None:
        """The time of the next action, or None."""
        return self._entries[0][0] if self._entries else None

    def put(self, moment: datetime, action: Callable[[], object]) -> None:
        """Add an action; when time passes its moment, the clock stands at it."""
        heapq.heappush(self._entries, (moment, next(self._order), action))

    def take(self) -> tuple[datetime, Callable[[], object]]:
        """Remove and return the next action, with its time.

        Raises `IndexError` if there is none.
        """
        moment, _, action = heapq.heappop(self._entries)
        return moment, action
