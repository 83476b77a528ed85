"""`collect`: beside batches, with the right key only, and what it leaves alone."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from analytics.emulator.world import World
from analytics.warehouse import lock
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock, collection_lock
from tests.cli.conftest import Command, publish_again
from tests.worlds import StartRun

LAYOUT = Layout(Path("data"))
LISTS = ("collect",)


def test_only_landing_changes(published: Command, world: World, start_run: StartRun) -> None:
    """A collection changes no file but its landing folder, and builds from none of its runs."""
    before = {file: file.stat().st_mtime_ns for file in Path("data").glob("[!.]*")}
    status = published("status", "--json").out
    world.pass_time(timedelta(hours=1))
    start_run(hours_ago=0.5)
    result = published(*LISTS)

    assert (result.code, result.out) == (0, "")
    assert "Blank Slate: read 1 new or changed run in 2 requests" in result.err
    assert {file: file.stat().st_mtime_ns for file in Path("data").glob("[!.]*")} == before
    assert published("status", "--json").out == status
    publish_again()
    query = ("sql", "select count(*) as n from fct_runs", "--format", "json")
    assert json.loads(published(*query).out) == [{"n": 3}]


@pytest.mark.parametrize(
    ("held", "arguments", "words"),
    [
        (batch_lock, LISTS, "Another batch is at work in data"),
        (collection_lock, LISTS, "A collection is at work in data"),
        (collection_lock, ("nightly",), "A collection is at work in data"),
    ],
)
def test_a_wait_is_bounded(published: Command, held: Any, arguments: Any, words: str) -> None:
    """A collection, and a batch that finds one, exit with 4 after a wait."""
    with patch.object(lock, "WAIT_SECONDS", 0.1), held(LAYOUT):
        result = published(*arguments)

    assert result.code == 4
    assert words in result.err


@pytest.mark.parametrize(
    ("held", "waiting"), [(batch_lock, collection_lock), (collection_lock, batch_lock)]
)
def test_one_waits_for_the_other(tmp_path: Path, held: Any, waiting: Any) -> None:
    """A collection waits for a batch, and a batch for a collection."""
    layout, begun = Layout(tmp_path), threading.Event()

    def begin() -> None:
        with waiting(layout):
            begun.set()

    with patch.object(lock, "PROBE_SECONDS", 0.05):
        with held(layout):
            waiter = threading.Thread(target=begin)
            waiter.start()
            assert not begun.wait(0.2)
        waiter.join(10)

    assert begun.is_set()
