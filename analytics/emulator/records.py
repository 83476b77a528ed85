"""The records of a workspace, and the ledger of metered model requests.

The ledger is the only source of every cost and token figure.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Context, Decimal, Inexact
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from analytics.emulator.catalogue import SONNET
from analytics.emulator.chance import CONVERSATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from analytics.emulator.catalogue import Offer
    from analytics.emulator.chance import Traffic

RunStatus = Literal["pending", "running", "succeeded", "failed", "cancelled"]
AgentStatus = Literal["draft", "active", "paused", "archived"]
Source = Literal["manual", "scheduled", "event-driven"]
DEFAULT_TIMEOUT_MINUTES = 60
TERMINAL = frozenset({"succeeded", "failed", "cancelled"})
WIDE = Context(prec=100)
EXACT = Context(prec=100, traps=[Inexact])  # sums keep every digit, or raise
ZERO = Decimal(0)
DAY = timedelta(days=1)


class RefusedError(Exception):
    """The state of an agent or a session does not allow the request; its text is the reason."""


class RunInput(NamedTuple):
    """The input of a run: a prompt or a state."""

    prompt: str | None = None
    initial_state: dict[str, Any] | None = None


@dataclass(slots=True, eq=False)
class Version:
    """A published or draft state of an agent's recipe, counted from 1."""

    id: str
    number: int
    created_at: datetime
    status: Literal["draft", "active", "archived"] = "active"
    parent: int | None = None
    description: str | None = None
    updated_at: datetime | None = None  # when it was published, or archived by hand
    last_commit_at: datetime | None = None


@dataclass(slots=True, eq=False)
class Agent:
    """A customer's agent."""

    id: str
    workspace: Workspace
    name: str
    slug: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    status: AgentStatus = "active"
    max_budget: Decimal = Decimal(5)
    timeout_minutes: int = DEFAULT_TIMEOUT_MINUTES
    notify_on_run: bool = False
    offers: tuple[Offer, ...] = (SONNET,)  # without any, nothing is metered
    traffic: Traffic = CONVERSATION
    versions: list[Version] = field(default_factory=list)
    webhook: Webhook | None = None

    @property
    def active_version(self) -> Version | None:
        """The version that new runs use."""
        return next((v for v in reversed(self.versions) if v.status == "active"), None)


@dataclass(frozen=True, slots=True)
class PlatformAgent:
    """One of the vendor's own agents, which build and maintain the customer's."""

    id: str
    slug: str
    name: str
    kind: str


@dataclass(slots=True, eq=False)
class Session:
    """A conversation of one or several runs."""

    id: str
    agent: Agent | None
    version: Version | None
    created_at: datetime
    runs: list[Run] = field(default_factory=list)
    terminated_at: datetime | None = None

    @property
    def is_idle(self) -> bool:
        """True if another turn can begin at once."""
        return self.terminated_at is None and not any(run.is_open for run in self.runs)


@dataclass(slots=True, eq=False)
class Run:
    """One execution; a platform run has a platform agent in place of an agent."""

    id: str
    workspace: Workspace
    session: Session
    agent: Agent | None
    version: Version | None
    created_at: datetime
    parent_run_id: str | None = None
    user_prompt: str | None = None
    initial_state: dict[str, Any] | None = None
    source: Source = "manual"
    kind: str = "agent"
    platform_agent: PlatformAgent | None = None
    target: Agent | None = None
    status: RunStatus = "pending"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    artifact_count: int = 0
    own_keys: frozenset[str] = frozenset()  # the providers that bill the customer for this run
    cancelled_by: str = "the user"
    steps: list[tuple[datetime, str]] | None = None  # these three of a run that is executed
    log: list[dict[str, Any]] | None = None
    files: list[Artifact] | None = None
    encoded: bytes | None = None  # the JSON of the record as it stands, kept for speed

    @property
    def is_open(self) -> bool:
        """True if the run may still continue."""
        return self.status not in TERMINAL

    @property
    def totals(self) -> Totals:
        """The sums of all that is booked on the run."""
        return Totals.of(self.workspace.ledger.of_run(self.id))

    @property
    def text(self) -> str | None:
        """The input of the run; a state is JSON."""
        if self.initial_state is None:
            return self.user_prompt
        return msgspec.json.encode(self.initial_state).decode()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file, identified by its key within the run."""

    key: str
    filename: str
    size_bytes: int
    content_type: str
    created_at: datetime | None

    @classmethod
    def nth(cls, run_id: str, number: int, size_bytes: int, at: datetime | None) -> Artifact:
        """Return the file that a run publishes as its nth."""
        return cls(f"{run_id}/{number}", f"report-{number}.md", size_bytes, "text/markdown", at)

    @property
    def content(self) -> bytes:
        """The file's bytes, the same each time."""
        line = f"# {self.filename}\n\nBread, butter and figures.\n\n".encode()
        return (line * (self.size_bytes // len(line) + 1))[: self.size_bytes]


@dataclass(slots=True, eq=False)
class Schedule:
    """The times and the input of an agent's scheduled runs."""

    id: str
    agent: Agent
    cron_expr: str
    timezone: str
    given: RunInput
    created_at: datetime
    enabled: bool = True
    next_fire_at: datetime | None = None
    last_fired_at: datetime | None = None
    last_run_id: str | None = None


@dataclass(slots=True, eq=False)
class Webhook:
    """An address that starts runs of an agent without a key: its secret is a part of it."""

    id: str
    created_at: datetime
    secret: str


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """The stored fields of a customer's own API key of a provider, without its secret."""

    id: str
    provider: str
    last_four: str
    created_at: datetime


_created_at, _position = attrgetter("created_at"), attrgetter("created_at", "id")


class RunList:
    """Runs in the order of (creation, id); some may be hidden from pages."""

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self._listed: list[Run] = []

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    def add(self, run: Run) -> None:
        """Insert a run."""
        for runs in (self._runs, self._listed):
            if runs and _position(run) < _position(runs[-1]):
                insort(runs, run, key=_position)
            else:
                runs.append(run)

    def hide(self, run: Run) -> None:
        """Remove a run from the pages; it is still counted."""
        self._listed.remove(run)

    def newest(self, limit: int, before: Run | None = None) -> list[Run]:
        """Return up to `limit` listed runs, newest first, older than `before` if it is given."""
        end = len(self._listed)
        if before is not None:
            end = bisect_left(self._listed, _position(before), key=_position)
        return self._listed[max(0, end - limit) : end][::-1]

    def created_between(self, start: datetime, end: datetime) -> list[Run]:
        """Return the runs created in [start, end), oldest first, hidden ones too."""
        first = bisect_left(self._runs, start, key=_created_at)
        return self._runs[first : bisect_left(self._runs, end, first, key=_created_at)]


class Entry(NamedTuple):
    """One metered request, or a late correction: booked at its time, never changed after."""

    booked_at: datetime
    run: Run
    model: str
    provider: str
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    billed_usd: Decimal
    is_error: bool = False


@dataclass(slots=True)
class Totals:
    """The exact sums of some entries."""

    cost_usd: Decimal = ZERO
    billed_usd: Decimal = ZERO
    tokens_in: int = 0
    tokens_out: int = 0
    request_count: int = 0
    error_count: int = 0

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Totals:
        """Return the sums of entries."""
        totals = cls()
        for entry in entries:
            totals.add(entry)
        return totals

    def add(self, entry: Entry) -> None:
        """Add an entry."""
        self.cost_usd = EXACT.add(self.cost_usd, entry.cost_usd)
        self.billed_usd = EXACT.add(self.billed_usd, entry.billed_usd)
        self.tokens_in += entry.tokens_in
        self.tokens_out += entry.tokens_out
        self.request_count += 1
        self.error_count += entry.is_error


class Ledger:
    """All entries of a workspace, indexed by run and by hour."""

    def __init__(self) -> None:
        self._by_run: dict[str, list[Entry]] = {}
        self._by_hour: defaultdict[datetime, list[Entry]] = defaultdict(list)

    def book(self, entry: Entry) -> None:
        """Add an entry; entries are never removed."""
        self._by_run.setdefault(entry.run.id, []).append(entry)
        self._by_hour[hour_of(entry.booked_at)].append(entry)

    def __iter__(self) -> Iterator[Entry]:
        for entries in self._by_run.values():
            yield from entries

    def of_run(self, run_id: str) -> list[Entry]:
        """Return a run's entries in the order of booking."""
        return self._by_run.get(run_id, [])

    def between(self, start: datetime, end: datetime) -> Iterator[Entry]:
        """Yield the entries booked in [start, end), hour by hour."""
        first = hour_of(start)
        for hour in sorted(hour for hour in self._by_hour if first <= hour < end):
            for entry in self._by_hour[hour]:
                if start <= entry.booked_at < end:
                    yield entry


class Workspace:
    """One customer's agents, runs and ledger, read with one API key."""

    def __init__(self, id: str, name: str, api_key: str) -> None:  # noqa: A002 - the API's word
        self.id = id
        self.name = name
        self.api_key = api_key
        self.keys: dict[str, ProviderKey] = {}  # by provider
        self.agents: dict[str, Agent] = {}
        self.runs: dict[str, Run] = {}  # of agents and of the platform
        self.agent_runs = RunList()
        self.runs_by_agent: dict[str, RunList] = {}
        self.platform_runs = RunList()
        self.sessions: dict[str, Session] = {}
        self.schedules: dict[str, Schedule] = {}  # oldest first
        self.ledger = Ledger()

    def agent(self, id_or_slug: str) -> Agent | None:
        """Return a listed agent, or None."""
        by_slug = (agent for agent in self.agents.values() if agent.slug == id_or_slug)
        return self.agents.get(id_or_slug) or next(by_slug, None)

    def lists_of(self, run: Run) -> list[RunList]:
        """Return the lists that show a run."""
        if run.platform_agent:
            return [self.platform_runs]
        if run.agent is None:
            return [self.agent_runs]
        return [self.agent_runs, self.runs_by_agent[run.agent.id]]


def hour_of(moment: datetime) -> datetime:
    """Return the start of the moment's hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def midnight_of(moment: datetime) -> datetime:
    """Return the start of the moment's UTC day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
