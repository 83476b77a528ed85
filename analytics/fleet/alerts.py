"""Alerts of a fleet: asked of the figures of all shards, and sent by the merge alone.

A shard cannot ask them: it has its own part of a sum, and of a budget.
"""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import duckdb

from analytics.alerts.delivery import read_found
from analytics.batch.alerts import send_found
from analytics.batch.progress import Progress
from analytics.custom.build import Built, ask_alerts
from analytics.finance.load import not_repeated
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
from analytics.warehouse.layout import Layout


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


def send(merged: Path, layout: Layout, settings: Settings, progress: Progress) -> None:
    """Send each finding that no merge has sent; nothing here fails the merge."""
    with open_marts(merged) as con:
        found = read_found(con)
    if found.alerts:
        send_found(settings, found, layout.alerts, progress)


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
