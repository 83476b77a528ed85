"""The span of a workspace's data, as the last load of each batch records it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import duckdb
import pytest

from analytics.extract.landing import Landing
from analytics.levain import Answer
from analytics.warehouse.layout import Layout
from analytics.warehouse.load import load_folder
from analytics.warehouse.store import Store
from tests.warehouse.conftest import READ_AT, raw

ME = {"workspace_id": "w1", "workspace_name": "Bakery"}


def landing_of(layout: Layout, load_id: str, **me: object) -> Landing:
    """A load of the workspace, before it is committed."""
    landing = Landing(layout.landing, "w1", load_id, keep_errors=True)
    landing.add("workspaces", Answer("/me", {}, 200, READ_AT, 2, []), [raw(ME | me)])
    return landing


def test_a_landing_on_a_full_disk_leaves_no_folder(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is deleted, and the error is still known, where a file cannot be closed."""
    landing = landing_of(layout, "20261120T053000Z-001-x")

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        landing.discard()

    assert list((layout.landing / "w1").iterdir()) == []


def test_a_landing_is_on_the_disk_before_it_has_its_name(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of a load and their names are synced before it is renamed, and its name after."""
    load_id = "20261120T053000Z-001-x"
    landing = landing_of(layout, load_id)
    steps, rename = [], os.rename

    def synced(descriptor: int) -> None:
        steps.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    def renamed(*paths: Path) -> None:
        steps.append("rename")
        rename(*paths)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    landing.commit()

    files = ["requests.ndjson.zst", "workspaces.ndjson.zst"]
    assert steps == [*files, f"{load_id}.unfinished", "rename", "w1"]


def test_nothing_is_landed_through_a_link(layout: Layout) -> None:
    """A link that others put where a load is to be landed is an error, and leads no file away."""
    theirs = layout.root / "theirs"
    theirs.mkdir(parents=True)
    (layout.landing / "w1").mkdir(parents=True)
    (layout.landing / "w1" / "20261120T053000Z-001-x.unfinished").symlink_to(theirs)

    with pytest.raises(FileExistsError):
        landing_of(layout, "20261120T053000Z-001-x")

    assert list(theirs.iterdir()) == []


def test_the_last_load_closes_a_batch(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Closing loads set the workspace's name and span of batches; other loads change neither.

    A batch is complete also if the workspace's name is missing or unreadable.
    """
    spans = []
    for day, step, name in (
        (20, "meters", "Bakery"),
        (20, "workspace", "Bakery"),
        (21, "workspace", "New <b>🍞</b>"),
        (22, "workspace", None),
        (23, "workspace", {"en": "x"}),
    ):
        Store(con, "w1").begin("https://api", "KEY")
        landed = landing_of(layout, f"202611{day}T053000Z-001-{step}", workspace_name=name)
        load_folder(con, landed.commit())
        spans += con.execute(
            "select workspace_name, day(first_batch_at), day(last_batch_at) from ledger.workspaces"
        ).fetchall()

    assert spans == [
        (None, None, None),
        ("Bakery", 20, 20),
        ("New <b>🍞</b>", 20, 21),
        (None, 20, 22),
        (None, 20, 23),
    ]
