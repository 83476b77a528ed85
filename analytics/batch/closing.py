"""Close a month in the books, and reopen it: both are one rename, so that a kill leaves no half.

A close freezes the published figures, never those that a batch has only read.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeAlias

import duckdb
import msgspec

from analytics import __version__
from analytics.batch import stages
from analytics.batch.batch import Batch, begun_on_data, interrupts
from analytics.batch.last_batch import last_messages
from analytics.batch.progress import Progress
from analytics.batch.readiness import (
    RULES,
    changed_file,
    changes_of_closed_months,
    month_of_figures,
    require_closable,
    require_not_kept,
)
from analytics.errors import AnalyticsError, UsageError, nothing_published
from analytics.files import (
    UNFINISHED,
    add_read_bits,
    copy_file,
    replace,
    set_modes,
    sync,
    sync_tree,
)
from analytics.finance.books.entries import (
    DATA,
    EVIDENCE,
    MANIFEST,
    Amounts,
    Closing,
    ClosingFacts,
    Recorded,
    Reopening,
    encode,
    path_of,
    stored_files,
)
from analytics.finance.books.frozen import adds_up, write_frozen
from analytics.finance.books.reading import CLOSINGS, Books
from analytics.finance.books.verifying import verified_books
from analytics.finance.load import FOLDER, paths
from analytics.format.names import folded
from analytics.machine_clock import machine_time
from analytics.settings import Settings
from analytics.warehouse.database import open_marts, records
from analytics.warehouse.layout import Layout

WriteFiles: TypeAlias = Callable[[duckdb.DuckDBPyConnection, date, Path, ClosingFacts], object]
"""Writes the files for people and programs into an empty folder: the layer above makes them."""

_LONGEST_ENDING = 10
# 0 without lines, null where no line has the amount.
_TOTALS = r"""
    select
        if(count(*) = 0, 0, sum(columns('^(metered_cost|billed|surcharge|own_key)_usd$'))) as '\0'
    from marts.fct_month_lines
    where usage_month = $1
"""


@dataclass(frozen=True, kw_only=True)
class Signatures:
    """Who closes a month: who prepared it, who approved it, and the file that shows it.

    UsageError if these are the same person, however the name is written.
    """

    prepared_by: str
    approved_by: str
    sign_off: Path | None = None

    def __post_init__(self) -> None:
        names = ("".join(folded(name).split()) for name in (self.prepared_by, self.approved_by))
        if len({*names}) == 1:
            raise UsageError(
                f"{self.approved_by} prepares the close, and so cannot approve it.\n"
                "Name another person with --approved-by, or who prepared it with --prepared-by."
            )

    @property
    def kept_as(self) -> str | None:
        """The name of the file in the books: its own may be anything."""
        if self.sign_off is None:
            return None
        ending = self.sign_off.suffix.lower()
        is_plain = ending.isascii() and ending[1:].isalnum() and len(ending) <= _LONGEST_ENDING
        return f"sign-off{ending if is_plain else ''}"


def close(
    settings: Settings,
    month: str,
    progress: Progress,
    *,
    signatures: Signatures,
    write_files: WriteFiles,
    early: bool = False,
) -> Recorded[Closing]:
    """Freeze the published figures of a month (`2026-10`) in the books, then publish it as closed.

    UsageError if it is not this month's turn; ControlError if its figures may still change, unless
    `early`, or if they failed a check. AnalyticsError says that the month is closed if only
    publishing failed after it.
    """
    now = machine_time()
    with begun_on_data(settings, progress) as batch:
        books = verified_books(batch.layout.books)
        with progress.stage("close") as done, _published(batch.layout) as published:
            day = month_of_figures(published, month)
            states, reasons = require_closable(published, books, settings, day, now, early=early)
            for change in changes_of_closed_months(published, day):
                progress.warn(change)
            facts = ClosingFacts(
                month=month,
                revision=len(books.revisions(day)) + 1,
                closed_at=now,
                prepared_by=signatures.prepared_by,
                approved_by=signatures.approved_by,
                sign_off=signatures.kept_as,
                early_reasons=reasons,
                totals=Amounts(**records(published, _TOTALS, [day])[0]),
                workspaces=states,
                code_version=__version__,
                duckdb_version=duckdb.__version__,
            )
            closed = _write(published, batch, books, facts, signatures, write_files)
            done(
                f"closed {month} as revision {facts.revision} in {closed.file.parent}",
                revision=facts.revision,
            )
        _publish(batch, f"{month} is closed")
    return closed


def reopen(
    settings: Settings, month: str, progress: Progress, *, reason: str, by: str
) -> Reopening:
    """Record that the last closed month is open again, and why, then publish it as open.

    UsageError for any other month, and for one of which the books alone have lines.
    """
    with begun_on_data(settings, progress) as batch:
        layout = batch.layout
        loaded = batch.con.execute(f"{CLOSINGS} finance.closings").fetchall()
        books = verified_books(layout.books, loaded)
        with progress.stage("reopen") as done:
            last = books.last_month
            if last is None or f"{last:%Y-%m}" != month:
                raise UsageError(
                    f"{month} cannot be reopened: only the last closed month can.\n"
                    + (f"That is {last:%Y-%m}." if last else "No month is closed.")
                )
            with _published(layout) as published:
                require_not_kept(published, last)
            closing = books.in_force[last].entry
            entry = Reopening(
                number=len(books.entries) + 1,
                previous_sha256=books.head,
                month=month,
                revision=closing.revision,
                reopened_at=machine_time(),
                reopened_by=by,
                reason=reason,
            )
            file = layout.books / path_of(entry)
            replace(file, encode(entry), batch.mode)
            done(
                f"reopened {month}; revision {entry.revision} stays in {layout.books}",
                revision=entry.revision,
            )
        _publish(batch, f"{month} is open again")
    return entry


@contextmanager
def _published(layout: Layout) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file; AnalyticsError if there is none, or it is of an older release."""
    if not layout.published_file.exists():
        raise nothing_published(layout.published_file)
    with open_marts(layout.published_file) as con:
        try:
            yield con
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise AnalyticsError(
                f"{layout.published_file} is of another release: {str(error).splitlines()[0]}\n"
                "Run `analytics nightly`, which publishes it anew."
            ) from error


def _write(
    con: duckdb.DuckDBPyConnection,
    batch: Batch,
    books: Books,
    facts: ClosingFacts,
    signatures: Signatures,
    write_files: WriteFiles,
) -> Recorded[Closing]:
    """Write all files of the close beside the books, and put them in place by one rename."""
    layout = batch.layout
    month = layout.books / facts.month
    folder = month / f".r{facts.revision}{UNFINISHED}"
    folder.mkdir(parents=True)
    try:
        write_files(con, facts.first_day, folder, facts)
        _write_evidence(con, batch.settings, folder, facts, signatures)
        manifest = Closing(
            **msgspec.structs.asdict(facts),
            number=len(books.entries) + 1,
            previous_sha256=books.head,
            files=stored_files(folder),
        )
        content = encode(manifest)
        (folder / MANIFEST).write_bytes(content)
        for each in (layout.root, layout.books, month):
            add_read_bits(each, batch.mode)
        set_modes(folder, batch.mode)
        sync_tree(folder)
        target = folder.rename(month / f"r{facts.revision}")
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for each in (month, layout.books, layout.root):
        sync(each)
    return Recorded(manifest, target / MANIFEST, hashlib.sha256(content).hexdigest())


def _write_evidence(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    folder: Path,
    facts: ClosingFacts,
    signatures: Signatures,
) -> None:
    """Write the frozen tables, and what the figures were made of and approved by.

    AnalyticsError unless what is frozen adds up.
    """
    (folder / DATA).mkdir()
    write_frozen(con, facts.first_day, facts.revision, folder / DATA)
    if not adds_up(folder / DATA):
        raise AnalyticsError(
            f"Nothing was closed: the lines of {facts.month} do not add up to its charges.\n"
            "Run `analytics nightly`, which publishes the figures anew, and close them then."
        )
    evidence = folder / EVIDENCE
    evidence.mkdir()
    con.sql("from audit.check_results order by check_name").write_csv(str(evidence / "checks.csv"))
    if settings.file.is_file():
        shutil.copyfile(settings.file, evidence / "settings.toml")
    if signatures.sign_off and facts.sign_off:
        shutil.copyfile(signatures.sign_off, folder / facts.sign_off)
    hashes = {name: sha256 for name, sha256, _ in con.execute(RULES).fetchall()}
    for name, path in paths(settings.project):
        (folder / FOLDER).mkdir(exist_ok=True)
        if copy_file(path, settings.project, folder / FOLDER / name) != hashes.get(name):
            raise changed_file(name)


def _publish(batch: Batch, state: str) -> None:
    """Publish the changed books. Of a failure, say that only this failed: they changed for good."""
    batch.warnings = last_messages(batch.layout)
    try:
        with interrupts():
            stages.make_and_publish(batch)
    except (AnalyticsError, duckdb.Error, OSError) as error:
        raise AnalyticsError(
            f"{state}, but could not be published so: {error}\n"
            "Run `analytics nightly`, which publishes it."
        ) from error
    except KeyboardInterrupt:
        batch.progress.warn(f"stopped; {state}, and `analytics nightly` publishes it so")
        raise
