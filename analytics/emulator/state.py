"""The state of the emulated platform, and the methods that change it.

Two agendas hold future actions. The planned one begins the runs of a world's made-up history, and
changes its agents, only when a call lets time pass. The live one holds the steps of all runs that
have been created, which happen as the clock runs: before each response, the world catches up with
its clock.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from threading import RLock
from typing import TYPE_CHECKING, Any

from analytics.emulator.chance import new_id, seeded
from analytics.emulator.clock import Agenda, Clock
from analytics.emulator.lies import Lie, Lies
from analytics.emulator.records import (
    WIDE,
    ZERO,
    Agent,
    Entry,
    ProviderKey,
    Run,
    RunList,
    RunStatus,
    Session,
    Version,
    Workspace,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime, timedelta
    from random import Random

    from analytics.emulator.records import AgentStatus, PlatformAgent

LEVAIN_CHARGE = Decimal("1.1")  # billed for a dollar of cost on Levain's account
PLATFORM_CHARGE = Decimal("0.02")  # billed for a dollar that the provider bills the customer
BILLED_PLACES = Decimal("1e-10")


@dataclass(slots=True)
class Variants:
    """Switches of behaviour that the API's documentation leaves open; defaults are likeliest."""

    next_links: bool = False
    """Run lists have a `Link` header to the next page."""
    open_run_events: bool = True
    """Log events can be read before the run ends; otherwise 404."""


class State:
    """Workspaces, a clock, and an agenda of actions as time passes.

    Equal seeds, times and calls give equal worlds, ids included.
    """

    def __init__(self, seed: int, now: datetime) -> None:
        self.seed = seed
        self.clock = Clock(now)
        self.variants = Variants()
        self.workspaces: list[Workspace] = []
        self.lock = RLock()  # a test may change the world while the server reads it
        self.lies = Lies()
        self._rng = seeded(seed, "world")
        self._live_rng = seeded(seed, "live")  # requests must not shift the planned history
        self._planned = Agenda()
        self.live = Agenda()
        self.file_secret = seeded(seed, "signing").randbytes(32)

    @property
    def now(self) -> datetime:
        """The present, in UTC."""
        return self.clock.now

    def workspace_of(self, api_key: str) -> Workspace | None:
        """Return the workspace of a key, or None."""
        return next((w for w in self.workspaces if w.api_key == api_key), None)

    def at(self, moment: datetime, action: Callable[[], object]) -> None:
        """Plan an action; while it happens, the clock stands at its moment."""
        self._planned.put(moment, action)

    def pass_time(self, span: timedelta) -> None:
        """Move the clock, and run every due action at its moment."""
        with self.lock, self.clock.held():
            self._happen(self.now + span, self._planned, self.live)

    @contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """Let the runs that have been created continue until now, and stop the clock meanwhile."""
        with self.lock, self.clock.held():
            self._happen(self.now, self.live)
            yield

    def add_workspace(self, name: str) -> Workspace:
        """Add an empty workspace with a key of its own."""
        key = f"levain_{self._rng.getrandbits(160):040x}"
        workspace = Workspace(new_id(self._rng), name, key)
        self.workspaces.append(workspace)
        return workspace

    def add_provider_key(self, workspace: Workspace, provider: str, secret: str) -> ProviderKey:
        """Let the provider bill the customer for runs that start from now on."""
        with self.lock:
            key = ProviderKey(new_id(self._live_rng), provider, secret[-4:], self.now)
            workspace.keys.pop(provider, None)  # a second one replaces the first
            workspace.keys[provider] = key
            return key

    def add_agent(
        self,
        workspace: Workspace,
        name: str,
        slug: str,
        *,
        at: datetime | None = None,
        status: AgentStatus = "active",
        description: str | None = None,
    ) -> Agent:
        """Add an agent with a first version, which is active unless the agent is a draft."""
        with self.lock:
            created = at or self.now
            agent = Agent(new_id(self._rng), workspace, name, slug, created, created, description)
            agent.status = status
            workspace.agents[agent.id] = agent
            workspace.runs_by_agent[agent.id] = RunList()
            self.publish_version(agent, at=created)
            if status == "draft":
                agent.versions[0].status = "draft"
            return agent

    def publish_version(self, agent: Agent, *, at: datetime | None = None) -> Version:
        """Make a new version the active one and archive the others."""
        with self.lock:
            for older in agent.versions:
                older.status = "archived"
            number = len(agent.versions) + 1
            version = Version(new_id(self._rng), number, at or self.now, parent=number - 1 or None)
            version.updated_at = version.last_commit_at = version.created_at
            agent.versions.append(version)
            agent.updated_at = version.created_at
            return version

    def draft_version(
        self,
        agent: Agent,
        parent: Version | None,
        description: str | None = None,
        *,
        ids: Random | None = None,
    ) -> Version:
        """Branch a draft from another version, or from nothing."""
        with self.lock:
            version_id = new_id(ids or self._live_rng)
            version = Version(version_id, len(agent.versions) + 1, self.now, "draft")
            version.parent = parent.number if parent else None
            version.description = description
            agent.versions.append(version)
            agent.updated_at = self.now
            return version

    def activate_version(self, agent: Agent, version: Version) -> None:
        """Make a version the active one, in place of another."""
        with self.lock:
            for other in agent.versions:
                if other.status == "active":
                    other.status = "archived"
            version.status, version.updated_at, agent.updated_at = "active", self.now, self.now
            if agent.status == "draft":
                agent.status = "active"

    def change_agent(self, agent: Agent, **fields: Any) -> None:
        """Change the name, the status or the limits of an agent."""
        with self.lock:
            for name, value in fields.items():
                setattr(agent, name, value)
            agent.updated_at = self.now

    def start_run(
        self,
        owner: Agent | Workspace,
        *,
        at: datetime | None = None,
        session: Session | None = None,
        parent: Run | None = None,
        prompt: str | None = None,
        run_id: str | None = None,
    ) -> Run:
        """Queue a run of an agent, or of a workspace for a run without an agent."""
        workspace, agent = (
            (owner, None) if isinstance(owner, Workspace) else (owner.workspace, owner)
        )
        with self.lock:
            created = at or self.now
            session = session or self._new_session(workspace, agent, created)
            run_id = run_id or new_id(self._rng)
            run = Run(run_id, workspace, session, agent, session.version, created)
            run.parent_run_id = parent.id if parent else None
            run.user_prompt = prompt
            self._list(run)
            return run

    def start_platform_run(
        self,
        workspace: Workspace,
        platform_agent: PlatformAgent,
        *,
        target: Agent | None = None,
    ) -> Run:
        """Queue a run of a platform agent."""
        with self.lock:
            session = self._new_session(workspace, None, self.now)
            run = Run(new_id(self._rng), workspace, session, None, None, self.now)
            run.kind, run.platform_agent, run.target = platform_agent.kind, platform_agent, target
            self._list(run)
            return run

    def launch_run(self, run: Run, *, at: datetime | None = None) -> None:
        """Start a pending run; from here on the accounts that pay for it are fixed."""
        with self.lock:
            run.status, run.started_at = "running", at or self.now
            run.own_keys = frozenset(run.workspace.keys)
            run.encoded = None

    def meter(
        self,
        run: Run,
        *,
        model: str,
        provider: str,
        tokens_in: int,
        tokens_out: int,
        cost_usd: Decimal,
        billed_usd: Decimal | None = None,
        is_error: bool = False,
        at: datetime | None = None,
    ) -> None:
        """Book a request of the run; by default it is billed by the account that pays."""
        if billed_usd is None:
            charge = PLATFORM_CHARGE if provider in run.own_keys else LEVAIN_CHARGE
            billed_usd = WIDE.quantize(WIDE.multiply(cost_usd, charge), BILLED_PLACES) or ZERO
        use = (model, provider, tokens_in, tokens_out, cost_usd, billed_usd, is_error)
        with self.lock:
            run.workspace.ledger.book(Entry(at or self.now, run, *use))
            run.encoded = None

    def finish_run(
        self,
        run: Run,
        status: RunStatus = "succeeded",
        *,
        error: str | None = None,
        artifact_count: int = 0,
        at: datetime | None = None,
    ) -> None:
        """End a run; one that never started stays without `started_at`."""
        with self.lock:
            run.status, run.error = status, error
            run.artifact_count = artifact_count
            run.finished_at = at or self.now
            run.encoded = None

    def correct_cost(self, run: Run, amount: Decimal, *, is_backdated: bool = False) -> None:
        """Book an amount on a metered run, with the model of its last request.

        It is metered and billed now, or, backdated, at the time of that request. What was booked
        after the run's end are earlier corrections, and no requests.
        """
        ended = run.finished_at or self.now
        entries = run.workspace.ledger.of_run(run.id)
        last = [entry for entry in entries if entry.booked_at <= ended][-1]
        self.meter(
            run,
            model=last.model,
            provider=last.provider,
            tokens_in=0,
            tokens_out=0,
            cost_usd=amount,
            at=last.booked_at if is_backdated else None,
        )

    def hide_run(self, run: Run) -> None:
        """Remove a run from the lists and by id; counts and analytics still include it."""
        with self.lock:
            del run.workspace.runs[run.id]
            for runs in run.workspace.lists_of(run):
                runs.hide(run)

    def lie(
        self, endpoint: str, *, field: str, change: Any, match: Mapping[str, Any] | None = None
    ) -> Lie:
        """Alter one field in the responses of one endpoint; see `analytics.emulator.lies`."""
        with self.lock:
            lie = Lie(endpoint, field, change, match or {})
            self.lies.append(lie)
            return lie

    def retract(self) -> None:
        """Remove all lies."""
        with self.lock:
            self.lies.clear()

    def override_record(self, record_id: str, fields: dict[str, Any]) -> None:
        """Replace fields of a run's or an agent's record by any JSON values, floats too."""
        for endpoint in ("runs", "agents"):
            for name, value in fields.items():
                self.lie(endpoint, match={"id": record_id}, field=name, change=value)

    def _happen(self, target: datetime, *agendas: Agenda) -> None:
        """Run the actions due until a moment, each at its own, and stop the clock."""
        while due := [(a.due, n) for n, a in enumerate(agendas) if a.due and a.due <= target]:
            moment, action = agendas[min(due)[1]].take()
            self.clock.set(moment)
            action()
        self.clock.set(target)

    def _new_session(self, workspace: Workspace, agent: Agent | None, at: datetime) -> Session:
        version = agent.active_version if agent else None
        session = Session(new_id(self._rng), agent, version, at)
        workspace.sessions[session.id] = session
        return session

    def _list(self, run: Run) -> None:
        run.session.runs.append(run)
        run.workspace.runs[run.id] = run
        for runs in run.workspace.lists_of(run):
            runs.add(run)
