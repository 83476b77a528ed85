"""Planned actions, in the order of their moments."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class Agenda:
    """Actions with their moments; those of one moment in the order in which they were put down."""

    def __init__(self) -> None:
        self._entries: list[tuple[datetime, int, Callable[[], object]]] = []
        self._order = count()

    @property
    def due(self) -> datetime | None:
        """The moment of the next action, or None if there is none."""
        return self._entries[0][0] if self._entries else None

    def put(self, moment: datetime, action: Callable[[], object]) -> None:
        """Put something down; when time passes the moment, it is the present."""
        heapq.heappush(self._entries, (moment, next(self._order), action))

    def take(self) -> tuple[datetime, Callable[[], object]]:
        """Take the next thing off, with its moment; raises `IndexError` if there is none."""
        moment, _, action = heapq.heappop(self._entries)
        return moment, action
