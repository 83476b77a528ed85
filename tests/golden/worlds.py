"""The worlds of the golden tables: each is read, built and published by real batches.

They lie in the past, so that no machine's clock is behind them; and one request follows another, so
that each has the same number every time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from io import StringIO
from itertools import count
from pathlib import Path

import pytest

from analytics.cli import demo as command
from analytics.emulator import catalogue
from analytics.emulator.demo.history import days_with_closings
from analytics.emulator.platform_agents import BUILDER
from analytics.emulator.records import Run
from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from analytics.settings import load_settings
from tests.batches import Batch, short_lists, without_pages
from tests.cli.conftest import exit_code
from tests.conftest import optimized, shared_folder

DEMO_NOW = datetime(2025, 11, 29, 12, tzinfo=UTC)
SIGNED = ("--prepared-by", "Ann", "--approved-by", "Bob")
OFFERS = (
    catalogue.SONNET, catalogue.GLM, catalogue.GPT_TERRA, catalogue.SONNET_ON_OWN_KEY,
    catalogue.HAIKU,
)  # fmt: skip
ERRORS = ("TimeoutError: slow oven", "ToolError: <b>no</b>\tflour\n", "HTTP 529: busy", None)
REFUSED = (
    ["analytics/hourly"],
    ["analytics/billing"],
    ["analytics/timeseries/by-agent"],
    ["analytics/agents"],
    ["analytics/platform-agents"],
    ["runs/daily"],
    ["analytics/runs/[^/]*/costs", "runs/[^/]*/log/events"],
    ["agents/[^/]*/schedules", "agents/[^/]*/versions", "byok"],
)
"""Endpoints that an account lacks: each group of another workspace."""

FINANCE = {
    "owners.csv": """workspace,agent,cost_center,account,owner,valid_from,valid_to
*,baker,C-1,6210,Ann,,2025-09-11
*,baker,C-2,,Bob,2025-09-12,
*,(platform),C-9,,Ops,,
*,*,C-1,,Cleo,,
""",
    "allocation.toml": """
[[rules]]
name = "Platform by cost"
source = "platform"
method = "proportional"
by = "cost"
[[rules]]
name = "Failed, as agreed"
source = "failed"
method = "fixed"
shares = { C-1 = 60, C-2 = 40 }
""",
    "accounts.toml": '[accounts]\nexpense = "6200"\nprovider_payable = "2010"\n',
    "budgets.csv": "scope,name,workspace,month,amount_usd\n"
    + "".join(
        f"all,,,{month},12\nagent,baker,Blank Slate,{month},0.5\ncost_center,C-2,,{month},9.75\n"
        f"workspace,nobody,,{month},1\n"
        for month in ("2025-08", "2025-09", "2025-10", "2025-11")
    ),
}
INVOICES = """invoice_id,workspace,month,issued_on,amount_usd,credit_usd,tax_usd,accepted
LEV-8,Blank Slate,2025-08,2025-09-03,2.5,0.1,0.2,
"""
LATER_INVOICES = f"{INVOICES[:-1]}yes\nLEV-9,Blank Slate,2025-09,2025-10-02,9.99,,,\n"


@contextmanager
def project(
    folder: Path, *worlds: World, days: int, timezone: str = "UTC"
) -> Iterator[list[Emulator]]:
    """Serve worlds, and stand in the folder of a project that reads them."""
    text = (
        f'[reporting]\ntimezone = "{timezone}"\n[extract]\nconcurrency = 1\nhistory_days = {days}\n'
    )
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        apis = [stack.enter_context(running(world)) for world in worlds]
        for api in apis:
            for workspace in api.world.workspaces:
                key = f"KEY_{workspace.id[:8].upper()}"
                patch.setenv(key, workspace.api_key)
                text += f'[[workspaces]]\napi_key_env = "{key}"\napi = "{api.url}"\n'
        patch.chdir(folder)
        (folder / "analytics.toml").write_text(text, encoding="utf-8")
        stack.enter_context(without_pages())
        yield apis


def run(*arguments: str) -> None:
    """Run a command as a shell would."""
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(StringIO()),
        redirect_stderr(StringIO()) as said,
    ):
        patch.setattr(sys, "argv", ["analytics", *arguments])
        assert exit_code() == 0, said.getvalue()


def read(api: Emulator) -> None:
    """Read new records, and publish nothing."""
    for outcome in Batch(load_settings(), api).extract():
        assert outcome.error is None, outcome.error


def write_finance(files: dict[str, str]) -> None:
    Path("finance").mkdir(exist_ok=True)
    for name, text in files.items():
        Path("finance", name).write_text(text, encoding="utf-8")


def refuse(api: Emulator, endpoints: list[str]) -> None:
    for endpoint in endpoints:
        api.faults.add(f"{endpoint}$", "403", 10**9)


class Life:
    """Agents at work: each run follows from its number."""

    def __init__(self, world: World) -> None:
        self.world = world
        (self.workspace,) = world.workspaces
        self.agents = [
            world.add_agent(self.workspace, name, name.lower()) for name in ("Baker", "Miller")
        ]
        self.runs: list[Run] = []
        self._numbers = count()

    def work(self, hours: int, *, every: int = 230) -> None:
        """Let hours pass in which a run begins every so many minutes."""
        until = self.world.now + timedelta(hours=hours)
        while self.world.now + timedelta(minutes=every) <= until:
            self.world.pass_time(timedelta(minutes=every))
            self._begin(next(self._numbers))
        self.world.pass_time(until - self.world.now)

    def _begin(self, number: int) -> None:
        world = self.world
        if number % 9 == 4:
            run = world.start_platform_run(self.workspace, BUILDER, target=self.agents[0])
        else:
            owner = self.workspace if number % 9 == 8 else self.agents[number % len(self.agents)]
            last = self.runs[-1] if number % 7 == 3 else None
            run = world.start_run(owner, session=last and last.session, parent=last)
            self.runs.append(run)
        world.launch_run(run, at=world.now + timedelta(seconds=1 + number % 50))
        for place in range(number % 10 != 5 and 1 + number % 3):
            self.meter(run, number, place)
        status = "failed" if number % 5 == 2 else "cancelled" if number % 11 == 7 else "succeeded"
        error = ERRORS[number % len(ERRORS)] if status == "failed" else None
        if number % 13 == 6:  # open for longer than a day
            end = partial(world.finish_run, run, status, error=error)
            world.at(world.now + timedelta(hours=31), end)
        else:
            ended = world.now + timedelta(seconds=90 + number * 37 % 4_000)
            world.finish_run(run, status, error=error, at=ended)

    def meter(self, run: Run, number: int, place: int) -> None:
        offer = OFFERS[(number + place) % len(OFFERS)]
        tokens = 1_000 + number * 7_919 % 60_000, 10 + number * 977 % 3_000
        self.world.meter(
            run, model=offer.model, provider=offer.provider, tokens_in=tokens[0],
            tokens_out=tokens[1], cost_usd=offer.cost(*tokens), is_error=number % 5 == 2,
            at=self.world.now + timedelta(minutes=1 + place),
        )  # fmt: skip

    def correct(self) -> None:
        """Change what was read: costs, a bill, a late run, one that is no more, a wrong record."""
        world, ledger = self.world, self.workspace.ledger
        runs = [run for run in self.runs if run.agent and not run.is_open and ledger.of_run(run.id)]
        world.correct_cost(runs[-60], Decimal("0.0300000001"), is_backdated=True)
        world.correct_cost(runs[-3], Decimal("-0.01"))
        world.correct_cost(runs[-1], Decimal("0.25"))
        last = ledger.of_run(runs[-55].id)[-1]
        world.meter(
            last.run, model=last.model, provider=last.provider, tokens_in=0, tokens_out=0,
            cost_usd=Decimal(0), billed_usd=Decimal("0.07"), at=last.booked_at,
        )  # fmt: skip
        late = world.start_run(self.agents[0], at=world.now - timedelta(hours=27))
        world.launch_run(late, at=late.created_at)
        self.meter(late, 77, 0)
        world.finish_run(late, "failed", error="ToolError: late", at=late.created_at)
        world.hide_run(runs[-2])
        world.override_record(runs[-4].id, {"tokens_in": "twelve"})


def demo(folder: Path) -> None:
    """The demo's ninety days: weekly batches, two closed months, files of finance."""
    days = days_with_closings(DEMO_NOW)
    world = World.demo(command.SEED, DEMO_NOW, history_days=days, at_start=True)
    batches = command.plan(DEMO_NOW, days)
    months = [batch.closes for batch in batches if batch.closes]
    budgeted = command._months(months[0], DEMO_NOW.date())
    history, closed = (batches[0].moment.date() - world.now.date()).days + 1, []
    with optimized(), project(folder, world, days=history) as (api,):
        for batch in batches:
            world.pass_time(batch.moment - world.now)
            if batch.closes:
                closed = [month for month in months if month <= batch.closes]
            if batch.publishes or batch is batches[0]:
                command._write_finance(folder, world, budgeted, closed)
            if batch.publishes:
                run("nightly")
            else:
                read(api)
            if batch.closes:
                run("close", f"{batch.closes:%Y-%m}", *SIGNED)


def refusals(folder: Path) -> None:
    """Accounts that lack endpoints from the first batch on, and one that loses two later."""
    began = datetime(2025, 10, 29, 6, tzinfo=UTC)
    lives = [Life(World.empty(seed, began)) for seed in range(len(REFUSED) + 1)]
    worlds = [life.world for life in lives]
    with short_lists(), project(folder, *worlds, days=6) as apis:
        write_finance({"owners.csv": FINANCE["owners.csv"]})
        for api, endpoints in zip(apis, [*REFUSED, []], strict=True):
            refuse(api, endpoints)
        for hours in (98, 26):
            for life in lives:
                life.work(hours)
            run("nightly")
            refuse(apis[-1], ["analytics/hourly", "analytics/platform-agents"])


def books(folder: Path) -> None:
    """Own keys, corrections of all kinds, months that are closed, and one that is reopened."""
    life = Life(World.empty(1, datetime(2025, 8, 20, 6, tzinfo=UTC)))
    world, workspace = life.world, life.workspace
    with short_lists(), project(folder, world, days=40) as (api,):
        write_finance(FINANCE)
        life.work(60)
        run("nightly")
        world.add_provider_key(workspace, "anthropic", "made-up-1234")
        life.work(24 * 6 + 7)
        read(api)
        world.add_provider_key(workspace, "bedrock", "made-up-5678")
        life.work(24 * 6)
        write_finance({"invoices.csv": INVOICES})
        run("nightly")
        run("close", "2025-08", "--early", *SIGNED)
        life.correct()
        life.work(50)
        run("nightly")
        del workspace.keys["anthropic"]
        world.change_agent(life.agents[1], name="=cmd() Müller")
        world.publish_version(life.agents[0])
        life.agents.append(world.add_agent(workspace, "Judge", "judge"))
        life.work(24 * 12)
        read(api)
        world.delete_agent(life.agents.pop(1))
        life.work(24 * 13)
        write_finance({"invoices.csv": LATER_INVOICES})
        run("nightly")
        run("close", "2025-09", "--early", *SIGNED)
        life.correct()
        life.work(30)
        read(api)
        run("close", "2025-09", "--reopen", "an invoice came late")
        run("close", "2025-09", "--early", *SIGNED)
        life.correct()
        life.work(30)
        run("nightly")


def st_johns(folder: Path) -> None:
    """Two weeks of a zone of half hours, in which clocks are put back; some runs are unlisted."""
    life = Life(World.empty(1, datetime(2025, 10, 21, 6, tzinfo=UTC)))
    with project(folder, life.world, days=20, timezone="America/St_Johns"):
        for hours in (24 * 6 + 17, 24 * 7 + 5):
            first = len(life.runs)
            life.work(hours, every=131)
            for one in life.runs[first::8]:
                life.world.hide_run(one)
            run("nightly")


WORLDS: dict[str, Callable[[Path], None]] = {
    "demo": demo,
    "refusals": refusals,
    "books": books,
    "st_johns": st_johns,
}


def data_of(world: str, factory: pytest.TempPathFactory) -> Path:
    """Return the data directory of a world, which is made once a run; tests only read it."""
    return shared_folder(factory, f"golden-{world}", WORLDS[world]) / "data"
