"""`analytics trace` where runs are unlisted: from a figure to counts and sums of the API."""

from __future__ import annotations

import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.emulator.world import World
from tests.batches import short_lists
from tests.cli.conftest import Command, book_a_few_runs, shell_in
from tests.cli.test_trace import explained
from tests.conftest import NOW, book_run, hire_baker


@pytest.fixture(scope="module")
def data_of_unlisted_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of the first batch after runs that the API lists no more."""
    folder = tmp_path_factory.mktemp("unlisted-runs")
    world = World.empty(1, NOW)
    baker = hire_baker(world)
    book_a_few_runs(world, baker)
    for number, status in enumerate(["succeeded", "failed", "failed", "failed"]):
        book_run(world, baker, hours_ago=20 + number / 10, cost="0.5", status=status)
    for number in range(6):
        book_run(world, baker, hours_ago=3 + number / 10, cost="0.125")
    world.pass_time(timedelta(days=1))
    with shell_in(folder, world) as run, short_lists():
        assert run("nightly").code == 0
    return folder / "data"


@pytest.fixture
def unlisted_day(data_of_unlisted_runs: Path) -> str:
    """A day of which the API lists no run any more; its data are a copy."""
    shutil.copytree(data_of_unlisted_runs, "data")
    return f"{NOW - timedelta(hours=20):%Y-%m-%d}"


def test_a_day_of_unlisted_runs_leads_to_counts_and_sums(
    analytics: Command, unlisted_day: str
) -> None:
    """Without a listed run, a figure leads to the API's run counts and roll-up."""
    found = explained(analytics, "--agent", "baker", "--date", unlisted_day)
    result = analytics("trace", "--agent", "baker", "--date", unlisted_day)

    figure = found["figure"]
    assert (figure["run_count"], figure["listed_run_count"], found["runs"]) == (5, 0, [])
    assert found["unlisted"]["cost_usd"] == "3.1000000000"
    assert found["unlisted"]["failed_count"] == 3
    counts, sums = found["answers"]
    assert (counts["request"]["path"], sums["request"]["path"]) == (
        "/api/v1/runs/daily", "/api/v1/analytics/agents",
    )  # fmt: skip
    for answer in (counts, sums):
        landing = answer["landing"]
        assert landing["is_verified"] is True
    assert result.code == 0, result.err
    assert "Listed    no run" in result.out
    assert "in 5 runs: 2 succeeded, 3 failed" in result.out
    assert "No run list showed these runs" in result.out
    assert "GET /api/v1/runs/daily?agent_id=" in result.out
    assert "verified: it has that hash" in result.out
    assert "THEY DO NOT" not in result.out


def test_a_day_of_listed_and_unlisted_runs_adds_up(analytics: Command, unlisted_day: str) -> None:
    """Where a list showed some of a day's runs, both parts are the figure."""
    assert unlisted_day
    found = explained(analytics)
    figure, runs, unlisted = found["figure"], found["runs_sum"], found["unlisted"]

    assert (figure["run_count"], runs["run_count"], unlisted["run_count"]) == (8, 5, 3)
    assert runs["adds_up"] is True
    for name in ("cost_usd", "tokens_in", "failed_count"):
        assert Decimal(figure[name]) == Decimal(runs[name]) + Decimal(unlisted[name])
    assert len(found["runs"]) == 5
    assert len(found["answers"]) == 2
