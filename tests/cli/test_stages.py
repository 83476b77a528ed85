"""The stages of a batch."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from analytics.batch import transforming
from analytics.batch.progress import Progress
from analytics.settings import load_settings
from analytics.warehouse.layout import Layout
from tests.cli.conftest import Command, FirstBatch


@pytest.mark.parametrize(
    ("runs", "records", "builds"),
    [(100_000, 1_000_000, True), (100_001, 1_000_000, False), (100_000, 1_000_001, False)],
)
def test_few_runs_are_built_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runs: int, records: int, *, builds: bool
) -> None:
    """Up to so many runs and records a batch builds all, of more of either what changed."""
    (tmp_path / "build.duckdb").touch()
    monkeypatch.setattr(transforming, "SMALL", 100_000)
    monkeypatch.setattr(transforming, "record_count", lambda _, *kind: runs if kind else records)
    monkeypatch.setattr(transforming, "attached_marts", lambda *_, **__: nullcontext())
    monkeypatch.setattr(transforming, "update", lambda *_, **__: ([], "update"))
    monkeypatch.setattr(transforming, "compact_marts", lambda *_: None)

    layout = Layout(tmp_path)
    made = transforming._update(None, load_settings(), layout, Progress(), even_small=False)
    assert (made is None) == builds


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
