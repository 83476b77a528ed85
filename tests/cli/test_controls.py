"""Controls against the API that fail, from the shell: shown on the pages, or in the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.emulator.world import World
from tests.batches import with_pages, without_pages
from tests.cli.conftest import Command, SettingsFile
from tests.conftest import Batch, StartRun

SETTINGS = "[extract]\nhistory_days = 20\n"
BLOCKING = "select check_name, is_blocking from check_results where not is_ok order by 1"


@pytest.fixture(autouse=True)
def file_alone() -> Iterator[None]:
    """Few tests look at pages."""
    with without_pages():
        yield


@pytest.fixture
def overstated(
    batch: Batch, world: World, start_run: StartRun, settings_file: SettingsFile
) -> None:
    """A run of 1 dollar by its model costs is listed with 21, on a day that is long closed."""
    assert batch.settings.data_dir.name == "data"
    settings_file(SETTINGS)
    run = start_run(hours_ago=24 * 10, cost="1")
    world.override_record(run.id, {"cost_usd": 21})


@pytest.mark.usefixtures("overstated")
def test_a_closed_day_above_both_thresholds_publishes_nothing(analytics: Command) -> None:
    """The batch ends with exit 3, and names day, agent and both numbers."""
    result = analytics("nightly")

    assert result.code == 3
    assert "utc_date 2026-11-10, run_id " in result.err
    assert "measure cost_usd, ours 21, theirs 1, difference_usd 20" in result.err
    assert "--force" in result.err
    assert not Path("data/analytics.duckdb").exists()


@pytest.mark.usefixtures("batch")
def test_one_wrong_answer_of_costs_is_read_again(
    world: World, start_run: StartRun, settings_file: SettingsFile, analytics: Command
) -> None:
    """Model costs that contradict a run long final block one batch; the next reads them anew."""
    settings_file(SETTINGS)
    run = start_run(hours_ago=24 * 10, cost="1")
    world.lie("run_costs", match={"run_id": run.id}, field="total_cost", change=Decimal(21))
    assert analytics("nightly").code == 3

    world.retract()
    result = analytics("nightly")
    assert result.code == 0, result.err
    assert "differ" not in result.err


@pytest.mark.usefixtures("batch")
def test_a_wrong_count_of_runs_publishes_nothing(
    world: World, start_run: StartRun, settings_file: SettingsFile, analytics: Command
) -> None:
    """A thousand runs counted on a day with one block a batch; the next counts anew."""
    settings_file(SETTINGS)
    start_run(hours_ago=24 * 10, cost="1")
    world.lie("run_counts", match={"date": "2026-11-10"}, field="count", change=1000)
    result = analytics("nightly")
    assert result.code == 3
    assert "measure run_count, ours 1000, theirs 1" in result.err

    world.retract()
    result = analytics("nightly")
    assert result.code == 0, result.err
    assert "differ" not in result.err


@pytest.mark.usefixtures("overstated")
def test_force_says_so_on_the_pages(analytics: Command) -> None:
    """Figures published in spite of a control have that on their pages, with both numbers."""
    with with_pages():
        result = analytics("nightly", "--force")

    assert result.code == 0, result.err
    assert "the API's own figures differ" in result.err
    assert "Published although" in Path("data/site/index.html").read_text("utf-8")
    (page,) = Path("data/site/workspaces").glob("*/trust.html")
    text = page.read_text("utf-8")
    assert re.search("1 of [0-9]+ controls failed", text)
    assert "Published although 1 control against the API failed" in text
    assert all(number in text for number in ("$21.00", "$1.00", "$20.00"))


@pytest.mark.usefixtures("overstated")
def test_below_a_threshold_a_difference_is_shown(
    analytics: Command, settings_file: SettingsFile
) -> None:
    """A difference of 20 dollars with 21 allowed is published, with exit 0 and a failed check."""
    settings_file(f"{SETTINGS}[controls]\nblock_above_usd = 21\n")
    result = analytics("nightly")

    assert result.code == 0, result.err
    assert "listed_runs_agree_with_their_model_costs" in result.err
    shown = analytics("sql", BLOCKING, "--format", "csv").out.split()
    assert shown[1:] == ["listed_runs_agree_with_their_model_costs,false"]


def test_force_does_not_let_our_own_errors_pass(
    batch: Batch, world: World, start_run: StartRun, analytics: Command
) -> None:
    """A check of keys and sums of our own stops publishing in any case."""
    start_run(hours_ago=30)
    assert analytics("nightly").code == 0
    batch.rows(
        "insert into raw.runs by name select * replace (nextval('raw.version_ids') as version_id)"
        " from raw.runs limit 1"
    )
    world.pass_time(timedelta(days=1))
    result = analytics("nightly", "--force")

    assert result.code == 3
    assert "fct_runs_key_is_unique" in result.err
