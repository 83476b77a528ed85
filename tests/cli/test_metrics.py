"""The file for Prometheus: what a batch leaves for node_exporter, good or failed."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.emulator.world import World
from tests.cli.conftest import Command
from tests.cli.exposition import Samples, families
from tests.docs.pages import blocks, rows, text_of

FILE = Path("data/metrics.prom")


def metrics(file: Path = FILE) -> dict[str, Samples]:
    """Return all samples, by the name of the metric without its prefix."""
    found = families(file.read_text(encoding="utf-8"))
    assert all(name.startswith("levain_analytics_") for name in found)
    return {name.removeprefix("levain_analytics_"): samples for name, samples in found.items()}


def value(name: str, **labels: str) -> Decimal:
    """Return the only sample of a metric that has these labels, perhaps among others."""
    (found,) = (
        number for given, number in metrics()[name].items() if labels.items() <= dict(given).items()
    )
    return found


def published_value(command: Command, sql: str) -> Decimal:
    """Return one figure of the published file."""
    ((figure,),) = [row.values() for row in json.loads(command("sql", sql, "--format", "json").out)]
    return Decimal(figure)


def test_a_batch_leaves_its_state(command: Command, world: World) -> None:
    """Each figure is that of the published file, digit for digit, and names are inert."""
    world.workspaces[0].name = 'Bakery "\\"\n\x1b[1m'
    Path("finance").mkdir()
    text = "scope,name,month,amount_usd\nall,,2026-11,1\n"
    Path("finance/budgets.csv").write_text(text, encoding="utf-8")
    assert command("nightly").code == 0
    workspace = {"workspace_id": world.workspaces[0].id, "workspace": 'Bakery "\\"\\n\\x1b[1m'}
    last = json.loads(Path("data/last-batch.json").read_bytes())

    assert value("batch_exit_code") == 0
    ended = datetime.fromisoformat(last["ended_at"]).timestamp()
    assert value("batch_end_timestamp_seconds") == Decimal(str(ended))
    assert value("batch_last_success_timestamp_seconds") == Decimal(str(ended))
    assert value("batch_stage_duration_seconds", stage="publish") == Decimal(
        str(last["seconds"]["publish"])
    )
    assert value("data_timestamp_seconds", **workspace) == int(world.now.timestamp())
    cost = published_value(command, "select cost_usd from fct_workspace_months")
    assert value("month_cost_usd", **workspace) == cost == Decimal("1.5")
    assert value("month_unlisted_run_ratio", **workspace) == 0
    assert value("unexplained_usd", **workspace) == 0
    assert value("month_budget_usd", scope="all") == 1
    remaining = published_value(command, "select remaining_usd from fct_budgets")
    assert value("month_budget_remaining_usd", scope="all") == remaining < 0
    assert value("checks", result="failed") == 0
    assert value("checks", result="passed") == published_value(
        command, "select count(*) from check_results"
    )
    assert value("info") == 1
    named = "".join(row[0] for row in rows(text_of("operations.md"), "metric | labels | is"))
    assert {*metrics()} == {*re.findall(r"\w+", named)}


def test_a_failed_batch_says_so_and_keeps_the_figures(
    published: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is that of the failed batch, the last success and the data those before it."""
    before = metrics()
    world.pass_time(timedelta(hours=6))
    monkeypatch.setenv("LEVAIN_API", "http://127.0.0.1:9")
    assert published("nightly").code == 1
    after = metrics()

    kept = ("batch_last_success_timestamp_seconds", "data_timestamp_seconds", "month_cost_usd")
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert value("batch_exit_code") == 1
    assert value("batch_end_timestamp_seconds") > value("batch_last_success_timestamp_seconds")


def test_the_rules_of_the_page_name_what_there_is() -> None:
    """Each metric in the example of alerting rules is documented."""
    (rules,) = [each for each in blocks() if each.file == "rules.yaml"]
    named = {*re.findall(r"levain_analytics_(\w+)", rules.code)}

    assert named <= {*re.findall(r"\w+", text_of("operations.md").partition("```yaml")[0])}
