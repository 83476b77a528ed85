"""A key that opens another workspace costs only its own one a batch, and no figure is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest

from analytics.emulator.records import Agent, Totals, Workspace
from analytics.emulator.world import World
from analytics.levain.transport import Transport
from analytics.settings import Workspace as Setting
from tests.batches import Batch, Published, publish
from tests.worlds import book_run

Work = Callable[[], None]


def require_exact(published: Published, *workspaces: Workspace) -> None:
    """No check fails; days and charges of these equal the emulator's runs and meter."""
    assert published.findings == []
    expected = defaultdict[str, defaultdict[tuple[Any, ...], tuple[Any, ...]]](
        lambda: defaultdict(lambda: (0, Decimal(0)))
    )

    def add(table: str, key: tuple[Any, ...], one: Any, other: Decimal) -> None:
        before = expected[table][key]
        expected[table][key] = (before[0] + one, before[1] + other)

    for each in workspaces:
        for run in each.runs.values():
            cost = Totals.of(each.ledger.of_run(run.id)).cost_usd
            assert run.agent
            add("fct_agent_days", (each.id, run.created_at.date(), run.agent.id), 1, cost)
            add("fct_workspace_days", (each.id, run.created_at.date()), 1, cost)
        for entry in each.ledger:
            assert entry.run.agent
            key = (each.id, entry.booked_at.date(), entry.run.agent.id, entry.model)
            add("fct_charges", key, entry.cost_usd, entry.billed_usd)
    for table, columns in (
        ("fct_agent_days", "workspace_id date agent_id run_count cost_usd"),
        ("fct_workspace_days", "workspace_id date run_count cost_usd"),
        ("fct_charges", "workspace_id utc_date agent_id model metered_cost_usd billed_usd"),
    ):
        found = {
            tuple(key): (one, other)
            for *key, one, other in published.rows(table, columns)
            if key[0] in {each.id for each in workspaces}
        }
        assert found == expected[table], table


@pytest.fixture
def other(batch: Batch, world: World, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A second workspace, which the batch reads too."""
    other = world.add_workspace("Other")
    monkeypatch.setenv("OTHER", other.api_key)
    settings = [Setting(api_key_env=env, api=batch.api.url) for env in ("LEVAIN_API_KEY", "OTHER")]
    batch.settings = batch.settings.model_copy(update={"workspaces": settings})
    return other


@pytest.fixture
def work(world: World, agent: Agent, other: Workspace) -> Work:
    """Return a function that lets a day pass and books runs in both, large ones in the second."""
    chef = world.add_agent(other, "Chef", "chef")

    def work_a_day() -> None:
        world.pass_time(timedelta(days=1))
        for hours_ago in (3, 2, 1):
            book_run(world, agent, hours_ago=hours_ago, cost="0.2500000001")
            book_run(world, chef, hours_ago=hours_ago, cost="400.0000000007", status="failed")

    return work_a_day


def errors(batch: Batch) -> list[str]:
    """The first lines of the errors of a batch's workspaces, by their keys' order."""
    return [(outcome.error or "").partition("\n")[0] for outcome in batch.extract()]


def test_keys_that_are_swapped_during_a_batch(
    batch: Batch, workspace: Workspace, other: Workspace, work: Work
) -> None:
    """Both workspaces fail that night, leave no load to the next one, and are then exact."""
    get: Callable[..., object] = Transport.get

    def swap() -> None:
        workspace.api_key, other.api_key = other.api_key, workspace.api_key

    def swapped(self: Transport, asked: str, *more: object) -> object:
        nonlocal is_swapped
        if asked.endswith("/api/v1/runs/") and not is_swapped:
            is_swapped = True
            swap()
        return get(self, asked, *more)

    work()
    assert errors(batch) == ["", ""]
    landed = {*batch.layout.landing.glob("*/*-*-*")}
    work()
    is_swapped = False
    with mock.patch.object(Transport, "get", swapped):
        failed = errors(batch)
    assert is_swapped
    for each, error in zip((workspace, other), failed, strict=True):
        (aside,) = batch.layout.landing.glob(f"{each.id}/aside-*")
        assert error.startswith("The key became that of another workspace")
        assert f"they are now in {aside}, which no batch loads" in error
    assert {*batch.layout.landing.glob("*/*-*-*")} == landed
    swap()
    work()

    assert errors(batch) == ["", ""]
    require_exact(publish(batch), workspace, other)


def test_one_wrong_key_or_identity_costs_no_other_workspace(
    batch: Batch,
    world: World,
    workspace: Workspace,
    other: Workspace,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the second of three nights one fails and the other is exact; in the third both are."""
    work()
    assert errors(batch) == ["", ""]
    work()
    batch.api.faults.add("/auth/me", "403")
    wrong, right = errors(batch)
    assert ("does not accept the key in" in wrong, right) == (True, "")
    for key, words in (
        ("levain_revoked", "does not accept the key in OTHER"),
        (workspace.api_key, f"The key in OTHER belongs to workspace Blank Slate ({workspace.id})"),
    ):
        monkeypatch.setenv("OTHER", key)
        wrong, right = errors(batch)
        assert (words in wrong, right) == (True, "")
    monkeypatch.setenv("OTHER", other.api_key)
    for identity, words in (
        ("../../x", "gives a workspace id that is no id: '../../x'"),
        ("", "gives a workspace id that is no id: ''"),
        ("x" * 70, "gives a workspace id that is no id: 'xxx"),
        (workspace.id, f"The key in OTHER belongs to workspace Other ({workspace.id})"),
    ):
        one = {"workspace_id": other.id}
        world.lie("workspaces", match=one, field="workspace_id", change=identity)
        wrong, right = errors(batch)
        assert (words in wrong, right) == (True, "")
        world.retract()
    require_exact(publish(batch), workspace)
    work()

    assert errors(batch) == ["", ""]
    require_exact(publish(batch), workspace, other)
