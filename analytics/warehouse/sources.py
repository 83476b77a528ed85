"""The sources of the pipeline: one `Source` per landing file, with each field's type.

Everything that handles records (the tables of `raw`, the typing of landing lines, the rules of
replacement) is derived from this table, so a new field is one entry of it; a text, an object or a
field of a log event also is one of `extract/privacy.py`, else it never lands.
"""

from __future__ import annotations

import re
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
    summed. A time before one of the `earlier` columns is invalid.
    """

    column: str
    kind: Kind
    names: tuple[str, ...] = ()
    required: bool = False
    is_essential: bool = False
    earlier: tuple[str, ...] = ()

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


# A refund is metered and billed when it is made, so that an hour or a day may have less than
# nothing (money); a run, and a day of runs by their creation, may not (cost).
_TABLE = """
workspaces: list by named_id
    named_id! text = workspace_id; workspace_name text

provider_keys: list by key_id
    key_id! text = key_id or id; provider* text; created_at* instant

agents: list by agent_id
    agent_id! text = id; agent_name text = name; agent_slug text = slug; status text;
    max_budget_usd cost = config.max_budget; timeout_minutes count = config.timeout_minutes;
    created_at instant; updated_at instant

agent_versions: agent by agent_id; parts agent_version_id
    agent_version_id! text = id; agent_version! count = version; status text;
    parent_version count; created_at instant; updated_at instant; last_commit_at instant

schedules: record by schedule_id
    schedule_id! text = id; agent_id text; cron_expr text; timezone text; enabled flag;
    created_at instant; last_run_id text

run_counts: agent_day by agent_id, date; parts status
    date! day; status* text; run_count* count = count

runs: record by run_id
    run_id! text = id; agent_id* text; agent_version count; session_id text; parent_run_id text;
    kind text; status! text; cost_usd* cost; tokens_in* count; tokens_out* count;
    artifact_count count; error text; created_at! instant; started_at instant after created_at;
    finished_at instant after created_at, started_at

run_costs: run by run_id; parts model, provider
    model text; provider text; cost_usd* cost = total_cost or cost_usd;
    tokens_in* count = total_tokens_in or tokens_in;
    tokens_out* count = total_tokens_out or tokens_out; request_count count; started_at instant;
    ended_at instant

run_log_events: run by run_id
    seq count; occurred_at epoch = ts; level text; logger text; node text;
    event_kind text = event.kind; tool_use_id text = event.tool_use_id;
    tool_name text = event.tool_name; is_error flag = event.is_error; duration_ms number

usage_hours: day by date; parts hour, agent_id, model, provider
    hour! instant; agent_id* text; model text; provider text; cost_usd* money; tokens_in* count;
    tokens_out* count; request_count count; error_count count

billing_days: day by date; parts provider
    date! day; provider text; cost_usd* money; billed_usd* money; tokens_in* count;
    tokens_out* count; request_count count

agent_billing_days: day by date; parts agent_id
    date! day = bucket; agent_id* text; cost_usd* money; billed_usd* money

agent_rollups: day by date; parts agent_id
    agent_id* text; agent_name text; agent_slug text; cost_usd* cost; billed_usd* money;
    tokens_in* count; tokens_out* count; request_count count; run_count* count;
    total_duration_ms count; last_run_at instant

platform_rollups: day by date; parts platform_agent_id
    platform_agent_id* text; platform_agent_slug text; platform_agent_name text; run_count* count;
    cost_usd* cost; billed_usd* money; tokens_in* count; tokens_out* count
"""
"""Each source with its scope, keys and parts; then its fields, each with its kind, and the names of
the API where these are others. `!` is required, `*` essential; a time is not before those that it
is `after`."""


def _source(paragraph: str) -> Source:
    head, _, fields = paragraph.partition("\n")
    name, scope, keys, parts = _HEAD.fullmatch(head).groups("")  # type: ignore[union-attr]
    return Source(
        name,
        Scope(scope),
        tuple(keys.split(", ")),
        tuple(_field(each) for each in fields.split(";")),
        tuple(filter(None, parts.split(", "))),
    )


def _field(text: str) -> Field:
    found = _FIELD.fullmatch(text.strip()).groups("")  # type: ignore[union-attr]
    column, mark, kind, earlier, names = found
    known = tuple(filter(None, names.split(" or ")))
    before = tuple(filter(None, earlier.split(", ")))
    return Field(column, Kind[kind.upper()], known, mark == "!", bool(mark), before)


_HEAD = re.compile(r"(\w+): (\w+) by ([\w, ]+?)(?:; parts ([\w, ]+))?")
_FIELD = re.compile(r"(\w+)([!*]?) (\w+)(?: after ([\w, ]+))?(?: = ([\w. ]+))?")

SOURCES = tuple(map(_source, _TABLE.strip().split("\n\n")))
_BY_NAME = {source.name: source for source in SOURCES}
RUNS, USAGE_HOURS = _BY_NAME["runs"], _BY_NAME["usage_hours"]
BILLING_DAYS, AGENT_BILLING_DAYS = _BY_NAME["billing_days"], _BY_NAME["agent_billing_days"]
AGENT_ROLLUPS = "agent_rollups"
