"""The stages of a batch, each by its own command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from analytics.batch import transforming
from tests.cli.conftest import Command, FirstBatch


@pytest.mark.usefixtures("with_pages")
def test_selected_relations_are_built_but_not_published(published: Command) -> None:
    """Later stages refuse a file of two builds until all is built again."""
    before = Path("data/analytics.duckdb").read_bytes()

    selected = published("transform", "--select", "fct_runs", "--select", "audit.loads")
    refused = [published(stage) for stage in ("check", "report", "publish")]

    assert selected.code == 0
    assert "built audit.loads, fct_runs and what they read: " in selected.err
    assert [each.code for each in refused] == [1, 1, 1]
    assert all("Run `analytics transform`, which builds all." in each.err for each in refused)
    assert Path("data/analytics.duckdb").read_bytes() == before

    stages = [published(stage) for stage in ("transform", "check", "report", "publish")]

    assert [each.code for each in stages] == [0, 0, 0, 0]


def test_few_runs_are_built_anew(published: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to so many runs and records a batch builds all, of more of either what changed."""
    with duckdb.connect("data/warehouse.duckdb", read_only=True) as con:
        ((runs, records),) = con.execute(
            "select sum(estimated_size) filter (table_name = 'runs'), sum(estimated_size)"
            " from duckdb_tables() where schema_name = 'raw'"
        ).fetchall()

    def transformed(most_runs: int, most_records: int) -> str:
        monkeypatch.setattr(transforming, "SMALL", most_runs)
        monkeypatch.setattr(transforming, "MOST_RECORDS", most_records)
        return published("transform").err

    assert re.search("built [0-9]+ relations", transformed(runs, records))
    for more in ((runs - 1, records), (runs, records - 1)):
        assert re.search("brought [0-9]+ relations up to date", transformed(*more))


def test_stages_tell_their_seconds(published: Command, first_batch: FirstBatch) -> None:
    """Each stage of a batch prints its seconds, and the last batch has them by stage."""
    printed = first_batch.result.err
    last = json.loads(Path("data/last-batch.json").read_bytes())

    for line in (
        "new or changed, loaded in X s (X s)",
        "rows (X s)",
        "against the API (X s)",
        "and the summary (X s)",
        "index.html (X s)",
    ):
        assert re.search(
            re.escape(line).replace("X", r"[0-9]+\.[0-9]") + "$", printed, re.MULTILINE
        )
    stages = ["load", "extract", "transform", "check", "custom", "report", "publish"]
    assert list(last["seconds"]) == stages
    assert all(seconds > 0 for seconds in last["seconds"].values())
    assert json.loads(published("status", "--json").out)["last_batch"]["seconds"] == last["seconds"]


@pytest.mark.parametrize("name", ["fct_rums", "marts.fct_rums"])
def test_unknown_relations_are_refused(command: Command, name: str) -> None:
    """An unknown name is refused with similar ones, and no build file is made."""
    command("extract")
    result = command("transform", "--select", name)

    assert result.code == 2
    assert f"There is no model {name}.\nDid you mean " in result.err
    assert "fct_runs" in result.err
    assert not Path("data/build.duckdb").exists()


@pytest.mark.usefixtures("with_pages")
def test_pages_of_other_marts_are_not_published(published: Command) -> None:
    """A file never goes out with the pages of another batch: the missing command is told."""
    again = published("publish")
    before, manifest = Path("data/analytics.duckdb").read_bytes(), Path("data/site/manifest.json")
    older = manifest.read_text("utf-8").replace('"as_of":"2026-', '"as_of":"2025-')
    manifest.write_text(older, "utf-8")
    refused = published("publish")

    assert (again.code, refused.code) == (0, 1)
    assert "The pages in data/site are not of the built marts.\n" in refused.err
    assert "Run `analytics report`" in refused.err
    assert Path("data/analytics.duckdb").read_bytes() == before
    assert [published(stage).code for stage in ("report", "publish")] == [0, 0]
