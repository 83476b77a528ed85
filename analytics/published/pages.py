"""Pages of one's own on the published file: checked without a batch, or made to look at."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from analytics import __version__
from analytics.custom.files import read_file
from analytics.custom.page_answers import answer_pages
from analytics.custom.pages import Chart, UserPage, parse_pages, read_pages
from analytics.custom.runner import Runner
from analytics.errors import UsageError, nothing_published
from analytics.report.own_charts import followed
from analytics.report.own_columns import ChartError, columns_of, planned
from analytics.report.rendering import About
from analytics.report.site import build_own_pages
from analytics.settings import Settings
from analytics.warehouse.confined import Limits
from analytics.warehouse.database import open_marts
from analytics.warehouse.layout import Layout


def check_pages(settings: Settings, files: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Return a line for each page and chart, the way it will be drawn, and a line for each problem.

    Nothing is run. Without `files`, all pages of the project are checked.
    """
    return _checked(settings, files, _published(settings))


def page_problems(settings: Settings) -> list[str]:
    """Return a line for each problem of the project's pages; of columns, if a file is published."""
    published = Layout(settings.data_dir).published
    return _checked(settings, (), published if os.access(published, os.F_OK) else None)[1]


def _checked(
    settings: Settings, files: Sequence[Path], database: Path | None
) -> tuple[list[str], list[str]]:
    lines = []
    with Runner(_limits(settings), settings.data_dir) as runner:
        pages, problems = _pages(files, runner) if files else read_pages(settings.project, runner)
        for page in pages:
            if page.error:
                problems.append(page.error)
                continue
            lines.append(f"{page.file}: {page.group} / {page.title}")
            bound = runner.bind(database, [each.query for each in page.charts]) if database else ()
            for chart, answer in zip(page.charts, bound, strict=bool(database)):
                try:
                    if answer.error:
                        problems.append(answer.error)
                    else:
                        lines.append(f"  line {chart.line}: {_described(chart, answer.columns)}")
                except ChartError as error:
                    problems.append(str(error))
    return lines, problems


def preview_page(settings: Settings, file: Path, output: Path | None) -> tuple[Path, list[str]]:
    """Make one page from the published file; return the page, and its problems.

    It is written into `output`, an empty or a new folder, or into a temporary one.
    """
    database = _published(settings)
    if output and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output} is there already: name an empty or a new folder.")
    with Runner(_limits(settings), settings.data_dir) as runner, open_marts(database) as con:
        pages, _ = _pages([file], runner)
        os.umask(0o077)
        output = output or Path(tempfile.mkdtemp(prefix="analytics-page-"))
        output.mkdir(parents=True, exist_ok=True)
        about = About(datetime.now(UTC), __version__, settings.reporting.timezone)
        made = build_own_pages(con, output, about, answer_pages(runner, database, pages))
    (page,) = output.glob("own/*.html")
    return page, list(made.problems)


def _limits(settings: Settings) -> Limits:
    return Limits(settings.sql.timeout_seconds, settings.sql.memory_limit)


def _published(settings: Settings) -> Path:
    published = Layout(settings.data_dir).published
    if not published.exists():
        raise nothing_published(published)
    return published


def _pages(files: Sequence[Path], runner: Runner) -> tuple[list[UserPage], list[str]]:
    read = []
    for file in files:
        try:
            read.append(read_file(file, "page"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise UsageError(f"{file}: {reason}") from None
    return parse_pages(read, runner), []


def _described(chart: Chart, declared: dict[str, str]) -> str:
    """Return how a chart will be drawn, and what of a reader's choice it follows."""
    columns = columns_of(list(declared.items()))
    keys = set(followed(columns).values())
    names = ", ".join(each.name for each in columns if each.key in keys)
    follows = f"follows {names}" if names else "follows no choice"
    if chart.drawn.mark in ("", "table"):
        one = len(columns) == 1 and not chart.drawn.mark
        shown = "a headline if it is one value, else a table" if one else "a table"
        return f"{shown} of {', '.join(each.name for each in columns)}; {follows}"
    plan = planned(chart, columns)
    kind = f"stacked {chart.drawn.mark}" if chart.drawn.is_stacked else chart.drawn.mark
    values = ", ".join("/".join(y) for y in chart.drawn.y)
    by = f" by {plan.by.name}" if plan.by else ""
    return f"{kind} of {values} over {plan.x.name}{by}; {follows}"
