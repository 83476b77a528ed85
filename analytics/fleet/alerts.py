"""Alerts of a fleet: asked of the figures of all shards, and sent by the merge alone.

    <publish>/merges/<number>.alerts       the findings that were sent, as a merge knew them

A shard cannot ask them: it has its own part of a sum, and of a budget. Of two merges neither sends
what the other may have sent: a finding is written as being sent before it is, then it is asked if
another merge has begun, and one that began reads what those before it wrote.
"""

from __future__ import annotations

from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from analytics.alerts.found import read_found, states
from analytics.alerts.ledger import Ledger
from analytics.batch.alerts import send_found
from analytics.batch.progress import Progress
from analytics.custom.build import Built, ask_alerts
from analytics.errors import AnalyticsError
from analytics.finance.load import not_repeated
from analytics.fleet.generations import PUBLISHED
from analytics.fleet.merges import Merge, newest_ledger
from analytics.fleet.settings import Fleet
from analytics.fleet.store import Store, StoreError
from analytics.fleet.tasks import scratch
from analytics.format.names import ALL
from analytics.settings import Settings
from analytics.transform.check_results import ALERT_FINDINGS, CUSTOM_FILES
from analytics.warehouse.confined import Limits
from analytics.warehouse.database import (
    BUILD_FILE,
    OFFLINE,
    open_marts,
    quoted,
    transaction,
)


class _KnownLedger(Ledger):
    """The newest ledger of a fleet, to be read."""

    def __init__(self, target: Store) -> None:
        self._target, self._newest = target, newest_ledger(target)
        super().__init__(f"{target.url}/{self._newest}")

    def read(self) -> bytes | None:
        """Return its content."""
        return self._target.read(self._newest) if self._newest else None


class StoredLedger(_KnownLedger):
    """The ledger of a fleet: each merge that sends writes its own, with all that is known."""

    def __init__(self, merge: Merge) -> None:
        self._merge = merge
        super().__init__(merge.target)

    def write(self, content: bytes) -> None:
        """Write that of this merge; AnalyticsError if another merge began later."""
        self._merge.put(self._merge.ledger, content)
        self._merge.require_latest()


def ask(merged: Path, settings: Settings, printed: list[str], progress: Progress) -> None:
    """Ask the alerts of the project of the merged file, and put the findings there.

    Those of shards are removed. `printed` are problems of the project that were printed before.
    """
    limits = Limits(settings.sql.timeout_seconds, rows=None)
    with progress.stage("custom") as done:
        built = ask_alerts(merged, settings.project, limits, progress.part)
        errors = [file.error for file in built.files]
        for error in not_repeated([*filter(None, dict.fromkeys(errors))], printed):
            progress.warn(f"not used: {error}")
        _store(merged, built)
        if built.files:
            done(
                f"your alerts found {len(built.findings):,} in the figures of all shards",
                finding_count=len(built.findings),
            )


def send(merged: Path, merge: Merge, settings: Settings, progress: Progress) -> None:
    """Send each finding that no merge has sent; nothing here fails the merge."""
    with open_marts(merged) as con:
        found = read_found(con)
    if found.alerts:
        ledger = partial(StoredLedger, merge)
        send_found(settings, found, ledger, progress, "analytics fleet alerts")


def read_findings(fleet: Fleet) -> list[dict[str, Any]]:
    """Return a record for each finding of the last merge, with its state.

    AnalyticsError if no file of all shards is published.
    """
    target = Store(fleet.publish.url)
    with scratch("alerts") as folder:
        try:
            target.fetch(PUBLISHED, folder / PUBLISHED)
        except StoreError as error:
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            raise AnalyticsError(
                f"There is no {PUBLISHED} of all shards in {target.url}, which has the findings.\n"
                "Run `analytics fleet merge`; if that says that the file is too large, raise"
                " duckdb_limit in [publish]."
            ) from error
        with open_marts(folder / PUBLISHED) as con:
            return states(_KnownLedger(target), read_found(con))


def _store(merged: Path, built: Built) -> None:
    files = [(ALL, *astuple(each)) for each in built.files if each.kind == "alert"]
    findings = [(ALL, *astuple(each)) for each in built.findings]
    with duckdb.connect(config=OFFLINE) as con:
        con.execute(f"attach '{quoted(merged)}' as {BUILD_FILE}")
        with transaction(con):
            con.execute(f"delete from {ALERT_FINDINGS}")
            con.execute(f"delete from {CUSTOM_FILES} where kind = 'alert'")
            for relation, rows in ((CUSTOM_FILES, files), (ALERT_FINDINGS, findings)):
                if rows:
                    places = ", ".join("?" * len(rows[0]))
                    con.executemany(f"insert into {relation} values ({places})", rows)
