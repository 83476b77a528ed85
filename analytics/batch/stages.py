"""The stages of a batch after loading. Each writes a finished file, or leaves the previous one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import duckdb

from analytics import __version__
from analytics.alerts.delivery import FINDINGS, Found, deliver, read_found
from analytics.alerts.sender import Address, addresses, send
from analytics.batch.batch import Batch
from analytics.batch.progress import Progress
from analytics.batch.readiness import of_open_months
from analytics.batch.transform import transform
from analytics.bounded.limits import Limits
from analytics.errors import AnalyticsError, ControlError, UsageError
from analytics.files import folder
from analytics.finance.load import not_repeated, read_finance
from analytics.format import numbers
from analytics.machine_clock import machine_time
from analytics.project.build import build_custom
from analytics.settings import alert_urls
from analytics.transform.checks import CheckResult, all_checks, run_checks
from analytics.transform.models import ModelError
from analytics.transform.page_queries import create_queries, page_queries
from analytics.warehouse.database import attached_marts, marts_beside, open_marts, transaction
from analytics.warehouse.pending_details import repeat_contradicting_costs
from analytics.warehouse.publications import (
    findings_before,
    next_moment,
    record_of,
    record_publication,
)
from analytics.warehouse.publish import copying
from analytics.warehouse.publish import publish as publish_staged

_SHOWN = 3
"""Findings of an alert that are printed where they are not sent."""


def make_and_publish(batch: Batch) -> None:
    """Run all stages from transform to publish, which a batch and a close share."""
    make(batch)
    publish(batch)


def make(batch: Batch) -> None:
    """Run transform, check, custom and report, which a rebuild has too, in a folder of its own."""
    transform(batch)
    check(batch)
    custom(batch)
    report(batch)


@contextmanager
def parsing() -> Iterator[None]:
    """Parse all queries meanwhile: a processor is free while the API is waited for.

    What is wrong with one is told by the stage that runs it.
    """
    with ThreadPoolExecutor(1) as parser:
        parser.submit(all_checks, folder("queries"))
        parser.submit(page_queries)
        yield


def check(batch: Batch) -> None:
    """Run all checks on the built marts, after an update those of what changed.

    ControlError names those that block publishing. `force` ignores differences from the vendor's
    figures, never failed checks of our own figures.
    """
    progress = batch.progress
    with progress.stage("check") as done:
        above = Decimal(str(batch.settings.controls.block_above_usd))
        try:
            with attached_marts(batch.con, batch.layout.marts):
                results = run_checks(
                    batch.con, block_above_usd=above, update=batch.update, before=progress.part
                )
                repeat_contradicting_costs(batch.con)
        except ModelError as error:
            raise AnalyticsError(f"A check cannot be run: {error}") from error
        for each in results:
            progress.detail(f"passed: {each.name}" if each.ok else f"failed: {each.finding}")
        differing = [each for each in results if not each.ok]
        _require_none("a check failed.", [each for each in differing if not each.control])
        if not batch.force:
            _require_none(
                "a closed day differs from the API's own figures by more than [controls] allows; "
                "--force publishes all the same.",
                [each for each in results if each.blocking_count],
            )
        for each in differing:
            progress.warn(f"the API's own figures differ: {each.finding}")
        passed = "all" if not differing else f"{len(results) - len(differing)} of"
        done(
            f"{passed} {len(results)} checks passed",
            check_count=len(results),
            failed_count=len(differing),
        )


def custom(batch: Batch) -> None:
    """Build the tables of the user's project, run checks and alerts; all that fails is a warning.

    ControlError for a failed check whose header says that it blocks.
    """
    progress, project = batch.progress, batch.settings.project
    with progress.stage("custom") as done:
        limits = Limits(batch.settings.sql.timeout_seconds, rows=None)
        built = build_custom(batch.con, batch.layout.marts, project, limits, progress.part)
        failed = [each for each in built.checks if not each.ok]
        errors = [*dict.fromkeys(file.error for file in built.files if file.error)]
        printed = read_finance(project).problems  # by the stage `transform`
        for error in not_repeated(errors, printed):
            progress.warn(f"not used: {error}")
        for each in failed:
            if each.error and each.error not in errors:
                progress.warn(f"{each.claim} This cannot be checked: {each.error}")
            elif not each.error:
                progress.warn(f"a check of your own failed: {each.finding}")
        _require_none(
            "a check of your own failed, and its header says `blocking: true`.",
            [each for each in failed if each.blocking_count],
        )
        if built.files:
            tables = sum(file.status == "built" for file in built.files)
            passed = len(built.checks) - len(failed)
            checked = f"; {passed} of your {len(built.checks)} checks passed"
            done(
                f"built {numbers.plural(tables, 'table')} of your files"
                + (checked if built.checks else ""),
                table_count=tables,
                check_count=len(built.checks),
                failed_count=len(failed),
                finding_count=len(built.findings),
            )


def report(batch: Batch) -> None:
    """Build the site from the warehouse and the built marts; meanwhile copy these beside it.

    Pages are made on one processor. In the end, all that is to be published is staged.
    """
    from analytics.bounded.runner import Runner
    from analytics.project.pages import answer_pages, read_pages
    from analytics.report.facts import read_summary
    from analytics.report.rendering import About
    from analytics.report.site import build_site
    from analytics.report.summary import summary_files

    layout, settings, progress = batch.layout, batch.settings, batch.progress
    with progress.stage("report") as done, copying(layout):
        layout.staged_site.mkdir(parents=True)
        with (
            Runner(Limits(settings.sql.timeout_seconds), layout.root) as runner,
            marts_beside(batch.con, layout.marts) as tables,
        ):
            create_queries(tables)
            own_pages, problems = read_pages(settings.project, runner)
            as_of, timezone = _cut_off(tables), settings.reporting.timezone
            before = findings_before(layout, as_of, timezone)
            told = _differences(tables) + batch.warnings
            of_months = of_open_months(tables, batch.books, settings, machine_time())
            made = build_site(
                tables,
                layout.staged_site,
                about=About(as_of, __version__, timezone, told, batch.home, before, of_months),
                published=layout.site,
                beside=summary_files(read_summary(tables, before)),
                own_pages=answer_pages(runner, layout.marts, own_pages, progress.part),
                before=progress.part,
            )
        batch.warn(*(f"a page of your own: {each}" for each in (*problems, *made.problems)))
        done(
            f"made {made.page_count} pages",
            page_count=made.page_count,
            file_count=made.file_count,
            kept_count=made.kept_count,
        )


def publish(batch: Batch) -> None:
    """Publish what is staged, and record its moment, loads and findings."""
    con, layout = batch.con, batch.layout
    with batch.progress.stage("publish") as done:
        with attached_marts(con, layout.marts), transaction(con):
            moment = next_moment(con, layout)
            publish_staged(layout, moment, batch.mode, record_of(con))
            record_publication(con, moment)
        done(f"published {layout.published_file} and the pages")


def send_findings(batch: Batch) -> None:
    """Send each finding that was not sent. Nothing here fails the batch."""
    with open_marts(batch.layout.published_file) as con:
        found = read_found(con, batch.settings.publish.url)
    receivers = _addresses(batch)
    if not receivers:
        _show(found, batch.progress)
        return
    with batch.progress.stage("alerts") as done:
        try:
            sent = deliver(batch.layout.alerts, found, receivers, send, batch.warn)
        except (AnalyticsError, OSError) as error:
            batch.warn(str(error))
            return
        count = len(found.findings)
        done(
            f"sent {sent} of {numbers.plural(count, 'finding')}",
            finding_count=count,
            sent_count=sent,
        )


def _require_none(reason: str, results: list[CheckResult]) -> None:
    """Raise ControlError if there are any results that block publishing."""
    if results:
        found = [each.finding for each in results]
        raise ControlError("\n".join([f"Nothing was published: {reason}", *found]))


def _cut_off(con: duckdb.DuckDBPyConnection) -> datetime:
    """Return the start of the last batch; now if there is none."""
    ((moment,),) = con.execute("select max(last_batch_at) from marts.dim_workspaces").fetchall()
    return moment or datetime.now(UTC)


def _differences(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the warnings on pages about differences from the vendor's figures."""
    found = con.execute(
        "select claim, is_blocking, finding from audit.check_results"
        " where control is not null and finding is not null"
        " order by is_blocking desc, check_name"
    ).fetchall()
    return [
        ("Published although a check failed. " if is_blocking else "")
        + f"The API's own figures differ. {claim} But: {finding}"
        for claim, is_blocking, finding in found
    ]


def _addresses(batch: Batch) -> list[Address]:
    try:
        return addresses(alert_urls(batch.settings))
    except UsageError as error:
        batch.warn(str(error))
        return []


def _show(found: Found, progress: Progress) -> None:
    """Print the first findings of each alert of the user; the summary has all others."""
    for alert in (each for each in found.alerts if each != FINDINGS):
        findings = found.of(alert)
        for each in findings[:_SHOWN]:
            progress.say(f"alert {alert}: {each.text}")
        if more := max(0, len(findings) - _SHOWN):
            progress.say(f"alert {alert}: {more} more")
