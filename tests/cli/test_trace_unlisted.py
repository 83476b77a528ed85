"""`analytics trace` where runs are unlisted: from a figure to counts and sums of the API."""

from __future__ import annotations

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
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the first batch after runs that the API lists no more; tests only read it."""
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
    return folder


@pytest.fixture(autouse=True)
def in_the_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_a_day_of_unlisted_runs_leads_to_counts_and_sums(analytics: Command) -> None:
    """Without a listed run, a figure leads to the API's run counts and roll-up."""
    question = ("--agent", "baker", "--date", f"{NOW - timedelta(hours=20):%Y-%m-%d}")
    found, result = explained(analytics, *question), analytics("trace", *question)

    figure, unlisted = found["figure"], found["unlisted"]
    assert (figure["run_count"], figure["listed_run_count"], found["runs"]) == (5, 0, [])
    assert (unlisted["cost_usd"], unlisted["failed_count"]) == ("3.1000000000", 3)
    assert [answer["request"]["path"] for answer in found["answers"]] == [
        "/api/v1/runs/daily", "/api/v1/analytics/agents",
    ]  # fmt: skip
    assert {answer["landing"]["is_verified"] for answer in found["answers"]} == {True}
    for words in (
        "Listed    no run", "in 5 runs: 2 succeeded, 3 failed", "No run list showed these runs",
        "GET /api/v1/runs/daily?agent_id=", "verified: it has that hash",
    ):  # fmt: skip
        assert words in result.out
    assert "THEY DO NOT" not in result.out


def test_a_day_of_listed_and_unlisted_runs_adds_up(analytics: Command) -> None:
    """Where a list showed some of a day's runs, both parts are the figure."""
    found = explained(analytics)
    figure, runs, unlisted = found["figure"], found["runs_sum"], found["unlisted"]

    assert (figure["run_count"], runs["run_count"], unlisted["run_count"]) == (8, 5, 3)
    assert runs["adds_up"] is True
    for name in ("cost_usd", "tokens_in", "failed_count"):
        assert Decimal(figure[name]) == Decimal(runs[name]) + Decimal(unlisted[name])
    assert (len(found["runs"]), len(found["answers"])) == (5, 2)
