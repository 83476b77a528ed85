"""Records of the API. Only fields that the API always sends are required; others are ignored."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec

from analytics.levain.answers import fields_of
from analytics.levain.errors import AnswerBrokenError

T = TypeVar("T")

UnixSeconds = Annotated[float, msgspec.Meta(ge=0, lt=253_402_300_800)]
"""An instant before the year 10000, the last one that Python's datetime can hold."""

_MOST_DIGITS = 15  # of whole dollars
_MOST_DECIMALS = 100


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    def __post_init__(self) -> None:
        """Read an instant without an offset as UTC; refuse what is no date, or no sum of money."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal):
                _require_finite(value)
            elif isinstance(value, datetime) and value.tzinfo is None:
                msgspec.structs.force_setattr(self, name, value.replace(tzinfo=UTC))
            elif isinstance(value, datetime):
                value.astimezone(UTC)  # OverflowError for an instant without a date in UTC


class Run(_Record, frozen=True, kw_only=True):
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
        """Return True if the status is terminal; an unknown status is not."""
        return self.status in {"succeeded", "failed", "cancelled"}


class DailyCount(_Record, frozen=True, kw_only=True):
    """The number of an agent's runs created on a UTC day that have this status now."""

    date: str
    status: str
    count: int


class LogEvent(_Record, frozen=True, kw_only=True):
    """One event of a run's execution log; `ts` in Unix seconds, `event` as the agent wrote it."""

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


class Artifact(_Record, frozen=True, kw_only=True):
    """A file that a run published; `filename` is the name that the agent gave it."""

    key: str
    filename: str | None = None
    size_bytes: int | None = None
    content_type: str | None = None
    created_at: datetime | None = None


class ArtifactList(_Record, frozen=True, kw_only=True):
    """A run's artifacts, oldest first; `truncated` if there are more than the 1,000 listed."""

    artifacts: list[Artifact]
    truncated: bool = False


class FileUrl(_Record, frozen=True, kw_only=True):
    """A URL that serves a file without a key for `expires_in_seconds`."""

    url: str
    expires_in_seconds: float | None = None


class AgentConfig(_Record, frozen=True, kw_only=True):
    """The limits of an agent's runs: US dollars and minutes."""

    max_budget: Decimal | None = None
    timeout_minutes: int | None = None
    notify_on_run: bool | None = None


class Agent(_Record, frozen=True, kw_only=True):
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


class Version(_Record, frozen=True, kw_only=True):
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


class SessionEvent(_Record, frozen=True, kw_only=True):
    """An event of a session: a message, a step, a change of status."""

    seq: int | None = None
    type: str | None = None
    run_id: str | None = None
    created_at: datetime | None = None
    text: str | None = None
    status: str | None = None
    step: int | None = None
    source: str | None = None


class Session(_Record, frozen=True, kw_only=True):
    """A conversation with an agent, of one or several runs; a terminated one takes no message."""

    id: str
    agent_id: str | None = None
    agent_version_id: str | None = None
    state: str | None = None
    created_at: datetime | None = None
    last_activity_at: datetime | None = None
    terminated_at: datetime | None = None
    rounds: list[Any] = []
    events: list[SessionEvent] = []


class Schedule(_Record, frozen=True, kw_only=True):
    """A cron schedule of an agent; a disabled one skips its runs for good."""

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


class ProviderKey(_Record, frozen=True, kw_only=True):
    """Your own key of a model provider, without its secret."""

    key_id: str
    provider: str | None = None
    created_at: datetime | None = None
    last_four: str | None = None


class Me(_Record, frozen=True, kw_only=True):
    """The workspace of an API key."""

    workspace_id: str
    workspace_name: str | None = None


class RunCost(_Record, frozen=True, kw_only=True):
    """Usage of one model by a run; the API has an older and a newer name for each measure.

    `cost_usd` is the model's list price, `billed_usd` Levain's charge: null where not sent.
    """

    cost_usd: Decimal | None = None
    billed_usd: Decimal | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    request_count: int | None = None
    model: str | None = None
    provider: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    total_cost: Decimal | msgspec.UnsetType | None = msgspec.UNSET
    total_tokens_in: int | msgspec.UnsetType | None = msgspec.UNSET
    total_tokens_out: int | msgspec.UnsetType | None = msgspec.UNSET

    def __post_init__(self) -> None:
        """Move each measure to its newer name."""
        super().__post_init__()
        for new in ("cost_usd", "tokens_in", "tokens_out"):
            old = f"total_{new.removesuffix('_usd')}"
            if (value := getattr(self, old)) is not msgspec.UNSET:
                msgspec.structs.force_setattr(self, new, value)
                msgspec.structs.force_setattr(self, old, msgspec.UNSET)


class Usage(RunCost, frozen=True, kw_only=True):
    """A row of analytics: sums by what its list tells them by; what a list does not tell is None.

    A row without an agent is the platform's; `targets` are the agents that one of the vendor's own
    worked on. `bucket` is the UTC day of series by agent; durations are milliseconds.
    """

    hour: datetime | None = None
    bucket: datetime | None = None
    date: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    agent_slug: str | None = None
    platform_agent_id: str | None = None
    platform_agent_slug: str | None = None
    platform_agent_name: str | None = None
    targets: list[Any] = []
    error_count: int | None = None
    run_count: int | None = None
    agent_count: int | None = None
    total_duration_ms: int | None = None
    last_run_at: datetime | None = None


class Summary(_Record, frozen=True, kw_only=True):
    """The workspace's totals of a period, and of the period before it."""

    period: str
    start: datetime | None = None
    end: datetime | None = None
    current: Usage = Usage()
    previous: Usage = Usage()
    last_activity_at: datetime | None = None


def typed(record: bytes | msgspec.Raw, kind: type[T]) -> T:
    """Decode a record as `kind`; AnswerBrokenError names the record and the unfit field."""
    try:
        return msgspec.json.decode(record, type=kind)
    except (msgspec.ValidationError, OverflowError) as error:
        raise AnswerBrokenError(_name(record, kind), str(error)) from error


def _name(record: bytes | msgspec.Raw, kind: type[Any]) -> str:
    """Return a label for messages: the kind of the record, and its id or number."""
    try:
        fields = fields_of(record)
    except msgspec.ValidationError:
        fields = {}
    marks = [bytes(fields[name]).decode()[:40] for name in ("id", "seq", "key") if name in fields]
    return " ".join([kind.__name__, *(mark.strip('"') for mark in marks[:1])])


def _require_finite(amount: Decimal) -> None:
    """Raise ValueError unless an amount is finite, and has few enough digits to be summed."""
    exponent = amount.as_tuple().exponent
    is_sound = isinstance(exponent, int) and exponent >= -_MOST_DECIMALS
    if not is_sound or amount.adjusted() >= _MOST_DIGITS:
        raise ValueError(f"{str(amount)[:40]} is no amount of US dollars")
