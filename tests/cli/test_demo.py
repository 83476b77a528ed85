"""`analytics demo`: a pipeline that has been at work for a while, and what its end says."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from analytics import __version__
from analytics.cli.demo import MARKER, plan
from analytics.emulator.demo.history import days_with_closings
from analytics.emulator.world import World
from analytics.query.assistant import server_of
from analytics.warehouse.layout import Layout
from tests.cli.conftest import Command
from tests.docs.pages import ROOT, blocks_in
from tests.worlds import NOW

DAYS, DAYS_OF_WALK = 9, 60
"""A short history, and one since the first day of the month that the walk closes."""
SCRIPT = Path(sys.executable).with_name("analytics")


def test_a_batch_a_week_reads_the_history() -> None:
    """No two batches are more than a week apart; the first reads a few days, the last ends now."""
    batches = plan(NOW, 90)
    moments = [batch.moment for batch in batches]

    assert sum(not batch.publishes for batch in batches) == 12
    assert [batch.publishes for batch in batches[-2:]] == [True] * 2
    assert moments[-1] == NOW
    assert timedelta(days=83) < NOW - moments[0] < timedelta(days=90)
    assert max(later - earlier for earlier, later in pairwise(moments)) == timedelta(days=7)


@pytest.mark.parametrize("day", range(0, 62, 3))
def test_two_months_are_closed(day: int) -> None:
    """On any day, two whole months are closed after a batch of the next month's eighth day."""
    now = NOW + timedelta(days=day)
    days = days_with_closings(now)
    batches = plan(now, days)

    closed = [batch for batch in batches if batch.closes]
    assert [(each.publishes, each.moment.day) for each in closed] == [(True, 8)] * 2
    first, second = (each.closes for each in closed)
    assert (first + timedelta(days=32)).replace(day=1) == second
    assert first == (now - timedelta(days=days)).date()
    assert 70 <= days <= 105


def test_data_of_others_are_left_alone(analytics: Command) -> None:
    """A data directory that the demo has not made is refused."""
    data = Path("data")
    data.mkdir()
    (data / "analytics.duckdb").write_text("mine", encoding="utf-8")

    result = analytics("demo")

    assert result.code == 2
    assert "data holds data that is not the demo's" in result.err
    assert (data / "analytics.duckdb").read_text(encoding="utf-8") == "mine"


def test_a_failed_batch_ends_the_demo(analytics: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a batch said is shown if it failed, and its exit code is the demo's."""
    failed = subprocess.CompletedProcess([], 3, "", "error: a check failed\n")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: failed)

    result = analytics("demo", "--days", str(DAYS))

    assert result.code == 3
    assert result.err.endswith("failed\nerror: a check failed\n\n")


@pytest.mark.parametrize(
    ("until", "first_batch", "months"),
    [
        ("2024-02-29", "Batch  1 of 16, 06 Dec 2023", ["2023-12", "2024-01", "2024-02"]),
        ("2096-02-29", "Batch  1 of 16, 06 Dec 2095", ["2095-12", "2096-01", "2096-02"]),
        ("2026-10-31", "Batch  1 of 16, 07 Aug 2026", ["2026-08", "2026-09", "2026-10"]),
        ("2026-11-01", "Batch  1 of 17, 01 Aug 2026", ["2026-08", "2026-09", "2026-10", "2026-11"]),
    ],
)
def test_the_demo_ends_on_another_day(
    analytics: Command,
    monkeypatch: pytest.MonkeyPatch,
    until: str,
    first_batch: str,
    months: list[str],
) -> None:
    """History and budgets begin with the first of two closed months before that day.

    A day in the future is named as such.
    """
    failed = subprocess.CompletedProcess([], 3, "", "")
    monkeypatch.setattr("subprocess.run", lambda *_, **__: failed)

    result = analytics("demo", "--until", until)

    assert f"{first_batch}: failed" in result.err
    assert (f"{until} is in the future" in result.err) is (until > f"{NOW:%Y-%m-%d}")
    with Path("data/finance/budgets.csv").open(encoding="utf-8", newline="") as file:
        budgets = [*csv.DictReader(file)]
    assert sorted({line["month"] for line in budgets}) == months


@pytest.mark.parametrize("until", ["2026-02-29", "tomorrow", "", "0001-01-01", "9999-12-31"])
def test_a_demo_that_cannot_end_on_a_day_is_refused(analytics: Command, until: str) -> None:
    """A bad date gives one line and exit 2, and nothing is written."""
    result = analytics("demo", "--until", until)

    assert result.code == 2
    assert result.err == (
        f"error: `{until}` is not a day of the years 2002 to 2098: write it as 2026-11-30.\n"
    )
    assert not Path("data").exists()


def test_the_emulator_runs_a_command_at_its_time(
    analytics: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that it runs takes its clock for the machine's; the exit code is the command's."""
    monkeypatch.setattr(World, "demo", World.empty)
    batch = ("emulator", "--now", "2026-02-01", "nightly", "--data-dir", "february")

    assert analytics(*batch).code == 0
    status = json.loads(analytics("status", "--json", "--data-dir", "february").out)
    assert status["data_to"].startswith("2026-02-01 00:")
    assert analytics(*batch, "--unknown").code == 2


@pytest.mark.parametrize("command", ["demo", "emulator"])
def test_the_extra_is_named_where_it_is_missing(command: str) -> None:
    """Without the extra, one line says how to install it, and nothing is written."""
    code = (
        "import sys; sys.modules['fastapi'] = None; from analytics.cli import main;"
        f" sys.argv[1:] = ['{command}']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert done.returncode == 2
    assert done.stderr == (
        "error: The emulator needs fastapi, which is not installed.\n"
        "In the clone, pip install --require-hashes --no-deps -r requirements/emulator.lock.\n"
    )
    assert not Path("data").exists()


def made(data: Path, days: int, *more: str) -> tuple[Path, str, str]:
    """Return the data directory of a demo, and what it printed on both streams."""
    command = [SCRIPT, "demo", "--data-dir", str(data), "--days", str(days), *more]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=data.parent)
    assert done.returncode == 0, done.stderr
    return data, done.stdout, done.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A short demo."""
    return made(tmp_path_factory.mktemp("demo") / "data", DAYS)


def test_it_says_what_it_does(demo: tuple[Path, str, str]) -> None:
    """Each batch has a line of its own; the last one logs what it does.

    The demo knows its own data again by its settings file, which holds no key.
    """
    data, _, said = demo
    settings = (data / MARKER).read_text(encoding="utf-8")
    assert "levain_" not in settings
    assert settings.count("[[workspaces]]") == 2

    assert "No key is needed." in said
    planned = plan(datetime.now(UTC), DAYS)
    count = len(planned)
    batches = re.findall(
        rf"^Batch +(\d+) of {count}, \d\d \w{{3}} \d{{4}}: (.*)$", said, re.MULTILINE
    )
    assert [int(number) for number, _ in batches] == [*range(1, count + 1)]
    for (_, text), batch in zip(batches[:-1], planned, strict=False):
        did = ", published reports" if batch.publishes else ""
        assert re.fullmatch(rf"read new runs{did} \([\d,]+ requests, [\d.]+ s\)", text)
    assert "published" in re.split(rf"Batch +{count} of {count}", said)[1]
    assert "warning: finance/" not in said
    assert "Traceback" not in said


def test_its_last_lines_say_how_to_go_on(demo: tuple[Path, str, str]) -> None:
    """The last lines: what was made, what there is to see in it, and commands to paste."""
    data, printed, _ = demo
    last = printed[printed.rindex("\nDone in") + 1 :]
    first, *events, opening, sql, own, shorter = last.splitlines()

    assert re.match(rf"Done in \d+ s: reports on {DAYS} days of two made-up companies", first)
    assert all(re.match(r"  \d\d \w{3}  \w", event) for event in events)
    assert "  a run's cost is corrected after its day was published" in events[-1]
    reports = f"Reports:   {(data / 'site' / 'index.html').absolute().as_uri()}"
    assert printed.partition("\nDone in")[0].splitlines()[-1] == reports
    assert (data / "site" / "index.html").exists()
    activated = re.match("`([^`]+)` lets the shell find `analytics`", shorter)[1]
    for line, expected in (
        (opening, "index.html"),
        (sql, "Order status"),
        (own, "wrote my-project/analytics.toml"),
        (f":{activated} && analytics --version", __version__),
    ):
        pasted = subprocess.run(
            ["/bin/sh", "-c", line.partition(":")[2]],
            check=False,
            capture_output=True,
            text=True,
            cwd=data.parent,
            env={"PATH": "/usr/bin:/bin"},
        )
        assert (pasted.returncode, expected in pasted.stdout + pasted.stderr) == (0, True)


def test_a_figure_is_one_wherever_it_is_asked(
    demo: tuple[Path, str, str], analytics: Command, tmp_path: Path
) -> None:
    """Cost and counts of this month are the same of SQL, assistant, page, summary and export."""
    data, *_ = demo
    summary = json.loads((data / "site" / "summary.json").read_text(encoding="utf-8"))["month"]
    month, columns = summary["first_date"][:7], ("cost_usd", "run_count", "failed_count")
    sql = f"""
        select {", ".join(f"sum({name})::varchar as {name}" for name in columns)}
        from fct_workspace_months where month = '{month}-01'
    """
    in_shell = json.loads(analytics("sql", "--data-dir", str(data), sql, "--format", "json").out)
    server = server_of(Layout(data), tmp_path, 60, "0")
    (answered,) = json.loads(anyio.run(server.call_tool, "query", {"sql": sql}).content[0].text)[
        "rows"
    ]
    pack = ("export", "pack", month, "--data-dir", str(data), "--output", str(tmp_path / "pack"))
    assert analytics(*pack).code == 0
    with (tmp_path / "pack" / "lines.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = [*csv.DictReader(file)]
    page = (data / "site" / "index.html").read_text(encoding="utf-8")
    months = page[page.index('id="by-month-table"') :]
    row = re.search(rf'data-v="{month}-01">.*?</tr>', months)[0]
    cells = re.findall(r'<td(?: data-v="(.*?)")?>(.*?)<', row)  # of numbers, the state left out

    figures = [
        [in_shell[0][name] for name in columns],
        answered,
        [exact or shown for exact, shown in (cells[0], cells[2], cells[3])],
        [summary[name] for name in columns],
        [sum(Decimal(line[name]) for line in lines if line[name]) for name in columns],
    ]
    assert [[Decimal(each) for each in figure] for figure in figures] == [
        [Decimal(each) for each in figures[0]]
    ] * 5
    assert lines


@pytest.mark.long
def test_the_walk_through_a_month(tmp_path: Path) -> None:
    """Every command of docs/month-end.md does what the page says, and writes to `data` alone."""
    (tmp_path / "demo").mkdir()
    walk = [each for each in blocks_in("sh") if each.page.name == "month-end.md"]
    first, text = walk[0].code, "\n".join(each.code for each in walk)
    until = re.match(r"analytics demo (--until 2026-11-30)\n", first)[1].split()
    data, printed, said = made(tmp_path / "demo" / "data", DAYS_OF_WALK, *until)
    assert re.search(r"^ +finance closes October 2026 \([\d.]+ s\)$", said, re.MULTILINE)
    assert "a run of October is billed higher after its close" in printed
    program = tmp_path / "analytics"
    script = f'[ "$1" = demo ] || exec {shlex.quote(sys.executable)} -m analytics "$@"'
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    before = {path.name for path in data.parent.iterdir()}

    done = subprocess.run(
        ["/bin/sh", "-eu"],
        input=text,
        cwd=data.parent,
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "are as they were closed;" in done.stdout
    assert "not yet" in done.stdout
    assert (data / "books" / "2026-10" / "r2" / "manifest.json").exists()
    assert (data / "packs" / "2026-10" / "statement.html").exists()
    assert {path.name for path in data.parent.iterdir()} == before
