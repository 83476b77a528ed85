"""What a batch publishes, batches that break off, and lists that are soon outrun."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from analytics.emulator.api import runs as emulated
from analytics.extract import runs as extracted
from analytics.extract.landing import Landing
from analytics.levain import ConnectionFailedError
from analytics.levain import runs as asked
from analytics.levain.transport import Answer, Transport
from analytics.transform.build import build
from analytics.transform.checks import CheckResult, run_checks
from analytics.warehouse.database import attached_marts, open_warehouse
from analytics.warehouse.publish import record_publication
from tests.conftest import Batch

LIST_CAP = 5
"""How many runs the API lists in a world of short lists, so that a handful outruns it."""

Row = dict[str, Any]

# What tells of the batch itself: a second batch is another batch.
_OF_THE_BATCH = (
    "loads", "list_snapshots", "requests", "landing_files", "check_results",
    "control_findings",
)  # fmt: skip


class Killed(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class Published:
    """The marts of a batch, and what its checks found."""

    marts: dict[str, list[Row]]
    checks: list[CheckResult]

    def __getitem__(self, mart: str) -> list[Row]:
        return self.marts[mart]

    @property
    def figures(self) -> dict[str, list[Row]]:
        """What tells of the workspace, not of the batch."""
        return {name: rows for name, rows in self.marts.items() if name not in _OF_THE_BATCH}

    def rows(self, mart: str, columns: str) -> list[tuple[Any, ...]]:
        """Some columns of a mart, in its own order."""
        return [tuple(row[name] for name in columns.split()) for row in self[mart]]

    @property
    def findings(self) -> list[str]:
        """What the checks found wrong."""
        return [check.finding for check in self.checks if not check.ok]


def run_batch(batch: Batch) -> Published:
    """Read and load what is new, build all marts, and check them."""
    read(batch)
    return publish(batch)


def read(batch: Batch) -> None:
    """Read and load what is new, as `analytics extract` does."""
    (outcome,) = batch.extract()
    assert outcome.error is None, outcome.error


def read_until_killed(batch: Batch, requests: int) -> bool:
    """Read, and be killed after so many requests; False if the batch was over before it."""
    try:
        with _killed_after(requests):
            read(batch)
    except Killed:
        return True
    return False


def publish(batch: Batch) -> Published:
    """Build all marts, and check them."""
    batch.layout.marts.unlink(missing_ok=True)
    with open_warehouse(batch.layout) as con, attached_marts(con, batch.layout.marts):
        build(con, timezone=batch.settings.reporting.timezone)
        checks = run_checks(con)
        names = con.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where schema_name in ('marts', 'audit')"
        ).fetchall()
        record_publication(con)
        marts = {}
        for schema, name in names:
            found = con.execute(f"from {schema}.{name} order by all")
            columns = [column for column, *_ in found.description]
            marts[name] = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    return Published(marts, checks)


@contextmanager
def short_lists() -> Iterator[None]:
    """The API lists a handful of runs, and the client knows it."""
    with (
        mock.patch.object(emulated, "PAGE_CAP", LIST_CAP),
        mock.patch.object(asked, "LONGEST_LIST", LIST_CAP),
        mock.patch.object(extracted, "LONGEST_LIST", LIST_CAP),
    ):
        yield


@contextmanager
def gone_from(path: str) -> Iterator[None]:
    """The API cannot be reached any more from the first request on whose path ends so."""
    get, is_gone = Transport.get, False

    async def get_or_fail(self: Transport, asked: str, *more: Any) -> Answer:
        nonlocal is_gone
        is_gone = is_gone or asked.endswith(path)
        if is_gone:
            raise ConnectionFailedError(f"GET {asked}", "connection refused")
        return await get(self, asked, *more)

    with mock.patch.object(Transport, "get", get_or_fail):
        yield


@contextmanager
def _killed_after(requests: int) -> Iterator[None]:
    """The process dies in place of a request: nothing is tidied up."""
    get, left = Transport.get, requests

    async def counted(self: Transport, path: str, *more: Any) -> Answer:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return await get(self, path, *more)

    def leave_behind(self: Landing) -> None:
        self._closing.close()

    with (
        mock.patch.object(Transport, "get", counted),
        mock.patch.object(Landing, "discard", leave_behind),
    ):
        yield
