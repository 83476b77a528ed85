"""Wrong answers, ordered by tests: one field of some records of one endpoint.

    world.lie(
        "agent_rollups",
        match={"agent_id": agent.id, "start": date(2026, 11, 20)},
        field="cost_usd",
        change=lambda cost: cost + Decimal("0.01"),
    )
    ...  # GET /analytics/agents of that day reports a cent more for this agent
    world.retract()  # from here on all responses are correct

A lie alters the responses of one endpoint on their way out. The world stays as it is, so that
every other endpoint stays correct.

- `endpoint` is named like the landing file. `runs` are lists and single runs.
- `match` holds true values of the records to alter; without any, all records are altered. It may
  also name parameters of the request: roll-ups carry no date, so their day is the
  `start` of a window of one day, and the agent of `run_counts` stands in the request alone. A
  `date` matches any instant of that UTC day, a `datetime` the same instant however it is written.
- `field` is named as in the answer: run_costs have `total_cost`.
- `change` is the wrong value, or a function that makes it of the true one. Decimals are added
  and multiplied exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import localcontext
from typing import Any

from analytics.emulator.records import EXACT

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
        with localcontext(EXACT):
            wrong = self.change(altered[self.field]) if callable(self.change) else self.change
        return altered | {self.field: wrong}


class Lies(list[Lie]):
    """The active lies; several about one field add up in their order."""

    def alter(self, endpoint: str, records: list[Record], **requested: Any) -> list[Record]:
        """Return an endpoint's records, altered by its lies."""
        told = []
        for true in records:
            altered = true
            for lie in self:
                if lie.endpoint == endpoint:
                    altered = lie.alter(true, altered, requested)
            told.append(altered)
        return told


def _is(value: Any, wanted: Any) -> bool:
    """Return True if a value is the wanted one; a date is compared with the value's UTC day."""
    if isinstance(wanted, date) and isinstance(value, str):
        if isinstance(wanted, datetime):
            return datetime.fromisoformat(value) == wanted
        return value.startswith(wanted.isoformat())
    return bool(value == wanted)
