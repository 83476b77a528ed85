"""The stages of a batch."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from analytics.batch import transforming
from tests.cli.conftest import Command, FirstBatch, publish_again


@pytest.mark.usefixtures("published")
def test_few_runs_are_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to so many runs and records a batch builds all, of more of either what changed."""
    with duckdb.connect("data/warehouse.duckdb", read_only=True) as con:
        ((runs, records),) = con.execute(
            "select sum(estimated_size) filter (table_name = 'runs'), sum(estimated_size)"
            " from duckdb_tables() where schema_name = 'raw'"
        ).fetchall()

    def transformed(most_runs: int, most_records: int) -> str:
        monkeypatch.setattr(transforming, "SMALL", most_runs)
        monkeypatch.setattr(transforming, "MOST_RECORDS", most_records)
        return publish_again()

    assert re.search("built the tables", transformed(runs, records))
    for more in ((runs - 1, records), (runs, records - 1)):
        assert re.search("brought the tables up to date", transformed(*more))


def test_a_log_has_one_line_for_each_stage(published: Command, first_batch: FirstBatch) -> None:
    """Each stage of a batch prints one line with its seconds; the last batch has them by stage."""
    printed = [line.split("  ", 1)[1] for line in first_batch.result.err.splitlines()]
    last = json.loads(Path("data/last-batch.json").read_bytes())

    expected = (
        r"Blank Slate: first batch: about \d+ requests will be made",
        r"Blank Slate: read \d+ new or changed records in \d+ requests \(SECONDS\)",
        r"built the tables \(SECONDS\)",
        r"all \d+ checks passed \(SECONDS\)",
        r"made \d+ pages \(SECONDS\)",
        r"published data/analytics.duckdb and the pages \(SECONDS\)",
    )
    assert len(printed) == len(expected), printed
    for line, pattern in zip(printed, expected, strict=True):
        assert re.fullmatch(pattern.replace("SECONDS", r"\d+\.\d s"), line), line
    stages = ["load", "extract", "transform", "check", "custom", "report", "publish"]
    assert list(last["seconds"]) == stages
    assert all(seconds > 0 for seconds in last["seconds"].values())
    assert json.loads(published("status", "--json").out)["last_batch"]["seconds"] == last["seconds"]
