"""Batches of a test, whole ones and such that break off, and lists of only a few runs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb

from analytics.batch import stages
from analytics.batch.batch import Batch as RunningBatch
from analytics.batch.extract import Outcome, extract
from analytics.batch.progress import Progress
from analytics.emulator import routes as emulated
from analytics.emulator.records import Run
from analytics.emulator.server import Emulator
from analytics.emulator.world import World
from analytics.extract import details
from analytics.extract import runs as extracted
from analytics.extract.landing import Landing
from analytics.levain import ConnectionFailedError
from analytics.levain import runs as asked
from analytics.levain.transport import Transport
from analytics.settings import Settings
from analytics.transform.build import build
from analytics.transform.checks import CheckResult, run_checks
from analytics.transform.page_queries import over_queries
from analytics.warehouse import database
from analytics.warehouse.database import attached_marts, open_warehouse, records
from analytics.warehouse.layout import Layout
from analytics.warehouse.pending_details import collect_pending_details
from analytics.warehouse.publications import next_moment, record_publication
from analytics.warehouse.publish import copying
from analytics.warehouse.store import Store

LIST_CAP = 5
"""Runs that the API lists of an agent where lists are short."""

Row = dict[str, Any]

_CHANGES: list[tuple[Any, str]] = [
    *((os, name) for name in ("mkdir", "rename", "replace", "chmod", "fsync")),
    *((shutil, name) for name in ("copyfile", "rmtree")),
    (Path, "write_bytes"),
]

# These differ between two batches of the same data.
_OF_THE_BATCH = (
    "loads", "requests", "landing_files", "check_results",
    "control_findings", "project_files",
)  # fmt: skip


_KEPT = ["int_agent_billing_days", "int_agent_owner_months", "int_agent_days_vs_api"]


@cache
def _asking() -> duckdb.DuckDBPyConnection:
    """One for all questions: to open one takes longer than most of them."""
    con = duckdb.connect(config=database.OFFLINE)
    con.execute("set TimeZone = 'UTC'")
    return con


@dataclass
class Batch:
    """A data directory, and the API that it is extracted from."""

    settings: Settings
    api: Emulator

    def set_extract(self, **options: Any) -> None:
        """Change the extract settings."""
        extract = self.settings.extract.model_copy(update=options)
        self.settings = self.settings.model_copy(update={"extract": extract})

    @property
    def layout(self) -> Layout:
        return Layout(self.settings.data_dir)

    def extract(self) -> list[Outcome]:
        """Run the first stage of a batch."""
        self.layout.root.mkdir(exist_ok=True)
        running = RunningBatch(self.settings, self.layout, Progress())
        with open_warehouse(self.layout) as running.con:
            return extract(running)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Query the warehouse, between batches."""
        con = _asking()
        con.execute(f"attach '{self.layout.warehouse}' as warehouse; use warehouse")
        try:
            return con.execute(sql, values).fetchall()
        finally:
            con.execute("use memory; detach warehouse")

    def current_runs(self) -> dict[str, tuple[Any, ...]]:
        """Return each stored run's status and cost, by id."""
        rows = self.rows(
            "select run_id, status, cost_usd from raw.runs"
            " anti join raw.superseded using (version_id)"
        )
        return {run_id: tuple(rest) for run_id, *rest in rows}

    def asked(self, path: str) -> int:
        """Return the number of requests with this path since the last `forget`."""
        return sum(path in request.path for request in self.api.requests)

    def read_by_id(self, run: Run | None = None) -> int:
        """Return the number of requests for this run, or any run, by id."""
        wanted = re.compile(f"/api/v1/runs/{run.id if run else '[0-9a-f-]{36}'}")
        return sum(bool(wanted.fullmatch(request.path)) for request in self.api.requests)

    def forget(self) -> None:
        """Reset the count of requests."""
        self.api.requests.clear()


class Killed(BaseException):
    """Stands for the end of the process."""


@dataclass(frozen=True)
class Published:
    """The marts of a batch, and the results of its checks."""

    marts: dict[str, list[Row]]
    checks: list[CheckResult]

    def __getitem__(self, mart: str) -> list[Row]:
        return self.marts[mart]

    @property
    def figures(self) -> dict[str, list[Row]]:
        """The relations that describe the workspace, not the batch."""
        return {name: rows for name, rows in self.marts.items() if name not in _OF_THE_BATCH}

    def rows(self, mart: str, columns: str) -> list[tuple[Any, ...]]:
        """Some columns of a mart, in its own order."""
        return [tuple(row[name] for name in columns.split()) for row in self[mart]]

    @property
    def findings(self) -> list[str]:
        """A line for each check that failed."""
        return [check.finding for check in self.checks if not check.ok]


def run_batch(batch: Batch) -> Published:
    """Read and load new records, build all marts, and check them."""
    read(batch)
    return publish(batch)


def read(batch: Batch) -> None:
    """Read and load new records."""
    (outcome,) = batch.extract()
    assert outcome.error is None, outcome.error


def read_until_killed(batch: Batch, requests: int) -> bool:
    """Read until a number of requests; False if the batch ended before the kill."""
    try:
        with _killed_after(requests):
            read(batch)
    except Killed:
        return True
    return False


def publish(batch: Batch) -> Published:
    """Build all marts, and check them."""
    with open_warehouse(batch.layout) as con, attached_marts(con, Path(":memory:")):
        build(con, timezone=batch.settings.reporting.timezone)
        checks = run_checks(con)
        record_publication(con, next_moment(con, batch.layout))
        controls = records(con, over_queries(con, "from reports.controls order by all"))
        return Published({**read_marts(con), "page_controls": controls}, checks)


def read_marts(con: duckdb.DuckDBPyConnection) -> dict[str, list[Row]]:
    """Read all published relations of the attached file, and those that stay in the warehouse."""
    names = con.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where schema_name in ('marts', 'audit', 'reports') or list_contains(?, table_name)",
        [_KEPT],
    ).fetchall()
    marts = {}
    for schema, name in names:
        marts[name] = records(con, f"from {schema}.{name} order by all")
    return marts


@contextmanager
def short_lists() -> Iterator[None]:
    """Limit the lists of the API, and the limit that the client knows, to LIST_CAP runs."""
    with (
        mock.patch.object(emulated, "PAGE_CAP", LIST_CAP),
        mock.patch.object(asked, "LONGEST_LIST", LIST_CAP),
        mock.patch.object(extracted, "LONGEST_LIST", LIST_CAP),
    ):
        yield


_REPORT = stages.report


@contextmanager
def with_pages() -> Iterator[None]:
    """Let batches make and publish pages, as they do outside of tests, also `without_pages`."""
    with mock.patch.object(stages, "report", _REPORT):
        yield


@contextmanager
def without_pages() -> Iterator[None]:
    """Let batches publish the pages before again, in half the time: few tests look at pages."""

    def report(batch: RunningBatch) -> None:
        layout = batch.layout
        with copying(layout):
            if layout.site.exists():
                shutil.copytree(layout.site, layout.staged_site)

    with mock.patch.object(stages, "report", report):
        yield


@contextmanager
def few_details(runs: int) -> Iterator[None]:
    """Let a batch read the costs and log events of so many runs, and leave the others pending."""

    def few(store: Store) -> int:
        return min(collect_pending_details(store), 2 * runs)

    with mock.patch.object(details, "collect_pending_details", few):
        yield


@contextmanager
def gone_from(path: str) -> Iterator[None]:
    """Fail every request from the first one on whose path ends so."""
    get, is_gone = Transport.get, False

    async def get_or_fail(self: Transport, asked: str, *more: Any) -> Any:
        nonlocal is_gone
        is_gone = is_gone or asked.endswith(path)
        if is_gone:
            raise ConnectionFailedError(f"GET {asked}", "connection refused")
        return await get(self, asked, *more)

    with mock.patch.object(Transport, "get", get_or_fail):
        yield


def batches_later(world: World, hours: int = 24) -> None:
    """Let time pass until a later batch."""
    world.pass_time(timedelta(hours=hours))


@contextmanager
def emptied(*parts: str) -> Iterator[None]:
    """Let the API answer with an empty list where a path has one of these parts."""
    get = Transport.get

    async def get_emptied(self: Transport, asked: str, *more: Any, **options: Any) -> Any:
        answer, made = await get(self, asked, *more, **options)
        if any(part in asked for part in parts):
            answer, made = replace(answer, body=[]), []
        return answer, made

    with mock.patch.object(Transport, "get", get_emptied):
        yield


@contextmanager
def killed_before(
    call: int, changes: Sequence[tuple[Any, str]] = tuple(_CHANGES)
) -> Iterator[None]:
    """Raise Killed in place of the call of this number, from 0, to what changes the disk."""
    left = call

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call_or_die(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return function(*arguments, **options)

        return call_or_die

    with ExitStack() as patches:
        for owner, name in changes:
            changed = counted(getattr(owner, name))
            patches.enter_context(mock.patch.object(owner, name, changed))
        yield


@contextmanager
def _killed_after(requests: int) -> Iterator[None]:
    """Raise Killed in place of a request, and leave all files as they are."""
    get, left = Transport.get, requests

    async def counted(self: Transport, path: str, *more: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return await get(self, path, *more, **options)

    def leave_behind(self: Landing) -> None:
        self._closing.close()

    with (
        mock.patch.object(Transport, "get", counted),
        mock.patch.object(Landing, "discard", leave_behind),
    ):
        yield
