"""An agent moves to another workspace with its runs: these count there, and no longer here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest

from analytics.emulator.records import Agent
from analytics.emulator.world import World
from analytics.warehouse.layout import Layout
from tests.batches import LIST_CAP, short_lists
from tests.cli.conftest import Command, shell_in
from tests.worlds import NOW, book_run, hire_baker, move_agent

Sums = dict[tuple[Any, ...], tuple[Any, ...]]

TABLES = {
    "fct_agent_days": "workspace_id, agent_id, date: run_count, succeeded_count, cost_usd",
    "fct_workspace_days": "workspace_id, date: run_count, succeeded_count, cost_usd",
    "fct_charges": "workspace_id, agent_id, utc_date: metered_cost_usd, billed_usd, tokens_in",
}


def published(folder: Path, table: str, key: str, measures: str) -> Sums:
    """Return sums of a published table, without the lines of the platform and those of nothing."""
    sums = ", ".join(f"sum({each})" for each in measures.split(", "))
    with duckdb.connect(Layout(folder / "data").published_file, read_only=True) as con:
        rows = con.execute(f"select {key}, {sums} from marts.{table} group by all").fetchall()
    width = key.count(",") + 1
    return {row[:width]: row[width:] for row in rows if any(row[width:])}


def emulated(world: World) -> dict[str, Sums]:
    """Return the same of the emulator's runs and its meter."""
    sums: dict[str, defaultdict[tuple[Any, ...], list[Any]]]
    sums = {table: defaultdict(lambda: [0, 0, Decimal(0)]) for table in TABLES}

    def add(table: str, key: tuple[Any, ...], *measures: Any) -> None:
        sums[table][key] = [a + b for a, b in zip(sums[table][key], measures, strict=True)]

    for workspace in world.workspaces:
        for run in workspace.agent_runs:
            figures = 1, run.status == "succeeded", run.totals.cost_usd
            day = run.created_at.date()
            add("fct_agent_days", (workspace.id, run.agent.id, day), *figures)
            add("fct_workspace_days", (workspace.id, day), *figures)
        for entry in workspace.ledger:
            key = workspace.id, entry.run.agent.id, entry.booked_at.date()
            add("fct_charges", key, entry.cost_usd, entry.billed_usd, entry.tokens_in)
    return {table: {key: tuple(sum_) for key, sum_ in of.items()} for table, of in sums.items()}


def require_emulated(folder: Path, world: World) -> None:
    """Days and charges are those of the runs and the meter of their workspace."""
    for table, columns in TABLES.items():
        assert published(folder, table, *columns.split(": ")) == emulated(world)[table], table


def settings_of(keys: str, history_days: int = 60) -> str:
    named = (f'[[workspaces]]\napi_key_env = "{key}"\n' for key in keys.split())
    return f"[extract]\nhistory_days = {history_days}\n{''.join(named)}"


@contextmanager
def two_workspaces(folder: Path, keys: str) -> Iterator[tuple[World, Agent, Command]]:
    """A baker and a miller in one workspace, a judge in another, and the commands that read them.

    The baker has worked today, and on two days that no batch reads again.
    """
    world = World.empty(1, NOW)
    old, new = world.workspaces[0], world.add_workspace("Other")
    baker = hire_baker(world)
    runs = [book_run(world, baker, hours_ago=24 * 50 + hour) for hour in range(2)]
    runs += [book_run(world, baker, hours_ago=24 * 45 - hour / 10) for hour in range(LIST_CAP + 2)]
    world.meter(  # a correction, days after the run
        runs[-1], model="m", provider="p", tokens_in=0, tokens_out=0, cost_usd=Decimal("0.5"),
        at=NOW - timedelta(days=40),
    )  # fmt: skip
    book_run(world, baker, hours_ago=2)
    for workspace, name in ((old, "Miller"), (new, "Judge")):
        other = world.add_agent(workspace, name, name.lower(), at=NOW - timedelta(days=60))
        for hours in (1, 24 * 45):
            book_run(world, other, hours_ago=hours)
    with shell_in(folder, world, settings_of(keys)) as run, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLD", old.api_key)
        patch.setenv("NEW", new.api_key)
        yield world, baker, run


@pytest.mark.parametrize("keys", ["OLD NEW", pytest.param("NEW OLD", marks=pytest.mark.long)])
def test_an_agent_that_moves(tmp_path: Path, keys: str) -> None:
    """Each night, days and charges are those of the runs and the meter of their workspace.

    Each run that was listed before is listed after, though the new workspace lists fewer. The
    closed month of the runs has adjustments in both workspaces.
    """
    with two_workspaces(tmp_path, keys) as (world, baker, run):
        for night in range(3):
            if night == 1:
                move_agent(baker, world.workspaces[1])
            with patch("tests.batches.LIST_CAP", LIST_CAP - night), short_lists():
                result = run("nightly")
            assert (result.code, "differ" in result.err) == (0, False), result.err
            require_emulated(tmp_path, world)
            if night == 0:
                assert run("close", "2026-10", "--approved-by", "Head of finance").code == 0
            world.pass_time(timedelta(days=1))
        assert run("rebuild", "--verify").code == 0

    old, new = (each.id for each in world.workspaces)
    key, measures = "workspace_id, cause", "difference_listed_run_count, difference_billed_usd"
    assert published(tmp_path, "fct_period_adjustments", key, measures) == {
        (old, "run_removed"): (1 - LIST_CAP, Decimal("-2.475")),
        (old, "cost_corrected"): (0, Decimal("-0.55")),
        (new, "late_run"): (LIST_CAP - 1, Decimal("2.475")),
        (new, "cost_corrected"): (0, Decimal("0.55")),
    }


def test_an_agent_that_moves_to_a_new_workspace(tmp_path: Path) -> None:
    """Its days are metered there, though they are older than the history that is read first."""
    with two_workspaces(tmp_path, "OLD") as (world, baker, run):
        assert run("nightly").code == 0
        move_agent(baker, world.workspaces[1])
        world.pass_time(timedelta(days=1))
        Path("analytics.toml").write_text(settings_of("OLD NEW", 30), encoding="utf-8")
        assert run("nightly").code == 0

    require_emulated(tmp_path, world)


def test_an_agent_that_leaves_an_unreadable_workspace(tmp_path: Path) -> None:
    """A warning says that its runs count twice, until its old workspace can be read."""
    with two_workspaces(tmp_path, "OLD NEW") as (world, baker, run):
        old, new = world.workspaces
        run("nightly")
        world.pass_time(timedelta(days=1))
        move_agent(baker, new)
        old.api_key, key = "revoked", old.api_key
        results = [run("nightly")]
        old.api_key = key
        world.pass_time(timedelta(days=1))
        results.append(run("nightly"))

    assert [(each.code, "count 10 runs twice" in each.err) for each in results] == [
        (1, True), (0, False),
    ]  # fmt: skip
