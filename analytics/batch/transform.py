"""The stage `transform`: the build file is brought up to date, or built anew and replaced."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import duckdb

from analytics.batch.batch import Batch
from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError
from analytics.finance.books.frozen import load_books
from analytics.finance.load import file_of, load_finance, load_limits
from analytics.finance.unknown_names import SHOWN_PROBLEMS, problems_of_names
from analytics.format import numbers
from analytics.transform.build import BuiltRelation, build, update
from analytics.transform.changes import UnseenChangeError
from analytics.transform.models import ModelError
from analytics.warehouse.damage import remove_database
from analytics.warehouse.database import attached_marts, compact_marts, record_count

SMALL = 250_000
"""Records of all kinds, all their versions counted, up to which all is built anew: that is quicker
than to find out what changed, and leaves files as small."""

_OF_NEWER = (duckdb.IOException, duckdb.InvalidInputException)
"""Errors of DuckDB for a file of a newer release, and of a newer storage version."""


def transform(batch: Batch, *, even_small: bool = False) -> None:
    """Bring all marts up to date with what changed; where the last build cannot be, build anew.

    Marts of few records are built anew, unless `even_small`.
    """
    con, settings, progress = batch.con, batch.settings, batch.progress
    with progress.stage("transform") as done:
        load_books(con, batch.layout.books)
        _warn_of_files(progress, load_finance(con, settings.project), "not used")
        load_limits(con, materiality_usd=settings.finance.materiality_usd)
        try:
            built = _update(batch, even_small=even_small)
            if built is None:
                built = _build_anew(batch)
            _warn_of_timezone(batch)
            con.execute("delete from ledger.build")
            con.execute("insert into ledger.build values (?)", [settings.reporting.timezone])
            with attached_marts(con, batch.layout.marts):
                misspelt = problems_of_names(con)
        except ModelError as error:
            raise AnalyticsError(f"A model cannot be built: {error}") from error
        for each in built:
            kind = "a view" if each.rows is None else f"{each.rows:,} rows"
            progress.detail(f"built {each.name}: {kind} in {each.seconds:.2f} s")
        _warn_of_files(progress, misspelt, "with a name that nothing has")
        rows = sum(relation.rows or 0 for relation in built)
        done(
            "brought the tables up to date" if batch.update else "built the tables",
            relation_count=len(built),
            row_count=rows,
        )


def _update(batch: Batch, *, even_small: bool) -> list[BuiltRelation] | None:
    """Bring the build file up to date; None if there is none for which that can be done.

    None too where records are few, unless `even_small`.
    """
    con, layout = batch.con, batch.layout
    if not layout.marts.exists() or (record_count(con) <= SMALL and not even_small):
        return None
    try:
        with attached_marts(con, layout.marts, has_log=False):
            zone = batch.settings.reporting.timezone
            updated = update(con, timezone=zone, before=batch.progress.part)
        if updated:
            compact_marts(con, layout)
    except (duckdb.Error, ModelError) as error:
        if not isinstance(error, _OF_NEWER):
            raise
        return None
    except UnseenChangeError as error:
        batch.progress.warn(
            f"tables of {layout.root} hold other rows than batches have written: {error}; all is"
            " built anew"
        )
        return None
    if updated is None:
        return None
    built, batch.update = updated
    return built


def _build_anew(batch: Batch) -> list[BuiltRelation]:
    """Build all marts into a new file, and replace the previous file when it is complete."""
    con, layout = batch.con, batch.layout
    remove_database(layout.next_marts)
    with attached_marts(con, layout.next_marts, has_log=False):
        zone = batch.settings.reporting.timezone
        built = build(con, timezone=zone, earlier=layout.marts, before=batch.progress.part)
    remove_database(layout.marts)
    layout.next_marts.replace(layout.marts)
    return built


def _warn_of_timezone(batch: Batch) -> None:
    """Warn, where the time zone of reports changes, that closed months count other runs."""
    name, month = batch.settings.reporting.timezone, batch.books.last_month
    last = batch.con.execute("select timezone from ledger.build").fetchone()
    if month and last and last[0] != name:
        batch.warn(
            f"the time zone of reports was {last[0]}, and is {name}: runs of closed months, to"
            f" {month:%Y-%m}, may count in another month or for another owner now, which is"
            " adjusted as late_run, run_removed or owner_changed, without an amount"
        )


def _warn_of_files(progress: Progress, problems: Sequence[str], state: str) -> None:
    """Warn of the first problems of each file; of more in this state, tell how many there are."""
    for file, found in groupby(problems, file_of):
        shown, more = (each := [*found])[:SHOWN_PROBLEMS], len(each) - SHOWN_PROBLEMS
        for problem in shown:
            progress.warn(problem)
        if more > 0:
            progress.warn(f"{numbers.plural(more, 'more line')} of {file} {state}")
