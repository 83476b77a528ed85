"""A shard is a data directory: its batch is like any other, and its state is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

pytest.importorskip("deltalake", reason="no extra `fleet` here: make test-all")

from analytics.errors import UsageError
from analytics.fleet.settings import load_fleet
from analytics.fleet.status import read_state
from tests.fleet.fleets import Given, fleet_of


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Given]:
    """A fleet of one shard with one small workspace."""
    with fleet_of(tmp_path, monkeypatch, [12], ["a"]) as made:
        yield made


def run_count(given: Given) -> int:
    """The runs that shard a has published."""
    with duckdb.connect(given.file("a"), read_only=True) as con:
        ((number,),) = con.execute("select count(*) from marts.fct_runs").fetchall()
    return int(number)


def test_batches_bring_a_shard_on(given: Given) -> None:
    """Each batch goes on from the one before, and a failed one leaves what was published."""
    workspace = given.emulator.world.workspaces[0]
    assert (given.batch("a").exit_code, run_count(given)) == (0, 12)
    given.emulator.world.start_run(next(iter(workspace.agents.values())), prompt="one more")
    assert (given.batch("a").exit_code, run_count(given)) == (0, 13)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("KEY_0", "levain_of_nobody_000")
        failed = given.batch("a")

    assert (failed.exit_code, run_count(given)) == (2, 13)
    (state,) = read_state(given.fleet).shards
    assert state.message == failed.failure == failed.messages[0]
    assert (state.exit_code, state.is_merged) == (2, False)


def test_an_object_store_is_refused(tmp_path: Path) -> None:
    """Shards lie in a folder; the message says what may lie in a bucket."""
    (tmp_path / "fleet.toml").write_text(
        'folder = "s3://bucket/fleet"\n[[workspaces]]\napi_key_env = "KEY"\n'
    )

    with pytest.raises(UsageError, match=r":1: `folder` must be a folder .* by publish\.tables"):
        load_fleet(tmp_path / "fleet.toml")


def test_the_pages_of_a_shard_lie_below_those_of_the_fleet(tmp_path: Path) -> None:
    """Alerts of a shard lead there, where the settings say at which address the site is."""
    (tmp_path / "fleet.toml").write_text(
        'folder = "fleet"\n[[workspaces]]\napi_key_env = "KEY"\nshard = "bakery"\n'
    )
    (tmp_path / "analytics.toml").write_text('[publish]\nurl = "https://agents.example.com/"\n')
    fleet = load_fleet(tmp_path / "fleet.toml")

    assert fleet.of("bakery").publish.url == "https://agents.example.com/shards/bakery"
