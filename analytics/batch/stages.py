"""The stages of a batch after loading. Each leaves a finished file, or the one before."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from analytics import __version__
from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError, ControlError, UsageError
from analytics.settings import Settings
from analytics.transform.build import build
from analytics.transform.checks import CheckResult, run_checks
from analytics.transform.models import ModelError
from analytics.warehouse.database import attached_marts, open_marts
from analytics.warehouse.layout import Layout
from analytics.warehouse.publish import publish


def transform(
    con: duckdb.DuckDBPyConnection, settings: Settings, layout: Layout, progress: Progress
) -> None:
    """Build all marts anew, in a file that takes the place of the last one when it is whole."""
    building = layout.marts.with_name("marts.next.duckdb")
    _remove_database(building)
    try:
        with attached_marts(con, building):
            built = build(con, timezone=settings.reporting.timezone)
    except ModelError as error:
        raise AnalyticsError(f"A model cannot be built: {error}") from error
    _remove_database(layout.marts)  # with the log that a killed check may have left
    building.replace(layout.marts)
    rows = sum(relation.rows or 0 for relation in built)
    progress.say(f"built {len(built)} relations with {rows:,} rows")


def check(con: duckdb.DuckDBPyConnection, layout: Layout, progress: Progress) -> None:
    """Run all checks on the built marts; ControlError names those that do not hold."""
    _insist_on_marts(layout)
    try:
        with attached_marts(con, layout.marts):
            results = run_checks(con)
    except ModelError as error:
        raise AnalyticsError(f"A check cannot be run: {error}") from error
    broken = [result for result in results if not result.ok]
    if broken:
        raise ControlError(
            "\n".join(["Nothing was published: a check does not hold.", *map(_finding, broken)])
        )
    progress.say(f"all {len(results)} checks hold")


def report(settings: Settings, layout: Layout, progress: Progress, warnings: list[str]) -> None:
    """Make the site from the built marts, beside the published one."""
    from analytics.report.site import About, build_site

    _insist_on_marts(layout)
    building = layout.staged_site.with_name("site.unfinished")
    for folder in (building, layout.staged_site):
        shutil.rmtree(folder, ignore_errors=True)
    building.mkdir(parents=True)
    with open_marts(layout.marts) as con:
        as_of, load_count = _cut_off(con)
        about = About(
            as_of=as_of,
            code_version=__version__,
            timezone=settings.reporting.timezone,
            load_count=load_count,
            warnings=warnings,
        )
        summary = build_site(con, building, about=about)
    building.rename(layout.staged_site)
    progress.say(f"made {summary.page_count} pages")


def publish_all(settings: Settings, layout: Layout, progress: Progress) -> None:
    """Publish the built marts and the made site; ControlError where no check has passed them."""
    _insist_on_marts(layout)
    with open_marts(layout.marts) as con:
        _insist_on_checks(con)
    publish(layout, int(settings.publish.mode, 8))
    progress.say(f"published {layout.published} and {layout.site / 'index.html'}")


def _cut_off(con: duckdb.DuckDBPyConnection) -> tuple[datetime, int]:
    """When the last night began (with no night yet: now), and how many loads there are."""
    row = con.execute(
        "select (select max(last_night_at) from marts.dim_workspaces),"
        " (select count(*) from marts.fct_loads)"
    ).fetchone()
    last_night_at, load_count = row or (None, 0)
    return last_night_at or datetime.now(UTC), load_count


def insist_on_timezone(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """UsageError where reports are to follow a time zone that nobody knows."""
    if not con.execute("select 1 from pg_timezone_names() where name = ?", [name]).fetchone():
        raise UsageError(
            f"`{name}` is no time zone (timezone in [reporting]).\n"
            "Use an IANA name such as UTC, Europe/Berlin or America/New_York."
        )


def _insist_on_marts(layout: Layout) -> None:
    if not layout.marts.exists():
        raise AnalyticsError(
            f"There are no marts in {layout.root}.\nRun `analytics nightly`, or `extract` and "
            "`transform`, first."
        )


def _insist_on_checks(con: duckdb.DuckDBPyConnection) -> None:
    try:
        rows = con.execute("select check_name, is_ok from marts.fct_check_results").fetchall()
    except duckdb.CatalogException:
        rows = []
    broken = sorted(name for name, is_ok in rows if not is_ok)
    if broken or not rows:
        reason = f"these checks do not hold: {', '.join(broken)}" if broken else "no check has run"
        raise ControlError(f"Nothing was published: {reason}.\nRun `analytics check`.")


def _finding(result: CheckResult) -> str:
    shown = "; ".join(
        ", ".join(f"{name} {value}" for name, value in row.items()) for row in result.violations[:3]
    )
    return f"{result.name} ({result.violation_count:,} rows): {shown}"


def _remove_database(file: Path) -> None:
    file.unlink(missing_ok=True)
    file.with_name(file.name + ".wal").unlink(missing_ok=True)
