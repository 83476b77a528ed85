"""`analytics init`: the files of a new project, what it asks, and what it says of the keys."""

from __future__ import annotations

import json
import re
import stat
import sys
import tomllib
from io import StringIO
from pathlib import Path

import pytest

from analytics.cli.printed import command
from analytics.emulator.server import Emulator
from analytics.files import folder
from analytics.settings import load_settings
from tests.cli.conftest import Command, FirstBatch

EXAMPLES = {
    str(path.relative_to(folder("skeleton"))): path.read_bytes()
    for path in folder("skeleton").rglob("*.*")
}


def written(project: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file()
    }


def test_a_project_has_settings_and_one_example_of_each_kind(analytics: Command) -> None:
    """The examples are those of the package, byte for byte; the settings are valid, and ours."""
    result = analytics("init", "shop")
    files = written(Path("shop"))
    settings = load_settings(config=Path("shop/analytics.toml"))

    assert (result.code, result.out) == (0, "")
    assert tomllib.loads(files.pop("analytics.toml").decode()) == {
        "workspaces": [{"api_key_env": "LEVAIN_API_KEY"}],
        "reporting": {"timezone": "UTC"},
    }
    assert settings.workspaces[0].api == "https://api.levainlabs.com"
    assert stat.S_IMODE(settings.file.stat().st_mode) == 0o600
    assert files == EXAMPLES
    assert {Path(file).parent.as_posix() for file in files} == {
        "queries/marts",
        "queries/checks",
        "queries/adhoc",
        "queries/alerts",
        "reports/pages",
        "finance",
    }


def test_options_are_the_settings(analytics: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each workspace has its variable, and the API that was named, whatever LEVAIN_API is then."""
    monkeypatch.setenv("LEVAIN_API", "http://127.0.0.1:9")
    keys = ("--api-key-env", "KEY_ONE", "--api-key-env", "KEY_TWO")
    analytics("init", *keys, "--api", "http://127.0.0.1:9/", "--timezone", "Europe/Berlin")
    monkeypatch.delenv("LEVAIN_API")
    settings = load_settings()

    assert [(each.api_key_env, each.api) for each in settings.workspaces] == [
        ("KEY_ONE", "http://127.0.0.1:9"),
        ("KEY_TWO", "http://127.0.0.1:9"),
    ]
    assert settings.reporting.timezone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--api-key-env", "levain_0123456789abcdef"), "this is an API key."),
        (("--api-key-env", "MY-KEY"), "`workspaces.api_key_env` must be the NAME of a"),
        (("--api-key-env", 'A"\nb = "1'), "must be the NAME of a variable"),
        (("--api", "levain.example"), "begin with https://"),
        (("--timezone", "Middle/Earth"), "`reporting.timezone` must be a time zone"),
    ],
)
def test_a_wrong_option_writes_nothing(
    analytics: Command, options: tuple[str, ...], words: str
) -> None:
    """What the settings would refuse is refused first, and a key is never repeated."""
    result = analytics("init", *options)

    assert (result.code, words in result.err) == (2, True)
    assert "0123456789abcdef" not in result.err
    assert not list(Path().iterdir())


def test_nothing_that_is_there_is_replaced(analytics: Command) -> None:
    """Settings that are there are an error; an example, and a link to nowhere, is kept."""
    own = Path("finance/owners.csv")
    own.parent.mkdir()
    own.write_text("workspace,agent\n*,baker\n", encoding="utf-8")
    link = Path("queries/marts/agent_success_costs.sql")
    link.parent.mkdir(parents=True)
    link.symlink_to("../../outside")
    first = analytics("init")
    before = written(Path())
    second = analytics("init", "--timezone", "Europe/Berlin")

    assert "kept  finance/owners.csv, which was there" in first.err
    assert f"kept  {link}, which was there" in first.err
    assert not Path("outside").exists()
    assert own.read_text(encoding="utf-8") == "workspace,agent\n*,baker\n"
    assert (second.code, "analytics.toml is there already" in second.err) == (2, True)
    assert written(Path()) == before


@pytest.mark.usefixtures("connected")
def test_a_key_that_is_set_is_tried(analytics: Command, api: Emulator) -> None:
    """A key names its workspace; one that the API refuses is a warning; neither is written."""
    (workspace,) = api.world.workspaces
    good = analytics("init", "good")
    unknown = analytics("init", "wrong", "--api-key-env", "KEY_OF_NONE")

    assert f"LEVAIN_API_KEY is a key of {workspace.name} ({workspace.id})." in good.err
    assert "export" not in good.err
    assert "KEY_OF_NONE is not set yet." in unknown.err
    assert "  export KEY_OF_NONE=levain_…" in unknown.err
    assert not [file for file in written(Path()).values() if workspace.api_key.encode() in file]


def test_a_command_is_named_as_its_shell_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the PATH, also by a link, it is `analytics`; else its path, below a folder from there."""
    script = Path(sys.executable).with_name("analytics")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert command(script.parent.parent) == "bin/analytics"
    assert command(tmp_path) == str(script)
    (tmp_path / "analytics").symlink_to(script)
    assert command(tmp_path) == "analytics"


def test_the_examples_are_right(
    analytics: Command, first_batch: FirstBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each example of SQL reads published tables, and its header says what it is."""
    monkeypatch.setenv("ANALYTICS_DATA_DIR", str(first_batch.data))
    questions = {file: text.decode() for file, text in EXAMPLES.items() if file.endswith(".sql")}
    rows = {}
    for file, text in questions.items():
        monkeypatch.setattr(sys, "stdin", StringIO(text))
        result = analytics("sql", "-", "--format", "json")
        assert result.code == 0, (file, result.err)
        rows[Path(file).parent.name] = json.loads(result.out)

    assert EXAMPLES["finance/owners.csv"].decode() == (
        "workspace,agent,cost_center,account,owner,valid_from,valid_to\n"
    )
    assert all(re.match(r"-- \w.*\n", text) for text in questions.values())
    assert rows["marts"]
    assert rows["pages"]
    assert rows["adhoc"]
    assert not rows["checks"]
