"""For any history of a workspace and its batches, the figures equal the ledger's."""

from __future__ import annotations

import os
import tempfile
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.batch.collect import collect
from analytics.batch.progress import Progress
from analytics.emulator.server import running
from analytics.emulator.world import World
from analytics.settings import Extract, Reporting, load_settings
from tests.batches import Published, publish, read, read_until_killed, short_lists
from tests.conftest import NOW, Batch, optimized
from tests.properties.oracle import ZERO, Knowledge, Oracle, adjusted
from tests.properties.story import Chapter, Life, chapters

HISTORY_DAYS = 40
OVERSTATED = Decimal("45.25")

_timezones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland"])
_begins = st.sampled_from([NOW, NOW.replace(month=3, day=20), NOW.replace(hour=0, minute=0)])


class Tale:
    """A history, its batch, and its publications."""

    def __init__(self, life: Life, batch: Batch) -> None:
        self.life = life
        self.batch = batch
        self.knowledge = Knowledge(life)
        self.last: Published | None = None
        self.read_at = life.world.now
        self.unpublished_count = 0

    def run_batch(self, chapter: Chapter) -> None:
        match chapter.batch:
            case "missed":
                return
            case "killed":
                died = read_until_killed(self.batch, chapter.requests)
                self.unpublished_count += not died
                self.knowledge.attempt(is_whole=not died)
            case "unpublished":
                read(self.batch)
                self.unpublished_count += 1
                self.knowledge.attempt(is_whole=True)
            case "collected":
                collect(self.batch.settings, Progress())
                self.knowledge.attempt(is_whole=True)
            case "whole":
                self.whole_batch()
            case "twice":
                if self.life.hidden:  # a run that is gone is final from its second 404 on
                    self.whole_batch()
                first = self.whole_batch()
                assert self.whole_batch().figures == first.figures

    def whole_batch(self) -> Published:
        read(self.batch)
        self.knowledge.attempt(is_whole=True)
        published = publish(self.batch)
        self._prove(published)
        self.last, self.read_at, self.unpublished_count = published, self.life.world.now, 0
        return published

    def _prove(self, published: Published) -> None:
        timezone = self.batch.settings.reporting.timezone
        self.knowledge.check_runs(published["fct_runs"])
        oracle = Oracle(self.life, published["fct_runs"], timezone)
        prove_sums(published, oracle)
        prove_controls(published, oracle, self.life.world.now.date())
        if self.last:
            self._prove_adjustments(self.last, published)
        prove_checks(published, oracle)

    def _prove_adjustments(self, before: Published, published: Published) -> None:
        """Assert that new adjustments lead from the published days to the current ones."""
        known = before["fct_adjustments"]
        assert [row for row in published["fct_adjustments"] if row in known] == known
        zone = ZoneInfo(self.batch.settings.reporting.timezone)
        first_open_day = min(self.read_at.astimezone(zone).date(), self.read_at.date())
        steps: dict[Any, tuple[Any, ...]] = {}
        for row in sorted(published["fct_adjustments"], key=lambda row: row["load_id"]):
            key = (row["agent_id"], row["date"])
            if row not in known and row["date"] < first_open_day:
                was = steps.get(key, (row["previous_cost_usd"], row["previous_run_count"]))[:2]
                steps[key] = (*was, row["current_cost_usd"], row["current_run_count"])
            elif row not in known:
                assert self.unpublished_count, "a day is adjusted that was never closed"
        assert {key: step for key, step in steps.items() if step[:2] != step[2:]} == {
            key: change
            for key, change in adjusted(before, published).items()
            if key[1] < first_open_day
        }


MEASURES = (
    "run_count", "succeeded_count", "failed_count", "cancelled_count", "open_count", "cost_usd",
    "tokens_in", "tokens_out", "listed_run_count", "listed_cost_usd", "unlisted_run_count",
    "unlisted_cost_usd", "unlisted_failed_count", "failed_cost_usd", "failed_cost_high_usd",
)  # fmt: skip


def prove_sums(published: Published, oracle: Oracle) -> None:
    """Each line of each date has the figures of all its runs; workspaces and months add them up."""
    expected = {
        key: {name: figures.get(name, 0) for name in MEASURES}
        for key, figures in oracle.agent_days().items()
    }
    assert {
        (row["agent_id"], row["date"]): {name: row[name] for name in MEASURES}
        for row in published["fct_agent_days"]
    } == expected
    for table, time in (("fct_workspace_days", "date"), ("fct_workspace_months", "month")):
        sums: defaultdict[date, Counter[str]] = defaultdict(Counter)
        for (_, day), figures in expected.items():
            sums[day if time == "date" else day.replace(day=1)].update(figures)
        assert {row[time]: {name: row[name] for name in MEASURES} for row in published[table]} == {
            day: {name: figures[name] for name in MEASURES} for day, figures in sums.items()
        }


def prove_controls(published: Published, oracle: Oracle, today: date) -> None:
    """Every dollar of the meter is explained, and the bill is that of the ledger."""
    stale, lost = oracle.stale_agents(), oracle.lost()
    for row in published.marts.get("int_reconciliation_agents", []):  # no published table
        is_lost = row["agent_id"] == "(platform)" and lost.get(row["utc_date"])
        assert row["utc_date"] >= today or row["agent_id"] in stale or is_lost, row
    metered, platform = oracle.metered(), oracle.platform()
    for row in published["reconciliation_days"]:
        assert row["metered_cost_usd"] == metered.get(row["utc_date"], ZERO)
        assert row["platform_cost_usd"] == platform.get(row["utc_date"], (ZERO,))[0]
    billed: defaultdict[tuple[date, str], tuple[Decimal, Decimal]] = defaultdict(
        lambda: (ZERO, ZERO)
    )
    for row in published["fct_charges"]:
        cost, bill = billed[row["utc_date"], row["agent_id"]]
        billed[row["utc_date"], row["agent_id"]] = (
            cost + row["metered_cost_usd"], bill + row["billed_usd"],
        )  # fmt: skip
    assert billed == oracle.billed()
    assert {
        (row["utc_date"], row["provider"]): (row["metered_cost_usd"], row["billed_usd"])
        for row in published["fct_billing_days"]
    } == oracle.providers()
    for table in ("fct_billing_days", "fct_charges"):
        for row in published[table]:
            parts = row["metered_cost_usd"] + row["surcharge_usd"] - row["own_key_usd"]
            assert parts == row["billed_usd"]
    assert {
        (row["utc_date"], row["agent_id"], row["model"], row["provider"]): (
            row["metered_cost_usd"],
            row["tokens_in"],
            row["tokens_out"],
        )
        for row in published["fct_model_days"]
        if row["request_count"]
    } == oracle.models()


def prove_checks(published: Published, oracle: Oracle) -> None:
    """Checks of our own pass; controls too, unless the API no longer shows a run that changed."""
    is_hidden = oracle.stale_agents() or any(oracle.lost().values())
    for check in published.checks:
        if not check.control or not is_hidden:
            assert check.ok, check.finding


def tell(story: list[Chapter], timezone: str, begins_at: datetime) -> Tale:
    """Play a story, and check the figures of each of its batches."""
    world = World.empty(1, begins_at)
    variables = {"LEVAIN_API_KEY": world.workspaces[0].api_key}
    with (
        running(world) as api,
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, variables | {"LEVAIN_API": api.url}),
        short_lists(),
        optimized(),
    ):
        life = Life(world)
        batch = Batch(
            msgspec.structs.replace(
                load_settings(Path(folder)),
                reporting=Reporting(timezone=timezone),
                extract=Extract(history_days=HISTORY_DAYS, concurrency=1),
            ),
            api,
        )
        tale = Tale(life, batch)
        for chapter in story:
            for event in chapter.events:
                life.happen(event)
            life.pass_time(timedelta(hours=chapter.hours))
            tale.run_batch(chapter)
        tale.run_batch(Chapter([], 0, "twice"))
        life.pass_time(timedelta(days=1))
        tale.run_batch(Chapter([], 0, "whole"))
        prove_lies(tale)
    return tale


def prove_lies(tale: Tale) -> None:
    """A single wrong number of one endpoint is found, with the run, or the agent and day, of it."""
    world, life = tale.life.world, tale.life
    today = world.now.date()
    runs = [
        run
        for run in life.all_runs.values()
        if run.agent
        and not run.is_open
        and run.id not in life.hidden
        and run.created_at.date() < today
    ]
    if not runs or tale.last is None:
        return
    listed = {row["run_id"] for row in tale.last["fct_runs"]}
    for run in runs[-1:]:
        counted = {"agent_id": run.agent.id, "date": str(run.created_at.date())}
        lie = world.lie("run_counts", match=counted, field="count", change=lambda count: count + 1)
        assert {"run_counts_agree_with_the_roll_ups"} <= _found(tale, str(counted["date"]))
        world.retract(lie)
        if run.id in listed and run.finished_at and world.now - run.finished_at < timedelta(2):
            lie = world.lie("runs", match={"id": run.id}, field="cost_usd", change=OVERSTATED)
            assert "listed_runs_agree_with_their_model_costs" in _found(tale, run.id)
            world.retract(lie)


def _found(tale: Tale, place: str) -> set[str]:
    """The controls that fail in the next batch, and name the place."""
    read(tale.batch)
    published = publish(tale.batch)
    return {
        check.name
        for check in published.checks
        if not check.ok and any(place in map(str, row.values()) for row in check.violations)
    }


_lives = given(chapters(), _timezones, _begins)
lasting = settings(
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@settings(lasting, max_examples=5, derandomize=True)
@_lives
def test_figures_are_the_ledgers(story: list[Chapter], timezone: str, begins_at: datetime) -> None:
    """Each batch's marts equal the emulator's ledger, and a second batch changes none."""
    tell(story, timezone, begins_at)


@pytest.mark.slow
@settings(lasting, max_examples=200, print_blob=True)
@_lives
def test_figures_of_many_lives(story: list[Chapter], timezone: str, begins_at: datetime) -> None:
    """The same of other lives each time; a failure prints how to repeat it."""
    tell(story, timezone, begins_at)
