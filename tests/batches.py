"""Whole batches of a test, batches that break off, and lists of only a few runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb

from analytics.batch import stages
from analytics.batch.batch import Batch as Stages
from analytics.emulator import routes as emulated
from analytics.emulator.world import World
from analytics.extract import details
from analytics.extract import runs as extracted
from analytics.extract.landing import Landing
from analytics.levain import ConnectionFailedError
from analytics.levain import runs as asked
from analytics.levain.answers import Answer
from analytics.levain.transport import Transport
from analytics.transform.build import build
from analytics.transform.checks import CheckResult, run_checks
from analytics.transform.page_queries import over_queries
from analytics.warehouse.database import attached_marts, open_warehouse, records
from analytics.warehouse.pending_details import collect_pending_details
from analytics.warehouse.publications import next_moment, record_publication
from analytics.warehouse.publish import copying
from analytics.warehouse.store import Store
from tests.conftest import Batch

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

    def report(batch: Stages) -> None:
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

    async def get_or_fail(self: Transport, asked: str, *more: Any) -> Answer:
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

    async def get_emptied(self: Transport, asked: str, *more: Any, **options: Any) -> Answer:
        answer = await get(self, asked, *more, **options)
        return replace(answer, body=[]) if any(part in asked for part in parts) else answer

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

    async def counted(self: Transport, path: str, *more: Any, **options: Any) -> Answer:
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
