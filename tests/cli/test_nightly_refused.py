"""Batches that do not begin: wrong keys and settings, and an unusable data directory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analytics.emulator.server import Emulator
from analytics.emulator.world import World
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from tests.cli.conftest import Command, SettingsFile


@pytest.mark.parametrize("name", ["nightly", "collect"])
def test_a_key_of_another_workspace_is_refused(
    published: Command, world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A key of another workspace than the data's stores nothing.

    The error names both workspaces; `status --online` tells it before.
    """
    other = world.add_workspace("Other")
    monkeypatch.setenv("LEVAIN_API_KEY", other.api_key)
    result = published(name)

    assert result.code == 2
    assert "belongs to workspace Other" in result.err
    told = json.loads(published("status", "--online", "--json").out)["problems"]
    assert result.err.removeprefix("error: ").rstrip() in told
    assert [world.workspaces[0].id] == [path.name for path in Path("data/landing").iterdir()]


def test_a_workspace_id_in_the_settings_is_insisted_on(
    command: Command, settings_file: SettingsFile
) -> None:
    """With `workspace_id` set, a key of another workspace is refused on the first batch too.

    The error names that setting, and says nothing of data.
    """
    settings_file('[[workspaces]]\napi_key_env = "LEVAIN_API_KEY"\nworkspace_id = "w-1"\n')
    result = command("nightly")

    assert result.code == 2
    assert "but workspace_id in the settings is w-1.\n" in result.err
    assert "data" not in result.err


@pytest.mark.parametrize("arguments", [("nightly",), ("collect",), ("runs", "list")])
def test_what_is_no_key_is_not_sent(
    command: Command,
    api: Emulator,
    settings_file: SettingsFile,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    """A secret of another service, whose variable the settings name, reaches no server or text."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalr/of/another/service")
    settings_file('[[workspaces]]\napi_key_env = "AWS_SECRET_ACCESS_KEY"\n')
    result = command(*arguments)

    assert result.code == 2
    assert "AWS_SECRET_ACCESS_KEY holds no API key of Levain, and is not sent" in result.err
    assert "wJalr" not in result.out + result.err
    assert api.requests == []


def test_a_workspace_that_no_setting_names_is_told(
    published: Command, world: World, settings_file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its figures stay and end, which the batch and `status` say; another one has its name."""
    known, other = world.workspaces[0], world.add_workspace("Blank Slate")
    monkeypatch.setenv("OTHER", other.api_key)
    settings_file('[extract]\nhistory_days = 3\n[[workspaces]]\napi_key_env = "OTHER"\n')
    result = published("nightly")

    told = (
        f"Blank Slate ({known.id[:8]}) is not in analytics.toml, so that its figures end at"
        " 2026-11-20 06:00 UTC"
    )
    assert (result.code, told in result.err) == (0, True)
    assert f"  Blank Slate ({other.id[:8]}): " in result.err
    assert told in published("status").out


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("ONE", "ONE"), "names ONE twice"),
        (("ONE", "ALSO"), "ONE and ALSO hold keys of the same workspace"),
    ],
)
def test_a_workspace_that_is_named_twice_is_a_wrong_setting(
    command: Command,
    api: Emulator,
    settings_file: SettingsFile,
    monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, str],
    words: str,
) -> None:
    """A workspace set twice, by one variable or by two, exits with 2, and nothing is stored."""
    for name in names:
        monkeypatch.setenv(name, api.world.workspaces[0].api_key)
    settings_file("".join(f'[[workspaces]]\napi_key_env = "{name}"\n' for name in names))
    result = command("nightly")

    assert result.code == 2
    assert words in result.err
    assert not list(Path("data").glob("landing/*"))


def test_two_batches_at_once_are_refused(command: Command) -> None:
    """While a batch holds the data directory, another one exits with 4."""
    with batch_lock(Layout(Path("data"))):
        result = command("nightly")

    assert result.code == 4
    assert "Another batch is at work in data" in result.err


def test_a_data_directory_that_cannot_be_one_is_told(command: Command) -> None:
    """A file or a link to nothing in its place, or a question mark, is named before it is made."""
    Path("taken").write_text("my notes")
    taken = command("nightly", "--data-dir", "taken")
    questioned = command("nightly", "--data-dir", "what?/data")
    Path("gone").symlink_to("/mnt/none")
    dangling = [command("nightly", "--data-dir", place) for place in ("gone", "gone/data")]

    assert taken.code == 1
    assert "The data directory taken cannot be written: File exists: taken." in taken.err
    assert questioned.code == 2
    assert "has a question mark in its path" in questioned.err
    assert not Path("what?").exists()
    for result in dangling:
        assert (result.code, "gone is a link to /mnt/none, which is not" in result.err) == (2, True)
