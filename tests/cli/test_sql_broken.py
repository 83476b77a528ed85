"""`analytics sql` and `analytics status` where the machine, the file or a reader fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from tests.cli.conftest import Command


@pytest.fixture
def published(
    folder_of_two_runs: Path, analytics: Command, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command, in a folder with a published batch."""
    monkeypatch.chdir(folder_of_two_runs)
    return analytics


@pytest.mark.usefixtures("published")
def test_what_a_query_spilled_goes_with_its_process() -> None:
    """It lies in the data directory, and is removed though the command was killed."""
    spilled = "a as materialized (select md5(range::varchar) from range(2500000))"
    query = f"with {spilled} select count(*) from a, range(1000000000000)"
    code = (
        "import sys\n"
        "from functools import partialmethod\n"
        "from analytics.cli import main\n"
        "from analytics.warehouse.confined import Limits\n"
        "Limits.__init__ = partialmethod(Limits.__init__, memory='100MB')\n"
        "main()"
    )
    settings = Path("spill.toml")
    settings.write_text("[sql]\ntimeout_seconds = 3600\n", encoding="utf-8")
    command = [sys.executable, "-c", code, "sql", query, "--config", str(settings)]
    data = Path("data")
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not [*data.glob(".analytics-*/*")]:
            assert process.poll() is None
        process.kill()
    deadline = time.monotonic() + 120
    while (left := [*data.glob(".analytics-*")]) and time.monotonic() < deadline:
        pass

    assert not left


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_text_that_cannot_be_encoded_costs_nothing(encoding: str) -> None:
    """A character that the output lacks is replaced; JSON escapes it, and keeps its meaning."""
    told = []
    for form in ("table", "json"):
        command = ["sql", "select 'Söhne … 🍞' as name", "--format", form]
        ended = subprocess.run(
            [sys.executable, "-m", "analytics", *command],
            env=os.environ | {"PYTHONIOENCODING": encoding},
            capture_output=True,
            check=True,
        )
        told.append(ended.stdout.decode(encoding))

    assert "hne ? ?" in told[0]
    assert json.loads(told[1]) == [{"name": "Söhne … 🍞"}]


@pytest.mark.usefixtures("published")
def test_who_stops_reading_is_told_nothing() -> None:
    """A closed pipe ends a command without a word, and never with exit 120."""
    command = [sys.executable, "-m", "analytics", "sql", "from range(1000000)", "--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()

    assert (process.returncode, told) == (1, b"")


@pytest.mark.usefixtures("published")
def test_a_full_disk_is_told() -> None:
    """An error of writing to standard output is one line."""
    code = "import sys; from analytics.cli import main; sys.argv[1:] = ['status']; main()"
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert ended.returncode == 1
    assert ended.stderr.startswith(b"error: No space left on device.\nMake room")


def test_a_damaged_file_is_told_with_what_mends_it(published: Command, tmp_path: Path) -> None:
    """The error about a damaged published file names the command that replaces it."""
    file = tmp_path / "analytics.duckdb"
    whole = Path("data/analytics.duckdb").read_bytes()
    for damaged in (b"no database" * 1000, whole[: len(whole) // 2]):
        file.write_bytes(damaged)
        result = published("status", "--data-dir", str(tmp_path))

        assert result.code == 1
        assert str(file) in result.out
        assert "`analytics nightly`" in result.out


def test_a_file_of_another_release_is_told(published: Command, tmp_path: Path) -> None:
    """The error about a missing table names the command that publishes it."""
    with duckdb.connect(tmp_path / "analytics.duckdb") as con:
        con.execute("create schema marts; create table marts.dim_workspaces (workspace_id VARCHAR)")
    result = published("status", "--data-dir", str(tmp_path))

    assert result.code == 1
    assert "of another release: `analytics nightly`" in result.out


COUNT_RUNS = "select count(*) as runs from fct_runs"
WRITER = """
import duckdb, os, signal, sys
con = duckdb.connect("data/analytics.duckdb")
con.execute("set checkpoint_threshold = '1TB'")
con.execute("delete from marts.fct_runs")
print("written", flush=True)
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_another_writer_changes_no_answer(
    published: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others wrote beside the published file is not shown, but told, until it is replaced.

    While they have the file open, its lock is told as the cause.
    """
    shutil.copytree("data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    count = published("sql", COUNT_RUNS).out
    with subprocess.Popen(
        [sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"written\n"
        assert published("sql", COUNT_RUNS).out == count
        for log in Path("data").glob("*.wal"):
            log.unlink()
        locked = published("status")
    assert "is open for writing in another program: " in locked.out
    with subprocess.Popen([sys.executable, "-c", WRITER], stdin=subprocess.DEVNULL):
        pass
    asked, status = published("sql", COUNT_RUNS), published("status")

    assert (asked.code, asked.out, status.code) == (0, count, 1)
    told = "data/analytics.duckdb.wal is of a program that opened the published file for"
    assert f"warning: {told}" in asked.err
    assert f"- {told}" in status.out
    with batch_lock(Layout(Path("data"))):
        pass
    assert published("sql", COUNT_RUNS).err == ""
