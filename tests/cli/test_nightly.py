"""`analytics nightly` from the shell: its output and its files."""

from __future__ import annotations

import json
import stat
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from analytics.emulator.world import World
from tests.batches import with_pages
from tests.cli.conftest import Command, FirstBatch, SettingsFile, publish_again
from tests.worlds import StartRun


def modes(folder: Path) -> set[str]:
    return {oct(stat.S_IMODE(path.stat().st_mode)) for path in [folder, *folder.rglob("*")]}


def test_a_batch_ends_with_its_summary(first_batch: FirstBatch) -> None:
    """It is printed, with where the pages are, and lies beside them as Markdown and as JSON."""
    result, site = first_batch.result, first_batch.data / "site"
    lines = result.out.splitlines()
    text = (site / "summary.md").read_text(encoding="utf-8")
    found = json.loads((site / "summary.json").read_text(encoding="utf-8"))

    assert (result.code, (site / "index.html").is_file()) == (0, True), result.err
    assert lines[1] == "Yesterday  Thursday 19 Nov: $1.10 in 1 run"
    assert lines[2].startswith("28 days    $")
    assert lines[3] == "Month      November, read in part: $1.50 in 3 runs"
    assert len(lines) <= 12
    assert all(len(line) <= 80 for line in lines[:-1])
    assert lines[-1].startswith("Reports:   file:///")
    assert lines[-1].endswith("data/site/index.html")
    assert lines[4] == "Nothing needs you."
    assert "\nNothing needs you.\n" in text
    month = found["month"]
    assert (month["cost_usd"], month["failed_count"]) == ("1.5000000000", 1)


def test_what_is_written_is_the_owners_alone(first_batch: FirstBatch) -> None:
    """Every file and folder of the data directory is readable by the owner only."""
    assert modes(first_batch.data) == {"0o600", "0o700"}


@pytest.mark.usefixtures("published")
def test_the_published_file_can_be_shared(settings_file: SettingsFile) -> None:
    """`mode = "0640"` opens the published file, the pages and their folders; nothing else."""
    settings_file('[extract]\nhistory_days = 3\n[publish]\nmode = "0640"\n')
    with with_pages():
        publish_again()

    assert oct(stat.S_IMODE(Path("data/analytics.duckdb").stat().st_mode)) == "0o640"
    assert oct(stat.S_IMODE(Path("data").stat().st_mode)) == "0o750"
    assert modes(Path("data/site")) == {"0o640", "0o750"}
    assert modes(Path("data/landing")) == {"0o600", "0o700"}
    assert oct(stat.S_IMODE(Path("data/warehouse.duckdb").stat().st_mode)) == "0o600"


def test_odd_records_are_no_failure(command: Command, world: World, start_run: StartRun) -> None:
    """An unknown status is open and warned of, a null cost is unknown, no agent has a line.

    A record of a wrong type is quarantined alone, and counted.
    """
    dreaming = start_run(hours_ago=0.6)
    world.override_record(dreaming.id, {"status": "dreaming", "mood": "🍞"})
    unknown = start_run(hours_ago=0.5)
    world.override_record(unknown.id, {"cost_usd": None, "agent_id": None})
    world.override_record(start_run(hours_ago=0.4).id, {"tokens_in": "twelve"})
    result = command("nightly")

    assert result.code == 0, result.err
    assert "dreaming" in result.err
    assert "1 record or field could not be understood" in result.err
    with duckdb.connect("data/analytics.duckdb", read_only=True) as con:
        runs = con.execute(
            "select is_terminal, cost_usd, agent_name from marts.fct_runs"
            " where list_contains(?, run_id) order by created_at",
            [[dreaming.id, unknown.id]],
        ).fetchall()
        aside = con.execute("select reason from audit.quarantined_records").fetchall()
    assert runs == [(False, Decimal("0.25"), "Baker"), (True, None, "No agent")]
    assert "tokens_in is not a whole number" in str(aside)
