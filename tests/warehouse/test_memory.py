"""A batch uses the memory and the threads that its machine has for it."""

from __future__ import annotations

import os
from contextlib import chdir
from pathlib import Path

import polars as pl
import pytest

from analytics.batch.failures import failure_of
from analytics.errors import AnalyticsError, UsageError
from analytics.warehouse import memory
from analytics.warehouse.database import open_warehouse
from tests.conftest import optimized
from tests.transform.given import InMemory


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the limits of the test process as they were."""
    monkeypatch.setattr(memory, "_chosen", memory._chosen)
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")


@pytest.mark.parametrize(("given", "threads"), [(3, 3), (0, min(2, len(os.sched_getaffinity(0))))])
def test_a_limit_is_that_of_each_connection(tmp_path: Path, given: int, threads: int) -> None:
    """Memory and threads of DuckDB are what is given; without threads, as many as fit into it."""
    query = "select current_setting('memory_limit'), current_setting('threads')"
    with optimized():
        memory.limit_process("300MB", given)
        with open_warehouse(InMemory(tmp_path)) as con:
            found = con.execute(query).fetchall()

    assert found == [("286.1 MiB", threads)]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        RuntimeError("zstd compress error: Allocation error : not enough memory"),
        AnalyticsError("A model cannot be built: Out of Memory Error: could not allocate block"),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_lack_of_memory_names_its_settings(error: BaseException) -> None:
    """Whatever library runs out of memory, the message names the settings, without a traceback."""
    failure = failure_of(error)

    assert (failure.exit_code, failure.is_defect) == (1, False)
    assert failure.text.startswith("The memory is not enough: ")
    assert "set memory_limit in [batch]" in failure.text
    assert failure_of(UsageError("it holds Out of Memory Error")).exit_code == 2


def test_a_file_that_polars_cannot_write_is_no_defect(tmp_path: Path) -> None:
    """A full disk below a Parquet file ends in words and advice, as it does below any other."""
    file = tmp_path / "lines.parquet"
    file.symlink_to("/dev/full")

    with pytest.raises(pl.exceptions.PolarsError) as found:
        pl.DataFrame({"a": range(100_000)}).write_parquet(file)

    failure = failure_of(found.value)
    assert (failure.exit_code, failure.kind) == (1, "system")
    assert failure.text.startswith("A file could not be written: ")
    assert failure.text.endswith("Make room on its disk, and run again.")


def test_a_working_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    """An error that names no file says so where there is no working directory any more."""
    error = FileNotFoundError(2, "No such file or directory")
    assert failure_of(error).text == "No such file or directory."

    gone = tmp_path / "gone"
    gone.mkdir()
    with chdir(gone):
        gone.rmdir()
        text = failure_of(error).text
    assert "the working directory has been removed.\nChange to another one." in text
