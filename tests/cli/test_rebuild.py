"""`analytics rebuild`: the same figures from the landing files alone, or nothing changes."""

from __future__ import annotations

import hashlib
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard

from analytics.batch import stages
from analytics.emulator.records import Agent
from analytics.emulator.world import World
from analytics.transform.checks import CheckResult
from analytics.warehouse.database import open_marts
from tests.batches import Batch, Row, read_marts, without_pages
from tests.cli.conftest import (
    Command,
    a_few_batches,
    interrupted_batch,
    take_over,
)

DATA = Path("data")
# When a load was read into this very warehouse, checked, and published.
OF_THE_WAREHOUSE = {"loaded_at", "checked_at", "published_at"}


def marts() -> dict[str, list[Row]]:
    """Return all rows of all published tables."""
    with open_marts(DATA / "analytics.duckdb") as con:
        found = read_marts(con)
    return {
        table: [
            {name: value for name, value in row.items() if name not in OF_THE_WAREHOUSE}
            for row in rows
        ]
        for table, rows in found.items()
    }


def asked(sql: str) -> list[tuple[Any, ...]]:
    """Ask the published file."""
    with duckdb.connect(DATA / "analytics.duckdb", read_only=True) as con:
        return con.execute(sql).fetchall()


def fingerprints() -> dict[str, str]:
    """Return the hash of each file of the data directory, except landing files and the lock."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(DATA.rglob("*"))
        if path.is_file() and "landing" not in path.parts and path.name != ".lock"
    }


def pages() -> dict[str, bytes]:
    """Return the site without load times, and without the hashes of the pages that have them."""
    loaded = re.compile(rb"(?<=>)[^<]+ UTC(?=</td></tr>)")  # the last column of loads
    hashed = re.compile(rb'"workspaces/[^"]*/trust.html":"\w+"')
    return {
        str(path): hashed.sub(b"", loaded.sub(b"", path.read_bytes()))
        for path in (DATA / "site").rglob("*")
        if path.is_file()
    }


@pytest.fixture
def batches(
    with_pages: Command, world: World, agent: Agent, data_of_batches: Path, batch: Batch
) -> Command:
    """The command after a few batches, with a copy of their data."""
    codes = iter([0, 1, 0])
    a_few_batches(world, agent, lambda: next(codes))
    take_over(data_of_batches, batch)
    return with_pages


def test_a_rebuild_gives_the_same_figures(
    batches: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The landing files alone, without a key, give the same marts row for row, and pages.

    What an unpublished batch read first is no adjustment. Unfinished folders, loose files and empty
    folders are skipped. The data's workspace is known, so that no key of another one goes on.
    """
    before, pages_before = marts(), pages()
    (workspace,) = DATA.glob("landing/*")
    (workspace / "20990101T000000Z-001-lists.unfinished").mkdir()
    (workspace.parent / "notes.txt").write_text("x")
    (workspace.parent / "empty").mkdir()
    for name in ("warehouse", "build"):
        (DATA / f"{name}.duckdb").unlink()
    monkeypatch.delenv("LEVAIN_API_KEY")
    result = batches("rebuild")

    assert result.code == 0, result.err
    assert before.keys() == (after := marts()).keys()
    for table, rows in before.items():
        assert after[table] == rows, table
    assert pages() == pages_before
    filled = ("run_versions", "quarantined_records", "fct_adjustments")
    assert all(before[table] for table in filled)
    assert before["dim_workspaces"][0]["workspace_name"] == "Renamed"
    assert not (DATA / "rebuild.unfinished").exists()

    (DATA / "published").rename("moved-away")  # then nothing tells what was published
    (DATA / "warehouse.duckdb").unlink()
    with without_pages():
        assert batches("rebuild").code == 0
    assert marts()["fct_adjustments"] == before["fct_adjustments"]

    monkeypatch.setenv("LEVAIN_API_KEY", world.add_workspace("Other").api_key)
    refused = batches("nightly")
    assert refused.code == 2
    assert f"is that of Renamed ({world.workspaces[0].id})" in refused.err
    assert "give its workspace_id in analytics.toml" in refused.err


def test_verify_compares_and_publishes_nothing(published: Command, world: World) -> None:
    """Equal rows are exit 0; else the first that differs is named."""
    before = (DATA / "analytics.duckdb").read_bytes()
    same = published("rebuild", "--verify")
    with duckdb.connect(DATA / "build.duckdb") as con:
        ((run_id,),) = con.execute(
            "update marts.fct_runs set cost_usd = 7 where cost_usd = 1.1 returning run_id"
        ).fetchall()
    differs = published("rebuild", "--verify")

    assert (same.code, "each row is that of a rebuild" in same.err) == (0, True), same.err
    assert differs.code == 1
    row = f"marts.fct_runs: workspace_id {world.workspaces[0].id}, run_id {run_id}"
    assert f"What batches brought up to date differs from a rebuild: {row}.\n" in differs.err
    assert (DATA / "analytics.duckdb").read_bytes() == before
    assert not (DATA / "rebuild.unfinished").exists()


def test_a_batch_that_did_not_end_is_left_to_the_next(
    batches: Command, world: World, agent: Agent
) -> None:
    """A rebuild has the figures of the last complete batch; the next batch loads the rest."""
    world.pass_time(timedelta(hours=20))
    with without_pages():
        interrupted_batch(world, agent, lambda: batches("nightly").code)
        before = marts()
        result = batches("rebuild")

        assert result.code == 0, result.err
        assert "loads of no whole batch are left to the next" in result.err
        assert marts() == before
        assert batches("nightly").code == 0
    assert len(marts()["fct_runs"]) == len(before["fct_runs"]) + 1
    assert len(marts()["loads"]) == len(list(DATA.glob("landing/*/*")))


def test_a_rebuild_that_fails_replaces_nothing(
    published: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken landing folder, or a check, ends a rebuild with its name; other files stay."""
    (file,) = DATA.glob("landing/*/*-lists/runs.ndjson.zst")
    good, before = file.read_bytes(), fingerprints()
    file.write_bytes(b"no zstd")
    result = published("rebuild")

    assert result.code == 1
    assert f"The landing folder {file.parent} cannot be loaded" in result.err
    assert "move it out of landing/ and run again" in result.err
    assert fingerprints() == before

    file.write_bytes(good)
    broken = CheckResult("runs_are_runs", "Runs are runs.", None, (), 1, 1, ({"run_id": "x"},))
    monkeypatch.setattr(stages, "run_checks", lambda _, **__: [broken])
    result = published("rebuild")

    assert (result.code, "runs_are_runs" in result.err) == (3, True)
    assert fingerprints() == before


@pytest.mark.parametrize("how", ["changed", "lost"])
def test_what_is_not_as_it_was_published_is_told(published: Command, how: str) -> None:
    """Landing files other than those of the published figures end a rebuild with exit 3."""
    (file,) = DATA.glob("landing/*/*-lists/runs.ndjson.zst")
    text = zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read()
    if how == "changed":
        file.write_bytes(zstandard.compress(text.replace(b"0.25", b"0.75")))
    else:
        shutil.rmtree(file.parent)
    before = fingerprints()
    refused = published("rebuild")

    assert refused.code == 3
    assert "Landing files are missing, or not what the published figures" in refused.err
    assert str(file.parent) in refused.err
    assert fingerprints() == before


def test_data_of_a_newer_release(published: Command) -> None:
    """A newer layout is never overwritten."""
    before = fingerprints()
    with duckdb.connect(DATA / "warehouse.duckdb") as con:
        con.execute("update ledger.schema_version set version = 99")
    refused = [published("nightly"), published("rebuild")]

    assert [result.code for result in refused] == [2, 2]
    assert all("was written by a newer release" in result.err for result in refused)
    assert fingerprints().keys() == before.keys()
