"""The sources of the pipeline: one `Source` per landing file, with each field's type.

Everything that handles records (the tables of `raw`, the typing of landing lines, the rules of
replacement) is derived from this list, so a new field is one line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

OPEN = ("pending", "running")

TERMINAL = ("succeeded", "failed", "cancelled")
"""The statuses of a run that has ended; any other status, also an unknown one, is open."""

TERMINAL_STATUSES = "('" + "', '".join(TERMINAL) + "')"
"""The same, as SQL."""

MOST_RUNS_APART = 10
"""Runs of an agent's day by which two sources of the API may differ without a stop."""


class Kind(Enum):
    """The type of a JSON value, and the column type that it becomes."""

    TEXT = "VARCHAR"
    MONEY = "DECIMAL(18,10)"
    COST = "NUMERIC(18,10)"  # the same, of what cannot be negative
    COUNT = "BIGINT"
    NUMBER = "DOUBLE"
    FLAG = "BOOLEAN"
    DAY = "DATE"
    INSTANT = "TIMESTAMPTZ"
    EPOCH = "TIMESTAMP WITH TIME ZONE"  # seconds since 1970, as a JSON number


class Scope(Enum):
    """The rows that a request replaces when it is read again.

    LIST: the whole list, so that a record missing from it is superseded. RECORD: the record with
    the same key. RUN, AGENT: all rows of the requested run or agent. DAY: all rows of the UTC days
    of the requested window. AGENT_DAY: those of the requested agent.
    """

    LIST = "list"
    RECORD = "record"
    RUN = "run"
    AGENT = "agent"
    DAY = "day"
    AGENT_DAY = "agent_day"


@dataclass(frozen=True)
class Field:
    """A column, and the names under which the API may send its value (the first wins).

    A record whose value of an essential field is invalid is quarantined whole, and so is one that
    lacks a required field. Of any other field, only the value is: the column is null then.
    Essential is what identifies a record, says whose it is and when, and each figure that is
    summed.
    """

    column: str
    kind: Kind
    names: tuple[str, ...] = ()
    required: bool = False
    is_essential: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """The field's JSON names; a dot leads into a nested object."""
        return self.names or (self.column,)


@dataclass(frozen=True)
class Source:
    """One landing file: its name, its fields, and the rows that a second reading replaces.

    `keys` are the columns that identify the record (LIST, RECORD), run, agent or day of a row; a
    key that no field holds comes from the request (a run's or agent's id, a window's first day).
    `parts` distinguish the rows of a run, agent or day.
    """

    name: str
    scope: Scope
    keys: tuple[str, ...]
    fields: tuple[Field, ...]
    parts: tuple[str, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """The keys that no field holds."""
        return tuple(key for key in self.keys if key not in {each.column for each in self.fields})

    @property
    def columns(self) -> dict[str, str]:
        """Column name to SQL type, keys of the request first."""
        return {key: (Kind.DAY if key == "date" else Kind.TEXT).value for key in self.asked} | {
            field.column: field.kind.value for field in self.fields
        }


def _money(column: str) -> Field:
    return Field(column, Kind.MONEY, is_essential=True)


def _cost(column: str, *names: str) -> Field:
    return Field(column, Kind.COST, names, is_essential=True)


def _sum(column: str, *names: str) -> Field:
    return Field(column, Kind.COUNT, names, is_essential=True)


def _id(column: str, *names: str) -> Field:
    return Field(column, Kind.TEXT, names, is_essential=True)


def _required(column: str, *names: str, kind: Kind = Kind.TEXT) -> Field:
    return Field(column, kind, names, required=True, is_essential=True)


def _text(column: str, *names: str) -> Field:
    return Field(column, Kind.TEXT, names)


def _count(column: str, *names: str) -> Field:
    return Field(column, Kind.COUNT, names)


def _instant(column: str) -> Field:
    return Field(column, Kind.INSTANT)


_AGENT = _id("agent_id")
_TOKENS = (_sum("tokens_in"), _sum("tokens_out"))

# A refund is metered and billed when it is made, so that an hour or a day may have less than
# nothing; a run, and a day of runs by their creation, may not.
_METERED = _money("cost_usd")
_BILLED = _money("billed_usd")

WORKSPACES = Source(
    "workspaces",
    Scope.LIST,
    ("named_id",),
    (
        _required("named_id", "workspace_id"),
        _text("workspace_name"),
    ),
)

PROVIDER_KEYS = Source(
    "provider_keys",
    Scope.LIST,
    ("key_id",),
    (
        _required("key_id", "key_id", "id"),
        _id("provider"),
        Field("created_at", Kind.INSTANT, is_essential=True),
    ),
)

AGENTS = Source(
    "agents",
    Scope.LIST,
    ("agent_id",),
    (
        _required("agent_id", "id"),
        _text("agent_name", "name"),
        _text("agent_slug", "slug"),
        _text("status"),
        Field("max_budget_usd", Kind.COST, ("config.max_budget",)),
        _count("timeout_minutes", "config.timeout_minutes"),
        _instant("created_at"),
        _instant("updated_at"),
    ),
)

AGENT_VERSIONS = Source(
    "agent_versions",
    Scope.AGENT,
    ("agent_id",),
    (
        _required("agent_version_id", "id"),
        _required("agent_version", "version", kind=Kind.COUNT),
        _text("status"),
        _count("parent_version"),
        _instant("created_at"),
        _instant("updated_at"),
        _instant("last_commit_at"),
    ),
    parts=("agent_version_id",),
)

RUNS = Source(
    "runs",
    Scope.RECORD,
    ("run_id",),
    (
        _required("run_id", "id"),
        _AGENT,
        _count("agent_version"),
        _text("session_id"),
        _text("parent_run_id"),
        _text("kind"),
        _required("status"),
        _cost("cost_usd"),
        *_TOKENS,
        _count("artifact_count"),
        _text("error"),
        _required("created_at", kind=Kind.INSTANT),
        _instant("started_at"),
        _instant("finished_at"),
    ),
)

RUN_COSTS = Source(
    "run_costs",
    Scope.RUN,
    ("run_id",),
    (
        _text("model"),
        _text("provider"),
        _cost("cost_usd", "total_cost", "cost_usd"),
        _sum("tokens_in", "total_tokens_in", "tokens_in"),
        _sum("tokens_out", "total_tokens_out", "tokens_out"),
        _count("request_count"),
        _instant("started_at"),
        _instant("ended_at"),
    ),
    parts=("model", "provider"),
)

RUN_LOG_EVENTS = Source(
    "run_log_events",
    Scope.RUN,
    ("run_id",),
    (
        _count("seq"),
        Field("occurred_at", Kind.EPOCH, ("ts",)),
        _text("level"),
        _text("logger"),
        _text("node"),
        _text("event_kind", "event.kind"),
        _text("tool_use_id", "event.tool_use_id"),
        _text("tool_name", "event.tool_name"),
        Field("is_error", Kind.FLAG, ("event.is_error",)),
        Field("duration_ms", Kind.NUMBER),
    ),
)

SCHEDULES = Source(
    "schedules",
    Scope.RECORD,
    ("schedule_id",),
    (
        _required("schedule_id", "id"),
        _text("agent_id"),
        _text("last_run_id"),
    ),
)

RUN_COUNTS = Source(
    "run_counts",
    Scope.AGENT_DAY,
    ("agent_id", "date"),
    (
        _required("date", kind=Kind.DAY),
        _id("status"),
        _sum("run_count", "count"),
    ),
    parts=("status",),
)

USAGE_HOURS = Source(
    "usage_hours",
    Scope.DAY,
    ("date",),
    (
        _required("hour", kind=Kind.INSTANT),
        _AGENT,
        _text("model"),
        _text("provider"),
        _METERED,
        *_TOKENS,
        _count("request_count"),
        _count("error_count"),
    ),
    parts=("hour", "agent_id", "model", "provider"),
)

BILLING_DAYS = Source(
    "billing_days",
    Scope.DAY,
    ("date",),
    (
        _required("date", kind=Kind.DAY),
        _text("provider"),
        _METERED,
        _BILLED,
        *_TOKENS,
        _count("request_count"),
    ),
    parts=("provider",),
)

AGENT_BILLING_DAYS = Source(
    "agent_billing_days",
    Scope.DAY,
    ("date",),
    (
        _required("date", "bucket", kind=Kind.DAY),
        _AGENT,
        _METERED,
        _BILLED,
    ),
    parts=("agent_id",),
)

AGENT_ROLLUPS = Source(
    "agent_rollups",
    Scope.DAY,
    ("date",),
    (
        _AGENT,
        _text("agent_name"),
        _text("agent_slug"),
        _cost("cost_usd"),
        _BILLED,
        *_TOKENS,
        _count("request_count"),
        _sum("run_count"),
        _count("total_duration_ms"),
        _instant("last_run_at"),
    ),
    parts=("agent_id",),
)

PLATFORM_ROLLUPS = Source(
    "platform_rollups",
    Scope.DAY,
    ("date",),
    (
        _id("platform_agent_id"),
        _text("platform_agent_slug"),
        _text("platform_agent_name"),
        _sum("run_count"),
        _cost("cost_usd"),
        _BILLED,
        *_TOKENS,
    ),
    parts=("platform_agent_id",),
)

SOURCES = (
    WORKSPACES,
    PROVIDER_KEYS,
    AGENTS,
    AGENT_VERSIONS,
    SCHEDULES,
    RUN_COUNTS,
    RUNS,
    RUN_COSTS,
    RUN_LOG_EVENTS,
    USAGE_HOURS,
    BILLING_DAYS,
    AGENT_BILLING_DAYS,
    AGENT_ROLLUPS,
    PLATFORM_ROLLUPS,
)
