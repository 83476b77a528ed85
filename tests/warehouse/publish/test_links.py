"""Links that others put where a batch writes: what they lead to stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from analytics import files
from analytics.batch.last_batch import ended_batch, write_last_batch
from analytics.errors import AnalyticsError
from analytics.warehouse.database import attached_marts, compact_marts, open_marts, open_warehouse
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from analytics.warehouse.publish import copying

CONTENT = b"of the owner"
LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")
SPILLED = """
    set memory_limit = '60MB'; set threads = 1;
    create temp table spilled as select range, hash(range) || 'a' as a from range(3_000_000)
"""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A file of the owner elsewhere, which is unchanged in the end."""
    file = tmp_path / "file"
    file.write_bytes(CONTENT)
    yield file
    assert file.read_bytes() == CONTENT


def test_a_small_file_is_written_past_a_link(layout: Layout, file: Path) -> None:
    """It replaces the one before, and follows no link, also one that takes its name meanwhile.

    What a kill left of it is removed: of alerts at a batch's begin, of others when it writes them.
    """
    for name in (".last-batch.json.unfinished", "last-batch.json"):
        (layout.root / name).symlink_to(file)
    for name in ("alerts.json", "last-batch.json"):
        (layout.root / f".{name}.k2v_9x1b.unfinished").touch()
    with batch_lock(layout):
        before = {*layout.root.iterdir()}
    with files.replacing(layout.alerts) as written:
        (made,) = {*layout.root.iterdir()} - before
        made.unlink()
        made.symlink_to(file)
        written.write(b"{}")
    write_last_batch(layout, ended_batch(layout, datetime.now(UTC), {}))

    assert not layout.last_batch.is_symlink()
    small = {"alerts.json", "last-batch.json", ".last-batch.json.unfinished"}
    assert {path.name for path in layout.root.iterdir()} <= {
        ".lock",
        "published",
        made.name,
        *small,
    }


def test_marts_are_not_copied_through_a_link(layout: Layout, file: Path) -> None:
    """A link under the name of the copy that is to be published is not followed."""
    with open_warehouse(layout) as con, attached_marts(con, layout.marts):
        pass
    layout.staged.mkdir(parents=True)
    layout.staged_file.symlink_to(file)

    with pytest.raises(FileExistsError), copying(layout):
        pass


@pytest.mark.parametrize(
    "name", [f"{name}.duckdb{end}" for name in ("warehouse", "build", "../disk") for end in LOGS]
)
def test_a_log_that_is_a_link_is_refused(layout: Layout, file: Path, name: str) -> None:
    """DuckDB would write its log where the link leads; the batch ends and says what to do.

    The warehouse may be a link itself; then DuckDB's log lies where it leads.
    """
    if name.startswith(".."):
        duckdb.connect(layout.root / "../disk.duckdb").close()
        layout.warehouse.symlink_to("../disk.duckdb")
    log = layout.root / name
    log.symlink_to(file)

    with (
        pytest.raises(AnalyticsError, match=f"{log.name} is a link, .*\nMove it away, and run"),
        batch_lock(layout),
    ):
        pass


def test_nothing_is_spilled_to_a_folder_of_others(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit in memory lies in a folder of its own, whose name cannot be guessed."""
    theirs = layout.root.with_name("theirs")
    theirs.mkdir()
    monkeypatch.chdir(layout.root)
    for name in ("warehouse.duckdb.tmp", ".tmp"):
        (layout.root / name).symlink_to(theirs)

    with open_warehouse(layout) as con:
        con.execute(SPILLED)
        assert not [*theirs.iterdir()]
        with attached_marts(con, layout.marts):
            pass
    with open_marts(layout.marts) as con:
        con.execute(SPILLED)
        assert not [*theirs.iterdir()]


def test_a_file_is_not_written_anew_through_a_link(layout: Layout) -> None:
    """Of another database, to which a link leads under that name, nothing is changed."""
    other = layout.root.with_name("other.duckdb")
    duckdb.connect(other).close()
    before = other.read_bytes()
    with open_warehouse(layout) as con:
        with attached_marts(con, layout.marts):
            con.execute("create table build_file.marts.a as select hash(range) from range(999_999)")
        with attached_marts(con, layout.marts):
            con.execute("drop table build_file.marts.a")
        layout.next_marts.symlink_to(other)

        compact_marts(con, layout)

    assert other.read_bytes() == before
    assert not layout.marts.is_symlink()
