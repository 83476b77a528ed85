"""`analytics sql` and `analytics status` where the machine, the file or a reader fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

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
