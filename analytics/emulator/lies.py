"""Wrong answers, ordered by tests: one field of some records of one endpoint.

    lie = world.lie(
        "agent_rollups",
        match={"agent_id": agent.id, "start": date(2026, 11, 20)},
        field="cost_usd",
        change=lambda cost: cost + Decimal("0.01"),
    )
    ...  # GET /analytics/agents of that day reports a cent more for this agent
    assert lie.is_told
    world.retract(lie)  # from here on the endpoint's responses are correct

A lie alters the responses of one endpoint on their way out. The world stays as it is, so that
every other endpoint stays correct.

- `endpoint` is named like the landing file. `runs` are lists and single runs.
- `match` holds true values of the records to alter; without any, all records are altered. It may
  also name parameters of the request: roll-ups carry no date, so their day is the
  `start` of a window of one day, and the agent of `run_counts` stands in the request alone. A
  `date` matches any instant of that UTC day, a `datetime` the same instant however it is written.
- `field` is named as in the answer: run_costs have `total_cost`, unless the variant
  `new_cost_names` is on.
- `change` is the wrong value, or a function that makes it of the true one. Decimals are added
  and multiplied exactly.

To count a succeeded run as a failed one takes two lies, one for each count:

    for status, by in (("succeeded", -1), ("failed", 1)):
        match = {"agent_id": agent.id, "date": "2026-11-20", "status": status}
        world.lie("run_counts", match=match, field="count", change=lambda n, by=by: n + by)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import localcontext
from typing import TYPE_CHECKING, Any

from analytics.emulator.records import EXACT

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from analytics.emulator.records import Workspace

Record = dict[str, Any]


@dataclass(slots=True, eq=False)
class Lie:
    """A wrong value of one field of the matching records in the responses of an endpoint."""

    endpoint: str
    field: str
    change: Any
    match: Mapping[str, Any]
    is_told: bool = False
    """True once a record has been altered."""

    def alter(self, true: Record, altered: Record, requested: Record) -> Record:
        """Return the record, altered if the true one matches."""
        facts = requested | true
        if not all(_is(facts.get(name), value) for name, value in self.match.items()):
            return altered
        self.is_told = True
        if not callable(self.change):
            return altered | {self.field: self.change}
        with localcontext(EXACT):
            return altered | {self.field: self.change(altered[self.field])}


class Lies:
    """The active lies; several about one field add up in their order."""

    def __init__(self, workspaces: list[Workspace], lock: AbstractContextManager[bool]) -> None:
        self._workspaces = workspaces
        self._lock = lock
        self._lies: list[Lie] = []

    def add(self, lie: Lie) -> Lie:
        """Activate a lie."""
        with self._lock:
            self._lies.append(lie)
            self._forget_encoded(lie)
        return lie

    def remove(self, *lies: Lie) -> None:
        """Remove some lies, or all if none is named."""
        with self._lock:
            for lie in lies or tuple(self._lies):
                self._lies.remove(lie)
                self._forget_encoded(lie)

    def alter(self, endpoint: str, records: list[Record], **requested: Any) -> list[Record]:
        """Return an endpoint's records, altered by its lies."""
        lies = [lie for lie in self._lies if lie.endpoint == endpoint]
        if not lies:
            return records
        return [_told(lies, record, requested) for record in records]

    def _forget_encoded(self, lie: Lie) -> None:
        """Drop the encoded records of runs that a lie may alter."""
        for workspace in self._workspaces if lie.endpoint == "runs" else ():
            for run in workspace.runs.values():
                if lie.match.get("id") in (None, run.id):
                    run.encoded = None


def _told(lies: list[Lie], true: Record, requested: Record) -> Record:
    altered = true
    for lie in lies:
        altered = lie.alter(true, altered, requested)
    return altered


def _is(value: Any, wanted: Any) -> bool:
    """Return True if a value is the wanted one; a date is compared with the value's UTC day."""
    if isinstance(wanted, date) and isinstance(value, str):
        if isinstance(wanted, datetime):
            return datetime.fromisoformat(value) == wanted
        return value.startswith(wanted.isoformat())
    return bool(value == wanted)
