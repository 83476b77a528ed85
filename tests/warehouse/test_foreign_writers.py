"""Programs that write to the published file spoil no later one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from analytics.warehouse.layout import Layout
from tests.warehouse.test_publish import publish

WRITER = """
import duckdb, os, signal, sys
con = duckdb.connect(sys.argv[1])
con.execute("set checkpoint_threshold = '1TB'")
con.execute("delete from batch")
print("written", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A data directory without a batch."""
    return Layout(tmp_path)


def database(layout: Layout, batch: int) -> None:
    layout.marts.unlink(missing_ok=True)
    with duckdb.connect(layout.marts) as con:
        con.execute(f"create table batch as select {batch} as number")


def rows(layout: Layout) -> list[tuple[int]]:
    with duckdb.connect(layout.published, read_only=True) as con:
        return con.execute("select number from batch").fetchall()


def logs(layout: Layout) -> list[str]:
    return [path.name for path in layout.root.glob("*.wal*")]


@contextmanager
def writer(layout: Layout) -> Iterator[subprocess.Popen[str]]:
    """Another program that has written to the published file, and is killed afterwards."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, layout.published],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "written\n"
        yield process


def test_the_log_of_a_killed_writer_is_removed(layout: Layout) -> None:
    """A program that wrote to the published file and was killed spoils no later file."""
    database(layout, 1)
    publish(layout, 0o600)
    with writer(layout):
        pass
    assert logs(layout) == ["analytics.duckdb.wal"]
    database(layout, 2)
    publish(layout, 0o600)

    assert logs(layout) == []
    assert rows(layout) == [(2,)]
