"""For any history of a workspace and its batches, the figures equal the ledger's."""

from __future__ import annotations

import os
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.emulator.server import running
from analytics.emulator.world import World
from analytics.settings import Extract, Reporting, load_settings
from tests.batches import Published, publish, read, read_until_killed, short_lists
from tests.conftest import NOW, Batch
from tests.properties.oracle import ZERO, Knowledge, Oracle, adjusted
from tests.properties.story import Chapter, Life, chapters

HISTORY_DAYS = 40

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
            case "whole":
                self.whole_batch()
            case "twice":
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
        first_open = self.read_at.astimezone(zone)
        first_open_day = (first_open - timedelta(microseconds=1)).date()
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


def prove_sums(published: Published, oracle: Oracle) -> None:
    """Assert that agent days and workspace months are the sums of the runs."""
    measures = (
        "run_count", "failed_count", "open_count", "cost_usd", "failed_cost_usd",
        "tokens_in", "tokens_out",
    )  # fmt: skip
    assert {
        (row["agent_id"], row["date"]): tuple(row[name] for name in measures)
        for row in published["fct_agent_days"]
    } == oracle.agent_days()
    assert {
        row["month"]: tuple(row[name] for name in measures)
        for row in published["fct_workspace_months"]
    } == oracle.workspace_months()


def prove_controls(published: Published, oracle: Oracle, today: date) -> None:
    """Assert that gaps are the unlisted runs, and every other dollar of the meter is explained."""
    gaps = oracle.gaps()
    assert {
        (row["agent_id"], row["date"]): (row["missing_run_count"], row["missing_cost_usd"])
        for row in published["fct_listing_gaps"]
    } == gaps
    unexplained = oracle.unexplained()
    assert {
        (row["agent_id"], row["date"]): row["unexplained_usd"]
        for row in published["reconciliation_agents"]
        if row["date"] < today
    } == {key: amount for key, amount in unexplained.items() if key[1] < today}
    metered, platform = oracle.metered(), oracle.platform()
    for row in published["reconciliation_days"]:
        day = row["date"]
        assert row["metered_cost_usd"] == metered.get(day, ZERO)
        assert row["platform_cost_usd"] == platform.get(day, ZERO)
        if day < today:
            assert row["gap_cost_usd"] == sum(
                (cost for (_, of), (_, cost) in gaps.items() if of == day), ZERO
            )
            assert row["unexplained_usd"] == sum(
                (amount for (_, of), amount in unexplained.items() if of == day), ZERO
            )
    assert sum(row["complete_cost_usd"] for row in published["fct_workspace_days_complete"]) == sum(
        (row["cost_usd"] for row in oracle.held), ZERO
    ) + sum((cost for _, cost in gaps.values()), ZERO) + sum(platform.values(), ZERO)
    assert {
        (row["date"], row["agent_id"]): (row["cost_usd"], row["billed_usd"])
        for row in published["fct_agent_billing_days"]
    } == oracle.billed()


def prove_checks(published: Published, oracle: Oracle) -> None:
    """Assert that our own checks pass, and the controls too if everything is explained."""
    for check in published.checks:
        if not check.control or not oracle.unexplained():
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
    return tale


@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chapters(), _timezones, _begins)
def test_figures_are_the_ledgers(story: list[Chapter], timezone: str, begins_at: datetime) -> None:
    """Each batch's marts equal the emulator's ledger, and a second batch changes none."""
    tell(story, timezone, begins_at)
