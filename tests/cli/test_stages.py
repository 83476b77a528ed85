"""The stages of a batch, each by its own command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Command


def test_selected_relations_are_built_but_not_published(command: Command) -> None:
    """Later stages refuse a file of two builds until all is built again."""
    command("nightly")
    published = Path("data/analytics.duckdb").read_bytes()

    selected = command("transform", "--select", "fct_runs", "--select", "audit.loads")
    refused = [command(stage) for stage in ("check", "report", "publish")]

    assert selected.code == 0
    assert "built audit.loads, fct_runs and what they read: " in selected.err
    assert [each.code for each in refused] == [1, 1, 1]
    assert all("Run `analytics transform`, which builds all." in each.err for each in refused)
    assert Path("data/analytics.duckdb").read_bytes() == published

    stages = [command(stage) for stage in ("transform", "check", "report", "publish")]

    assert [each.code for each in stages] == [0, 0, 0, 0]


def test_stages_tell_their_seconds(command: Command) -> None:
    """Each stage of a batch prints its seconds, and the last batch has them by stage."""
    printed = command("nightly").err
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
    assert list(last["seconds"]) == ["load", "extract", "transform", "check", "report", "publish"]
    assert all(seconds > 0 for seconds in last["seconds"].values())
    assert json.loads(command("status", "--json").out)["last_batch"]["seconds"] == last["seconds"]


@pytest.mark.parametrize("name", ["fct_rums", "marts.fct_rums"])
def test_unknown_relations_are_refused(command: Command, name: str) -> None:
    """An unknown name is refused with similar ones, and no build file is made."""
    command("extract")
    result = command("transform", "--select", name)

    assert result.code == 2
    assert f"There is no model {name}.\nDid you mean " in result.err
    assert "fct_runs" in result.err
    assert not Path("data/build.duckdb").exists()
