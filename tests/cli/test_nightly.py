"""`analytics nightly` from the shell: its output and its files."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from analytics.emulator.records import Workspace
from analytics.emulator.world import World
from tests.cli.conftest import Command, FirstBatch, SettingsFile
from tests.conftest import StartRun


def modes(folder: Path) -> set[str]:
    return {oct(stat.S_IMODE(path.stat().st_mode)) for path in [folder, *folder.rglob("*")]}


def test_a_batch_ends_with_figures_and_pages(first_batch: FirstBatch, workspace: Workspace) -> None:
    """A batch prints runs, failures, cost and tokens of each workspace, and the pages' location."""
    result = first_batch.result

    assert result.code == 0, result.err
    (line,) = [line for line in result.out.splitlines() if line.startswith(workspace.name)]
    assert line.split()[2:5] == ["3", "1", "of"] or "1 of 3" in line
    assert "$1.50" in line
    assert "data/site/index.html" in result.out
    assert (first_batch.data / "site/index.html").is_file()


def test_a_summary_fits_a_terminal(first_batch: FirstBatch) -> None:
    """The printed summary has at most ten lines that fit a terminal."""
    lines = first_batch.result.out.partition("\n\n")[0].splitlines()

    assert len(lines) <= 10
    assert all(len(line) <= 80 for line in lines)
    assert "Detail     run detail for every run this month" in lines


def test_what_is_written_is_the_owners_alone(first_batch: FirstBatch) -> None:
    """Every file and folder of the data directory is readable by the owner only."""
    assert modes(first_batch.data) == {"0o600", "0o700"}


def test_the_published_file_can_be_shared(with_pages: Command, settings_file: SettingsFile) -> None:
    """`mode = "0640"` opens the published file, the pages and their folders; nothing else."""
    settings_file('[extract]\nhistory_days = 3\n[publish]\nmode = "0640"\n')
    with_pages("nightly")

    assert oct(stat.S_IMODE(Path("data/analytics.duckdb").stat().st_mode)) == "0o640"
    assert oct(stat.S_IMODE(Path("data").stat().st_mode)) == "0o750"
    assert modes(Path("data/site")) == {"0o640", "0o750"}
    assert modes(Path("data/landing")) == {"0o600", "0o700"}
    assert oct(stat.S_IMODE(Path("data/warehouse.duckdb").stat().st_mode)) == "0o600"


@pytest.mark.usefixtures("batch")
def test_an_empty_workspace_has_reports_too(
    settings_file: SettingsFile, analytics: Command
) -> None:
    """A workspace without agents and runs succeeds; its pages have a note."""
    settings_file("[extract]\nhistory_days = 3\n")
    result = analytics("nightly")

    assert result.code == 0, result.err
    assert "no runs" in result.out
    assert "no runs" in Path("data/site/index.html").read_text(encoding="utf-8").lower()


def test_a_bad_record_is_set_aside_and_told(
    command: Command, world: World, start_run: StartRun
) -> None:
    """A record of a wrong type is quarantined alone, and the summary counts it."""
    run = start_run(hours_ago=0.5)
    world.override_record(run.id, {"tokens_in": "twelve"})
    result = command("nightly")

    assert result.code == 0
    assert "1 record or field could not be understood" in result.err
    assert (
        "tokens_in is not a whole number"
        in command("sql", "select reason from audit.quarantined_records", "--format", "csv").out
    )


def test_odd_records_are_no_failure(command: Command, world: World, start_run: StartRun) -> None:
    """An unknown status is open and warned of, a null cost is unknown, no agent has a line."""
    dreaming = start_run(hours_ago=0.6)
    world.override_record(dreaming.id, {"status": "dreaming", "mood": "🍞"})
    unknown = start_run(hours_ago=0.5)
    world.override_record(unknown.id, {"cost_usd": None, "agent_id": None})
    result = command("nightly")

    assert result.code == 0, result.err
    assert "dreaming" in result.err
    rows = command(
        "sql",
        "select is_terminal, cost_usd, agent_name from fct_runs"
        f" where run_id in ('{dreaming.id}', '{unknown.id}') order by created_at",
        "--format",
        "csv",
    ).out.splitlines()
    assert rows[1:] == ["false,0.2500000000,Baker", "true,,No agent"]
