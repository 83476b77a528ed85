"""The API's records. Only what the API always sends is required; unknown fields are ignored."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from analytics.levain.errors import AnswerBrokenError

T = TypeVar("T")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of an agent; `cost_usd` and tokens grow until it has ended."""

    id: str
    status: str
    created_at: datetime
    cost_usd: Decimal | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    agent_id: str | None = None
    agent_version_id: str | None = None
    agent_version: int | None = None
    parent_run_id: str | None = None
    session_id: str | None = None
    kind: str | None = None
    artifact_count: int | None = None


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent of the workspace; its name may change, its id does not."""

    id: str
    name: str | None = None
    slug: str | None = None
    status: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key it is."""

    workspace_id: str
    workspace_name: str | None = None


class DailyCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many of an agent's runs, created on a UTC day, have a status now."""

    date: str
    status: str
    count: int


def typed(record: Any, kind: type[T]) -> T:
    """An undecoded record as `kind`; AnswerBrokenError names the field that does not fit."""
    try:
        value = msgspec.json.decode(msgspec.json.encode(record), type=kind)
    except msgspec.ValidationError as error:
        raise AnswerBrokenError(kind.__name__, str(error)) from error
    return _with_offsets(value)


def _with_offsets(value: T) -> T:
    """An instant without an offset is in UTC."""
    if not isinstance(value, msgspec.Struct):
        return value
    naive = {
        name: moment.replace(tzinfo=UTC)
        for name in value.__struct_fields__
        if isinstance(moment := getattr(value, name), datetime) and moment.tzinfo is None
    }
    return msgspec.structs.replace(value, **naive) if naive else value
