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

- `endpoint` is named like the landing file: see `FIELDS`. `runs` are lists and single runs.
- `match` holds true values of the records to alter; without any, all records are altered. It may
  also name parameters of the request, see `REQUESTED`: roll-ups carry no date, so their day is the
  `start` of a window of one day, and the agent of `run_counts` stands in the request alone. A
  `date` matches any instant of that UTC day, a `datetime` the same instant however it is written.
- `field` is named as in the answer: run_costs have `total_cost`, unless the variant
  `new_cost_names` is on.
- `change` is the wrong value, or a function that makes it of the true one. Decimals are added
  and multiplied exactly; a float is refused.

To count a succeeded run as a failed one takes two lies, one for each count:

    for status, by in (("succeeded", -1), ("failed", 1)):
        match = {"agent_id": agent.id, "date": "2026-11-20", "status": status}
        world.lie("run_counts", match=match, field="count", change=lambda n, by=by: n + by)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from analytics.emulator.records import EXACT

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from analytics.emulator.records import Workspace

Record = dict[str, Any]

_TOKENS = "tokens_in tokens_out"
_MONEY = "cost_usd billed_usd"
_AGENT = "agent_id agent_name agent_slug"
_WINDOW = "start end"
_ROLLUP = f"{_MONEY} {_TOKENS} run_count"

FIELDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        endpoint: frozenset(names.split())
        for endpoint, names in {
            "agents": "id name slug description status config created_at updated_at draft_version",
            "runs": f"id status cost_usd {_TOKENS} started_at finished_at error agent_id"
            " agent_version_id agent_version parent_run_id session_id user_prompt created_at kind"
            " artifact_count artifact_count_truncated",
            "run_costs": f"run_id model provider total_cost total_tokens_in total_tokens_out"
            f" {_MONEY} {_TOKENS} request_count started_at ended_at",
            "run_counts": "date status count",
            "agent_rollups": f"{_AGENT} {_ROLLUP} request_count total_duration_ms last_run_at",
            "usage_hours": f"hour agent_id model provider cost_usd {_TOKENS} request_count"
            " error_count",
            "billing_days": f"date provider {_MONEY} {_TOKENS} request_count",
            "agent_billing_days": f"bucket {_AGENT} {_MONEY}",
            "platform_rollups": "platform_agent_id platform_agent_slug platform_agent_name"
            f" {_ROLLUP} targets",
        }.items()
    }
)
"""The fields of each endpoint's records."""

REQUESTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        endpoint: frozenset(f"workspace_id {names}".split())
        for endpoint, names in {
            "agents": "",
            "runs": "",
            "run_costs": "",
            "run_counts": "agent_id",
            "agent_rollups": _WINDOW,
            "usage_hours": _WINDOW,
            "billing_days": _WINDOW,
            "agent_billing_days": _WINDOW,
            "platform_rollups": _WINDOW,
        }.items()
    }
)
"""Further fields that a lie can match: the key's workspace, and the parameters of the request."""


@dataclass(slots=True, eq=False)
class Lie:
    """A wrong value of one field of the matching records in the responses of an endpoint."""

    endpoint: str
    field: str
    change: Any
    match: Mapping[str, Any]
    is_told: bool = False
    """True once a record has been altered."""

    def checked(self) -> Lie:
        """Return the lie; raises ValueError for an unknown name, TypeError for a float."""
        fields = FIELDS.get(self.endpoint)
        if fields is None:
            raise ValueError(f"No endpoint {self.endpoint!r}; there are {', '.join(FIELDS)}")
        _require([self.field], fields, self.endpoint)
        _require(self.match, fields | REQUESTED[self.endpoint], self.endpoint)
        _refuse_float(self.change)
        return self

    def alter(self, true: Record, altered: Record, requested: Record) -> Record:
        """Return the record, altered if the true one matches."""
        facts = requested | true
        if not all(_is(facts.get(name), value) for name, value in self.match.items()):
            return altered
        self.is_told = True
        if not callable(self.change):
            return altered | {self.field: self.change}
        with localcontext(EXACT):
            value = self.change(altered[self.field])
        _refuse_float(value)
        return altered | {self.field: value}


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


def _require(names: Iterable[str], known: frozenset[str], endpoint: str) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{endpoint} has no {name!r}; there are {', '.join(sorted(known))}")


def _refuse_float(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float; exact money is a {Decimal.__name__}")
