"""`analytics runs log` and `artifacts`: where files are written.

Names of artifacts are untrusted, and none overwrites anything.
"""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.cli.runs.files import safe_names
from analytics.emulator.records import Artifact, Run
from analytics.emulator.server import Emulator
from tests.cli.conftest import Command
from tests.worlds import NOW, StartRun

pytestmark = pytest.mark.usefixtures("connected")

TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=300)


@pytest.fixture
def publish(start_run: StartRun) -> Any:
    """Return a function that starts a run which published files of these names."""

    def start(*names: str) -> Run:
        run = start_run()
        run.files = [
            Artifact(f"{run.id}/{n}", name, 100 + n, "text/plain", NOW - timedelta(minutes=n))
            for n, name in enumerate(names)
        ]
        return run

    return start


def test_files_are_listed(analytics: Command, publish: Any) -> None:
    """Text has a line per file, with control characters escaped; JSON has the original names."""
    run = publish("report.md", "\x1b[2J=cmd()🥖")

    table = analytics("runs", "artifacts", run.id).out
    found = json.loads(analytics("runs", "artifacts", run.id, "--json").out)

    assert "report.md" in table
    assert r"\x1b[2J=cmd()🥖" in table
    assert [artifact["filename"] for artifact in found] == ["report.md", "\x1b[2J=cmd()🥖"]


def test_hostile_names_stay_in_the_folder(analytics: Command, publish: Any) -> None:
    """Paths are cut to their last part, and equal names get numbers."""
    run = publish("../../x", "/etc/passwd", "..", "a/b/x", "X", "con.txt", "", "C:\\y", "x" * 999)

    result = analytics("runs", "artifacts", run.id, "--download", "deep/files")

    assert (result.code, result.err) == (0, "9 files saved in deep/files\n")
    saved = sorted(file.name for file in Path("deep/files").iterdir())
    assert [name for name in saved if len(name) < 99] == [
        *("6", "X (3)", "_con.txt", "artifact", "passwd", "x", "x (2)", "y")
    ]
    assert [file.name for file in Path().iterdir()] == ["deep"]


@pytest.mark.usefixtures("open_umask")
def test_files_are_for_their_owner(analytics: Command, publish: Any, start_run: StartRun) -> None:
    """Logs and artifacts are 0600, and a new folder 0700; a log that is there keeps its mode."""
    Path("shared").touch(mode=0o640)

    analytics("runs", "artifacts", publish("a").id, "--download", "files")
    for output in ("new", "shared"):
        analytics("runs", "log", start_run().id, "--output", output)

    files = ("files", "files/a", "new", "shared")
    modes = [stat.S_IMODE(Path(file).stat().st_mode) for file in files]
    assert modes == [0o700, 0o600, 0o600, 0o640]


def test_nothing_is_overwritten(analytics: Command, publish: Any) -> None:
    """Existing files, and links to nowhere, are kept and counted; no link is followed."""
    run = publish("mine.md", "link.md", "new.md")
    Path("files").mkdir()
    Path("files/mine.md").write_text("mine")
    Path("files/link.md").symlink_to("../outside")

    first = analytics("runs", "artifacts", run.id, "--download", "files")
    second = analytics("runs", "artifacts", run.id, "--download", "files", "--json")

    assert first.err == "1 file saved in files; 2 files there before, kept as is\n"
    assert Path("files/mine.md").read_text() == "mine"
    assert [saved["is_new"] for saved in json.loads(second.out)] == [False] * 3
    assert not Path("outside").exists()


def test_nothing_of_the_batch_is_replaced(
    analytics: Command, publish: Any, start_run: StartRun
) -> None:
    """Neither a log nor artifacts are written among the data of a batch."""
    Path("data/landing").mkdir(parents=True)
    Path("data/.lock").touch()

    log = analytics("runs", "log", start_run().id, "--output", "data/alerts.json")
    saved = analytics("runs", "artifacts", publish("a").id, "--download", "data/site")

    for result in (log, saved):
        assert result.code == 2
        assert "belongs to the data of the batch, and nothing was written" in result.err
    assert sorted(path.name for path in Path("data").iterdir()) == [".lock", "landing"]


def test_one_that_fails_stops_no_other(analytics: Command, api: Emulator, publish: Any) -> None:
    """The other files are saved; the exit is 1, and the error names the first failure."""
    run = publish("a.md", "b.md", "c.md")
    api.faults.add("/1/url", "500", 6)

    result = analytics("runs", "artifacts", run.id, "--download", "files")

    assert result.code == 1
    assert "error: 1 of 3 files could not be had: b.md: " in result.err
    assert sorted(file.name for file in Path("files").iterdir()) == ["a.md", "c.md"]


@pytest.mark.parametrize(
    "name",
    ["analytics.toml", "./Fleet.TOML", "a/analytics.toml .", "analyti\u0301cs.toml",
     "analytic\u017f.toml", "ana\u034flytics\ufe0f.toml", "\uff46leet.toml"],
)  # fmt: skip
def test_no_artifact_becomes_a_settings_file(name: str) -> None:
    """Names that some disk takes for `analytics.toml` or `fleet.toml` are given another one."""
    (safe,) = safe_names([name])

    assert safe == f"_{name.rpartition('/')[2].rstrip(' .')}"


@given(st.lists(TEXT, max_size=8))
@settings(max_examples=200)
def test_any_names_become_file_names(filenames: list[str]) -> None:
    """Any file names become distinct, short, visible names in one folder."""
    names = safe_names(filenames)

    assert len({name.casefold() for name in names}) == len(names) == len(filenames)
    for name in names:
        assert name == Path(name).name
        assert name.isprintable()
        assert 0 < len(name.encode()) <= 255
        assert not name.startswith(".")
