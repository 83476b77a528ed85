"""`analytics doctor`: what needs a hand before the next batch, and what does not."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import msgspec
import pytest

from analytics.batch import health
from analytics.batch.health import Check, directory_checks
from analytics.batch.last_batch import read_last_batch, write_last_batch
from analytics.cli.demo import MARKER
from analytics.emulator.world import World
from analytics.warehouse.holders import holder_of
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock, collection_lock
from tests.cli.conftest import Command, FirstBatch, SettingsFile

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def layout(first_batch: FirstBatch, tmp_path: Path) -> Layout:
    """A copy of the data of a batch that ended well an hour ago."""
    shutil.copytree(first_batch.data, tmp_path / "copy")
    copy = Layout(tmp_path / "copy")
    end_batch(copy)
    return copy


def end_batch(layout: Layout, *, hours_ago: float = 1, exit_code: int = 0) -> None:
    """Change the result of the last batch."""
    last = read_last_batch(layout)
    assert last is not None
    ended_at = NOW - timedelta(hours=hours_ago)
    times = {"started_at": ended_at - timedelta(seconds=80), "ended_at": ended_at}
    messages = ["No luck.", "More of it."] if exit_code else []
    write_last_batch(
        layout, msgspec.structs.replace(last, **times, exit_code=exit_code, messages=messages)
    )


def found(layout: Layout) -> list[Check]:
    """Return the checks that are not in order."""
    return [each for each in directory_checks(layout, NOW) if each.state != "ok"]


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return time and bytes of each file of a folder."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def test_all_is_well_after_a_batch(
    published: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check is in order, the exit is 0, and no file of the data directory is changed."""
    world.workspaces[0].name = "Bakery\x1b[1m"
    monkeypatch.setattr("analytics.cli.doctor._machine_time", lambda: world.now)
    before = content(Path("data"))
    text, as_json = published("doctor"), published("doctor", "--json")

    assert (text.code, as_json.code) == (0, 0), text.out
    checks = {each["name"]: each["finding"] for each in json.loads(as_json.out)}
    assert [*checks] == [
        "release", "settings", "key LEVAIN_API_KEY", "clock", "data directory", "file system",
        "disk", "lock", "warehouse.duckdb", "published file", "published rows", "landing",
        "last batch", "books", "next batch",
    ]  # fmt: skip
    assert all(name in text.out for name in checks)
    assert "of Bakery\\x1b[1m, at http" in text.out
    assert content(Path("data")) == before


def test_without_data_the_machine_alone_is_checked(command: Command) -> None:
    """Before the first batch there is nothing to check, nothing is made, and the exit is 0."""
    shutil.rmtree("data", ignore_errors=True)
    result = command("doctor", "--offline")

    assert result.code == 0
    assert "data is not there: the first batch makes it" in result.out
    assert "set; the API was not asked" in result.out
    assert not Path("data").exists()


def test_an_api_that_does_not_answer_is_one_line(
    published: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked once; the other checks are made, and the exit is 1."""
    monkeypatch.setenv("LEVAIN_API", "http://127.0.0.1:9")
    result = published("doctor")

    assert result.code == 1
    assert result.err == ""
    assert "does not answer" in result.out
    assert "1 problem." in result.out
    assert "every byte" in result.out or "no month is closed" in result.out


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("key", "words"),
    [("", "is not set"), ("levain_of_nobody_secret", "does not accept the key")],
)
def test_a_key_that_is_no_use_is_a_problem(
    analytics: Command, monkeypatch: pytest.MonkeyPatch, key: str, words: str
) -> None:
    """It is told with what to do, and never shown."""
    monkeypatch.setenv("LEVAIN_API_KEY", key)
    result = analytics("doctor")

    assert result.code == 1
    assert words in result.out
    assert "levain_" not in result.out


def test_the_demo_needs_no_key(published: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the demo's data a key that is not set is noted, and is no problem."""
    monkeypatch.setenv("LEVAIN_API_KEY", "")
    (Path("data") / MARKER).touch()
    result = published("doctor")

    assert "not set; the demo's data need none" in result.out
    assert "PROBLEM key" not in " ".join(result.out.split())


def test_a_clock_that_is_wrong_is_a_problem(
    published: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's clock is held against the API's."""
    monkeypatch.setattr(
        "analytics.cli.doctor._machine_time", lambda: world.now - timedelta(hours=2)
    )
    result = published("doctor")

    assert result.code == 1
    assert "2 h 00 min behind the API's" in result.out


def test_wrong_settings_are_told(command: Command, settings_file: SettingsFile) -> None:
    """A file that cannot be read ends the checks; a setting that is wrong does not."""
    settings_file("[reporting]\ntimezone = 'Middle/Earth'\n")
    wrong = command("doctor", "--offline")
    settings_file("[reporting\n")
    unreadable = command("doctor", "--offline", "--json")

    assert (wrong.code, unreadable.code) == (1, 1)
    assert "`Middle/Earth` is no time zone" in wrong.out
    assert "lock" in wrong.out or "data is not there" in wrong.out
    assert [each["name"] for each in json.loads(unreadable.out)] == ["release", "settings"]


def write_version(layout: Layout, version: int) -> None:
    with duckdb.connect(layout.warehouse) as con:
        con.execute("update ledger.schema_version set version = ?", [version])


def damage(file: Path) -> None:
    file.write_bytes(b"no database" * 1000)


def write_to_published(layout: Layout, statement: str) -> None:
    with duckdb.connect(layout.published) as con:
        con.execute(statement)


def change_books(layout: Layout) -> None:
    (layout.books / "2026-10").mkdir(parents=True)
    (layout.books / "2026-10" / "note.txt").write_text("added", encoding="utf-8")


PROBLEMS: dict[str, tuple[Callable[[Layout], object], str, str]] = {
    "older": (lambda each: write_version(each, 1), "warehouse.duckdb", "an older release"),
    "newer": (lambda each: write_version(each, 99), "warehouse.duckdb", "a newer release"),
    "damaged": (lambda each: damage(each.warehouse), "warehouse.duckdb", "warehouse.duckdb"),
    "published": (lambda each: damage(each.published), "published file", "analytics.duckdb"),
    "log": (
        lambda each: each.published.with_name("analytics.duckdb.wal").write_bytes(b""),
        "published file",
        "for writing, and left analytics.duckdb.wal",
    ),
    "row": (
        lambda each: write_to_published(each, "update marts.fct_runs set cost_usd = 9"),
        "published rows",
        "marts.fct_runs: another program",
    ),
    "table": (
        lambda each: write_to_published(each, "drop table marts.dim_agents"),
        "published rows",
        "marts.dim_agents: another program",
    ),
    "load": (lambda each: shutil.rmtree(min(each.landing.glob("*/*"))), "landing", " is gone"),
    "failed": (lambda each: end_batch(each, exit_code=3), "last batch", "with exit 3: No luck."),
    "to come": (lambda each: end_batch(each, hours_ago=-9), "last batch", "which is to come"),
    "long ago": (lambda each: end_batch(each, hours_ago=60), "last batch", "2.5 d ago"),
    "books": (change_books, "books", "additional"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_needs_a_hand_is_a_problem(layout: Layout, name: str) -> None:
    """It is named, with what to do, and it is the only one."""
    spoil, check, words = PROBLEMS[name]
    spoil(layout)
    (problem,) = found(layout)

    assert (problem.name, problem.state) == (check, "problem")
    assert words in problem.finding.replace("\N{NO-BREAK SPACE}", " ")
    assert problem.remedy


def test_what_heals_alone_is_a_note(layout: Layout) -> None:
    """The next batch deals with it, and the note says so."""
    shutil.copytree(layout.site, layout.staged_site)
    layout.marts.unlink()
    (layout.root / "rebuild.unfinished").mkdir()
    (note,) = found(layout)

    assert (note.name, note.state) == ("next batch", "note")
    assert "builds all marts" in note.finding
    assert "replaces pages" in note.finding
    assert "1 leftover" in note.finding

    layout.warehouse.unlink()
    (note,) = found(layout)
    assert "loads all landing folders" in note.finding


def since(layout: Layout, moment: datetime) -> None:
    os.utime(layout.lock, (moment.timestamp(), moment.timestamp()))


def test_a_batch_at_work_is_named(layout: Layout) -> None:
    """Its files are left alone, and it is a problem only after a day."""
    with batch_lock(layout):
        since(layout, NOW - timedelta(minutes=5))
        (at_work,) = found(layout)
        since(layout, NOW - timedelta(hours=30))
        (hung,) = found(layout)
    with collection_lock(layout):
        (collection,) = found(layout)

    assert (at_work.state, hung.state) == ("note", "problem")
    assert f"a batch is at work: process {os.getpid()}" in at_work.finding
    assert "a collection is at work" in collection.finding


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell who holds a file")
@pytest.mark.parametrize(
    ("name", "words"),
    [("warehouse.duckdb", "has {} open"), ("analytics.duckdb", "opened {} for writing")],
)
def test_a_program_that_has_a_file_open_is_named(layout: Layout, name: str, words: str) -> None:
    """Who keeps the batch out, or may change what is published, is told by its process."""
    code = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, layout.root / name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (problem,) = found(layout)
        process.communicate(b"\n")

    assert problem.finding == f"process {process.pid} {words.format(layout.root / name)}"


def test_no_batch_begins_while_its_files_are_open(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that starts meanwhile waits a moment, instead of finding its warehouse open."""
    seen = []

    def look(*_: object) -> None:
        with layout.lock.open("rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        seen.append(holder_of(layout))

    monkeypatch.setattr(health, "require_version", look)

    assert found(layout) == []
    assert seen == [None]


@pytest.mark.parametrize(
    ("free", "files", "words"),
    [(10**6, 10**6, "are free"), (10**12, 3, "only 3 more files")],
)
def test_a_disk_that_is_nearly_full_is_a_problem(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, free: int, files: int, words: str
) -> None:
    """Free space is held against what a batch needs that makes all anew; inodes count too."""
    space = SimpleNamespace(f_flag=0, f_bavail=free, f_frsize=1, f_favail=files, f_files=10**6)
    monkeypatch.setattr(os, "statvfs", lambda _: space)
    (problem,) = found(layout)

    assert (problem.name, problem.state) == ("disk", "problem")
    assert words in problem.finding


def test_a_network_file_system_is_noted(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its locks may not hold against another machine, which no probe sees."""
    monkeypatch.setattr(health, "_kind_of", lambda _: "nfs4")
    (note,) = found(layout)

    assert (note.name, note.state) == ("file system", "note")
    assert note.finding.startswith("nfs4 syncs")


def test_a_mount_of_any_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks are escaped in the list of mounts, and letters that are not English are not."""
    mounts = "/dev/a / ext4 rw 0 0\nserver:/b /mnt/donn\u00e9es\\040b nfs4 rw 0 0\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: mounts)

    assert health._kind_of(Path("/mnt/donn\u00e9es b/data")) == "nfs4"
    assert health._kind_of(Path("/mnt/other")) == "ext4"


@pytest.mark.parametrize("broken", ["lock", "rename"])
def test_a_file_system_without_locks_or_renames_is_a_problem(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """A lock that two can hold, or a file that is replaced by a copy, is told."""
    if broken == "lock":
        monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    else:
        monkeypatch.setattr(
            Path, "replace", lambda self, target: target.write_bytes(self.read_bytes())
        )
    problems = [each for each in found(layout) if each.state == "problem"]

    assert [each.name for each in problems] == ["file system"]
    assert not list(layout.root.glob(".doctor-*"))


@pytest.mark.parametrize(
    ("name", "words"), [("file", "is no folder"), ("x" * 300, "File name too long")]
)
def test_a_directory_that_cannot_be_used_is_a_problem(
    tmp_path: Path, analytics: Command, name: str, words: str
) -> None:
    """A file in its place, or a path that cannot be looked at, is the only check of the data."""
    (tmp_path / "file").touch()
    result = analytics("doctor", "--offline", "--json", "--data-dir", str(tmp_path / name))
    *_, before, problem = json.loads(result.out)

    assert before["name"] == "key LEVAIN_API_KEY"
    assert (problem["name"], problem["state"]) == ("data directory", "problem")
    assert words in problem["finding"]


def test_a_disk_that_is_mounted_read_only_is_told(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named as what it is, not as files of another user."""
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    (problem,) = [each for each in found(layout) if each.state == "problem"]

    assert problem.finding.endswith("is on a file system that is mounted read-only")


def test_files_of_another_user_are_told(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a batch of root left is named, with the command that gives it back."""
    theirs = {layout.published, layout.landing}
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path) not in theirs and access(path, mode)
    )
    (problem,) = [each for each in found(layout) if each.state == "problem"]

    assert problem.finding.startswith("2 files and folders cannot be used by this user")
    assert "chown -R" in problem.remedy
