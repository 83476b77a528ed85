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
