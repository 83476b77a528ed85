"""Accounts that lack an endpoint: it answers 403 or 404."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from analytics.emulator.platform_agents import BUILDER
from analytics.emulator.records import Agent
from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from analytics.extract.extraction import Extraction
from analytics.extract.workspace import extract_workspace
from analytics.settings import Workspace as Setting
from analytics.settings import load_settings
from tests.batches import Batch, publish
from tests.worlds import NOW, book_run, hire_baker

ALWAYS = 10**9

Status = Literal["403", "404"]

HOURLY, BILLING = "analytics/hourly", "analytics/billing"
BY_AGENT, ROLLUPS = "analytics/timeseries/by-agent", "analytics/agents"
PLATFORM, COUNTS = "analytics/platform-agents", "runs/daily"
COSTS, EVENTS = "analytics/runs/{id}/costs", "runs/{id}/log/events"
SCHEDULES, VERSIONS, KEYS = "agents/{id}/schedules", "agents/{id}/versions", "byok"

# With each group of endpoints, the controls that cannot run without it.
LACKING = [
    ([HOURLY], {"bill", "cut-off", "platform"}),
    ([BILLING], {"allocation", "bill"}),
    ([BY_AGENT], {"allocation"}),
    ([ROLLUPS], {"cut-off", "listed runs", "run counts", "unlisted runs"}),
    ([PLATFORM], {"platform"}),
    (
        [COUNTS, COSTS, EVENTS, SCHEDULES, VERSIONS, KEYS],
        {"run counts", "unlisted runs", "run costs"},
    ),
]
ALL = [endpoint for endpoints, _ in LACKING for endpoint in endpoints]


def live(world: World, agent: Agent) -> None:
    """Three days, each with a run that succeeded, one that failed and a build."""
    for _ in range(3):
        book_run(world, agent, hours_ago=4, cost="0.25")
        book_run(world, agent, hours_ago=3, cost="0.5", status="failed", error="Broke")
        build = world.start_platform_run(world.workspaces[0], BUILDER)
        world.meter(
            build, model="claude-sonnet-5", provider="anthropic", tokens_in=1, tokens_out=1,
            cost_usd=Decimal("0.125"),
        )  # fmt: skip
        world.finish_run(build)
        world.pass_time(timedelta(days=1))


@pytest.fixture
def batch(batch: Batch, world: World, agent: Agent) -> Batch:
    """A batch of those days."""
    live(world, agent)
    batch.set_extract(history_days=4)
    return batch


def refuse(of: Batch | Emulator, endpoint: str, status: Status = "404") -> None:
    """Let the API answer so to each request of an endpoint."""
    api = of.api if isinstance(of, Batch) else of
    api.faults.add(endpoint.replace("{id}", "[^/]*") + "$", status, ALWAYS)


def read(batch: Batch) -> list[str]:
    """Read a batch, and return its warnings."""
    (outcome,) = batch.extract()
    assert outcome.error is None
    return outcome.warnings


def test_what_an_account_lacks_is_named_and_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first batch without an endpoint names it, and has all runs; its controls could not run."""
    settings, ids = [], []
    with ExitStack() as open_apis:
        for number, (endpoints, _) in enumerate(LACKING):
            world = World.empty(number, NOW)
            live(world, hire_baker(world))
            api = open_apis.enter_context(running(world))
            for endpoint in endpoints:
                refuse(api, endpoint)
            monkeypatch.setenv(f"KEY_{number}", world.workspaces[0].api_key)
            settings.append(Setting(api_key_env=f"KEY_{number}", api=api.url))
            ids.append(world.workspaces[0].id)
        loaded = load_settings(tmp_path / "data")
        batch = Batch(loaded.model_copy(update={"workspaces": settings}), api)
        batch.set_extract(history_days=4)
        outcomes = batch.extract()
    published = publish(batch)

    assert published.findings == []
    platform = published.rows("fct_workspace_days", "workspace_id platform_cost_usd")
    unknown = {ids[number] for number, (each, _) in enumerate(LACKING) if PLATFORM in each}
    assert {workspace for workspace, cost in platform if cost is None} == unknown
    for (endpoints, controls), outcome, workspace in zip(LACKING, outcomes, ids, strict=True):
        assert outcome.error is None
        assert sorted(warning.partition(":")[0] for warning in outcome.warnings) == sorted(
            f"the API refuses {endpoint} to this account (HTTP 404, Not Found)"
            for endpoint in endpoints
        )
        runs = published.rows(
            "fct_agent_days", "workspace_id line_type run_count failed_count cost_usd"
        )
        assert [row[2:] for row in runs if row[:2] == (workspace, "agent")] == [
            (2, 1, Decimal("0.75"))
        ] * 3
        states = published.rows("page_controls", "workspace_id control state")
        assert {row[1] for row in states if row[0] == workspace and row[2] == "could not run"} == (
            controls
        )


def test_an_endpoint_that_answers_again_is_read_as_a_whole(batch: Batch) -> None:
    """Once the API answers, the next batch has what it would have had from the first on."""
    for endpoint in ALL:
        refuse(batch, endpoint)
    assert len(read(batch)) == len(ALL)
    batch.api.faults.clear()

    assert read(batch) == []

    empty = [
        source
        for source in ("usage_hours", "billing_days", "agent_billing_days", "agent_rollups",
                       "platform_rollups", "run_counts", "run_costs", "run_log_events",
                       "agent_versions")
        if not batch.rows(f"from raw.{source}")
    ]  # fmt: skip
    assert empty == []
    assert publish(batch).findings == []


def test_what_is_refused_is_asked_once(batch: Batch) -> None:
    """A refused window stands for all; costs of runs are not read again for want of events."""
    refuse(batch, ROLLUPS)
    refuse(batch, EVENTS)
    read(batch)
    assert batch.asked("/" + ROLLUPS) == 2  # once to say how many requests there will be
    batch.forget()

    assert len(read(batch)) == 2
    assert batch.asked("/" + ROLLUPS) == 1
    assert (batch.asked("/costs"), batch.asked("/log/events")) == (0, 6)


@pytest.mark.parametrize("endpoint", ["agents/", "runs/"])
def test_what_no_figure_can_do_without_fails(batch: Batch, endpoint: str) -> None:
    """Without the agents or the runs a workspace has no figures, and the message says why."""
    refuse(batch, f"v1/{endpoint}", "403")

    (outcome,) = batch.extract()

    assert f"/api/v1/{endpoint}: HTTP 403, Forbidden" in str(outcome.error)


def test_a_defect_costs_no_other_workspace(
    batch: Batch, world: World, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw is the failure of its workspace; the others are read."""
    other = world.add_workspace("Other")
    monkeypatch.setenv("OTHER", other.api_key)
    settings = [*batch.settings.workspaces, Setting(api_key_env="OTHER", api=api.url)]
    batch.settings = batch.settings.model_copy(update={"workspaces": settings})

    async def read(part: Extraction) -> None:
        if part.workspace_id != other.id:
            raise ValueError("no such thing\nas this")
        await extract_workspace(part)

    monkeypatch.setattr("analytics.batch.extract.extract_workspace", read)

    failed, fine = batch.extract()

    assert "This is a defect of this program (ValueError: no such thing)." in str(failed.error)
    assert (fine.name, fine.error) == ("Other", None)
