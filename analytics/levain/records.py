"""The API's records. Only what the API always sends is required; unknown fields are ignored."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec

from analytics.levain.errors import AnswerBrokenError
from analytics.levain.transport import fields_of

T = TypeVar("T")

UnixSeconds = Annotated[float, msgspec.Meta(ge=0, lt=253_402_300_800)]
"""An instant before the year 10000, which is as far as calendars go here."""

_MOST_DIGITS = 15  # of whole dollars
_MOST_DECIMALS = 100


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
    user_prompt: str | None = None
    kind: str | None = None
    artifact_count: int | None = None
    artifact_count_truncated: bool | None = None

    @property
    def has_ended(self) -> bool:
        """Whether its status is final; one that is new to us is not."""
        return self.status in {"succeeded", "failed", "cancelled"}


class DailyCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many of an agent's runs, created on a UTC day, have a status now."""

    date: str
    status: str
    count: int


class LogEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a run's execution timeline; `ts` in Unix seconds, `event` as the agent wrote it."""

    seq: int | None = None
    ts: UnixSeconds | None = None
    level: str | None = None
    logger: str | None = None
    msg: str | None = None
    node: str | None = None
    label: str | None = None
    event: Any = None
    duration_ms: float | None = None
    cost_usd: Decimal | None = None
    tokens: Any = None
    exc: str | None = None


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a run published; `filename` is whatever the agent called it."""

    key: str
    filename: str | None = None
    size_bytes: int | None = None
    content_type: str | None = None
    created_at: datetime | None = None


class ArtifactList(msgspec.Struct, frozen=True, kw_only=True):
    """A run's artifacts, oldest first; `truncated` where it has more than the 1,000 listed."""

    artifacts: list[Artifact]
    truncated: bool = False


class FileUrl(msgspec.Struct, frozen=True, kw_only=True):
    """Where a file can be had without a key, for so many seconds."""

    url: str
    expires_in_seconds: float | None = None


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of an agent's runs: US dollars and minutes."""

    max_budget: Decimal | None = None
    timeout_minutes: int | None = None
    notify_on_run: bool | None = None


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent of the workspace; its name may change, its id does not."""

    id: str
    name: str | None = None
    slug: str | None = None
    description: str | None = None
    status: str | None = None
    config: AgentConfig | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    draft_version: int | None = None


class Build(msgspec.Struct, frozen=True, kw_only=True):
    """A build under way: `run_id` is a run of the platform, to be watched like any other."""

    run_id: str | None = None
    session_id: str | None = None
    agent_id: str | None = None
    version: int | None = None
    status: str | None = None
    created_at: datetime | None = None


class NewAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent just made; with a prompt, its first version is being built by `run_id`."""

    agent: Agent
    version: int | None = None
    run_id: str | None = None
    session_id: str | None = None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an agent: draft, active (runs go there) or archived."""

    id: str
    version: int
    agent_id: str | None = None
    description: str | None = None
    status: str | None = None
    parent_version: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_commit_at: datetime | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A version that is not yet active, with the issues that caused it."""

    version_id: str
    version: int
    parent_version: int | None = None
    created_at: datetime | None = None
    issues: list[dict[str, Any]] = []


class SessionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened in a session: a message, a step, a change of status."""

    seq: int | None = None
    type: str | None = None
    run_id: str | None = None
    created_at: datetime | None = None
    text: str | None = None
    status: str | None = None
    step: int | None = None
    source: str | None = None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with an agent, of one or several runs; terminated, it takes no message."""

    id: str
    agent_id: str | None = None
    agent_version_id: str | None = None
    state: str | None = None
    created_at: datetime | None = None
    last_activity_at: datetime | None = None
    terminated_at: datetime | None = None
    rounds: list[Any] = []
    events: list[SessionEvent] = []


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When an agent runs by itself; a disabled schedule is paused, and catches up on nothing."""

    id: str
    cron_expr: str
    timezone: str | None = None
    agent_id: str | None = None
    agent_version_id: str | None = None
    prompt: str | None = None
    initial_state: dict[str, Any] | None = None
    enabled: bool | None = None
    next_fire_at: datetime | None = None
    last_fired_at: datetime | None = None
    last_run_id: str | None = None
    created_at: datetime | None = None


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's inbound webhook; `url` embeds its secret, and is shown only when it is made."""

    url: str | None = None
    agent_id: str | None = None
    created_at: datetime | None = None


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """An event of an integration that starts an agent."""

    id: str
    event_type: str
    agent_id: str | None = None
    integration_id: str | None = None
    integration_provider: str | None = None
    integration_display_name: str | None = None
    enabled: bool | None = None
    agent_version: int | None = None
    created_at: datetime | None = None


class ProviderKey(msgspec.Struct, frozen=True, kw_only=True):
    """A model provider's key of your own, without its secret."""

    key_id: str
    provider: str | None = None
    created_at: datetime | None = None
    last_four: str | None = None


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key it is."""

    workspace_id: str
    workspace_name: str | None = None


def typed(record: bytes | msgspec.Raw, kind: type[T]) -> T:
    """A record's text as `kind`; AnswerBrokenError names it and the field that does not fit."""
    try:
        value = msgspec.json.decode(record, type=kind)
        whole: T = _whole(value)
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        raise AnswerBrokenError(_name(record, kind), str(error)) from error
    return whole


def _name(record: bytes | msgspec.Raw, kind: type[Any]) -> str:
    """What a person finds a record by: its kind, and its id or number as the API sent it."""
    try:
        fields = fields_of(record)
    except msgspec.ValidationError:
        fields = {}
    marks = [bytes(fields[name]).decode()[:40] for name in ("id", "seq", "key") if name in fields]
    return " ".join([kind.__name__, *(mark.strip('"') for mark in marks[:1])])


def _whole(value: Any) -> Any:
    """Values as the rest of us can count on: money is finite, and instants have an offset.

    An instant without one is in UTC, also in a record within a record. ValueError or OverflowError
    where there is no such amount or instant.
    """
    if isinstance(value, Decimal):
        return _finite(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else _in_calendar(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if not isinstance(value, msgspec.Struct):
        return value
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    changed = {name: new for name, old in fields.items() if (new := _whole(old)) is not old}
    return msgspec.structs.replace(value, **changed) if changed else value


def _finite(amount: Decimal) -> Decimal:
    """Money that can be added up and written out in digits."""
    exponent = amount.as_tuple().exponent
    is_sound = isinstance(exponent, int) and exponent >= -_MOST_DECIMALS
    if is_sound and amount.adjusted() < _MOST_DIGITS:
        return amount
    raise ValueError(f"{str(amount)[:40]} is no amount of US dollars")


def _in_calendar(moment: datetime) -> datetime:
    """An instant that has a date in UTC, too."""
    moment.astimezone(UTC)
    return moment
