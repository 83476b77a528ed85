"""Wrong settings, and their messages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from analytics.errors import UsageError
from analytics.fleet.settings import load_fleet
from analytics.settings import load_settings
from tests.cli.conftest import Command, SettingsFile

KEY = '[[workspaces]]\napi_key_env = "K"\n'
API = "`workspaces.api` must be the base URL of an API"
WRONG = [
    ('[[workspaces]]\napi_key = "levain_0123456789abcdef"', ":2: this is an API key"),
    ('[[workspaces]]\napi_key_env = "levain_0123456789abcdef"', ":2: this is an API key"),
    (
        '[[workspaces]]\napi_key_env = "0123456789abcdef"',
        ":2: `workspaces.api_key_env` must be",
    ),
    ('[alerts]\nurls_env = "json://0123456789abcdef"', ":2: `alerts.urls_env` must be the NAME of"),
    (f'{KEY}api = "http://a?0123456789abcdef"', f":3: {API}, with no `?`"),
    (f'{KEY}api = "http://a:0123456789abcdef"', f":3: {API}, with a valid host and port."),
    ('alerts = "json://0123456789abcdef"', ":1: `alerts` must be a table, not a text."),
    ('[publish]\nurl = "a:0123456789abcdef@b"', ":2: `publish.url` must be an address like"),
    ("\n[extra]", ":2: there is no setting `extra` (did you mean `extract`?)."),
    ("[extract]\nhistry_days = 3", ":2: there is no setting `extract.histry_days` (did you mean"),
    ('[extract]\ntimezone = "UTC"', "`extract.timezone` (did you mean `reporting.timezone`?)."),
    ("[privacy]\nzzz = 1", "`privacy.zzz` (there are `privacy.keep_errors`)."),
    ('[[workspaces]]\napi_key_envs = "K"', "(did you mean `workspaces.api_key_env`?)."),
    ('"a\\nb" = 1', "there is no setting `…` (there are `workspaces`,"),
    (
        '[alerts]\n"slack://0123456789abcdef" = 1',
        "setting `alerts.…` (there are `alerts.urls_env`).",
    ),
    ('["slack://0123456789abcdef"]\n' * 2, "not valid TOML: Cannot declare a name twice"),
    (
        '[extract]\nhistory_days = "all"',
        '`extract.history_days` must be a whole number, not "all".',
    ),
    ("[extract]\nhistory_days = 1.0", "must be a whole number, not 1.0."),
    ("[extract]\nhistory_days = 0", "must be at least 1, not 0."),
    ("[extract]\nconcurrency = 1000", "`extract.concurrency` must be at most 64, not 1000."),
    ("[extract]\nrequests_per_second = nan", "must be a number, not nan."),
    ('[controls]\nblock_above_usd = "10"', 'must be a number, not "10".'),
    ("[privacy]\nkeep_errors = 1", "`privacy.keep_errors` must be true or false, not 1."),
    ('[publish]\nmode = "0666"', '`publish.mode` must be a text like "0640", not "0666".'),
    ('[publish]\nurl = "https://a.example/#b"', 'like "https://agents.example.com".'),
    ("[finance]\nmateriality_usd = 0.01", "must be a text in quotes, not 0.01."),
    ('[finance]\nmateriality_usd = "-1"', 'must be a text like "0.01", not "-1".'),
    ("a = " + "[" * 5000 + "]" * 5000, "analytics.toml: its tables are nested too deep"),
    ("[extract]\nhistory_days = " + "9" * 5000, "it is not valid TOML: "),
    ("\n[extract\n", "analytics.toml:2: it is not valid TOML: Expected ']'"),
    ('[batch]\nmemory_limit = "1\u0662GB"', 'must be a text like "2GB", not "1\u0662GB".'),
    ('[batch]\nmemory_limit = "1000TB"', 'must be a text like "2GB", not "1000TB".'),
    ("[sql]\ntimeout_seconds = 0", "`sql.timeout_seconds` must be at least 0.1, not 0."),
    ("publish = 3", "`publish` must be a table, not 3."),
    ("[workspaces]", "`workspaces` must be tables [[workspaces]], not a table."),
    ("workspaces = [3]", "`workspaces` must be a table, not 3."),
    (f"{KEY}[[workspaces]]", ":3: there must be a setting `workspaces.api_key_env`."),
    (f"{KEY}workspace_id = 5", "`workspaces.workspace_id` must be a text in quotes, not 5."),
    (f'{KEY}workspace_id = ""', 'must be the identifier of a workspace, not "".'),
    (f'{KEY}api = "api.example"', f"{API}, and begin with https:// (or http://)."),
    (f'{KEY}api = "http://a:0123456789abcdef@b"', f"{API}, with no user and no password."),
    ("[extract]\nconcurrency = 0x" + "f" * 5_000, "not a number that is too large."),
    ("#" + "\N{BRAIN}" * 250_000, "The settings file analytics.toml is larger than 1 MB."),
    (f'{KEY}api = "http://a b"', f"{API}, and begin with https:// (or http://)."),
    (f'{KEY}api = "http://[::1"', f"{API}, with a valid host and port."),
    (f'{KEY}api = "http://a/b/api/v1/"', f"{API}, without /api/v1"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_a_wrong_setting_is_named(settings_file: SettingsFile, text: str, words: str) -> None:
    """The message names it, its line and what was probably meant; it never shows a secret."""
    settings_file(text)
    with pytest.raises(UsageError) as refused:
        load_settings()

    assert words in str(refused.value)
    assert "0123456789abcdef" not in str(refused.value)


def test_dots_of_a_comment_or_a_text_are_of_no_key(settings_file: SettingsFile) -> None:
    """Only a key may have too many parts."""
    settings_file('[publish] # a.b.c.d.e.f.g.h.i.j.k.l\nurl = "https://a.b.c.d.e.f.g.h.i.j.k.l"\n')

    assert load_settings().publish.url == "https://a.b.c.d.e.f.g.h.i.j.k.l"


def test_a_pipe_in_place_of_the_settings_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    """Another user's pipe in the working folder holds up no command."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("analytics.toml")
    with pytest.raises(UsageError, match=r"analytics\.toml is no file"):
        load_settings()


@pytest.mark.parametrize("name", ["Middle/Earth", "JST", "America", "../UTC"])
def test_a_time_zone_has_its_name(
    analytics: Command, settings_file: SettingsFile, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A batch refuses an abbreviation, or a place that there is not, with exit 2."""
    monkeypatch.setenv("LEVAIN_API_KEY", "levain_of_mine")
    settings_file(f'[reporting]\ntimezone = "{name}"\n')
    result = analytics("nightly")

    assert result.code == 2
    assert ":2: `reporting.timezone` must be a time zone such as UTC or" in result.err


def test_all_wrong_settings_are_named_by_their_lines(settings_file: SettingsFile) -> None:
    """The line is where the setting begins, however its table or its value is written."""
    settings_file(
        'controls.block_above_usd = "much"\n'
        "sql = {timeout_seconds = 0}\n"
        "[[workspaces]]  # [finance]\napi_key_env = 1\n"
        '"workspace_id" = """\n[batch]\nmemory_limit = 3"""\n'
        "[[workspaces]]\napi_key_env = 2\n[workspaces.workspace_id]\n"
        "[extract]\nhistory_days = [\n  1,\n]\nconcurrency = 0\n"
    )
    with pytest.raises(UsageError) as refused:
        load_settings()

    lines = str(refused.value).splitlines()
    assert [line.partition(" must ")[0].removeprefix("analytics.toml:") for line in lines] == [
        "1: `controls.block_above_usd`",
        "2: `sql.timeout_seconds`",
        "4: `workspaces.api_key_env`",
        "9: `workspaces.api_key_env`",
        "10: `workspaces.workspace_id`",
        "12: `extract.history_days`",
        "15: `extract.concurrency`",
    ]


def test_the_variable_of_the_api_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """LEVAIN_API is refused by its name where a workspace needs it, and never repeated."""
    monkeypatch.setenv("LEVAIN_API", "s3cret@example.com")
    with pytest.raises(UsageError) as refused:
        load_settings()

    assert str(refused.value).startswith("The variable LEVAIN_API must be the base URL of an API")
    assert "s3cret" not in str(refused.value)


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

    assert str(refused.value).replace(f"{file}:", "").splitlines() == [
        "1: `folder` must be a text in quotes, not 5.",
        "3: `task.cpus` must be at least 1, not 0.",
        "4: there must be a setting `workspaces.api_key_env`.",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            'folder = "s3://a"',
            ":1: `folder` must be a folder that all machines reach, and no object",
        ),
        ('folder = "a"', " names no workspace.\nAdd a table"),
        (
            'folder = "a"\n[[workspaces]]\napi_key_env = "A"\nshard = "B"',
            ":2: `workspaces.shard` must be a",
        ),
        ('folder = "a"\n[[workspaces]]\napi_key_env = "_A"', ":2: `workspaces.shard` must be a"),
    ],
)
def test_a_wrong_fleet_is_named(text: str, words: str) -> None:
    """A fleet lies in a folder, has a workspace, and each shard has a name for its folder."""
    file = Path("fleet.toml")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        load_fleet(file)

    assert words in str(refused.value)
