"""Backup and restore, by the commands of the documentation: a rebuild gives equal marts."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from analytics.cli.emulator import command_at
from analytics.emulator.records import Agent
from analytics.emulator.world import World
from tests.batches import gone_from
from tests.cli.books.conftest import NOW, OWNERS, SETTINGS, Shop
from tests.cli.conftest import shell_in
from tests.cli.test_rebuild import marts
from tests.docs.pages import ROOT, blocks_under
from tests.worlds import book_run, hire_baker

PAGE = "operations.md"


@pytest.fixture(scope="module")
def world() -> World:
    return World.empty(1, NOW)


@pytest.fixture(scope="module")
def baker(world: World) -> Agent:
    baker = hire_baker(world)
    for hours_ago in (24 * 22, 24 * 2, 3):
        book_run(world, baker, hours_ago=hours_ago, cost="1.10")
    return baker


@pytest.fixture(scope="module")
def origin(
    tmp_path_factory: pytest.TempPathFactory, world: World, baker: Agent
) -> Iterator[tuple[Shop, str]]:
    """A project with owners, a closed month, batches before and after the close; and its API."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "finance").mkdir()
    (folder / "finance" / "owners.csv").write_text(OWNERS, encoding="utf-8")
    with shell_in(folder, world, SETTINGS) as run:
        shop = Shop(folder, run)
        shop.ok("nightly", "-q")
        shop.ok("close", "2026-10", "-q", "--approved-by", "Head of finance")
        (folder / "finance" / "owners.csv").write_text(OWNERS.replace("Ann", "Ben"), "utf-8")
        work(shop, world, baker)
        yield shop, os.environ["LEVAIN_API"]


@pytest.fixture
def shop(origin: tuple[Shop, str], world: World, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """That project as the working directory, with its key in the environment."""
    shop, api = origin
    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("LEVAIN_API", api)
    monkeypatch.setenv("LEVAIN_API_KEY", world.workspaces[0].api_key)
    return shop


def work(shop: Shop, world: World, baker: Agent) -> None:
    """Run a batch that finds a new run."""
    world.pass_time(timedelta(hours=1))
    book_run(world, baker, hours_ago=0.1, cost="0.25")
    shop.ok("nightly", "-q")


def run_block(heading: str, folder: Path) -> None:
    """Run the first shell block of the page in a folder, with a command of this source."""
    command = f'analytics() {{ {shlex.join(command_at(NOW))} "$@"; }}\n'
    subprocess.run(
        ["/bin/sh", "-eu"],
        input=command + blocks_under(PAGE, heading)[0].code,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
        check=True,
    )


def parts() -> list[str]:
    """Return the parts of a data directory in the order of the page."""
    code = blocks_under(PAGE, "Back up")[0].code
    return re.findall(r"for part in (.*); do", code)[0].split()


@pytest.mark.long
def test_a_restored_backup_has_equal_figures(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table is as it was, and the books are verified."""
    before = marts()
    run_block("Back up", shop.folder)
    run_block("Restore", shop.folder)
    monkeypatch.chdir(shop.folder / "restored")

    after = marts()
    assert after.keys() == before.keys()
    for table, rows in before.items():
        assert after[table] == rows, table
    status = shop.run("status")
    assert (status.code, "Books: closed to 2026-10" in status.out) == (0, True), status.out


@pytest.mark.long
def test_a_batch_that_ends_during_a_backup_does_no_harm(
    shop: Shop, world: World, baker: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the page, a copy has all that its parts rest on.

    Its figures are those of the batch that ended; of one that is cut off, nothing is missed.
    """
    for number, part in enumerate(parts()):
        source, target = Path("data", part), tmp_path / "data" / part
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            target.parent.mkdir(exist_ok=True)
            shutil.copy2(source, target)
        if number == 0:
            work(shop, world, baker)
            before = marts()
            run = book_run(world, baker, hours_ago=0.1, cost="9")
            with gone_from(f"{run.id}/log/events"):
                assert shop.run("nightly", "-q").code == 1
    for name in ("analytics.toml", "finance"):
        source = shop.folder / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, tmp_path / name)
    monkeypatch.chdir(tmp_path)

    shop.ok("rebuild", "-q")
    after = marts()
    for table, rows in before.items():
        assert after[table] == rows, table
    shop.ok("books")
