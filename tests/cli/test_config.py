"""`analytics config`: each setting with its source, the keys, and what is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from analytics.emulator.server import Emulator
from tests.cli.conftest import Command, SettingsFile


def found(analytics: Command, *arguments: str) -> dict[str, Any]:
    result = analytics("config", "--json", *arguments)
    read: dict[str, Any] = json.loads(result.out)
    assert (result.code, result.err) == (2 if read["problems"] else 0, "")
    return read


@pytest.mark.usefixtures("connected")
def test_each_setting_has_its_source(
    analytics: Command, settings_file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option comes before a variable, before the file, before the default."""
    settings_file('[reporting]\ntimezone = "Europe/Berlin"\n')
    before = {each["name"]: each for each in found(analytics)["settings"]}
    monkeypatch.setenv("ANALYTICS_DATA_DIR", "elsewhere")
    by_variable = {each["name"]: each for each in found(analytics)["settings"]}
    by_option = found(analytics, "--data-dir", "here", "--config", "analytics.toml")["settings"]

    def shown(setting: dict[str, Any]) -> tuple[Any, str]:
        return setting["value"], setting["source"]

    assert shown(before["config"]) == ("analytics.toml", "the working directory")
    assert shown(before["data_dir"]) == ("data", "default")
    assert shown(before["reporting.timezone"]) == ("Europe/Berlin", "analytics.toml")
    assert shown(before["extract.history_days"]) == (90, "default")
    assert before["workspaces[1].api"]["source"] == "LEVAIN_API"
    assert shown(by_variable["data_dir"]) == ("elsewhere", "ANALYTICS_DATA_DIR")
    assert [shown(each) for each in by_option[:2]] == [
        ("analytics.toml", "--config"),
        ("here", "--data-dir"),
    ]


@pytest.mark.usefixtures("connected")
def test_a_key_names_its_workspace_and_is_never_shown(analytics: Command, api: Emulator) -> None:
    """A key that the API accepts is in order; its text is in no output."""
    (workspace,) = api.world.workspaces
    text, as_json = analytics("config"), analytics("config", "--json")
    (key,) = json.loads(as_json.out)["keys"]

    assert text.code == 0
    assert text.out.endswith("Everything is in order.\n")
    assert f"set    {workspace.name} ({workspace.id})" in text.out
    assert (key["state"], key["workspace_id"]) == ("set", workspace.id)
    assert workspace.api_key not in text.out + text.err + as_json.out


@pytest.mark.usefixtures("connected")
def test_offline_makes_no_request(analytics: Command, api: Emulator) -> None:
    """With --offline, a key is only looked at."""
    read = found(analytics, "--offline")

    assert read["keys"][0]["state"] == "set"
    assert read["keys"][0]["workspace_id"] is None
    assert not api.requests


@pytest.mark.parametrize(
    ("key", "state", "words"),
    [
        (None, "not set", "the variable LEVAIN_API_KEY is not set"),
        (" ", "not set", "the variable LEVAIN_API_KEY is not set"),
        ("levain_\u2026secret", "malformed", "holds characters that no API key has"),
        ("levain_of_nobody_secret", "set", "does not accept the key in LEVAIN_API_KEY (HTTP 401)"),
    ],
)
@pytest.mark.usefixtures("connected")
def test_a_wrong_key_is_a_problem_with_its_remedy(
    analytics: Command, monkeypatch: pytest.MonkeyPatch, key: str | None, state: str, words: str
) -> None:
    """A key that is absent, malformed or refused exits with 2, and is not shown either."""
    monkeypatch.delenv("LEVAIN_API_KEY")
    if key is not None:
        monkeypatch.setenv("LEVAIN_API_KEY", key)
    read, text = found(analytics), analytics("config")

    assert read["keys"][0]["state"] == state
    assert words in read["problems"][0]
    assert text.code == 2
    assert f"1 problem:\n- {read['problems'][0].splitlines()[0]}\n  " in text.out
    assert "secret" not in text.out + json.dumps(read)


@pytest.mark.usefixtures("connected")
def test_all_problems_are_listed(
    analytics: Command, api: Emulator, settings_file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time zone, a key of another workspace, and one workspace named twice are three problems."""
    monkeypatch.setenv("KEY_TWO", api.world.workspaces[0].api_key)
    monkeypatch.setenv("KEY_THREE", api.world.workspaces[0].api_key)
    settings_file(
        '[reporting]\ntimezone = "Middle/Earth"\n[[workspaces]]\napi_key_env = "KEY_THREE"\n'
        'workspace_id = "w-1"\n[[workspaces]]\napi_key_env = "LEVAIN_API_KEY"\n'
        '[[workspaces]]\napi_key_env = "KEY_TWO"\n'
    )
    result = analytics("config")

    assert result.code == 2
    assert "3 problems:\n- `Middle/Earth` is no time zone" in result.out
    assert "belongs to workspace Blank Slate" in result.out
    assert "- LEVAIN_API_KEY and KEY_TWO name the same workspace." in result.out


def test_all_wrong_settings_of_a_file_are_named(
    analytics: Command, settings_file: SettingsFile
) -> None:
    """Each wrong setting is a problem of its own, and commands that need one name them all."""
    settings_file(
        'extra.x = 1\n"a.b" = 2\nsql = 3\n[extract]\nhistory_days = "all"\nconcurrency = 0\n'
        '[[workspaces]]\napi_key_env = 5\n[[workspaces]]\nkey = "K"\napi = "a.b"\n'
        '[alerts]\nurls_env = "slack://s3cret"\n'
        '[reporting]\ntimezone = "Middle/Earth"\n'
    )
    problems = found(analytics)["problems"]

    assert [re.split(r" must| \(|\n", each)[0] for each in problems] == [
        "analytics.toml: there is no setting `extra`",
        "analytics.toml: there is no setting `a.b`",
        "analytics.toml: [sql]",
        "analytics.toml: `history_days` in [extract]",
        "analytics.toml: `concurrency` in [extract]",
        "analytics.toml: `api_key_env` in [[workspaces]] number 1",
        "analytics.toml: there is no setting `key` in [[workspaces]] number 2",
        "analytics.toml: there",
        "analytics.toml: urls_env in [alerts] is not the name of a variable in capitals.",
        "`a.b` is not the base URL of an API: it",
        "`Middle/Earth` is no time zone",
    ]
    result = analytics("status")
    assert (result.code, result.err) == (2, "error: " + "\n".join(problems) + "\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[extract]\nhistry_days = 3\n", "in [extract] (did you mean `history_days`?)."),
        ('[extract]\ntimezone = "UTC"\n', "(did you mean `timezone` in [reporting]?)."),
        ("[reports]\n", "there is no setting `reports` (did you mean `reporting`?)."),
        ("[privacy]\nzzz = 1\n", "in [privacy] (there are: keep_errors)."),
        ('[[workspaces]]\napi_key_envs = "K"\n', "number 1 (did you mean `api_key_env`?)."),
        ("[extract\n", "is not valid TOML"),
        ('[[workspaces]]\napi_key = "levain_0123456789abcdef"\n', "holds an API key"),
    ],
)
def test_a_wrong_file_is_a_problem(
    analytics: Command, settings_file: SettingsFile, text: str, words: str
) -> None:
    """A setting that does not exist is answered with the one that was probably meant."""
    settings_file(text)
    read = found(analytics)

    assert (read["settings"], read["keys"]) == ([], [])
    assert words in read["problems"][0]


def test_an_api_that_does_not_answer_is_a_problem(
    analytics: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No network is told with the address that was tried."""
    monkeypatch.setenv("LEVAIN_API_KEY", "levain_of_mine")
    monkeypatch.setenv("LEVAIN_API", "http://127.0.0.1:9")
    result = analytics("config")

    assert result.code == 2
    assert "The API at http://127.0.0.1:9 does not answer" in result.out
