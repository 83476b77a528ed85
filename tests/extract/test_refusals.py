"""Accounts that lack an endpoint: it answers 403 or 404."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from analytics.emulator.records import Agent
from analytics.emulator.runs.platform import BUILDER
from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from analytics.settings import Workspace as Setting
from analytics.settings import load_settings
from tests.batches import LIST_CAP, Published, publish, short_lists
from tests.conftest import NOW, Batch, StartRun, book_run, hire_baker

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


def blocking(published: Published) -> list[str]:
    return [check.finding for check in published.checks if check.blocking_count]


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
        batch = Batch(msgspec.structs.replace(loaded, workspaces=settings), api)
        batch.set_extract(history_days=4)
        outcomes = batch.extract()
    published = publish(batch)

    assert published.findings == []
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
        states = published.rows("rpt_controls", "workspace_id control state")
        assert {row[1] for row in states if row[0] == workspace and row[2] == "could not run"} == (
            controls
        )


def test_unknown_is_not_zero(batch: Batch) -> None:
    """What a refused endpoint alone says is null: platform cost, unlisted runs, what is left."""
    for endpoint in (PLATFORM, HOURLY, COUNTS, ROLLUPS):
        refuse(batch, endpoint, "403")

    warnings = read(batch)
    published = publish(batch)

    assert ["HTTP 403, Forbidden" in warning for warning in warnings] == [True] * 4
    assert {row["platform_cost_usd"] for row in published["fct_workspace_days"]} == {None}
    assert published.rows("reconciliation_days", "metered_cost_usd unexplained_usd status")[0] == (
        None, None, "pending",
    )  # fmt: skip
    assert {row["metered_cost_usd"] for row in published["fct_model_days"]} == {None}
    assert published["fct_usage_hours"] == []
    counts = "line_type listed_run_count unlisted_run_count unlisted_failed_count is_complete"
    assert set(published.rows("fct_agent_days", counts)) == {
        ("agent", 2, None, None, False), ("platform", 0, 0, 0, False),
    }  # fmt: skip
    for month in ("fct_agent_months", "fct_workspace_months"):
        assert (None, None) in published.rows(month, "unlisted_run_count unlisted_cost_usd")
    (health,) = {*published.rows("rpt_workspace_health", "run_count counted_run_count")}
    assert health == (6, None)


def test_unlisted_runs_of_unknown_outcome(batch: Batch, start_run: StartRun, world: World) -> None:
    """Without counts, runs that no list shows are in cost and number, and in no rate."""
    with short_lists():
        for _ in range(8):
            start_run(hours_ago=2, cost="0.125", status="failed")
        world.pass_time(timedelta(days=1))
        batch.set_extract(history_days=5)
        refuse(batch, COUNTS)

        read(batch)
        published = publish(batch)

    assert published.findings == []
    months = published.rows(
        "rpt_months",
        "agent_id run_count listed_run_count unknown_outcome_count failed_count finished_count"
        " run_cost_usd",
    )
    assert [month for month in months if month[0] == "(all)"] == [
        ("(all)", 14, LIST_CAP, 14 - LIST_CAP, LIST_CAP, None, Decimal("3.25"))
    ] * 2
    for of_days in ("rpt_days", "rpt_workspace_days"):
        counts = published.rows(of_days, "unknown_outcome_count judged_cost_usd")
        assert sum(count for count, _ in counts) == 14 - LIST_CAP
        assert {cost for count, cost in counts if count} == {None}


def test_a_meter_that_answered_before_keeps_what_it_said(batch: Batch, world: World) -> None:
    """Days that were read whole before an endpoint was refused keep their figures."""
    read(batch)
    before = publish(batch)
    refuse(batch, HOURLY)
    refuse(batch, PLATFORM)
    world.pass_time(timedelta(days=1))

    warnings = read(batch)
    after = publish(batch)

    assert len(warnings) == 2
    assert before["fct_usage_hours"] == after["fct_usage_hours"] != []
    assert sum(row["platform_cost_usd"] or 0 for row in after["fct_workspace_days"]) == Decimal(
        "0.25"
    )
    assert blocking(after) == []


def test_own_key_cost_is_unknown_without_the_keys(
    batch: Batch, world: World, start_run: StartRun
) -> None:
    """Where `byok` is refused, no figure tells surcharge from own-key cost; the bill is known."""
    split = "surcharge_usd own_key_usd"
    read(batch)
    known = publish(batch)
    refuse(batch, KEYS)
    start_run(hours_ago=1)
    world.pass_time(timedelta(days=1))

    read(batch)
    published = publish(batch)

    assert published.findings == []
    assert published.rows("fct_billing_days", split) == [
        *known.rows("fct_billing_days", split), (None, None)
    ]  # fmt: skip
    for table in ("fct_agent_months", "fct_workspace_months",
                  "int_agent_owner_months", "rpt_months"):  # fmt: skip
        billed = [row for row in published[table] if row["billed_usd"]]
        assert {(row["surcharge_usd"], row["own_key_usd"]) for row in billed} == {(None, None)}
        assert None not in {value for pair in known.rows(table, split) for value in pair}
    steps = dict(published.rows("cost_to_bill", "step amount_usd"))
    assert (steps["surcharge"], steps["own-key cost"]) == (None, None)
    assert steps["billed"] == sum(row["billed_usd"] for row in published["fct_charges"])

    batch.api.faults.clear()
    read(batch)
    assert None not in {
        value for pair in publish(batch).rows("rpt_months", split) for value in pair
    }


def test_an_endpoint_that_answers_again_is_read_as_a_whole(batch: Batch) -> None:
    """Once the API answers, the next batch has what it would have had from the first on."""
    for endpoint in ALL:
        refuse(batch, endpoint)
    assert len(read(batch)) == len(ALL)
    batch.api.faults.clear()

    assert read(batch) == []

    published = publish(batch)
    assert published.findings == []
    for table in ("fct_usage_hours", "fct_billing_days", "int_agent_billing_days", "fct_run_models",
                  "fct_log_events"):  # fmt: skip
        assert published[table] != []
    days = published.rows("fct_workspace_days", "unlisted_run_count is_complete")
    assert days == [(0, True)] * 3
    assert {row["status"] for row in published["reconciliation_days"]} == {"open", "reconciled"}


def test_a_refused_meter_is_asked_once(batch: Batch) -> None:
    """A roll-up of one day a window is asked for one window, and stands for all of them."""
    refuse(batch, ROLLUPS)

    read(batch)

    assert batch.asked("/" + ROLLUPS) == 2  # once to say how many requests there will be
    batch.forget()
    assert len(read(batch)) == 1
    assert batch.asked("/" + ROLLUPS) == 1


def test_costs_are_read_once_where_there_are_no_events(batch: Batch) -> None:
    """The costs of a run are not read again for want of its events."""
    refuse(batch, EVENTS)
    read(batch)
    batch.forget()

    (warning,) = read(batch)

    assert EVENTS in warning
    assert (batch.asked("/costs"), batch.asked("/log/events")) == (0, 6)


@pytest.mark.parametrize("endpoint", ["agents/", "runs/"])
def test_what_no_figure_can_do_without_fails(batch: Batch, endpoint: str) -> None:
    """Without the agents or the runs a workspace has no figures, and the message says why."""
    refuse(batch, f"v1/{endpoint}", "403")

    (outcome,) = batch.extract()

    assert f"/api/v1/{endpoint}: HTTP 403, Forbidden" in str(outcome.error)
