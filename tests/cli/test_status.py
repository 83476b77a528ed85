"""`analytics status`: how fresh the figures are, and what needs a hand before the next batch."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from analytics.batch.last_batch import read_last_batch, write_last_batch
from analytics.bounded import confined
from analytics.cli.status import problems_of_data
from analytics.emulator.server import Emulator
from analytics.emulator.world import World
from analytics.machine_clock import machine_clock
from analytics.query.status import _needs, print_text
from analytics.warehouse.landed import ASIDE
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from tests import worlds
from tests.batches import LIST_CAP, short_lists
from tests.cli.conftest import Command, FirstBatch, SettingsFile, publish_again
from tests.worlds import StartRun

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def read(analytics: Command, *options: str) -> dict[str, Any]:
    result = analytics("status", "--json", *options)
    found: dict[str, Any] = json.loads(result.out)
    assert (result.code, result.err) == (1 if found["problems"] else 0, "")
    return found


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return time and bytes of each file of a folder."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_all_is_well_after_a_batch(published: Command, world: World, api: Emulator) -> None:
    """Nothing needs a hand, the exit is 0, no file is changed, and only --online asks the API."""
    world.workspaces[0].name = "Bakery\x1b[1m"
    before = content(Path("data"))
    text = published("status")
    assert not api.requests
    online = published("status", "--online")

    assert (text.code, online.code) == (0, 0), text.out + online.out
    assert "problem" not in text.out + online.out
    assert f"LEVAIN_API_KEY: Bakery\\x1b[1m ({world.workspaces[0].id})\n" in online.out
    assert world.workspaces[0].api_key not in online.out
    assert len(text.out.splitlines()) <= 24
    assert content(Path("data")) == before


@pytest.mark.usefixtures("connected")
def test_before_the_first_batch_nothing_is_published(analytics: Command) -> None:
    """That is no problem, and nothing is made."""
    result = analytics("status")

    assert result.code == 0
    assert result.out.startswith("Nothing has been published yet: `analytics nightly` reads")
    assert not Path("data").exists()


@pytest.mark.usefixtures("connected")
def test_a_key_that_is_no_use_is_a_problem(
    analytics: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told once with what to do, and never shown; only --online tries it at the API."""
    for key, words in (
        (" ", "the variable LEVAIN_API_KEY is not set"),
        ("levain_\u2026secret", "holds no API key of Levain"),
        ("wJalr/secret", "holds no API key of Levain"),
        ("levain_of_nobody_secret", "does not accept the key in LEVAIN_API_KEY ("),
    ):
        monkeypatch.setenv("LEVAIN_API_KEY", key)
        (problem,) = read(analytics, "--online")["problems"]
        text = analytics("status", "--online").out
        assert words in problem
        assert f"\n1 problem:\n- {problem.splitlines()[0]}\n  " in text
        assert "secret" not in text + problem
    assert read(analytics)["problems"] == []


def test_a_key_may_be_set_elsewhere(published: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last batch ended well it had the key, so that only --online misses it here."""
    monkeypatch.delenv("LEVAIN_API_KEY")

    assert published("status").code == 0
    assert "LEVAIN_API_KEY is not set" in published("status", "--online").out


def test_a_clock_that_is_wrong_is_a_problem(published: Command, world: World) -> None:
    """The machine's clock is held against the API's: over a day off, no batch reads anything."""
    with machine_clock(lambda: world.now - timedelta(hours=2)):
        hours = published("status", "--online").out
    with machine_clock(lambda: world.now + timedelta(days=50)):
        days = published("status", "--online").out

    assert "clock is 2 h 00 min behind the API's" in hours
    assert "figures follow the API's clock" in hours
    assert "clock is 50.0 d ahead of the API's" in days
    assert "a batch reads nothing from an API whose clock is over a day off" in days


@pytest.mark.usefixtures("connected")
def test_all_problems_are_listed(
    analytics: Command, api: Emulator, settings_file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key of another workspace, and one workspace named twice are two problems."""
    for name in ("KEY_TWO", "KEY_THREE"):
        monkeypatch.setenv(name, api.world.workspaces[0].api_key)
    settings_file(
        '[[workspaces]]\napi_key_env = "KEY_THREE"\n'
        'workspace_id = "w-1"\n[[workspaces]]\napi_key_env = "LEVAIN_API_KEY"\n'
        '[[workspaces]]\napi_key_env = "KEY_TWO"\n'
    )
    result = analytics("status", "--online")

    assert result.code == 1
    assert "2 problems:" in result.out
    assert "belongs to workspace Blank Slate" in result.out
    assert "- LEVAIN_API_KEY and KEY_TWO name the same workspace." in result.out


@pytest.fixture
def layout(first_batch: FirstBatch, tmp_path: Path) -> Layout:
    """A copy of the data of a batch that ended well an hour ago."""
    shutil.copytree(first_batch.data, tmp_path / "copy", symlinks=True)
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


def found(layout: Layout) -> list[str]:
    return [each.replace("\N{NO-BREAK SPACE}", " ") for each in problems_of_data(layout, NOW)]


def change_books(layout: Layout) -> None:
    (layout.books / "2026-10").mkdir(parents=True)
    (layout.books / "2026-10" / "note.txt").write_text("added", encoding="utf-8")


def replace_by_folder(file: Path) -> None:
    """Nobody can read it as a file, also where tests are run by root."""
    file.unlink()
    file.mkdir()


def publish_more_than_fits(layout: Layout) -> None:
    with (layout.site / "large.js").open("wb") as file:
        file.truncate(1 << 43)


PROBLEMS: dict[str, tuple[Callable[[Layout], object], str]] = {
    "load": (lambda each: shutil.rmtree(min(each.landing.glob("*/*"))), " is gone"),
    "failed": (lambda each: end_batch(each, exit_code=3), "failed (exit 3) at 2026-11-26"),
    "long ago": (lambda each: end_batch(each, hours_ago=60), "2.5 d ago"),
    "books": (change_books, "additional"),
    "not writable": (
        lambda each: (each.landing / "w2").symlink_to("/proc"),
        "cannot be written: No such file or directory: ",
    ),
    "no room": (publish_more_than_fits, " left, and the last publication takes 8.8 TB."),
    "not readable": (lambda each: replace_by_folder(each.warehouse), "opened: Is a directory."),
    "damaged": (lambda each: each.marts.write_bytes(b"none"), "build.duckdb is damaged: "),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_needs_a_hand_is_a_problem(layout: Layout, name: str) -> None:
    """It is named, and it is the only one."""
    spoil, words = PROBLEMS[name]
    assert found(layout) == []
    spoil(layout)
    (problem,) = found(layout)

    assert words in problem


def test_a_batch_that_was_stopped_for_a_day_is_a_problem(layout: Layout) -> None:
    """It keeps each other one out; a day is long enough for a batch that works."""
    with batch_lock(layout):
        began = (NOW - timedelta(hours=25)).timestamp()
        os.utime(layout.lock, (began, began))
        (problem,) = found(layout)
        earlier = [*problems_of_data(layout, NOW - timedelta(hours=2))]

    assert f"A batch has been at work in {layout.root} for 25 h 00 min" in problem
    assert f"(process {os.getpid()})" in problem
    assert earlier == []


def test_loads_that_were_set_aside_are_a_hint(published: Command) -> None:
    """They are in no figure, and the exit stays 0."""
    (workspace,) = Path("data/landing").iterdir()
    (aside := workspace / f"{ASIDE}20261120T060000Z").mkdir()
    for name in ("20261119T060000Z-000001-meters", "20261119T060000Z-000002-counts"):
        (aside / name).mkdir()
    result = published("status")

    assert result.code == 0
    assert f"1 hint:\n- 2 loads lie aside in {aside}, and no figure has any of them." in result.out


def test_days_that_were_never_counted_are_a_hint(
    published: Command, world: World, start_run: StartRun
) -> None:
    """After months without a batch the API has no count of a day with unlisted runs."""
    world.pass_time(timedelta(days=2))
    for _ in range(LIST_CAP + 1):
        start_run()
    world.pass_time(timedelta(days=100))
    with short_lists():
        assert published("nightly").code == 0
    result = published("status")

    assert result.code == 0
    assert "Blank Slate: the runs of 1 day were never counted by outcome (22 Nov" in result.out


def test_a_published_file_that_cannot_be_read_is_a_problem(
    published: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told with all that is known without it; who only reads is told of no batch.

    Keys, disk and files of a batch of another user are not theirs to mend.
    """
    file = Path("data/analytics.duckdb")
    content = file.read_bytes()
    file.write_bytes(b"no database")
    result = published("status")

    assert (result.code, result.err) == (1, "")
    assert "The last batch ended well" in result.out
    assert "1 problem:\n- data/analytics.duckdb cannot be read: " in result.out

    file.write_bytes(content)
    monkeypatch.delenv("LEVAIN_API_KEY")
    shutil.rmtree(min(Path("data/landing").glob("*/*")))
    assert published("status").code == 1
    monkeypatch.setattr(os, "geteuid", lambda: Path("data").stat().st_uid + 1)
    assert published("status").code == 0


def test_a_published_file_of_another_user_is_not_damaged(
    published: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not read the published file is told whom to ask, and nothing of damage."""

    def denied(file: Path) -> None:
        raise duckdb.IOException(f'IO Error: Cannot open file "{file}": Permission denied')

    monkeypatch.setattr(confined, "open_confined", denied)
    result = published("status")

    assert result.code == 1
    assert "analytics.duckdb cannot be read: Permission denied.\n  Let its owner" in result.out


def test_what_is_new_is_told_apart(published: Command) -> None:
    """Findings are new that the last publication before today had not, also after a rebuild."""
    Path("finance").mkdir()
    month = f"{worlds.NOW:%Y-%m}"
    rows = [f"agent,baker,{month},0.01", f"all,,{month},0.02"]
    Path("finance/budgets.csv").write_text("\n".join(["scope,name,month,amount_usd", *rows]))
    publish_again()
    (first, *_, last) = sorted(Path("data/publications").iterdir())
    record = json.loads(last.read_text())
    known = record["findings"].pop()
    first.unlink()
    before = f"{worlds.NOW - timedelta(days=1):%Y%m%d}T060000.000000Z.json"
    (last.parent / before).write_text(json.dumps(record | {"findings": [known]}))
    count = len(record["findings"])

    assert published("rebuild").code == 0
    found = json.loads(published("status", "--json").out)
    assert found["news"] == f"new since yesterday: {count}"
    new = {each["finding_ids"][0]: each["is_new"] for each in found["findings"]}
    assert new == {known: False} | dict.fromkeys(record["findings"], True)
    assert f"Needs you (new since yesterday: {count}):" in published("status").out


def test_findings_are_said_with_the_command_that_helps() -> None:
    """Each is its sentence, whole, in which no name is more than text; a terminal has its page."""
    row = {"sentence": "A\u202e fails.", "next_step": "analytics collect  # every 2 h", "fold": ""}
    row["urgency"] = "act now"
    other = row | {"sentence": "B.", "next_step": None, "page": "index.html#budgets"}

    assert [*_needs([row, other, row | {"fold": "ended"}], "new since yesterday: 1")] == [
        "Needs you (new since yesterday: 1):",
        "- Act now: A⟨U+202E⟩ fails.",
        "  analytics collect  # every 2 h",
        "- Act now: B.",
        "and 1 ended; --json has each",
    ]
    assert [*_needs([], "")] == ["Nothing needs you."]
    assert [*_needs([other], "", "https://a.example")][1] == (
        "- \x1b]8;;https://a.example/index.html#budgets\x1b\\Act now: B.\x1b]8;;\x1b\\"
    )


def test_a_name_is_no_picture(capsys: pytest.CaptureFixture[str]) -> None:
    """Words between colons and brackets stay as they are, however long the line is."""
    problem = f"The agent :bug: [bold] {'x' * 100} fails."
    empty = {"hints": [], "batch_is_running": False, "last_batch": None}
    print_text({"problems": [problem], **empty})

    assert capsys.readouterr().out == f"\n1 problem:\n- {problem}\n"
