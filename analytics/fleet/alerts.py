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

import duckdb

from analytics.alerts.found import read_found
from analytics.alerts.ledger import Ledger
from analytics.batch.alerts import send_found
from analytics.batch.progress import Progress
from analytics.custom.build import Built, ask_alerts
from analytics.finance.load import not_repeated
from analytics.fleet.merges import Merge
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


class StoredLedger(Ledger):
    """The ledger of a fleet: each merge that sends writes its own, with all that is known."""

    def __init__(self, merge: Merge) -> None:
        self._merge = merge
        super().__init__(f"{merge.target.url}/{merge.ledger}")

    def read(self) -> bytes | None:
        """Return the content of the newest one."""
        newest = self._merge.newest_ledger()
        return self._merge.target.read(newest) if newest else None

    def write(self, content: bytes) -> None:
        """Write that of this merge; AnalyticsError if another merge began later."""
        self._merge.put(self._merge.ledger, content)
        self._merge.require_latest()


def ask(merged: Path, settings: Settings, told: list[str], progress: Progress) -> None:
    """Ask the alerts of the project of the merged file, and put the findings there.

    Those of shards are removed. `told` are problems of the project that were printed before.
    """
    limits = Limits(settings.sql.timeout_seconds, settings.sql.memory_limit, None)
    with progress.stage("custom") as done:
        built = ask_alerts(merged, settings.project, limits, progress.part)
        errors = [file.error for file in built.files]
        for error in not_repeated([*filter(None, dict.fromkeys(errors))], told):
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
        send_found(settings, found, partial(StoredLedger, merge), progress)


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
