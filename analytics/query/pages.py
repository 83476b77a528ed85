"""Pages of one's own on the published file, without a batch: their problems, or one to look at."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from analytics import __version__
from analytics.bounded.limits import Limits
from analytics.bounded.runner import Runner
from analytics.errors import UsageError, nothing_published
from analytics.project.files import UserFile, read_file
from analytics.project.pages import answer_pages, parse_pages, read_pages
from analytics.query.output import place_of
from analytics.query.questions import explained, next_batch_hint
from analytics.report.entities import QUERIES
from analytics.report.own_parts import ChartError, chosen, columns_of, look_of
from analytics.report.rendering import About
from analytics.report.site import build_site
from analytics.settings import Settings
from analytics.transform.page_queries import create_queries
from analytics.warehouse.database import open_marts
from analytics.warehouse.layout import Layout


def page_problems(settings: Settings) -> tuple[list[str], list[str]]:
    """Return the problems of the project's pages, and a hint for each table of the next batch.

    Columns and tables are checked if a file is published. Nothing is run.
    """
    published = Layout(settings.data_dir).published_file
    database = published if os.access(published, os.F_OK) else None
    hints: list[str] = []
    with Runner(_limits(settings), settings.data_dir) as runner:
        pages, problems = read_pages(settings.project, runner)
        for page in pages:
            if page.error:
                problems.append(page.error)
                continue
            for chart in page.charts:
                if database is None:
                    break
                answer = runner.bind(database, chart.query)
                if answer.error:
                    is_hint = next_batch_hint(answer.error, settings.project)
                    told = explained(answer.error, settings.project)
                    (hints if is_hint else problems).append(told)
                    continue
                try:
                    chosen(chart, columns_of(answer.columns))
                    look_of(chart)
                except ChartError as error:
                    problems.append(str(error))
    return problems, hints


def preview_page(settings: Settings, file: Path, output: Path | None) -> tuple[Path, list[str]]:
    """Make one page from the published file; return the page, and its problems.

    It is written into `output`, an empty or a new folder, or into a temporary one.
    """
    database = Layout(settings.data_dir).published_file
    if not database.exists():
        raise nothing_published(database)
    place = output and place_of(output)
    if place and place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(f"{output} is there already: name an empty or a new folder.")
    with Runner(_limits(settings), settings.data_dir) as runner, open_marts(database) as con:
        os.umask(0o077)
        pages = parse_pages([_read(file)], runner)
        place = place or Path(tempfile.mkdtemp(prefix="analytics-page-"))
        place.mkdir(parents=True, exist_ok=True)
        create_queries(con, QUERIES)
        ((as_of,),) = con.execute(
            "select coalesce(max(as_of), now()) from rpt_headlines"
        ).fetchall()
        about = About(as_of, __version__, settings.reporting.timezone)
        own = answer_pages(runner, database, pages)
        made = build_site(con, place, about=about, pages={}, own_pages=own)
    (page,) = place.glob("own/*.html")
    return page, [explained(each, settings.project) for each in made.problems]


def _read(file: Path) -> UserFile:
    try:
        return read_file(file, "page")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{file}: {reason}") from None


def _limits(settings: Settings) -> Limits:
    return Limits(settings.sql.timeout_seconds)
