"""`analytics nightly`, from the shell: what it prints, leaves behind, and how it ends."""

from __future__ import annotations

import fcntl
import json
import signal
import stat
import threading
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import HTTPException

from analytics.emulator.records import Workspace
from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from analytics.levain.transport import TRIES
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from tests.cli.conftest import Command, SettingsFile
from tests.conftest import NOW, Batch, StartRun
from tests.nights import gone_from


def modes(folder: Path) -> set[str]:
    return {oct(stat.S_IMODE(path.stat().st_mode)) for path in [folder, *folder.rglob("*")]}


def test_a_night_ends_with_figures_and_pages(night: Command, workspace: Workspace) -> None:
    """A night prints runs, failures, cost and tokens of each workspace, and where the pages lie."""
    result = night("nightly")

    assert result.code == 0, result.err
    (line,) = [line for line in result.out.splitlines() if line.startswith(workspace.name)]
    assert line.split()[2:5] == ["3", "1", "of"] or "1 of 3" in line
    assert "$1.50" in line
    assert "data/site/index.html" in result.out
    assert Path("data/site/index.html").is_file()


def test_a_night_leaves_its_summary(night: Command) -> None:
    """What a night prints in ten lines lies beside the pages, as Markdown and as JSON."""
    lines = night("nightly").out.partition("\n\n")[0].splitlines()
    text = Path("data/site/summary.md").read_text(encoding="utf-8")
    found = json.loads(Path("data/site/summary.json").read_text(encoding="utf-8"))

    assert len(lines) <= 10
    assert all(len(line) <= 80 for line in lines)
    assert "Hidden     no run of this month" in lines
    assert "**Hidden**: no run of this month" in text
    assert (found["month"]["complete_cost_usd"], found["month"]["failed_count"]) == (
        "1.5000000000",
        1,
    )


def test_what_is_written_is_the_owners_alone(night: Command) -> None:
    """No file or folder of the data directory lets anybody else in."""
    night("nightly")

    assert modes(Path("data")) == {"0o600", "0o700"}


def test_the_published_file_can_be_shared(night: Command, settings_file: SettingsFile) -> None:
    """`mode = "0640"` opens the published file, the pages and the way to them; nothing else."""
    settings_file('[extract]\nhistory_days = 3\n[publish]\nmode = "0640"\n')
    night("nightly")

    assert oct(stat.S_IMODE(Path("data/analytics.duckdb").stat().st_mode)) == "0o640"
    assert oct(stat.S_IMODE(Path("data").stat().st_mode)) == "0o750"
    assert modes(Path("data/site")) == {"0o640", "0o750"}
    assert modes(Path("data/landing")) == {"0o600", "0o700"}
    assert oct(stat.S_IMODE(Path("data/warehouse.duckdb").stat().st_mode)) == "0o600"


def test_no_key_is_a_wrong_setting(night: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key the night says which variable to set, and stores nothing."""
    monkeypatch.delenv("LEVAIN_API_KEY")
    result = night("nightly")

    assert result.code == 2
    assert "LEVAIN_API_KEY is not set" in result.err
    assert not Path("data").exists()


def test_a_wrong_key_is_a_wrong_setting(night: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that the API refuses is told with its variable, never with its text."""
    monkeypatch.setenv("LEVAIN_API_KEY", "levain_of_somebody_else")
    result = night("nightly")

    assert result.code == 2
    assert "does not accept the key in LEVAIN_API_KEY" in result.err
    assert "somebody" not in result.err


def test_a_key_that_may_not_be_used_is_a_wrong_setting(
    night: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why the API does not take a key is told in its own words."""

    def refuse(_: str) -> None:
        raise HTTPException(403, "your network is not on the list")

    monkeypatch.setattr(world, "workspace_of", refuse)
    result = night("nightly")

    assert result.code == 2
    assert "LEVAIN_API_KEY (HTTP 403, your network is not on the list)" in result.err


def test_a_key_of_another_workspace_is_refused(
    night: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key of another workspace than the data's stores nothing, and says whose data it is."""
    night("nightly")
    other = world.add_workspace("Other")
    monkeypatch.setenv("LEVAIN_API_KEY", other.api_key)
    result = night("nightly")

    assert result.code == 2
    assert "belongs to workspace Other" in result.err
    assert [world.workspaces[0].id] == [path.name for path in Path("data/landing").iterdir()]


def test_a_workspace_id_in_the_settings_is_insisted_on(
    night: Command, settings_file: SettingsFile
) -> None:
    """With `workspace_id` set, a key of any other workspace is refused on the first night too."""
    settings_file('[[workspaces]]\napi_key_env = "LEVAIN_API_KEY"\nworkspace_id = "w-1"\n')
    result = night("nightly")

    assert result.code == 2
    assert "(w-1)" in result.err


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LEVAIN_API", "http://127.0.0.1:9"), ("HTTP_PROXY", "ftp://proxy.test")],
)
def test_an_unreachable_api_is_a_failure(
    variable: str, value: str, night: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that refuses ends the night with exit 1; what was published still stands."""
    night("nightly")
    before = Path("data/analytics.duckdb").read_bytes()
    monkeypatch.setenv(variable, value)
    result = night("nightly")

    assert result.code == 1
    assert value in result.err
    assert Path("data/analytics.duckdb").read_bytes() == before


def test_what_failed_is_told_although_it_cannot_be_noted(
    night: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the note of a failed night cannot be written, the night's own error is told."""
    night("nightly")
    Path("data/last-night.next").mkdir()
    monkeypatch.setenv("LEVAIN_API", "http://127.0.0.1:9")
    result = night("nightly")

    assert result.code == 1
    assert "http://127.0.0.1:9" in result.err


def test_a_full_disk_is_told_with_what_mends_it(night: Command) -> None:
    """Where nothing more can be written the night ends with exit 1, and says to make room."""
    Path("data").mkdir()
    Path("data/last-night.next").symlink_to("/dev/full")
    result = night("nightly")

    assert result.code == 1
    assert "No space left on device.\nMake room" in result.err


@pytest.mark.parametrize("answer", ["500", "truncated", "invalid", "cut", "429"])
def test_an_answer_that_stays_broken_is_a_failure(
    night: Command, api: Emulator, answer: str
) -> None:
    """After six tries the night gives up with exit 1, and the next one makes it good."""
    api.faults.add("/runs/$", answer, TRIES, retry_after_seconds=0)  # type: ignore[arg-type]
    failed = night("nightly")
    good = night("nightly")

    assert (failed.code, good.code) == (1, 0)
    assert "/api/v1/runs/" in failed.err
    assert "$1.50" in good.out


def test_a_night_tells_what_it_waits_for(night: Command, api: Emulator) -> None:
    """A request that is tried again is told with its cause, once, and not at every try."""
    api.faults.add("/auth/me", "500", TRIES - 1)
    result = night("nightly")

    assert result.code == 0, result.err
    assert "/auth/me: HTTP 500" in result.err
    assert result.err.count("; trying again in") == 1


def test_a_failed_night_keeps_the_figures_of_the_last(night: Command, start_run: StartRun) -> None:
    """What a night stored before it failed shows in no figure until a night is whole."""
    night("nightly")
    start_run(hours_ago=0.5, cost="9")
    with gone_from("/log/events"):
        assert night("nightly").code == 1
    night("transform")
    night("check")
    night("publish")
    stale = night("sql", "select sum(cost_usd) from fct_runs", "--format", "csv").out
    night("nightly")
    fresh = night("sql", "select sum(cost_usd) from fct_runs", "--format", "csv").out

    assert [text.split()[1] for text in (stale, fresh)] == ["1.5000000000", "10.5000000000"]


@pytest.mark.parametrize(
    ("answer", "cause"), [("500", "HTTP 500"), ("invalid", "the body is not whole JSON")]
)
def test_details_that_stay_broken_cost_no_night(
    night: Command, api: Emulator, start_run: StartRun, answer: str, cause: str
) -> None:
    """A run whose log events fail for good stays due; the figures are published, with a warning."""
    run = start_run(hours_ago=0.5, cost="9")
    api.faults.add(f"{run.id}/log/events", answer, TRIES)  # type: ignore[arg-type]
    result = night("nightly")
    events = "select count(*) from fct_log_events where run_id = '" + run.id + "'"
    first = night("sql", events, "--format", "csv").out
    night("nightly")
    second = night("sql", events, "--format", "csv").out

    assert result.code == 0, result.err
    assert "stay due" in result.err
    assert f"{run.id}/log/events: {cause}" in result.err
    assert first.split()[1] == "0"
    assert int(second.split()[1]) > 0


def test_one_workspace_that_fails_costs_no_other(
    night: Command,
    world: World,
    api: Emulator,
    settings_file: SettingsFile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others are published and summed up; what stands of the failed one is told: exit 1."""
    other = world.add_workspace("Other")
    monkeypatch.setenv("GOOD", world.workspaces[0].api_key)
    monkeypatch.setenv("REVOKED", "levain_revoked_long_ago")
    monkeypatch.setenv("OTHER", other.api_key)
    settings_file(
        "[extract]\nhistory_days = 3\n"
        + "".join(
            f'[[workspaces]]\napi_key_env = "{name}"\napi = "{api.url}"\n'
            for name in ("REVOKED", "GOOD", "OTHER")
        )
    )
    result = night("nightly")

    assert result.code == 1
    assert "1 of 3 workspaces could not be read" in result.err
    assert "REVOKED" in result.err
    assert "It has no figures yet." in result.err
    assert "Blank Slate: 3 runs" in result.out
    rows = night("sql", "select workspace_name from dim_workspaces order by 1", "--format", "csv")
    assert rows.out.split("\n")[:3] == ["workspace_name", "Blank Slate", "Other"]

    monkeypatch.setenv("OTHER", "levain_revoked_meanwhile")
    world.pass_time(timedelta(days=1))
    later = night("nightly")

    assert (later.code, "Blank Slate: 3 runs" in later.out) == (1, True)
    kept = "Other keeps its figures up to 2026-11-20 06:00 UTC."
    assert kept in later.err
    assert kept in night("status").out
    assert kept in Path("data/site/index.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("batch")
def test_an_empty_workspace_has_reports_too(
    settings_file: SettingsFile, analytics: Command
) -> None:
    """A workspace without agents and runs is no failure: its pages say that there is nothing."""
    settings_file("[extract]\nhistory_days = 3\n")
    result = analytics("nightly")

    assert result.code == 0, result.err
    assert "no runs" in result.out
    assert "no runs" in Path("data/site/index.html").read_text(encoding="utf-8").lower()


@pytest.mark.parametrize("stage", ["transform", "check", "report", "publish"])
def test_a_stage_needs_data(analytics: Command, stage: str) -> None:
    """Where nothing was ever read, a later stage says what to run first, and makes no folder."""
    result = analytics(stage)

    assert (result.code, result.out) == (1, "")
    assert "Nothing has been read into data yet.\nRun `analytics nightly`" in result.err
    assert not Path("data").exists()


def test_a_stage_needs_a_night_that_was_loaded(night: Command, api: Emulator) -> None:
    """A first night that failed leaves nothing to build reports of."""
    api.faults.add("/runs/$", "500", TRIES)
    night("nightly")
    result = night("transform")

    assert (result.code, "Nothing has been read into data yet" in result.err) == (1, True)
    assert not Path("data/marts.duckdb").exists()


def test_two_nights_at_once_are_refused(night: Command) -> None:
    """While a batch holds the data directory another one ends with exit 4."""
    with batch_lock(Layout(Path("data"))):
        result = night("nightly")

    assert result.code == 4
    assert "Another batch is at work in data" in result.err


def test_who_looks_keeps_no_night_from_its_work(night: Command) -> None:
    """To look whether a batch is at work holds the directory for a moment: a night waits."""
    layout = Layout(Path("data"))
    with batch_lock(layout):
        pass
    with layout.lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        looking = threading.Timer(0.2, lambda: fcntl.flock(file, fcntl.LOCK_UN))
        looking.start()
        result = night("nightly")
        looking.join()

    assert result.code == 0, result.err


def test_a_directory_that_was_there_keeps_its_readers(night: Command) -> None:
    """What others may do in a directory that the batch did not make is left to its owner."""
    Path("data").mkdir()
    Path("data").chmod(0o2775)
    night("nightly")

    assert oct(stat.S_IMODE(Path("data").stat().st_mode)) == "0o2775"
    assert modes(Path("data/site")) == {"0o600", "0o700"}


def test_a_data_directory_of_a_newer_release_is_refused(night: Command, batch: Batch) -> None:
    """Data that a newer release has laid out is left alone."""
    night("nightly")
    batch.rows("update ledger.schema_version set version = 99")
    result = night("nightly")

    assert result.code == 2
    assert "newer release" in result.err


def test_a_broken_check_publishes_nothing(
    night: Command, batch: Batch, start_run: StartRun
) -> None:
    """A check that does not hold stops the night before publishing, and names itself: exit 3."""
    night("nightly")
    before = Path("data/analytics.duckdb").read_bytes()
    start_run(hours_ago=0.5)
    batch.rows(
        "insert into raw.runs by name select * replace (nextval('raw.version_ids') as version_id)"
        " from raw.runs limit 1"
    )
    result = night("nightly")

    assert result.code == 3
    assert "fct_runs_key_is_unique" in result.err
    assert Path("data/analytics.duckdb").read_bytes() == before
    assert night("publish").code == 3
    assert "failed (exit 3)" in night("status").out


def test_a_bad_record_is_set_aside_and_told(
    night: Command, world: World, start_run: StartRun
) -> None:
    """One record of a wrong type costs that record, and the summary says so."""
    run = start_run(hours_ago=0.5)
    world.override_record(run.id, {"tokens_in": "twelve"})
    result = night("nightly")

    assert result.code == 0
    assert "1 record could not be understood" in result.err
    assert (
        "tokens_in is not a whole number"
        in night("sql", "select reason from fct_quarantined_records", "--format", "csv").out
    )


def test_odd_records_are_no_failure(night: Command, world: World, start_run: StartRun) -> None:
    """An unknown status is open and warned of, a null cost stays unknown, no agent is named so."""
    dreaming = start_run(hours_ago=0.6)
    world.override_record(dreaming.id, {"status": "dreaming", "mood": "🍞"})
    unknown = start_run(hours_ago=0.5)
    world.override_record(unknown.id, {"cost_usd": None, "agent_id": None})
    result = night("nightly")

    assert result.code == 0, result.err
    assert "dreaming" in result.err
    rows = night(
        "sql",
        "select is_terminal, cost_usd, agent_name from fct_runs"
        f" where run_id in ('{dreaming.id}', '{unknown.id}') order by created_at",
        "--format",
        "csv",
    ).out.splitlines()
    assert rows[1:] == ["false,0.2500000000,Baker", "true,,No agent"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("ONE", "ONE"), "names ONE twice"),
        (("ONE", "ALSO"), "ONE and ALSO hold keys of the same workspace"),
    ],
)
def test_a_workspace_that_is_named_twice_is_a_wrong_setting(
    night: Command,
    api: Emulator,
    settings_file: SettingsFile,
    monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, str],
    words: str,
) -> None:
    """By one variable or by two, a workspace is read once; else exit 2, and nothing is stored."""
    for name in names:
        monkeypatch.setenv(name, api.world.workspaces[0].api_key)
    settings_file("".join(f'[[workspaces]]\napi_key_env = "{name}"\n' for name in names))
    result = night("nightly")

    assert result.code == 2
    assert words in result.err
    assert not list(Path("data").glob("landing/*"))


def test_a_data_directory_that_is_a_file_is_told(night: Command) -> None:
    """It is said what stands there, and what to do."""
    Path("taken").write_text("my notes")
    result = night("nightly", "--data-dir", "taken")

    assert result.code == 1
    assert "The data directory taken cannot be used: it is a file." in result.err


@pytest.mark.parametrize(
    ("stop", "code"), [(KeyboardInterrupt(), 130), (RuntimeError("no such luck"), 1)]
)
def test_a_night_that_was_stopped_is_not_told_as_the_one_before(
    night: Command, monkeypatch: pytest.MonkeyPatch, stop: BaseException, code: int
) -> None:
    """Whatever stops a night, `status` tells of it, and not that the last one went well."""
    night("nightly")

    def stopping(*_: object, **__: object) -> None:
        raise stop

    monkeypatch.setattr("analytics.batch.stages.transform", stopping)
    with pytest.raises(RuntimeError) if code == 1 else nullcontext():  # a fault of ours is shown
        result = night("nightly")
        assert result.code == code
        assert "stopped; what was published before still stands" in result.err
    last = json.loads(night("status", "--json").out)["last_night"]

    assert last["exit_code"] == code
    assert last["messages"] == [str(stop) or "It was stopped (KeyboardInterrupt)."]


def test_a_night_that_is_told_to_end_does_so_in_good_order(
    night: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM, as of a shutdown or a time limit, ends a night as Ctrl-C does."""
    monkeypatch.setattr(
        "analytics.batch.stages.transform", lambda *_: signal.raise_signal(signal.SIGTERM)
    )
    result = night("nightly")

    assert result.code == 130
    assert "stopped; what was published before still stands" in result.err
    assert "stopped" in Path("data/last-night.json").read_text(encoding="utf-8")


def test_a_night_without_a_key_is_not_told_as_the_one_before(
    night: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where data are held, `status` tells of a night that could not even begin."""
    night("nightly")
    monkeypatch.delenv("LEVAIN_API_KEY")
    night("nightly")

    assert "The last night failed (exit 2)" in night("status").out


def test_an_interrupted_night_is_made_good(night: Command, batch: Batch) -> None:
    """What an interrupted night had landed is loaded by the next one, which then reads on."""
    run_id = next(iter(batch.api.world.workspaces[0].runs))
    with gone_from(f"{run_id}/log/events"):
        night("nightly")
    landed = {folder.name for folder in Path("data/landing").glob("*/*")}
    nothing_yet = batch.rows("select load_id from ledger.loads")
    result = night("nightly")
    loaded = {load_id for (load_id,) in batch.rows("select load_id from ledger.loads")}

    assert result.code == 0
    assert nothing_yet == []
    assert landed
    assert landed < loaded


def test_a_workspace_with_hostile_names_is_shown(
    analytics: Command, settings_file: SettingsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Markup, formulas and control characters in names reach the terminal and pages as data."""
    world = World(1, NOW)
    hostile = "<script>alert(1)</script> \x1b[31m =cmd() 🍞"
    workspace = world.add_workspace(hostile)
    agent = world.add_agent(workspace, hostile, "x")
    world.finish_run(world.start_run(agent), "failed", error=hostile)
    settings_file("[extract]\nhistory_days = 3\n")
    with running(world) as api:
        monkeypatch.setenv("LEVAIN_API_KEY", workspace.api_key)
        monkeypatch.setenv("LEVAIN_API", api.url)
        result = analytics("nightly")

    assert result.code == 0, result.err
    assert "\x1b[31m" not in result.out + result.err
    for page in Path("data/site").rglob("*.html"):
        assert "<script>alert" not in page.read_text(encoding="utf-8")
