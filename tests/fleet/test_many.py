"""Many workspaces, most of them small: as many tasks as one likes give one machine's figures."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

pytest.importorskip("ray", reason="no extra `fleet` here: make test-all")

from analytics.emulator.worlds.fleet import Workspaces
from analytics.fleet.nightly import nightly
from analytics.fleet.publication import merge
from tests.conftest import NOW
from tests.fleet.comparing import differences, on_one_machine
from tests.fleet.fleets import fleet_over, quiet

WORKSPACES = 1000
SMALL, LARGE, LARGEST = 3, 500, 1_000_000
"""Runs of a workspace: of most, of each hundredth, of one."""


@pytest.fixture(scope="module")
def world() -> Workspaces:
    """A thousand workspaces, one of which has a million runs, all of them listed."""
    runs = [LARGE if n % 100 == 0 else SMALL for n in range(WORKSPACES)]
    runs[1] = LARGEST
    return Workspaces(1, NOW, runs)


@pytest.mark.long
@pytest.mark.filterwarnings("default")  # Ray leaves sockets and files to Python
@pytest.mark.parametrize("shards", [64, 1])
def test_a_thousand_workspaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: Workspaces, shards: int
) -> None:
    """However many shards there are, the merged marts are those of one machine."""
    names = [f"s{number % shards}" for number in range(WORKSPACES)]
    with fleet_over(tmp_path, monkeypatch, world, names) as given:
        for details in ("runs/[^/]*/costs", "runs/[^/]*/log/events"):  # two millions of requests
            given.emulator.faults.add(f"{details}$", "403", 10**9)
        publish = msgspec.structs.replace(given.fleet.publish, site=False)
        fleet = msgspec.structs.replace(given.fleet, publish=publish)
        nightly(fleet, [], None, quiet())
        assert merge(fleet, quiet()) == []

        one = on_one_machine(given, tmp_path / "one")

        assert differences(one, fleet.published / "analytics.duckdb") == []
