"""`analytics prune`: what nothing needs goes, and what is left makes the same figures again."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analytics.emulator.world import World
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from tests.cli.conftest import SETTINGS, Command, FirstBatch, SettingsFile
from tests.cli.test_rebuild import asked, marts

# Each of them stands for what a kill leaves; `x.unfinished` are those of folders.
LEFT = [
    "landing/w1/20261120T060000Z-000001-lists.unfinished/runs.ndjson.zst",
    "books/2026-10/.r1.unfinished/lines.parquet",
    "publications/.20261120T060000.000000Z.json.unfinished",
    "rebuild.unfinished/warehouse.duckdb",
    "site.unfinished/index.html",
    "build.next.duckdb",
    "analytics.duckdb.next",
    ".last-batch.json.q3k_x0a1.unfinished",
    ".metrics.prom.z7mm2p_c.unfinished",
]
ASIDE = "warehouse.damaged-20261001T000000Z.duckdb"


@pytest.fixture
def data(first_batch: FirstBatch) -> Path:
    """A copy of the data of a batch, with all that kills and damage can leave."""
    shutil.copytree(first_batch.data, "data")
    for name in [*LEFT, ASIDE]:
        file = Path("data", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(1000))
    old = (datetime.now(UTC) - timedelta(days=40)).timestamp()
    os.utime(Path("data", ASIDE), (old, old))
    return Path("data")


def files(data: Path) -> set[str]:
    """Return the path of each file, relative to the data directory."""
    return {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()}


def test_nothing_goes_before_it_is_wanted(analytics: Command, data: Path) -> None:
    """Without --yes each leftover is named with its size, and all files stay."""
    before = files(data)
    text, as_json = analytics("prune"), analytics("prune", "--json")
    found = json.loads(as_json.out)

    assert (text.code, as_json.code) == (0, 0)
    assert "`analytics prune --yes` removes, 11.0 kB:" in text.out
    assert "rebuild.unfinished" in text.out
    assert "1.0 kB" in text.out
    assert [found["is_removed"], len(found["leftovers"])] == [False, len(LEFT) + 1]
    assert {each["byte_count"] for each in found["leftovers"]} == {1000}
    assert [each["name"] for each in found["kept"]] == ["landing", "books", "publications"]
    assert files(data) == before


def test_what_nothing_needs_goes(analytics: Command, data: Path, first_batch: FirstBatch) -> None:
    """With --yes the files of the batch are left byte for byte; a second time finds nothing."""
    result = analytics("prune", "--yes")
    kept = {name: (data / name).read_bytes() for name in files(data)}

    assert result.code == 0
    assert "Removed, 11.0 kB:" in result.out
    assert kept == {
        name: (first_batch.data / name).read_bytes() for name in files(first_batch.data)
    }
    assert "There is nothing to remove." in analytics("prune", "--yes").out


def test_a_damaged_file_is_kept_for_a_while(analytics: Command, data: Path) -> None:
    """It may tell why it was damaged: --keep-days says how long."""
    assert analytics("prune", "--yes", "--keep-days", "50").code == 0
    assert (data / ASIDE).exists()
    assert analytics("prune", "--yes", "--keep-days", "0").code == 0
    assert not (data / ASIDE).exists()


def test_a_link_goes_and_not_what_it_leads_to(analytics: Command, data: Path) -> None:
    """Nothing outside of the data directory is touched."""
    shutil.rmtree(data / "site.unfinished")
    Path("outside").mkdir()
    Path("outside/file").write_bytes(b"")
    (data / "site.unfinished").symlink_to(Path("outside").resolve())

    assert analytics("prune", "--yes").code == 0
    assert not (data / "site.unfinished").is_symlink()
    assert Path("outside/file").exists()


def test_a_batch_at_work_is_let_be(analytics: Command, data: Path) -> None:
    """Its unfinished files look like leftovers, so that nothing is removed: exit 4."""
    with batch_lock(Layout(data)):
        before = files(data)
        result = analytics("prune", "--yes")
        after = files(data)

    assert result.code == 4
    assert "A batch is at work in data" in result.err
    assert after == before


def test_the_mark_of_a_batch_that_broke_off_stays(analytics: Command, data: Path) -> None:
    """The lock file tells the next batch how the last one ended, and is left as it is."""
    (data / ".lock").write_bytes(b"4711\n")
    assert analytics("prune", "--yes").code == 0

    assert (data / ".lock").read_bytes() == b"4711\n"


def test_without_data_there_is_nothing_to_prune(analytics: Command) -> None:
    """A data directory that is not there is not made."""
    result = analytics("prune", "--yes")

    assert result.code == 1
    assert "There is no data directory data." in result.err
    assert not Path("data").exists()


def test_a_rebuild_after_it_gives_equal_figures(
    analytics: Command, settings_file: SettingsFile, data_of_batches: Path
) -> None:
    """All tables are those of before, row for row, though the last batch but one was cut off."""
    settings_file(SETTINGS)
    shutil.copytree(data_of_batches, "data")
    before = marts()
    (workspace,) = Path("data/landing").iterdir()
    cut_off = workspace / "20261121T030000Z-000001-lists.unfinished"
    shutil.copytree(next(workspace.iterdir()), cut_off)
    assert analytics("prune", "--yes").code == 0
    Path("data/warehouse.duckdb").unlink()
    Path("data/build.duckdb").unlink()

    assert not cut_off.exists()
    assert analytics("rebuild").code == 0
    assert marts() == before


def test_no_landing_folder_can_be_spared(published: Command, world: World) -> None:
    """A load that brought nothing new still decides which runs are final: without it, none is.

    This is why `prune` leaves each landing folder, also one whose records were all read before.
    """
    world.pass_time(timedelta(hours=50))
    assert published("nightly").code == 0
    ((repeat,),) = asked(
        "select max(load_id) from audit.loads"
        " where step = 'lists' and record_count > 0 and new_version_count = 0"
    )
    assert asked("select distinct is_final from marts.fct_runs") == [(True,)]
    shutil.rmtree(next(Path("data/landing").glob(f"*/{repeat}")))

    refused = published("rebuild")
    assert refused.code == 3
    assert "Landing files are missing" in refused.err
    Path("data/analytics.duckdb").unlink()
    assert published("rebuild").code == 0
    assert asked("select distinct is_final from marts.fct_runs") == [(False,)]
