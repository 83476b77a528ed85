"""Damaged files of the data directory: a batch heals them, or a message names file and remedy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.batch.batch import begun
from analytics.batch.progress import Progress
from analytics.emulator.world import World
from analytics.settings import load_settings
from analytics.warehouse.damage import DamagedError
from analytics.warehouse.database import BUILD_FILE, open_marts, read_whole
from tests.batches import Row, read_marts
from tests.cli.conftest import Command, book_a_few_runs, shell_in
from tests.worlds import NOW, book_run, hire_baker

DATA = Path("data")
WAREHOUSE, BUILD, PUBLISHED = (
    DATA / f"{name}.duckdb" for name in ("warehouse", "build", "analytics")
)
HEADERS, BLOCK = 3 * 4096, 256 * 1024
FIGURES = ("fct_runs", "fct_adjustments", "fct_usage_hours", "fct_charges", "dim_months")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    """The data of two batches, between which a cost changed; `earlier` has them of the first."""
    folder, world = tmp_path_factory.mktemp("damage"), World.empty(1, NOW)
    agent = hire_baker(world)
    book_a_few_runs(world, agent)
    corrected = book_run(world, agent, hours_ago=30, cost="1")
    with shell_in(folder, world) as run:
        assert run("nightly").code == 0
        shutil.copytree(folder / "data", folder / "earlier", symlinks=True)
        world.pass_time(timedelta(hours=20))
        world.correct_cost(corrected, Decimal("0.5"))
        assert run("nightly").code == 0
    return world, folder


@pytest.fixture
def analytics(origin: tuple[World, Path], tmp_path: Path) -> Iterator[Command]:
    """The command after the second batch, with a copy of the data, and the same API."""
    world, folder = origin
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True, symlinks=True)
    with shell_in(tmp_path, world) as run:
        yield run


def figures() -> dict[str, list[Row]]:
    """Return the published figures that no further batch of the same data changes."""
    with open_marts(PUBLISHED) as con:
        marts = read_marts(con)
    return {name: marts[name] for name in FIGURES}


def flip(file: Path, at: int) -> None:
    """Change a byte of a file."""
    with file.open("r+b") as opened:
        opened.seek(at)
        (byte,) = opened.read(1)
        opened.seek(at)
        opened.write(bytes([byte ^ 0xFF]))


def flip_block(file: Path, table: str) -> None:
    """Change a byte of the block that holds the first column of a table."""
    with duckdb.connect(file, read_only=True) as con:
        ((block,),) = con.execute(
            "select block_id from pragma_storage_info(?) where block_id >= 0 limit 1", [table]
        ).fetchall()
    flip(file, HEADERS + block * BLOCK + 5000)


DAMAGES: dict[str, Callable[[], Any]] = {
    "block of a table": lambda: flip_block(WAREHOUSE, "raw.runs"),
    # DuckDB passes over a log whose head is damaged: then this is the file.
    "its log lost": lambda: shutil.copyfile("earlier/warehouse.duckdb", WAREHOUSE),
    "block of a mart": lambda: flip_block(BUILD, "marts.fct_runs"),
    "gone": WAREHOUSE.unlink,
}


@pytest.mark.parametrize(
    "name",
    ["block of a table", *(pytest.param(each, marks=pytest.mark.long) for each in [*DAMAGES][1:])],
)
def test_what_is_damaged_is_made_anew(analytics: Command, name: str) -> None:
    """A batch warns, keeps the last damaged file aside, and publishes the same figures."""
    before = figures()
    (DATA / "warehouse.aside-20261101T000000Z.duckdb").touch()
    DAMAGES[name]()
    result = analytics("nightly")

    assert result.code == 0, result.err
    warnings = [line for line in result.err.splitlines() if "warning: " in line]
    assert len(warnings) == 1
    assert ".duckdb is damaged: " in warnings[0]
    assert "the warehouse is kept as warehouse.aside-" in warnings[0]
    assert figures() == before
    assert before["fct_adjustments"]
    (aside,) = DATA.glob("warehouse.aside-*.duckdb")
    assert "20261101" not in aside.name
    assert "is damaged: " in analytics("status").out


@pytest.mark.usefixtures("analytics")
def test_a_publication_that_was_not_recorded_is() -> None:
    """A batch that was killed after it had published counts as published at that moment."""
    sql = "select load_id, published_at from ledger.loads order by 1"
    with duckdb.connect(WAREHOUSE) as con:
        before = con.execute(sql).fetchall()
        con.execute(
            "update ledger.loads set published_at = null"
            " where published_at = (select max(published_at) from ledger.loads)"
        )
    with begun(load_settings(), Progress()):
        pass
    with duckdb.connect(WAREHOUSE) as con:
        assert con.execute(sql).fetchall() == before


@pytest.mark.usefixtures("analytics")
def test_each_block_is_read_before_it_is_published() -> None:
    """Reading a file whole finds a changed byte in any block that the file uses."""
    with duckdb.connect(BUILD, read_only=True) as con:
        used = {
            block
            for (block,) in con.execute("select block_id from pragma_metadata_info()").fetchall()
        }
        for (table,) in con.execute(
            "select concat_ws('.', schema_name, table_name) from duckdb_tables()"
        ).fetchall():
            for block, others in con.execute(
                "select block_id, additional_block_ids from pragma_storage_info(?)", [table]
            ).fetchall():
                used |= {
                    each for each in (block, *(others or [])) if each is not None and each >= 0
                }
    for block in sorted(used)[::5]:
        flip(BUILD, HEADERS + block * BLOCK + 5000)
        with pytest.raises(DamagedError), open_marts(BUILD) as con:
            read_whole(con, BUILD_FILE)
        flip(BUILD, HEADERS + block * BLOCK + 5000)
    with open_marts(BUILD) as con:
        read_whole(con, BUILD_FILE)


@pytest.mark.parametrize(
    ("file", "table", "command"),
    [
        (PUBLISHED, "marts.fct_runs", ("sql", "select * from fct_runs")),
        (WAREHOUSE, "raw.runs", ("rebuild", "--verify")),
    ],
)
def test_a_command_that_heals_nothing_names_file_and_remedy(
    analytics: Command, file: Path, table: str, command: tuple[str, ...]
) -> None:
    """Damage that DuckDB finds by a checksum is told with the file."""
    flip_block(file, table)
    result = analytics(*command)

    assert result.code == 1
    assert file.name in result.err
    assert "Corrupt database file" in result.err
    assert "`analytics nightly`" in result.err


def test_without_landing_files_damage_is_told(analytics: Command) -> None:
    """A batch says once that the landing folder is gone; a later damage names the way out."""
    shutil.rmtree(DATA / "landing")
    first, second = analytics("nightly"), analytics("nightly")

    assert (first.code, second.code) == (0, 0)
    assert "is gone: no rebuild can make these data anew" in first.err
    assert "is gone" not in second.err

    shutil.rmtree(DATA / "landing")
    flip(WAREHOUSE, 40)
    refused = analytics("nightly")

    assert refused.code == 1
    assert f"{WAREHOUSE} is damaged: " in refused.err
    assert "; and data/landing has no whole batch to make it anew from" in refused.err
