"""Publishing is one act: whatever is killed, readers find file and site of one batch."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from analytics.errors import AnalyticsError
from analytics.warehouse.damage import DamagedError
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from analytics.warehouse.publications import moments_on_record
from analytics.warehouse.publish import copying, tidy
from analytics.warehouse.publish import publish as publish_staged
from tests.batches import Killed, killed_before
from tests.warehouse.publish.numbered import (
    CALLS,
    kills,
    moment_of,
    publish,
    publish_all,
    published,
    require_tidy,
    stage,
)


@pytest.mark.parametrize("of", [1, 2])
def test_a_kill_leaves_readers_one_whole_batch(layout: Layout, of: int) -> None:
    """Killed before each call, a publication is seen whole or not at all; so is its completion.

    A record is kept of what was published, and of nothing else. The next one publishes.
    """

    def given() -> None:
        publish_all(layout, *range(1, of))
        stage(layout, of)

    before = (of - 1, of - 1) if of > 1 else (None, None)
    seen = set()
    for call in kills(layout, given, lambda: publish(layout, of)):
        found = published(layout)
        assert found in {before, (of, of)}, call
        for again in range(100):
            try:
                with killed_before(again, CALLS):
                    tidy(layout)
            except Killed:
                assert published(layout) in {found, (of, of)}, (call, again)
            else:
                break
        tidied = published(layout)
        assert tidied in {found, (of, of)}, call
        on_record = [moment_of(each) for each in range(1, (tidied[0] or 0) + 1)]
        assert moments_on_record(layout) == on_record, call
        publish_all(layout, of + 1)
        require_tidy(layout, of + 1)
        seen.add(tidied)
    assert seen == {before, (of, of)}


def test_who_followed_the_links_finds_what_they_led_to(layout: Layout) -> None:
    """What was replaced is there until the next batch begins."""
    publish_all(layout, 1)
    followed = layout.published_file.resolve()
    stage(layout, 2)
    publish_staged(layout, moment_of(2), 0o600, b"{}")
    assert (followed.read_text(), published(layout)) == ("1", (2, 2))
    with batch_lock(layout):
        require_tidy(layout, 2)


def test_all_is_on_the_disk_before_it_is_named(layout: Layout) -> None:
    """All that was written and named is synced before the rename that publishes it."""
    publish_all(layout, 1)
    stage(layout, 2)
    written = {str(path) for path in layout.staged.rglob("*")} | {str(layout.staged)}
    with recorded() as calls:
        publish_staged(layout, moment_of(2), 0o640, b"{}")
    switch = calls.index("replace now")

    assert {f"fsync {path}" for path in written} <= {*calls[:switch]}
    last = max(place for place, call in enumerate(calls) if not call.startswith("fsync"))
    assert last == switch
    assert calls[switch + 1 :] == [f"fsync {layout.published}"]
    assert layout.published_file.stat().st_mode & 0o777 == 0o640
    assert (layout.site / "data").stat().st_mode & 0o777 == 0o750
    assert layout.published.stat().st_mode & 0o777 == 0o750


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Yield the names of the calls of a publication; of some, what they are about too."""
    calls: list[str] = []
    with ExitStack() as patches:
        for owner, name in CALLS:
            original = getattr(owner, name)

            def call(*given: Any, original: Any = original, name: str = name, **more: Any) -> Any:
                of = ""
                if name == "fsync":
                    of = f" {Path(f'/proc/self/fd/{given[0]}').readlink()}"
                elif name == "replace":
                    of = f" {Path(given[1]).name}"
                calls.append(name + of)
                return original(*given, **more)

            patches.enter_context(mock.patch.object(owner, name, call))
        yield calls


def test_what_cannot_be_named_is_not_published(layout: Layout) -> None:
    """After an error readers find the batch before, nothing is left over; the next is published."""
    publish_all(layout, 1)
    stage(layout, 2)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with mock.patch.object(os, "symlink", side_effect=full), pytest.raises(OSError, match="space"):
        publish(layout, 2)

    require_tidy(layout, 1)
    assert moments_on_record(layout) == [moment_of(1)]
    publish_all(layout, 2)
    require_tidy(layout, 2)


def test_no_record_stops_a_publication(layout: Layout) -> None:
    """Figures are not published where nothing can keep when that was."""
    layout.publications.touch()
    stage(layout, 1)
    with pytest.raises(AnalyticsError, match=r"publications is no folder.*\nNothing was published"):
        publish(layout, 1)

    assert published(layout) == (None, None)
    assert not layout.published_file.is_symlink()


def build(layout: Layout, batch: int) -> None:
    """Make a build file."""
    layout.marts.unlink(missing_ok=True)
    with duckdb.connect(layout.marts) as con:
        con.execute("create schema marts; create schema audit")
        con.execute(
            f"create table batch as select {batch} as number, hash(range) from range(200_000)"
        )


def test_the_build_file_is_verified_while_it_is_copied(layout: Layout) -> None:
    """After an error, such as damage, nothing is staged."""
    build(layout, 1)
    with copying(layout):
        pass
    assert layout.staged_file.read_bytes() == layout.marts.read_bytes()
    tidy(layout)
    with layout.marts.open("r+b") as file:
        file.seek(layout.marts.stat().st_size // 2)
        file.write(b"damage" * 100)
    with pytest.raises(DamagedError, match=r"build\.duckdb is damaged"), copying(layout):
        pass
    assert not layout.staged.exists()


WRITER = """
import duckdb, os, signal, sys
con = duckdb.connect(sys.argv[1])
con.execute("set checkpoint_threshold = '1TB'")
con.execute("delete from batch")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_log_of_a_killed_writer_spoils_no_later_file(layout: Layout) -> None:
    """It lies beside the file that was opened for writing, and goes with it."""

    def publish_file(batch: int) -> None:
        stage(layout, batch)
        build(layout, batch)
        shutil.copyfile(layout.marts, layout.staged_file)
        publish(layout, batch)

    publish_file(1)
    subprocess.run([sys.executable, "-c", WRITER, layout.published_file], check=False)
    assert layout.published_file.resolve().with_name("analytics.duckdb.wal").exists()
    publish_file(2)

    assert not [*layout.root.rglob("*.wal*")]
    with duckdb.connect(layout.published_file, read_only=True) as con:
        assert con.execute("select distinct number from batch").fetchall() == [(2,)]
