"""Controls against the API that fail, from the shell: in the way, or shown on the pages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from analytics.emulator.world import World
from tests.batches import with_pages
from tests.cli.conftest import Command, SettingsFile, publish_again, shell_in
from tests.conftest import copy_of_shared
from tests.worlds import NOW, book_run, hire_baker

SETTINGS = "[extract]\nhistory_days = 20\n"


def overstated() -> World:
    """A run of 1 dollar by its model costs is listed with 21, on a day that is long closed."""
    world = World.empty(1, NOW)
    run = book_run(world, hire_baker(world), hours_ago=24 * 10, cost="1")
    world.override_record(run.id, {"cost_usd": 21})
    return world


def run_a_batch(folder: Path) -> None:
    with shell_in(folder, overstated(), SETTINGS) as run:
        result = run("nightly")
    (folder / "result.txt").write_text(f"exit {result.code}\n{result.err}", encoding="utf-8")


@pytest.fixture
def analytics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """The command after a batch of that run, which published nothing; the data are a copy."""
    folder = copy_of_shared(tmp_path_factory, "overstated", run_a_batch)
    with shell_in(folder, overstated(), SETTINGS) as run:
        with duckdb.connect("data/warehouse.duckdb") as con:
            con.execute("update ledger.workspaces set api = ?", [os.environ["LEVAIN_API"]])
        yield run


@pytest.mark.usefixtures("analytics")
def test_a_closed_day_above_both_thresholds_publishes_nothing() -> None:
    """The batch ends with exit 3, and names day, run and both numbers."""
    told = Path("result.txt").read_text(encoding="utf-8")

    assert told.startswith("exit 3\n")
    assert "utc_date 2026-11-10, run_id " in told
    assert "measure cost_usd, ours 21, theirs 1, difference_usd 20" in told
    assert "--force" in told
    assert not Path("data/analytics.duckdb").exists()


def test_below_a_threshold_a_difference_is_shown(
    analytics: Command, settings_file: SettingsFile
) -> None:
    """A difference of 20 dollars with 21 allowed is published, with a failed check."""
    settings_file(f"{SETTINGS}[controls]\nblock_above_usd = 21\n")

    assert "listed_runs_agree_with_their_model_costs" in publish_again()
    sql = "select check_name, is_blocking from check_results where not is_ok order by 1"
    shown = analytics("sql", sql, "--format", "csv").out.split()
    assert shown[1:] == ["listed_runs_agree_with_their_model_costs,false"]


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


def test_wrong_answers_of_one_batch_are_read_again(tmp_path: Path) -> None:
    """Model costs and counts that contradict final runs block a batch; the next reads them anew."""
    world = World.empty(1, NOW)
    run = book_run(world, hire_baker(world), hours_ago=24 * 10, cost="1")
    world.lie("run_costs", match={"run_id": run.id}, field="total_cost", change=Decimal(21))
    world.lie("run_counts", match={"date": "2026-11-10"}, field="count", change=1000)
    with shell_in(tmp_path, world, SETTINGS) as command:
        refused = command("nightly")
        world.retract()
        result = command("nightly")

    assert refused.code == 3
    assert "measure cost_usd, ours 1, theirs 21" in refused.err
    assert "measure run_count, ours 1000, theirs 1" in refused.err
    assert result.code == 0, result.err
    assert "differ" not in result.err
