"""The stages of a batch after loading. Each writes a finished file, or leaves the previous one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import duckdb

from analytics import __version__
from analytics.batch.progress import Progress
from analytics.batch.transforming import transform
from analytics.custom.build import build_custom
from analytics.errors import AnalyticsError, ControlError
from analytics.finance.load import not_repeated, read_finance
from analytics.format import numbers
from analytics.resources import folder
from analytics.settings import Settings
from analytics.transform.checks import CheckResult, all_checks, run_checks
from analytics.transform.incremental import Update
from analytics.transform.models import ModelError
from analytics.transform.page_queries import create_queries, page_queries
from analytics.warehouse.confined import Limits
from analytics.warehouse.database import (
    attached_marts,
    marts_beside,
    transaction,
)
from analytics.warehouse.layout import Layout
from analytics.warehouse.pending_details import repeat_contradicting_costs
from analytics.warehouse.publications import (
    findings_before,
    next_moment,
    record_of,
    record_publication,
)
from analytics.warehouse.publish import copying, publish, tidy


def check(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layout: Layout,
    progress: Progress,
    *,
    force: bool = False,
    update: Update | None = None,
) -> None:
    """Run all checks on the built marts; ControlError names those that block publishing.

    Of an `update`, they are run on what changed. `force` ignores differences from the vendor's
    figures, never failed checks of our own figures.
    """
    with progress.stage("check") as done:
        above = Decimal(str(settings.controls.block_above_usd))
        try:
            with attached_marts(con, layout.marts):
                results = run_checks(
                    con, block_above_usd=above, update=update, before=progress.part
                )
                repeat_contradicting_costs(con)
        except ModelError as error:
            raise AnalyticsError(f"A check cannot be run: {error}") from error
        for each in results:
            progress.detail(f"passed: {each.name}" if each.ok else f"failed: {each.finding}")
        if broken := [each for each in results if not each.ok and not each.control]:
            raise _control_error("a check failed.", broken)
        blocking = [each for each in results if each.blocking_count]
        if blocking and not force:
            raise _control_error(
                "a closed day differs from the API's own figures by more than [controls] allows; "
                "--force publishes all the same.",
                blocking,
            )
        differing = [each for each in results if not each.ok]
        for each in differing:
            progress.warn(f"the API's own figures differ: {each.finding}")
        passed = "all" if not differing else f"{len(results) - len(differing)} of"
        done(
            f"{passed} {len(results)} checks passed",
            check_count=len(results),
            failed_count=len(differing),
        )


def custom(
    con: duckdb.DuckDBPyConnection, settings: Settings, layout: Layout, progress: Progress
) -> None:
    """Build the tables of the user's project, run checks and alerts; all that fails is a warning.

    ControlError for a failed check whose header says that it blocks.
    """
    with progress.stage("custom") as done:
        limits = Limits(settings.sql.timeout_seconds, rows=None)
        built = build_custom(con, layout.marts, settings.project, limits, progress.part)
        failed = [each for each in built.checks if not each.ok]
        errors = [file.error for file in built.files]
        printed = read_finance(settings.project).problems  # by the stage `transform`
        for error in not_repeated([*filter(None, dict.fromkeys(errors))], printed):
            progress.warn(f"not used: {error}")
        for each in failed:
            if each.error and each.error not in errors:
                progress.warn(f"{each.claim} This cannot be checked: {each.error}")
            elif not each.error:
                progress.warn(f"a check of your own failed: {each.finding}")
        if blocking := [each for each in failed if each.blocking_count]:
            raise _control_error(
                "a check of your own failed, and its header says `blocking: true`.", blocking
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


def _control_error(reason: str, results: list[CheckResult]) -> ControlError:
    return ControlError(
        "\n".join([f"Nothing was published: {reason}", *(each.finding for each in results)])
    )


def report(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layout: Layout,
    progress: Progress,
    warnings: list[str],
    home: str = "",
) -> list[str]:
    """Build the site from the warehouse and the built marts, beside the published one.

    All pages lead to `home`, the address of a page above the site, as seen from it. Return a
    warning for each problem of the user's pages.
    """
    building = layout.staged_site
    with progress.stage("report") as done:
        from analytics.custom.page_answers import answer_pages
        from analytics.custom.pages import read_pages
        from analytics.custom.runner import Runner
        from analytics.report.rendering import About
        from analytics.report.site import build_site
        from analytics.summary.facts import read_summary
        from analytics.summary.words import summary_files

        building.mkdir(parents=True)
        limits = Limits(settings.sql.timeout_seconds)
        with (
            Runner(limits, layout.root) as runner,
            marts_beside(con, layout.marts) as tables,
        ):
            create_queries(tables)
            own_pages, problems = read_pages(settings.project, runner)
            as_of, timezone = _cut_off(tables), settings.reporting.timezone
            before = findings_before(layout, as_of, timezone)
            about = About(
                as_of, __version__, timezone, _differences(tables) + warnings, home, before
            )
            summary = summary_files(read_summary(tables, before))
            made = build_site(
                tables,
                building,
                about=about,
                published=layout.site,
                beside=summary,
                own_pages=answer_pages(runner, layout.marts, own_pages, progress.part),
                before=progress.part,
            )
        warned = progress.warn_all(
            f"a page of your own: {problem}" for problem in (*problems, *made.problems)
        )
        done(
            f"made {made.page_count} pages",
            page_count=made.page_count,
            file_count=made.file_count,
            kept_count=made.kept_count,
        )
        return warned


def publish_made(
    con: duckdb.DuckDBPyConnection, settings: Settings, layout: Layout, progress: Progress
) -> None:
    """Publish marts that passed their checks, and the staged site."""
    with copying(layout) as copied:
        _publish(con, settings, layout, progress, copied)


@contextmanager
def parsing() -> Iterator[None]:
    """Parse all queries meanwhile: a processor is free while the API is waited for.

    What is wrong with one is told by the stage that runs it.
    """
    with ThreadPoolExecutor(1) as parser:
        parser.submit(all_checks, folder("queries"))
        parser.submit(page_queries)
        yield


def _publish(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layout: Layout,
    progress: Progress,
    copied: Callable[[], object],
) -> None:
    with progress.stage("publish") as done:
        copied()
        with attached_marts(con, layout.marts), transaction(con):
            moment = next_moment(con, layout)
            publish(layout, moment, int(settings.publish.mode, 8), record_of(con))
            record_publication(con, moment)
        tidy(layout)
        done(f"published {layout.published} and the pages")


def publish_loaded(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layout: Layout,
    progress: Progress,
    messages: list[str],
    *,
    force: bool = False,
    home: str = "",
) -> list[str]:
    """Run all stages after loading; return the warnings of the time zone and the user's pages.

    `home` is that of `report`. While pages are made, on one processor, the build file is copied,
    and read whole.
    """
    made = transform(con, settings, layout, progress)
    check(con, settings, layout, progress, force=force, update=made.update)
    custom(con, settings, layout, progress)
    with copying(layout) as copied:
        warnings = report(con, settings, layout, progress, messages + made.warnings, home)
        _publish(con, settings, layout, progress, copied)
    return made.warnings + warnings


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
