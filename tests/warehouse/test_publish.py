"""Publishing is one act: whatever is killed, readers find file and site of one batch."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from analytics import disk
from analytics.errors import AnalyticsError
from analytics.warehouse.layout import Layout
from analytics.warehouse.publish import copying, repair
from analytics.warehouse.publish import publish as publish_copy
from analytics.warehouse.site import read_manifest
from tests.batches import Killed, killed_before

CALLS: list[tuple[Any, str]] = [
    *((os, name) for name in ("mkdir", "rename", "replace", "link", "symlink", "unlink", "rmdir")),
    *((os, name) for name in ("chmod", "fsync")),
    *((disk, name) for name in ("exchange", "sync_file_system")),
    (shutil, "copyfile"),
    (subprocess, "run"),
]
"""All by which a publication changes the disk."""

OWN = {".lock", "analytics.duckdb", "build.duckdb", "site"}
"""All that lies in the data directory of these tests between batches."""


@pytest.fixture(autouse=True)
def without_syncs() -> Iterator[None]:
    """A process that is killed needs no disk, and hundreds of publications would wait for it."""
    with mock.patch.object(os, "fsync"), mock.patch.object(disk, "sync_file_system"):
        yield


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A data directory without a batch."""
    layout = Layout(tmp_path / "data")
    layout.root.mkdir()
    return layout


def build(layout: Layout, batch: int) -> None:
    """Make the file of a batch, and its site: each file names it, and one is of it alone."""
    layout.marts.write_text(f"{batch}")
    files = {"index.html": f"{batch}", "data/days.js": f"{batch}", f"data/{batch}/x.js": "x"}
    shutil.rmtree(layout.staged_site, ignore_errors=True)
    for name, content in files.items():
        (layout.staged_site / name).parent.mkdir(parents=True, exist_ok=True)
        (layout.staged_site / name).write_text(content)
    digests = {name: sha256(text.encode()).hexdigest() for name, text in files.items()}
    manifest = {"as_of": f"{batch}", "files": digests}
    (layout.staged_site / "manifest.json").write_text(json.dumps(manifest))


def publish(layout: Layout, mode: int) -> None:
    """Publish the file and the site of the batch that was made."""
    with copying(layout) as copied:
        publish_copy(layout, mode, copied)


def batch_of_file(layout: Layout) -> int | None:
    """Return the batch of the published file; None if there is none."""
    return int(layout.published.read_text()) if layout.published.exists() else None


def batch_of_site(layout: Layout) -> int | None:
    """Return the batch of a site whose files are those of its manifest; None if there is none."""
    if not layout.site.exists():
        return None
    digests = {
        str(path.relative_to(layout.site)): sha256(path.read_bytes()).hexdigest()
        for path in layout.site.rglob("*")
        if path.is_file() and path.name not in {"manifest.json", "robots.txt"}
    }
    manifest = read_manifest(layout.site)
    assert digests == manifest.files
    return int(manifest.as_of)


def published(layout: Layout) -> tuple[int | None, int | None]:
    return batch_of_file(layout), batch_of_site(layout)


def kill_at_each_call(layout: Layout, of: int) -> Iterator[int]:
    """Publish a batch over the one before, and kill that at each call; yield after each kill."""
    for call in range(1000):
        shutil.rmtree(layout.root)
        layout.root.mkdir()
        if of > 1:
            build(layout, of - 1)
            publish(layout, 0o600)
        build(layout, of)
        try:
            with killed_before(call, CALLS):
                publish(layout, 0o600)
        except Killed:
            yield call
        else:
            assert call > 20
            return


@pytest.mark.parametrize(("of", "can_exchange"), [(1, True), (2, True), (2, False)])
def test_a_kill_leaves_readers_one_whole_batch(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, of: int, *, can_exchange: bool
) -> None:
    """Killed before each call, a publication is seen whole or not at all, and so is its repair.

    Where names cannot be exchanged, the repair completes or undoes it. The next one publishes.
    """
    if not can_exchange:
        error = OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        monkeypatch.setattr(disk, "exchange", mock.Mock(side_effect=error))
    before = (of - 1, of - 1) if of > 1 else (None, None)
    seen = set()
    for call in kill_at_each_call(layout, of):
        found = published(layout) if can_exchange else None
        for again in range(100 if before == (1, 1) and can_exchange else 0):
            try:
                with killed_before(again, CALLS):
                    repair(layout)
            except Killed:
                assert published(layout) == found, (call, again)
            else:
                break
        repair(layout)
        repaired = published(layout)
        assert found in {None, repaired}, call
        left = {path.name for path in layout.root.iterdir()}
        assert left <= OWN | {"site.next"}, call
        if can_exchange:
            assert ("site.next" in left) == (repaired == before)
        else:
            build(layout, of)
        publish(layout, 0o600)
        assert published(layout) == (of, of)
        assert {path.name for path in layout.root.iterdir()} <= OWN
        seen.add(repaired)
    assert seen == {before, (of, of)}


def test_all_is_on_the_disk_before_it_is_named(layout: Layout) -> None:
    """One sync follows the last written byte, and precedes the first published name."""
    build(layout, 1)
    publish(layout, 0o600)
    build(layout, 2)
    with recorded() as calls:
        publish(layout, 0o640)
    flushed = calls.index("sync_file_system")
    first, last = (
        calls.index("exchange"),
        len(calls) - 1 - calls[::-1].index(f"fsync {layout.root}"),
    )

    assert {"run", "chmod"} <= {*calls[:flushed]}
    assert flushed < first < last
    assert not {"run", "chmod", "copyfile"} & {*calls[flushed:]}
    assert {*calls[last + 1 :]} <= {"unlink", "rmdir"}
    assert layout.published.stat().st_mode & 0o777 == 0o640
    assert (layout.site / "data").stat().st_mode & 0o777 == 0o750


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Yield the names of the calls of a publication; of syncs of a folder, the folder too."""
    calls: list[str] = []
    with ExitStack() as patches:
        for owner, name in CALLS:
            original = getattr(owner, name)

            def call(*given: Any, original: Any = original, name: str = name, **more: Any) -> Any:
                of = Path(f"/proc/self/fd/{given[0]}").readlink() if name == "fsync" else ""
                calls.append(f"{name} {of}".strip())
                return original(*given, **more)

            patches.enter_context(mock.patch.object(owner, name, call))
        yield calls


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling link"])
def test_leftovers_of_any_kind_stop_nothing(layout: Layout, kind: str) -> None:
    """A file, folder or link by a name that batches use is removed, and what it leads to stays."""
    elsewhere = layout.root.with_name("elsewhere")
    (elsewhere / "folder").mkdir(parents=True)
    build(layout, 1)
    publish(layout, 0o600)
    for path in (*layout.leftovers, layout.staged_site):
        match kind:
            case "file":
                path.touch()
            case "folder":
                (path / "folder").mkdir(parents=True)
            case "link":
                path.symlink_to(elsewhere)
            case _:
                path.symlink_to("nowhere")
    repair(layout)
    disk.remove(layout.staged_site)  # a folder is taken for what the stage `report` made

    assert {path.name for path in layout.root.iterdir()} == OWN - {".lock"}
    assert (elsewhere / "folder").is_dir()
    shutil.rmtree(layout.site)
    layout.site.touch()  # is no site of anybody
    build(layout, 2)
    publish(layout, 0o600)
    assert published(layout) == (2, 2)


@pytest.mark.parametrize("kind", ["folder", "link", "link of the site"])
def test_what_is_in_the_place_of_the_file_is_refused(layout: Layout, kind: str) -> None:
    """Nobody's folder is deleted, and nobody's link replaced; the message says what to do."""
    place = layout.site if kind == "link of the site" else layout.published
    if kind == "folder":
        place.mkdir(parents=True)
    else:
        place.symlink_to("elsewhere")
    found = place.lstat().st_ino
    build(layout, 1)
    with pytest.raises(AnalyticsError, match=rf"is a {kind.split()[0]}.*\n.*Move it away"):
        publish(layout, 0o600)

    assert place.lstat().st_ino == found


def test_a_mounted_file_is_named(layout: Layout) -> None:
    """A container that mounts the published file alone is told to mount its folder."""
    build(layout, 1)
    publish(layout, 0o600)
    original = Path.replace, disk.exchange

    def busy(which: int) -> Callable[[Path, Path], object]:
        def call(first: Path, second: Path) -> object:
            if layout.published in {first, second}:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(first))
            return original[which](first, second)

        return call

    build(layout, 2)
    with (
        mock.patch.object(Path, "replace", busy(0)),
        mock.patch.object(disk, "exchange", busy(1)),
        pytest.raises(AnalyticsError, match=r"analytics.duckdb is mounted.*\n.*Mount its folder"),
    ):
        publish(layout, 0o600)

    assert published(layout) == (1, 1)


def test_what_cannot_be_verified_is_not_published(layout: Layout) -> None:
    """After an error of what verifies, readers find the batch before; the next is published.

    A copy that is not published is removed; one that cannot be made is told when it is awaited.
    """
    build(layout, 1)
    publish(layout, 0o600)
    build(layout, 2)
    error = duckdb.IOException("a block is damaged")

    def verify() -> None:
        with copying(layout) as copied:
            copied()
            assert layout.next_published.read_text() == "2"
            raise error

    with pytest.raises(duckdb.IOException, match="a block is damaged"):
        publish_copy(layout, 0o600, verify)
    assert published(layout) == (1, 1)
    assert not layout.next_published.exists()
    publish(layout, 0o600)
    assert published(layout) == (2, 2)
    layout.marts.unlink()
    with copying(layout) as copied, pytest.raises(AnalyticsError, match="cannot be copied"):
        copied()


WRITER = """
import duckdb, os, signal, sys
con = duckdb.connect(sys.argv[1])
con.execute("set checkpoint_threshold = '1TB'")
con.execute("delete from batch")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_log_of_a_killed_writer_is_removed(layout: Layout) -> None:
    """A program that wrote to the published file and was killed spoils no later file."""

    def publish_file(batch: int) -> None:
        layout.marts.unlink(missing_ok=True)
        with duckdb.connect(layout.marts) as con:
            con.execute(f"create table batch as select {batch} as number")
        publish(layout, 0o600)

    publish_file(1)
    subprocess.run([sys.executable, "-c", WRITER, layout.published], check=False)
    assert layout.published.with_name("analytics.duckdb.wal").exists()
    publish_file(2)

    assert not [*layout.root.glob("*.wal*")]
    with duckdb.connect(layout.published, read_only=True) as con:
        assert con.execute("select number from batch").fetchall() == [(2,)]
