"""Figures as they were published at an earlier time, made again from the versions that are kept.

The models are those of every batch. They read the versions that loads of the publication had
brought, the user's files that it kept, and the entries that the books had; only those models are
built that a command reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from analytics import __version__
from analytics.errors import AnalyticsError, UsageError, nothing_published
from analytics.finance.books.entries import Closing, Entry
from analytics.finance.books.frozen import load_books
from analytics.finance.books.reading import Books, read_books
from analytics.finance.kept import project_of
from analytics.finance.lines import replace_rows
from analytics.finance.load import load_finance
from analytics.published.figures import Figures
from analytics.resources import folder
from analytics.terminal import escaped
from analytics.transform.build import all_models, build, build_on_results
from analytics.transform.models import CHECK_RESULTS, Model, ModelError, with_ancestors
from analytics.warehouse.confined import CUSTOM
from analytics.warehouse.database import attached_marts, interrupts, transaction
from analytics.warehouse.layout import Layout
from analytics.warehouse.past import look_back, open_kept, publication_moments
from analytics.warehouse.publications import (
    Publication,
    load_results,
    moments_on_record,
    read_publication,
)
from analytics.warehouse.scratch import work_folder
from analytics.wrong_settings import require_timezone

if TYPE_CHECKING:
    from analytics.settings import Settings


@dataclass(frozen=True)
class PastFigures(Figures):
    """The figures of a publication: of its moment, with its record if there is one.

    `con` has the warehouse open, as it was then.
    """

    con: duckdb.DuckDBPyConnection
    moment: datetime
    record: Publication | None
    timezone: str
    temporary: Path
    _built: dict[frozenset[str] | None, Path] = field(default_factory=dict)

    @cached_property
    def books(self) -> Books:
        """The books as they were when the figures were made."""
        return _books_then(read_books(self.layout.books), self.moment, self.record)

    def file(self, reads: Collection[str] | None) -> Path:
        """Build what will be read into a temporary file, unless it is there, and return that."""
        names = None if reads is None else frozenset(reads)
        if names not in self._built:
            file = self.temporary / f"{len(self._built)}" / self.layout.published.name
            file.parent.mkdir()
            self._build(file, names)
            self._built[names] = file
        return self._built[names]

    def _build(self, file: Path, names: frozenset[str] | None) -> None:
        queries = folder("queries")
        only = None if names is None else _needed(all_models(queries), names)
        with attached_marts(self.con, file, has_log=False), interrupts():
            try:
                build(self.con, timezone=self.timezone, only=only)
                with transaction(self.con):
                    if self.record:
                        load_results(self.con, self.layout, self.record)
                    if only is None:
                        build_on_results(self.con, queries)
            except ModelError as error:
                raise AnalyticsError(f"A model cannot be built: {error}") from error
            _refuse_own_tables(self.con, names)


@contextmanager
def past_figures(
    settings: Settings, as_of: str, warn: Callable[[str], None]
) -> Iterator[PastFigures]:
    """Yield the figures of the last publication on or before a day, or before an instant.

    A day is one of the reporting time zone. `warn` gets what may make them differ from what was
    published. UsageError for a time before the first publication, or none; BusyError while a batch
    is at work; AnalyticsError if nothing was published.
    """
    layout = Layout(settings.data_dir)
    if not layout.warehouse.exists():
        raise nothing_published(layout.published)
    with (
        work_folder(layout.root) as temporary,
        open_kept(layout, temporary) as con,
    ):
        require_timezone(settings.reporting.timezone)
        recorded = {*moments_on_record(layout)}
        moment = _last_moment(
            con, recorded | {*publication_moments(con)}, as_of, settings.reporting.timezone
        )
        record = read_publication(layout, moment) if moment in recorded else None
        look_back(con, moment, record.loads if record else None)
        past = PastFigures(
            layout=layout,
            con=con,
            moment=moment,
            record=record,
            timezone=record.timezone if record else settings.reporting.timezone,
            temporary=temporary,
        )
        load_books(con, past.books)
        _load_files(con, layout, settings.project, record, warn)
        _warn_of_settings(settings, record, warn)
        yield past


def _last_moment(
    con: duckdb.DuckDBPyConnection, moments: Collection[datetime], as_of: str, zone: str
) -> datetime:
    """Return the last moment of the day or before the instant that a text names."""
    end = _end_of(as_of)
    if not moments:
        raise UsageError("Nothing was published yet: leave --as-of out.")
    # By DuckDB, as the days of all figures: Python may know other rules of a zone.
    known: list[tuple[datetime, datetime]] = con.execute(
        "select moment, moment at time zone ? from (select unnest(?::timestamptz[]) as moment)",
        [zone, [*moments]],
    ).fetchall()
    if found := [moment for moment, local in known if (moment if end.tzinfo else local) <= end]:
        return max(found)
    raise UsageError(
        f"Nothing was published by {escaped(as_of)}.\nThe first figures were published at"
        f" {min(known)[1].isoformat(sep=' ', timespec='seconds')} ({zone})."
    )


def _end_of(as_of: str) -> datetime:
    """Return the end of a day or a time of a clock, both of no zone, or an instant.

    UsageError for another text.
    """
    try:
        if len(as_of) == len("2026-11-19"):
            return datetime.combine(date.fromisoformat(as_of), time.max)
        return datetime.fromisoformat(as_of)
    except ValueError:
        raise UsageError(
            f"--as-of {escaped(as_of)} is no day and no instant: write 2026-11-19, or"
            " 2026-11-19T06:30+01:00."
        ) from None


def _load_files(
    con: duckdb.DuckDBPyConnection,
    layout: Layout,
    project: Path,
    record: Publication | None,
    warn: Callable[[str], None],
) -> None:
    """Load the user's files as the publication kept them; those of today if it kept none."""
    if record is None:
        warn("that publication kept no record: the files of finance/ and the settings are today's")
        load_finance(con, project)
        return
    with project_of(layout, record.files) as (then, missing):
        load_finance(con, then)
    for name in missing:
        warn(f"finance/{name} of then is not kept any more: the figures are made without it")
    columns = {
        column: [getattr(each, column) for each in record.files]
        for column in ("name", "sha256", "problem_count")
    }
    replace_rows(con, "files", columns)


def _warn_of_settings(
    settings: Settings, record: Publication | None, warn: Callable[[str], None]
) -> None:
    if record is None:
        return
    if record.code_version != __version__:
        warn(
            f"published by release {record.code_version}, made again by {__version__}: what has"
            " changed between them differs"
        )
    if record.timezone != settings.reporting.timezone:
        warn(
            f"the days are those of {record.timezone}, as [reporting] had it then; today it says"
            f" {settings.reporting.timezone}"
        )


def _books_then(books: Books, moment: datetime, record: Publication | None) -> Books:
    """Return the entries that figures were made with; without a record, those until its moment."""
    if record is None:
        count = sum(_written_at(each.entry) <= moment for each in books.entries)
    elif record.books_sha256 is None:
        count = 0
    else:
        hashes = [each.sha256 for each in books.entries]
        if record.books_sha256 not in hashes:
            raise AnalyticsError(
                f"The books in {books.folder} lack the entry that the figures of"
                f" {moment:%Y-%m-%d %H:%M} UTC rest on.\nPut them back from a backup;"
                " `analytics books verify` names all that is wrong."
            )
        count = hashes.index(record.books_sha256) + 1
    return Books(books.folder, books.entries[:count])


def _written_at(entry: Entry) -> datetime:
    return entry.closed_at if isinstance(entry, Closing) else entry.reopened_at


def _refuse_own_tables(con: duckdb.DuckDBPyConnection, names: frozenset[str] | None) -> None:
    """Raise UsageError for a table of the user's own: the files that made it are not kept."""
    own = {
        name.lower()
        for (name,) in con.execute(
            "select name from audit.custom_files where kind in ('finance', 'mart')"
        ).fetchall()
    }
    for name in sorted(names or ()):
        schema, _, table = name.rpartition(".")
        if schema == CUSTOM or (not schema and table in own):
            raise UsageError(
                f"{escaped(table)} is a table of your own, and --as-of knows none: the files that"
                " made it are not kept.\nLeave --as-of out, or ask our tables alone."
            )


def _needed(models: Sequence[Model], names: Collection[str]) -> list[str] | None:
    """Return the models of these names; None, which is all, if results of checks are needed.

    A name that no model has is left to the query, whose error says so.
    """
    found = [each.relation for each in models if {each.relation, each.name} & {*names}]
    if any(each.reads & CHECK_RESULTS for each in with_ancestors(models, found)):
        return None
    return found
