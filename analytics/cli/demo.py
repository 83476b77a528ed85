"""`analytics demo`: the whole product without a key, from some months of an emulated API.

Reports need a pipeline that has been at work for a while: the API lists only the newest runs,
figures change after they were published, and finance closes months. So the emulator's clock starts
months ago, and moves on between batches.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from analytics.cli.emulator import command_at
from analytics.cli.printed import command, say, typed
from analytics.errors import UsageError, extra_needed
from analytics.format import numbers
from analytics.machine_clock import FURTHEST, machine_clock, machine_time
from analytics.settings import load_settings
from analytics.terminal import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.emulator import Emulator, World

SEED = 1
MARKER = "demo.toml"
"""The demo's settings file, by which it knows a data directory of its own again."""

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
PUBLISHED = (timedelta(days=1), timedelta())
"""Batches of so long ago publish, and one before each close; the others only read, since their
reports would be replaced."""

PREPARER, APPROVER = "Controller", "Head of finance"

EVENING = "18:00+00:00"
YEARS = range(2002, 2099)  # in which a demo may end

QUESTION = (
    "select agent_name, sum(cost_usd) as cost_usd"
    " from fct_agent_months group by all order by 2 desc"
)

_READING = (
    sys.executable,
    "-P",
    "-c",
    "import sys; from analytics.cli.demo import read; read(*sys.argv[1:])",
)


@dataclass(frozen=True, slots=True)
class PastBatch:
    """When a batch of the past was, if it published, and the month that was closed after it."""

    moment: datetime
    publishes: bool
    closes: date | None = None


def fill(data_dir: Path, history_days: int | None, until: str | None = None) -> int:
    """Fill `data_dir`, which is made anew; return the exit code of the batch that ended it.

    Without `history_days` the history begins with the first of two months that are closed; it ends
    now, or in the evening of the day `until`.
    Raises UsageError if that is not a day, if the folder holds anything else, or without the extra
    `emulator`.
    """
    now = machine_time() if until is None else _evening_of(until)
    with extra_needed("The emulator", "emulator"):
        from analytics.emulator import World, running
        from analytics.emulator.demo.history import days_with_closings
    if data_dir.exists() and any(data_dir.iterdir()):
        if not (data_dir / MARKER).exists():
            raise UsageError(
                f"{data_dir} holds data that is not the demo's, and nothing was changed.\n"
                f"Name another place: {command()} demo --data-dir demo-data"
            )
        shutil.rmtree(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    history_days = history_days or days_with_closings(now)
    batches = plan(now, history_days)
    closed = [batch.closes for batch in batches if batch.closes]
    say(
        "A local emulator plays the Levain API: two made-up companies, whose agents work for"
        f" {history_days} days.\n{len(batches)} batches read it, one a week or more often;"
        f" {sum(batch.publishes for batch in batches)} publish reports, and"
        f" {numbers.plural(len(closed), 'month')} {'is' if len(closed) == 1 else 'are'} closed."
        " No key is needed."
    )
    if now > machine_time() + FURTHEST:
        say(f"{until} is in the future: until then, no command can change such data.")
    world = World.demo(SEED, now, history_days=history_days, at_start=True)
    with running(world) as emulator:
        environment = _write_settings(data_dir / MARKER, emulator, batches[0].moment)
        budgeted = _months(closed[0], now.date()) if closed else []
        billed: list[date] = []
        for number, batch in enumerate(batches, start=1):
            world.pass_time(batch.moment - world.now)
            if batch.closes:
                billed = _months(closed[0], batch.closes)
            if batch.publishes or number == 1:
                _write_finance(data_dir, world, budgeted, billed)
            head = f"Batch {number:2} of {len(batches)}, {batch.moment:%d %b %Y}: "
            if code := _run(batch, data_dir, environment, emulator, head, batch is batches[-1]):
                return code
            if batch.closes:
                _close(batch.closes, data_dir, batch.moment + HOUR)
    _end(data_dir, world, history_days, time.monotonic() - began)
    return 0


def _evening_of(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.year not in YEARS:
        raise UsageError(
            f"`{escaped(text)}` is not a day of the years {YEARS[0]} to {YEARS[-1]}:"
            " write it as 2026-11-30."
        )
    return datetime.fromisoformat(f"{day} {EVENING}")


def plan(now: datetime, history_days: int) -> list[PastBatch]:
    """Return the batches, the oldest first.

    One a week, two on the last two days, and one before each month is closed.
    """
    from analytics.emulator.demo.history import closings

    closing = [PastBatch(moment, True, month) for moment, month in closings(now, history_days)]
    published = [PastBatch(now - ago, True) for ago in PUBLISHED]
    weeks = (history_days - PUBLISHED[0].days) // WEEK.days
    before = [PastBatch(published[0].moment - WEEK * n, False) for n in range(weeks, 0, -1)]
    return sorted([*before, *closing, *published], key=attrgetter("moment"))


def _months(first: date, last: date) -> list[date]:
    """Return the first days of all months from one to the other."""
    found = [first]
    while (following := (found[-1] + timedelta(days=32)).replace(day=1)) <= last:
        found.append(following)
    return found


def _write_finance(
    data_dir: Path, world: World, budgeted: Sequence[date], billed: Sequence[date]
) -> None:
    """Write the files of `finance/`, with budgets and invoices of these months."""
    from analytics.emulator.demo import finance

    (data_dir / "finance").mkdir(exist_ok=True)
    for name, text in finance.files(world, budgeted, billed).items():
        (data_dir / "finance" / name).write_text(text, encoding="utf-8")


def _run(
    batch: PastBatch,
    data_dir: Path,
    environment: dict[str, str],
    emulator: Emulator,
    head: str,
    is_last: bool,
) -> int:
    """Run a batch, and say in one line what it did; the last one speaks for itself."""
    places = [str(data_dir), str(data_dir / MARKER)]
    arguments = (
        command_at(batch.moment, "nightly", "--data-dir", places[0], "--config", places[1])
        if batch.publishes
        else [*_READING, batch.moment.isoformat(), *places]
    )
    before, began = len(emulator.requests), time.monotonic()
    if is_last:
        say(f"{head}the last one, with what it logs and the summary that it prints")
        return subprocess.run(arguments, env=environment, check=False).returncode
    print(head, end="", file=sys.stderr, flush=True)
    done = subprocess.run(arguments, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        say(f"failed\n{done.stdout}{done.stderr}")
        return done.returncode
    requests, seconds = len(emulator.requests) - before, time.monotonic() - began
    did = "read new runs, published reports" if batch.publishes else "read new runs"
    say(f"{did} ({requests:,} requests, {seconds:.1f} s)")
    return 0


def read(moment: str, data_dir: str, config: str) -> None:
    """Read and load, as a batch does that publishes nothing, in a process of its own."""
    from analytics.batch.batch import begun
    from analytics.batch.extract import extract, require_all
    from analytics.batch.progress import Progress
    from analytics.cli.options import LongHere

    settings = LongHere(Path(data_dir), Path(config)).settings
    with (
        machine_clock(lambda: datetime.fromisoformat(moment)),
        begun(settings, Progress()) as batch,
    ):
        require_all(extract(batch))


def _close(month: date, data_dir: Path, now: datetime) -> None:
    """Close a month at a moment of the emulated time, and say so in one line."""
    from analytics.batch.closing import Signatures, close
    from analytics.batch.progress import Progress
    from analytics.export.pack import write_pack

    began = time.monotonic()
    with machine_clock(lambda: now):
        close(
            load_settings(data_dir, data_dir / MARKER),
            f"{month:%Y-%m}",
            Progress(quiet=True),
            signatures=Signatures(prepared_by=PREPARER, approved_by=APPROVER),
            write_files=write_pack,
        )
    say(f"{'':10}finance closes {month:%B %Y} ({time.monotonic() - began:.1f} s)")


def _end(data_dir: Path, world: World, history_days: int, seconds: float) -> None:
    """Say what was made, what there is to see, and how to go on."""
    from analytics.emulator.demo.history import events

    runs = sum(len(workspace.agent_runs) for workspace in world.workspaces)
    print(
        f"\nDone in {seconds:.0f} s: reports on {history_days} days of two made-up companies,"
        f" whose agents ran {runs:,} times. Look for:"
    )
    first = world.now - timedelta(days=history_days)
    for moment, event in events(world.now, history_days):
        if moment >= first:
            print(f"  {moment:%d %b}  {event}")
    program = command()
    there = "" if data_dir == Path("data") else f" --data-dir {shlex.quote(str(data_dir))}"
    print(f"Open:     {program} open{there}")
    print(f"SQL:      {program} sql{there} '{QUESTION}'")
    print(f"Your own: {program} init my-project")
    activate = Path(sys.executable).with_name("activate")
    if program != "analytics" and activate.exists():
        print(f"`. {typed(activate)}` lets the shell find `analytics`, as messages name it.")


def _write_settings(file: Path, emulator: Emulator, first: datetime) -> dict[str, str]:
    """Write the settings; the keys go into the environment, which is returned."""
    environment = dict(os.environ)
    begin = emulator.world.now.date()
    text = f"[extract]\nhistory_days = {(first.date() - begin).days + 1}\n"
    for workspace in emulator.world.workspaces:
        words = re.findall(r"[A-Z0-9]+", workspace.name.upper())
        variable = "LEVAIN_KEY_" + "_".join(words)
        environment[variable] = workspace.api_key
        text += f'[[workspaces]]\napi_key_env = "{variable}"\napi = "{emulator.url}"\n'
    file.write_text(text, encoding="utf-8")
    return environment
