"""A batch of an API that does not end, does not answer, or answers too much at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from analytics.emulator.records import Agent
from analytics.emulator.server import Emulator
from analytics.emulator.world import World
from analytics.errors import AnalyticsError
from analytics.extract.extraction import LONGEST_LULL, Extraction
from analytics.levain import NotFoundError, bounds
from analytics.settings import Extract
from analytics.warehouse.landed import landed_loads
from analytics.warehouse.load import Loaded
from tests.batches import LIST_CAP, Batch
from tests.jumping import run
from tests.worlds import NOW, StartRun

MODELS = 10


@pytest.mark.usefixtures("few_listed")
def test_a_list_without_an_end_costs_no_other_step(
    batch: Batch, api: Emulator, start_run: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workspace fails by the name of the list; the next batch loads what came before it."""
    api.world.variants.next_links = True
    for _ in range(3 * LIST_CAP):
        start_run()
    with monkeypatch.context() as patch:
        patch.setattr(bounds, "MOST_PAGES", 2)
        (outcome,) = batch.extract()
    assert outcome.error
    assert outcome.error.startswith("GET /api/v1/runs/: the list does not end")
    before = {load.name for load in landed_loads(batch.layout.landing / api.world.workspaces[0].id)}

    (outcome,) = batch.extract()

    loaded = {load_id for (load_id,) in batch.rows("select load_id from ledger.loads")}
    assert before
    assert before < loaded
    assert len(batch.current_runs()) == 3 * LIST_CAP


@pytest.fixture
def metered(batch: Batch, world: World, agent: Agent) -> Batch:
    """A batch of four days, with a run on each of them that ten models were metered for."""
    batch.set_extract(history_days=4)
    for days in range(4):
        at = NOW - timedelta(days=days, hours=1)
        made = world.start_run(agent, at=at)
        for number in range(MODELS):
            world.meter(
                made, model=f"model-{number}", provider="bedrock", tokens_in=1, tokens_out=1,
                cost_usd=Decimal("0.25"), at=at,
            )  # fmt: skip
        world.finish_run(made, at=at)
    return batch


def test_a_window_of_too_much_is_read_by_halves(
    metered: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each half is read in turn, down to a day, and no hour is lost or read twice."""
    monkeypatch.setattr(bounds, "MOST_RECORDS", 3 * MODELS)

    (outcome,) = metered.extract()

    assert (outcome.error, outcome.warnings) == (None, [])
    assert metered.asked("analytics/hourly") == 1 + 2
    assert metered.rows("select count(*), sum(cost_usd) from raw.usage_hours") == [
        (4 * MODELS, Decimal("0.25") * 4 * MODELS)
    ]


def test_a_day_of_too_much_fails_the_workspace(
    metered: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window of one day is not shortened: the error names the endpoint."""
    monkeypatch.setattr(bounds, "MOST_RECORDS", MODELS - 1)

    (outcome,) = metered.extract()

    assert outcome.error
    assert "analytics/hourly: it has more than 9 records" in outcome.error


@pytest.fixture
def waiting(tmp_path: Path) -> Extraction:
    """A workspace's batch, without an API: it waits for whatever a test lets it wait for."""
    return Extraction(
        client=Mock(),
        store=Mock(),
        load=Mock(return_value=Loaded()),
        options=Extract(),
        keep_errors=True,
        landing_root=tmp_path,
        workspace_id="w",
        began_at=NOW,
        progress=Mock(),
    )


def test_an_api_that_falls_silent_costs_half_an_hour(
    batch: Batch, api: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch ends with an error of the workspace, whose lock it gives back."""
    monkeypatch.setattr("analytics.extract.extraction.LONGEST_LULL", 0.1)
    api.faults.add("/agents/$", "silent")

    (outcome,) = batch.extract()

    assert outcome.error
    assert outcome.error.startswith("The API has answered nothing for")


def within(batch: Extraction, work: Coroutine[Any, Any, None]) -> None:
    """Do work within a batch, on a clock that jumps."""

    async def at_work() -> None:
        async with batch.at_work():
            await work

    run(at_work())


def test_a_workspace_without_answers_is_given_up(waiting: Extraction) -> None:
    """After half an hour without an answer it fails; what was landed is there, and loaded."""

    async def work() -> None:
        async with waiting.step("meters") as landing:
            landing.add_missing("byok", NotFoundError("GET /byok", 404, ""), NOW)
        async with waiting.step("lists"):
            await asyncio.Event().wait()

    with pytest.raises(AnalyticsError, match="The API has answered nothing for 30 minutes"):
        within(waiting, work())
    assert [load.name for load in landed_loads(waiting.landing_root / "w")] == [
        f"{NOW:%Y%m%dT%H%M%SZ}-000001-meters"
    ]
    assert waiting.load.call_count == 1  # type: ignore[attr-defined]


def test_a_workspace_that_answers_has_all_the_time_there_is(waiting: Extraction) -> None:
    """Each answer begins the time anew, and no time is counted while answers are loaded."""
    loading = threading.Event()

    def load(_: Path) -> Loaded:
        loading.wait(10)
        return Loaded()

    waiting.load = load

    async def work() -> None:
        async with waiting.step("meters") as landing:
            for _ in range(100):
                await asyncio.sleep(LONGEST_LULL - 1)
                landing.add_missing("byok", NotFoundError("GET /byok", 404, ""), NOW)
        threading.Timer(0.05, loading.set).start()
        await waiting.loaded()

    within(waiting, work())
