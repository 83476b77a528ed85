"""The stages of a batch after loading. Each writes a finished file, or leaves the previous one."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb

from analytics import __version__
from analytics.batch.progress import Progress
from analytics.custom.build import build_custom
from analytics.errors import AnalyticsError, ControlError, UsageError
from analytics.finance.books.frozen import load_books
from analytics.finance.books.reading import read_books, remove_unfinished
from analytics.finance.load import file_of, load_finance, not_repeated, read_finance
from analytics.finance.names import problems_of_names
from analytics.format import numbers
from analytics.resources import folder
from analytics.settings import Settings
from analytics.transform.build import all_models, build, is_whole
from analytics.transform.checks import CheckResult, Thresholds, run_checks
from analytics.transform.models import ModelError, with_ancestors
from analytics.warehouse.confined import Limits
from analytics.warehouse.database import attached_marts, open_marts
from analytics.warehouse.layout import Layout
from analytics.warehouse.publish import publish, record_publication

_SHOWN_PROBLEMS = 20  # of a file of the user


def transform(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layout: Layout,
    progress: Progress,
    only: Collection[str] = (),
) -> None:
    """Build all marts into a new file, and replace the previous file when it is complete.

    `only` names relations to replace within the previous file, with those that they read. The file
    is then of two builds, and the later stages refuse it until a build of all.
    """
    with progress.stage("transform") as done:
        _warn_of_files(progress, load_finance(con, settings.project), "not used")
        remove_unfinished(layout.books)
        load_books(con, read_books(layout.books))
        if only:
            with_ancestors(all_models(folder("queries")), only)  # raises before a file is there
            building = layout.marts
        else:
            building = layout.marts.with_name("build.next.duckdb")
            remove_database(building)
        try:
            with attached_marts(con, building):
                built = build(con, timezone=settings.reporting.timezone, only=only or None)
                misspelt = [] if only else problems_of_names(con)
        except ModelError as error:
            raise AnalyticsError(f"A model cannot be built: {error}") from error
        for each in built:
            kind = "a view" if each.rows is None else f"{each.rows:,} rows"
            progress.detail(f"built {each.name}: {kind} in {each.seconds:.2f} s")
        _warn_of_files(progress, misspelt, "with a name that nothing has")
        rows = sum(relation.rows or 0 for relation in built)
        if only:
            done(
                f"built {', '.join(sorted(only))} and what they read: {len(built)} relations with "
                f"{rows:,} rows; to check and publish, run `analytics transform` without --select"
            )
            return
        remove_database(layout.marts)
        building.replace(layout.marts)
        done(f"built {len(built)} relations with {rows:,} rows")


def _warn_of_files(progress: Progress, problems: Sequence[str], state: str) -> None:
    """Warn of the first problems of each file; of more in this state, tell how many there are."""
    for file, found in groupby(problems, file_of):
        shown, more = (each := [*found])[:_SHOWN_PROBLEMS], len(each) - _SHOWN_PROBLEMS
        for problem in shown:
            progress.warn(problem)
        if more > 0:
            progress.warn(f"{numbers.plural(more, 'more line')} of {file} {state}")


def check(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layout: Layout,
    progress: Progress,
    *,
    force: bool = False,
) -> None:
    """Run all checks on the built marts; ControlError names those that block publishing.

    `force` ignores differences from the vendor's figures, never failed checks of our own figures.
    """
    with progress.stage("check") as done:
        _require_marts(layout)
        thresholds = Thresholds(
            Decimal(str(settings.controls.block_above_usd)),
            Decimal(str(settings.controls.block_above_percent)),
        )
        try:
            with attached_marts(con, layout.marts):
                results = run_checks(con, thresholds=thresholds)
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
        against_api = sum(each.control is not None for each in results)
        done(
            f"{passed} {len(results)} checks passed: {len(results) - against_api} of keys and sums "
            f"of our own, {against_api} against the API"
        )


def custom(
    con: duckdb.DuckDBPyConnection, settings: Settings, layout: Layout, progress: Progress
) -> None:
    """Build the tables of the user's project, run checks and alerts; all that fails is a warning.

    ControlError for a failed check whose header says that it blocks.
    """
    with progress.stage("custom") as done:
        _require_marts(layout)
        limits = Limits(settings.sql.timeout_seconds, settings.sql.memory_limit, None)
        built = build_custom(con, layout.marts, settings.project, limits)
        failed = [each for each in built.checks if not each.ok]
        errors = [file.error for file in built.files] + [each.error for each in failed]
        told = read_finance(settings.project).problems  # by the stage `transform`
        for error in not_repeated([*filter(None, dict.fromkeys(errors))], told):
            progress.warn(f"not used: {error}")
        for each in failed:
            if not each.error:
                progress.warn(f"a check of your own failed: {each.finding}")
        if blocking := [each for each in failed if each.blocking_count]:
            raise _control_error(
                "a check of your own failed, and its header says `blocking: true`.", blocking
            )
        if built.files:
            tables = sum(file.state == "built" for file in built.files)
            passed = len(built.checks) - len(failed)
            alerts = sum(file.state == "asked" for file in built.files)
            found = f"; your alerts found {len(built.findings)}" if alerts else ""
            done(
                f"built {numbers.plural(tables, 'table')} of your own; {passed} of"
                f" {numbers.plural(len(built.checks), 'check')} of your own passed{found}"
            )


def _control_error(reason: str, results: list[CheckResult]) -> ControlError:
    return ControlError(
        "\n".join([f"Nothing was published: {reason}", *(each.finding for each in results)])
    )


def report(
    settings: Settings, layout: Layout, progress: Progress, warnings: list[str]
) -> list[str]:
    """Build the site from the built marts, beside the published one.

    Return a warning for each problem of the user's pages. Without `[publish] site`, only discard
    what an earlier batch staged.
    """
    building = layout.staged_site.with_name("site.unfinished")
    with progress.stage("report") as done:
        _require_marts(layout)
        for site in (building, layout.staged_site):
            shutil.rmtree(site, ignore_errors=True)
        if not settings.publish.site:
            done("made no pages, as [publish] says")
            return []
        from analytics.custom.page_answers import answer_pages
        from analytics.custom.pages import read_pages
        from analytics.custom.runner import Runner
        from analytics.report.rendering import About
        from analytics.report.site import build_site
        from analytics.summary.facts import read_summary
        from analytics.summary.words import summary_files

        building.mkdir(parents=True)
        limits = Limits(settings.sql.timeout_seconds, settings.sql.memory_limit)
        with Runner(limits) as runner, open_marts(layout.marts) as con:
            own_pages, problems = read_pages(settings.project, runner)
            about = About(
                _cut_off(con),
                __version__,
                settings.reporting.timezone,
                _differences(con) + warnings,
            )
            summary = summary_files(read_summary(con))
            made = build_site(
                con,
                building,
                about=about,
                published=layout.site,
                beside=summary,
                own_pages=answer_pages(runner, layout.marts, own_pages),
            )
        told = [f"a page of your own: {problem}" for problem in (*problems, *made.problems)]
        for warning in told:
            progress.warn(warning)
        building.rename(layout.staged_site)
        kept = f" ({made.kept_count:,} of {made.file_count:,} files as published)"
        done(f"made {made.page_count} pages{kept if made.kept_count else ''} and the summary")
        return told


def publish_all(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layout: Layout,
    progress: Progress,
    *,
    force: bool = False,
) -> None:
    """Publish the built marts and the site; ControlError if they did not pass their checks.

    Without `[publish] site`, remove the published site: its figures would be older than the file's.
    """
    with progress.stage("publish") as done:
        _require_marts(layout)
        with open_marts(layout.marts) as marts:
            _require_checks(marts, force=force)
        publish(layout, int(settings.publish.mode, 8), site=settings.publish.site)
        with attached_marts(con, layout.marts):
            record_publication(con)
        pages = f" and {layout.site / 'index.html'}" if settings.publish.site else ""
        done(f"published {layout.published}{pages}")


def publish_loaded(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    layout: Layout,
    progress: Progress,
    messages: list[str],
    *,
    force: bool = False,
) -> list[str]:
    """Run all stages after loading; return the warnings about the user's pages."""
    transform(con, settings, layout, progress)
    check(con, settings, layout, progress, force=force)
    custom(con, settings, layout, progress)
    warnings = report(settings, layout, progress, messages)
    publish_all(con, settings, layout, progress, force=force)
    return warnings


def _cut_off(con: duckdb.DuckDBPyConnection) -> datetime:
    """Return the start of the last batch; now if there is none."""
    ((last_batch_at,),) = con.execute(
        "select max(last_batch_at) from marts.dim_workspaces"
    ).fetchall()
    return last_batch_at or datetime.now(UTC)


def _differences(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the warnings on pages about differences from the vendor's figures."""
    return [
        ("Published although a check failed. " if is_blocking else "")
        + f"The API's own figures differ. {claim} But: {finding}"
        for _, claim, control, is_blocking, finding in _check_results(con)
        if control and finding
    ]


def require_timezone(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Raise UsageError if the time zone of reports is unknown."""
    unknown = UsageError(
        f"`{name}` is no time zone (timezone in [reporting]).\n"
        "Use an IANA name such as UTC, Europe/Berlin or America/New_York."
    )
    # DuckDB computes the marts' days, Python those of pages.
    if not con.execute("select 1 from pg_timezone_names() where name = ?", [name]).fetchone():
        raise unknown
    try:
        ZoneInfo(name)
    except ZoneInfoNotFoundError:
        raise unknown from None


def _require_marts(layout: Layout) -> None:
    if not layout.marts.exists():
        raise AnalyticsError(
            f"There are no marts in {layout.root}.\nRun `analytics nightly`, or `extract` and "
            "`transform`, first."
        )
    with open_marts(layout.marts) as con:
        if not is_whole(con):
            raise AnalyticsError(
                f"{layout.marts} is of two builds, as `transform --select` replaced some of its "
                "relations.\nRun `analytics transform`, which builds all."
            )


def _require_checks(con: duckdb.DuckDBPyConnection, *, force: bool) -> None:
    rows = _check_results(con)
    broken = [
        name for name, _, control, is_blocking, _ in rows if is_blocking and not (control and force)
    ]
    if broken or not rows:
        reason = f"these checks failed: {', '.join(broken)}" if broken else "no check has run"
        raise ControlError(f"Nothing was published: {reason}.\nRun `analytics check`.")


def _check_results(
    con: duckdb.DuckDBPyConnection,
) -> list[tuple[str, str, str | None, bool, str | None]]:
    """Return name, claim, control, is_blocking and finding (None if passed) of each check."""
    try:
        return con.execute(
            "select check_name, claim, control, is_blocking, finding"
            " from audit.check_results order by is_blocking desc, check_name"
        ).fetchall()
    except duckdb.CatalogException:
        return []


def remove_database(file: Path) -> None:
    """Delete a DuckDB file and the write-ahead log of a killed process."""
    file.unlink(missing_ok=True)
    file.with_name(file.name + ".wal").unlink(missing_ok=True)
