"""`analytics trace`: from a published figure to its runs, landing lines and requests."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard

from analytics.emulator.platform_agents import BUILDER
from analytics.emulator.records import Agent, Run
from analytics.emulator.world import World
from tests.batches import short_lists
from tests.cli.conftest import Command, book_a_few_runs, shell_in
from tests.worlds import NOW, book_run, hire_baker

DAY = f"{NOW - timedelta(hours=1):%Y-%m-%d}"


def explained(command: Command, *arguments: str) -> dict[str, Any]:
    result = command("trace", "--json", *(arguments or ("--agent", "baker", "--date", DAY)))
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    return found


def landed_line(landing: dict[str, Any]) -> dict[str, Any]:
    content = (Path("data") / landing["file"]).read_bytes()
    lines = zstandard.ZstdDecompressor().stream_reader(content).read().splitlines()
    line: dict[str, Any] = json.loads(lines[landing["line"] - 1])
    return line


def rewrite(old: str, new: str, source: str = "runs") -> None:
    """Change the landing files of a source."""
    files = list(Path("data/landing").rglob(f"{source}.ndjson.zst"))
    assert files
    for file in files:
        text = zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read().decode()
        file.write_bytes(zstandard.ZstdCompressor().compress(text.replace(old, new).encode()))


def test_a_figure_leads_to_lines_and_requests(published: Command) -> None:
    """The runs add up to the figure; each has its landing line and request, also in 80 columns."""
    found = explained(published)
    text = published("trace", "--agent", "Baker", "--date", DAY).out

    assert (found["figure"]["cost_usd"], found["runs_sum"]["cost_usd"]) == ("0.4000000000",) * 2
    assert found["runs_sum"]["adds_up"] is True
    assert sum(Decimal(run["cost_usd"]) for run in found["runs"]) == Decimal("0.4")
    for run in found["runs"]:
        landing, request = run["landing"], run["request"]
        line = landed_line(landing)
        content = (Path("data") / landing["file"]).read_bytes()
        assert line["record"]["id"] == run["run_id"]
        assert line["request"] == request["request"]
        assert landing["sha256"] == hashlib.sha256(content).hexdigest()
        assert landing["byte_count"] == len(content)
        assert landing["is_verified"] is True
        assert (request["path"], request["params"]) == ("/api/v1/runs/", {"limit": 200})
        assert (request["status"], request["record_count"]) == (200, 3)
        assert request["fetched_at"].startswith(f"{NOW:%Y-%m-%dT%H:%M}")
    for words in (
        "in 2 runs: 1 succeeded, 1 failed", "They add up to the figure",
        "GET /api/v1/runs/?limit=200", "verified: it has that hash",
    ):  # fmt: skip
        assert words in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_corrected_run_shows_what_it_was(
    analytics: Command, data_of_batches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier version follows its run, with its own line, and the load that superseded it."""
    monkeypatch.chdir(data_of_batches.parent)
    found = explained(analytics)
    most_expensive = found["runs"][0]

    assert most_expensive["cost_usd"] == "1.5000000000"
    (before,) = most_expensive["earlier_versions"]
    assert (before["cost_usd"], before["landing"]["is_verified"]) == ("1.0000000000", True)
    assert before["superseded_by_load_id"] == most_expensive["request"]["load_id"]
    assert before["landing"]["file"] != most_expensive["landing"]["file"]
    assert "was, 2026-11-20 06:00 UTC" in analytics("trace", "--run", most_expensive["run_id"]).out


def test_a_run_is_told_as_its_page_tells_it(published: Command) -> None:
    """Its agent, version, error, times, use and models stand above where they come from."""
    run = next(each for each in explained(published)["runs"] if each["status"] == "failed")
    (told,) = explained(published, "--run", run["run_id"])["runs"]
    with duckdb.connect("data/analytics.duckdb", read_only=True) as con:
        ((message, tokens_in, tokens_out),) = con.execute(
            "select error_message, tokens_in, tokens_out from marts.fct_runs where run_id = $1",
            [run["run_id"]],
        ).fetchall()
        models = con.execute(
            "select model, provider, request_count from marts.fct_run_models where run_id = $1",
            [run["run_id"]],
        ).fetchall()
    text = published("trace", "--run", run["run_id"][:8]).out

    assert (told["agent_name"], told["error_message"]) == ("Baker", message)
    assert [
        (each["model"], each["provider"], each["request_count"]) for each in told["models"]
    ] == (models)
    assert text.startswith(f"Baker v{told['agent_version']}, ")
    for words in (
        f"Run       {run['run_id']}\n",
        f"Status    failed: {told['error_class'].replace('_', ' ')}\n",
        f"Error     {message}",
        f"Used      {run['cost_usd']} USD, {tokens_in:,} tokens in, {tokens_out:,} out\n",
        " in the queue\n",
        "Requests\n" if models else "no model costs were read for this run",
        "verified: it has that hash",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_tampered_landing_file_is_told(published: Command) -> None:
    """A changed landing file exits with 3, and is named."""
    rewrite("0.25", "0.75")
    result = published("trace", "--agent", "baker", "--date", DAY)

    assert result.code == 3
    assert "DOES NOT AGREE" in result.out
    assert "its SHA-256 is" in result.err


def test_without_landing_files_the_chain_is_told_unverified(published: Command) -> None:
    """Without landing files, the trace is printed as not verified."""
    shutil.rmtree("data/landing")
    result = published("trace", "--agent", "baker", "--date", DAY)

    assert result.code == 0
    assert "not at hand here, so not verified" in result.out
    assert {run["landing"]["is_verified"] for run in explained(published)["runs"]} == {None}


def test_runs_that_do_not_add_up_are_told(published: Command) -> None:
    """A figure that is not the sum of its runs exits with 3."""
    with duckdb.connect("data/analytics.duckdb") as con:
        con.execute("update marts.fct_agent_days set cost_usd = cost_usd + 0.0000000001")
    result = published("trace", "--agent", "baker", "--date", DAY)

    assert result.code == 3
    assert "THEY DO NOT ADD UP" in result.out
    assert "the parts do not add up to the figure" in result.err


@dataclass(frozen=True)
class OddRuns:
    """A folder with a published batch of runs of every kind, most unlisted; tests only read it."""

    folder: Path
    world: World
    agentless: Run
    twins: list[Agent]
    of_platform: Run


@pytest.fixture(scope="module")
def odd_runs(tmp_path_factory: pytest.TempPathFactory) -> OddRuns:
    folder = tmp_path_factory.mktemp("odd-runs")
    world = World.empty(1, NOW)
    (workspace,) = world.workspaces
    baker = hire_baker(world)
    book_a_few_runs(world, baker)
    for number, status in enumerate(["succeeded", "failed", "failed", "failed"]):
        book_run(world, baker, hours_ago=20 + number / 10, cost="0.5", status=status)
    for number in range(6):
        book_run(world, baker, hours_ago=3 + number / 10, cost="0.125")
    agentless = book_run(world, baker, hours_ago=0.5, cost="2", of=workspace)
    twins = [world.add_agent(workspace, "Miller", slug) for slug in ("miller", "second-miller")]
    for number in range(10):
        book_run(world, twins[number % 2], hours_ago=40 + number)
    built = world.start_platform_run(workspace, BUILDER)
    world.meter(
        built, model="claude-sonnet-5", provider="anthropic", tokens_in=7, tokens_out=1,
        cost_usd=Decimal("0.125"),
    )  # fmt: skip
    world.finish_run(built)
    world.pass_time(timedelta(days=1))
    with shell_in(folder, world) as run_command, short_lists():
        assert run_command("nightly").code == 0
    return OddRuns(folder, world, agentless, twins, built)


@pytest.fixture
def beside_odd_runs(
    odd_runs: OddRuns, analytics: Command, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command, in the folder with runs of every kind."""
    monkeypatch.chdir(odd_runs.folder)
    return analytics


def test_a_day_of_unlisted_runs_leads_to_counts_and_sums(beside_odd_runs: Command) -> None:
    """Without a listed run, a figure leads to the API's run counts and roll-up."""
    question = ("--agent", "baker", "--date", f"{NOW - timedelta(hours=20):%Y-%m-%d}")
    found, result = explained(beside_odd_runs, *question), beside_odd_runs("trace", *question)

    figure, unlisted = found["figure"], found["unlisted"]
    assert (figure["run_count"], figure["listed_run_count"], found["runs"]) == (5, 0, [])
    assert (unlisted["cost_usd"], unlisted["failed_count"]) == ("3.1000000000", 3)
    assert [answer["request"]["path"] for answer in found["answers"]] == [
        "/api/v1/runs/daily", "/api/v1/analytics/agents",
    ]  # fmt: skip
    assert {answer["landing"]["is_verified"] for answer in found["answers"]} == {True}
    for words in (
        "Listed    no run", "in 5 runs: 2 succeeded, 3 failed", "No run list showed these runs",
        "GET /api/v1/runs/daily?agent_id=", "verified: it has that hash",
    ):  # fmt: skip
        assert words in result.out
    assert "THEY DO NOT" not in result.out


def test_a_day_of_listed_and_unlisted_runs_adds_up(beside_odd_runs: Command) -> None:
    """Where a list showed some of a day's runs, both parts are the figure."""
    found = explained(beside_odd_runs)
    figure, runs, unlisted = found["figure"], found["runs_sum"], found["unlisted"]

    assert (figure["run_count"], runs["run_count"], unlisted["run_count"]) == (8, 5, 3)
    assert runs["adds_up"] is True
    for name in ("cost_usd", "tokens_in", "failed_count"):
        assert Decimal(figure[name]) == Decimal(runs[name]) + Decimal(unlisted[name])
    assert (len(found["runs"]), len(found["answers"])) == (5, 2)


def test_runs_without_an_agent_are_explained(beside_odd_runs: Command, odd_runs: OddRuns) -> None:
    """`No agent` names runs without an agent, also beside an agent of that name."""
    found = explained(beside_odd_runs, "--agent", "no agent", "--date", DAY)

    assert [each["run_id"] for each in found["runs"]] == [odd_runs.agentless.id]
    assert (found["figure"]["agent_id"], found["figure"]["line_type"]) == ("(none)", "no_agent")


def test_a_wrong_question_is_answered_with_help(published: Command) -> None:
    """An unknown agent, day or run exits with 2, and with similar names."""
    day = ("--date", DAY)
    for arguments, words in (
        (("--agent", "bakr", *day), "Did you mean Baker (baker)?"),
        (("--agent", "\x1b[31mzzz", *day), "There are Baker (baker), No agent, Platform."),
        (("--agent", "", *day), "There is no agent"),
        (("--agent", "baker", "--date", "2020-01-01"), "first date with figures is 2026-11-19"),
        (("--agent", "baker", "--date", "yesterday"), "write it as 2026-11-19"),
        (("--agent", "baker", *day, "--workspace", "x"), "There is Blank Slate."),
        (("--agent", "baker"), "Say --agent and --date"),
        (("--agent", "baker", "--run", "x"), "or --run alone"),
        (("--run", "no-such"), "No published run has an id that begins with `no-such`"),
        (("--run", ""), "No published run"),
    ):
        result = published("trace", *arguments)
        assert (result.code, result.out) == (2, ""), arguments
        assert words in result.err
        assert "\x1b" not in result.err


def test_the_platforms_own_activity_leads_to_its_roll_up(
    beside_odd_runs: Command, odd_runs: OddRuns
) -> None:
    """`platform` names the line of the platform, which has a request and no run."""
    day = f"{odd_runs.of_platform.created_at:%Y-%m-%d}"
    found = explained(beside_odd_runs, "--agent", "platform", "--date", day)

    assert found["figure"]["cost_usd"] == "0.1250000000"
    assert (found["figure"]["line_type"], found["runs"]) == ("platform", [])
    (answer,) = found["answers"]
    assert answer["request"]["path"] == "/api/v1/analytics/platform-agents"
    assert answer["landing"]["is_verified"] is True


def test_a_question_with_several_answers_is_refused(
    beside_odd_runs: Command, odd_runs: OddRuns
) -> None:
    """An ambiguous name is an error that lists the agents' ids, as is an ambiguous beginning."""
    beginnings = [run_id[0] for run_id in odd_runs.world.workspaces[0].runs]
    first = max(beginnings, key=beginnings.count)
    agents = beside_odd_runs("trace", "--agent", "Miller", "--date", DAY)
    runs = beside_odd_runs("trace", "--run", first)

    assert (agents.code, runs.code) == (2, 2)
    assert "2 agents are called `Miller`" in agents.err
    assert all(twin.id in agents.err for twin in odd_runs.twins)
    assert f"Several runs begin with `{first}`" in runs.err
