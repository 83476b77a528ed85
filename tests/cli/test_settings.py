"""Wrong settings, and their messages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analytics.errors import UsageError
from analytics.fleet.settings import load_fleet
from analytics.settings import load_settings
from tests.cli.conftest import Command, SettingsFile

KEY = '[[workspaces]]\napi_key_env = "K"\n'
TEXT, WHOLE = "must be a text in quotes", "must be a whole number"
WRONG = [
    ('[[workspaces]]\napi_key = "levain_0123456789abcdef"', "holds an API key"),
    ('[[workspaces]]\napi_key_env = "levain_0123456789abcdef"', "holds an API key"),
    ("[extra]", "there is no setting `extra`"),
    ("[extract]\nhistry_days = 3", "`histry_days` in [extract] (did you mean `history_days`?)."),
    ('[extract]\ntimezone = "UTC"', "(did you mean `timezone` in [reporting]?)."),
    ("[reports]", "there is no setting `reports` (did you mean `reporting`?)."),
    ("[privacy]\nzzz = 1", "in [privacy] (there are: keep_errors)."),
    ('[[workspaces]]\napi_key_envs = "K"', "number 1 (did you mean `api_key_env`?)."),
    ('[extract]\n"a` - at `$.b" = 1', "there is no setting `a' - at '$.b` in [extract]"),
    ('"a` - at `$.extract" = 1', "there is no setting `a' - at '$.extract` (there are"),
    ('"a\\nb" = 1', "there is no setting `a\\nb` (there are"),
    ('[extract]\nhistory_days = "all"', f'`history_days` in [extract] {WHOLE}, not "all".'),
    ("[extract]\nhistory_days = 0", f"{WHOLE}, at least 1, not 0."),
    ("[extract]\nconcurrency = 1000", f"{WHOLE}, at most 64, not 1000."),
    ("[extract]\nhistory_days = 800000", f"{WHOLE}, at most 3650, not 800000."),
    ('[controls]\nblock_above_usd = "10"', '[controls] must be a number, not "10".'),
    ("[privacy]\nkeep_errors = 1", "`keep_errors` in [privacy] must be true or false, not 1."),
    ('[publish]\nmode = "everybody"', f'`mode` in [publish] {TEXT} like "0640", not "everybody".'),
    ('[publish]\nmode = "0666"', 'like "0640", not "0666".'),
    (
        '[publish]\nurl = "agents"',
        f'[publish] {TEXT} like "https://agents.example.com", not "agents',
    ),
    ('[publish]\nurl = "https://a.example/#b"', 'not "https://a.example/#b".'),
    ("[finance]\nmateriality_usd = 0.01", f"`materiality_usd` in [finance] {TEXT}, not 0.01."),
    ('[finance]\nmateriality_usd = "-1"', 'like "0.01", not "-1".'),
    ("a = " + "[" * 5000 + "]" * 5000, "its tables are nested too deep"),
    ("[extract]\nhistory_days = " + "9" * 5000, "is not valid TOML: "),
    ("[extract\n", "is not valid TOML"),
    ('[batch]\nmemory_limit = "1\u0662GB"', 'like "2GB", not "1\u0662GB".'),
    ('[batch]\nmemory_limit = "lots"', f'[batch] {TEXT} like "2GB", not "lots".'),
    ('[batch]\nmemory_limit = "1000TB"', 'like "2GB", not "1000TB".'),
    ("[sql]\ntimeout_seconds = 0", "`timeout_seconds` in [sql] must be a number, at least 0.1"),
    ("publish = 3", "[publish] must be a table, not 3."),
    ("[workspaces]", "[workspaces] must be a list, not a table."),
    (f"{KEY}[[workspaces]]", "there must be a setting `api_key_env` in [[workspaces]] number 2."),
    ('[[workspaces]]\napi_key_env = ""', "`api_key_env` in [[workspaces]] number 1 must be"),
    (f"{KEY}workspace_id = 5", f"`workspace_id` in [[workspaces]] number 1 {TEXT}, not 5."),
    (f'{KEY}workspace_id = ""', f"`workspace_id` in [[workspaces]] number 1 {TEXT} like"),
    (f'{KEY}api = "api.example"', "must start with https://"),
    (f'{KEY}api = "http://a b"', "must start with https://"),
    (f'{KEY}api = "http://[::1"', "Invalid IPv6 URL"),
    (f'{KEY}api = "http://a:99999"', "Port out of range"),
    (f'{KEY}api = "http://a/b/api/v1/"', "Write `http://a/b`."),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_a_wrong_setting_is_named(settings_file: SettingsFile, text: str, words: str) -> None:
    """The message names it, its place and what was probably meant; it never shows a key."""
    settings_file(text)
    with pytest.raises(UsageError) as refused:
        load_settings()

    assert words in str(refused.value)
    assert "0123456789abcdef" not in str(refused.value)


@pytest.mark.parametrize("name", ["Middle/Earth", "JST"])
def test_a_time_zone_has_its_name(
    analytics: Command, settings_file: SettingsFile, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A batch refuses an abbreviation, or a place that there is not, with exit 2."""
    monkeypatch.setenv("LEVAIN_API_KEY", "levain_of_mine")
    settings_file(f'[reporting]\ntimezone = "{name}"\n')
    result = analytics("nightly")

    assert (result.code, f"`{name}` is no time zone" in result.err) == (2, True)


def test_a_named_settings_file_must_exist(analytics: Command) -> None:
    """A missing --config file is an error."""
    result = analytics("nightly", "--config", "elsewhere.toml")

    assert (result.code, "no settings file elsewhere.toml" in result.err) == (2, True)


def test_a_settings_file_is_utf8(analytics: Command) -> None:
    """It may have the mark that Windows begins files with; another byte is named with its line."""
    file = Path("analytics.toml")
    file.write_text('[reporting]\ntimezone = "Asia/Tokyo"\n', encoding="utf-8-sig")
    assert load_settings().reporting.timezone == "Asia/Tokyo"

    file.write_bytes('[reporting]\n# caf\u00e9\ntimezone = "UTC"\n'.encode("latin-1"))
    result = analytics("nightly")
    assert result.code == 2
    assert "analytics.toml is not UTF-8: line 2 has the byte 0xE9.\nSave it as" in result.err


@pytest.mark.parametrize("mode", [0o660, 0o646])
def test_settings_that_others_can_write_must_be_named(
    analytics: Command, settings_file: SettingsFile, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """A file that was found says where keys go: one that others can write is refused unread."""
    settings_file("no TOML")
    Path("analytics.toml").chmod(mode)
    refused = analytics("status")

    assert refused.code == 2
    assert "analytics.toml can be written by other users, and says where API" in refused.err
    assert "Run `chmod go-w analytics.toml`. If you trust it as it is, name it by" in refused.err
    assert "is not valid TOML" in analytics("status", "--config", "analytics.toml").err
    monkeypatch.setenv("ANALYTICS_CONFIG", "analytics.toml")
    assert "is not valid TOML" in analytics("status").err


@pytest.mark.parametrize("is_link", [False, True])
def test_settings_of_another_user_must_be_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_link: bool
) -> None:
    """A found file is read if it is ours or root's; so is one that a link leads to, if that is."""
    file = tmp_path / ("elsewhere.toml" if is_link else "analytics.toml")
    file.write_text('[reporting]\ntimezone = "Asia/Tokyo"\n', encoding="utf-8")
    if is_link:
        Path("analytics.toml").symlink_to(file)
    assert load_settings().reporting.timezone == "Asia/Tokyo"

    belongs_to_another("analytics.toml", monkeypatch)
    with pytest.raises(UsageError, match=r"analytics\.toml belongs to another user, .*\nIf you"):
        load_settings()
    named = Path("analytics.toml")
    assert load_settings(config=named).reporting.timezone == "Asia/Tokyo"


def test_settings_of_root_may_be_found(
    settings_file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the command, root could do anything else as well."""
    settings_file('[reporting]\ntimezone = "Asia/Tokyo"\n')
    if os.geteuid():
        pytest.skip("only root can make a file of root's")
    monkeypatch.setattr(os, "geteuid", lambda: 65534)

    assert load_settings().reporting.timezone == "Asia/Tokyo"


def test_settings_beside_a_named_fleet_are_named() -> None:
    """A `fleet.toml` that was found is judged as the file beside it is; a named one vouches."""
    fleet, beside = Path("fleet.toml"), Path("analytics.toml")
    fleet.write_text('folder = "fleet"\n[[workspaces]]\napi_key_env = "K"\n', encoding="utf-8")
    beside.write_text('[reporting]\ntimezone = "Asia/Tokyo"\n', encoding="utf-8")
    assert load_fleet(None).batch.reporting.timezone == "Asia/Tokyo"

    for file in (beside, fleet):
        file.chmod(0o666)
        with pytest.raises(UsageError, match=rf"The settings file {file} can be written by other"):
            load_fleet(None)
        assert load_fleet(fleet).batch.reporting.timezone == "Asia/Tokyo"


def belongs_to_another(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a file, or the link itself, to another user; who is not root becomes that one."""
    if os.geteuid():
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    else:
        os.chown(path, 65534, -1, follow_symlinks=False)


def test_the_command_line_comes_first(
    monkeypatch: pytest.MonkeyPatch, settings_file: SettingsFile
) -> None:
    """Option before environment before file before default."""
    assert load_settings().data_dir == Path("data")

    monkeypatch.setenv("ANALYTICS_DATA_DIR", "from-environment")
    assert load_settings().data_dir == Path("from-environment")
    assert load_settings(Path("from-option")).data_dir == Path("from-option")

    settings_file('[[workspaces]]\napi_key_env = "K"\napi = "http://file"\n')
    monkeypatch.setenv("LEVAIN_API", "http://environment/")
    assert load_settings().workspaces[0].api == "http://file"


def test_the_environment_names_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """LEVAIN_API is the API of workspaces without one, without its trailing slash."""
    assert load_settings().workspaces[0].api == "https://api.levainlabs.com"

    monkeypatch.setenv("LEVAIN_API", "http://environment/")
    assert load_settings().workspaces[0].api == "http://environment"

    monkeypatch.setenv("LEVAIN_API", "http://api/v1")  # a host of this name
    assert load_settings().workspaces[0].api == "http://api/v1"


@pytest.mark.parametrize(
    ("config", "project"), [(None, "."), ("analytics.toml", "."), ("other/settings.toml", "other")]
)
def test_the_project_is_the_folder_of_the_settings_file(config: str | None, project: str) -> None:
    """Without a settings file it is the working directory."""
    if config:
        Path(config).parent.mkdir(exist_ok=True)
        Path(config).touch()

    assert load_settings(None, Path(config) if config else None).project == Path(project)


def test_a_path_that_is_not_utf8_is_refused(analytics: Command) -> None:
    """DuckDB opens no file in a folder whose name is not UTF-8: another one is asked for."""
    result = analytics("status", "--data-dir", os.fsdecode(b"data\xff"))

    assert result.code == 2
    assert "is not UTF-8" in result.err


def test_all_wrong_settings_of_a_fleet_are_named(tmp_path: Path) -> None:
    """Each wrong setting of `fleet.toml` is named, one that is in no table by its name alone."""
    file = tmp_path / "fleet.toml"
    file.write_text("folder = 5\n[task]\ncpus = 0\n[[workspaces]]\n", encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        load_fleet(file)

    assert str(refused.value).replace(f"{file}: ", "").splitlines() == [
        "`folder` must be a text in quotes, not 5.",
        "`cpus` in [task] must be a whole number, at least 1, not 0.",
        "there must be a setting `api_key_env` in [[workspaces]] number 1.",
    ]
