"""A warehouse made anew from landing files, held against what was published and closed.

A rebuild makes one; and so does a batch that finds its own files damaged, or of an older release:
they are set aside, and this is said.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from analytics.batch.batch import Batch
from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError, ControlError
from analytics.finance.books.reading import CLOSINGS, require_known
from analytics.warehouse.damage import DamagedError, aside_of, remove_database, set_aside
from analytics.warehouse.database import BUILD_FILE, open_marts, open_warehouse, read_whole
from analytics.warehouse.landed import (
    LAST_STEP,
    folders_in,
    landed_loads,
    loads_aside,
    step_of,
)
from analytics.warehouse.layout import Layout
from analytics.warehouse.load import load_errors, load_folder
from analytics.warehouse.publications import moments_on_record, restore_publications
from analytics.warehouse.store import Store

T = TypeVar("T")

_ADVICE = (
    "Nothing was replaced. Put the folder back as it was landed, and run again; or, to go on"
    " without it, move it out of landing/ and run again, which says how."
)
_FILES = "select workspace_id, load_id, file_name, sha256 from"
LOADS = "select workspace_id, load_id, loaded_at, code_version"


def run_healed(batch: Batch, work: Callable[[Batch], T]) -> T:
    """Run `work` in the locked directory, and once more after both files were made anew.

    What was made anew is told.
    """
    layout = batch.layout
    try:
        with batch.opened():
            return work(batch)
    except DamagedError as error:
        if error.file not in (layout.warehouse, layout.marts):
            raise
        damage = error
    aside = aside_of(layout.warehouse)
    text = (
        f"{damage.file} {damage.state}: the warehouse is kept as {aside.name}, and made anew from"
        f" {layout.landing}"
    )
    batch.progress.warn(text)
    _rebuild_warehouse(batch, damage.state, aside)
    remove_database(layout.marts)
    batch.told, batch.warnings, batch.update = [text], [], None
    with batch.opened():
        return work(batch)


def _rebuild_warehouse(batch: Batch, state: str, aside: Path) -> None:
    """Replace the warehouse, which is in some state, by one made of whole batches that landed.

    It is renamed to `aside` once that is made. Where none landed and nothing was published, only
    this is done: the batch then begins anew. The errors are those of a rebuild.
    """
    layout = batch.layout
    if not has_whole_batches(layout):
        if layout.published_file.exists():
            raise AnalyticsError(
                f"{layout.warehouse} {state}; and {layout.landing} has no whole batch to make it"
                " anew from.\nPut that folder back from a backup; or, to begin anew with what the"
                f" API still gives, move {layout.published} and {layout.warehouse} away."
            )
        set_aside(layout.warehouse, aside)
        return
    require_published(layout)
    with made(batch) as new:
        new.con.execute("checkpoint")
        new.con.close()
        set_aside(layout.warehouse, aside)
        new.layout.warehouse.replace(layout.warehouse)


@contextmanager
def made(batch: Batch) -> Iterator[Batch]:
    """Yield a batch in a folder of its own, with all that landed, and remove that in the end.

    It is held against what was published and closed.
    """
    layout = batch.layout
    new = replace(batch, layout=layout.rebuilding, told=[], warnings=[], update=None)
    shutil.rmtree(new.layout.root, ignore_errors=True)
    new.layout.root.mkdir()
    try:
        with open_warehouse(new.layout) as new.con:
            load_all(new.con, layout, new.progress)
            _require_the_same_files(new.con, layout)
            require_known(new.books, _published(layout, f"{CLOSINGS} audit.closings"))
            _record_publications(new.con, layout)
            yield new
    finally:
        shutil.rmtree(new.layout.root, ignore_errors=True)


def require_published(layout: Layout) -> None:
    """Raise AnalyticsError if the published file is damaged, as its hashes verify a rebuild."""
    if not layout.published_file.exists():
        return
    try:
        with open_marts(layout.published_file) as con:
            read_whole(con, BUILD_FILE)
    except (duckdb.Error, DamagedError) as error:
        raise AnalyticsError(
            f"{layout.published_file} cannot be read: {str(error).splitlines()[0]}\n"
            "Nothing was made anew, as what was landed cannot be held against what it published. To"
            f" go on without that, move {layout.published} away and run again."
        ) from error


def load_all(con: duckdb.DuckDBPyConnection, layout: Layout, progress: Progress) -> None:
    """Load every complete batch of the landing folder into an empty warehouse."""
    with progress.stage("load") as done:
        load_count = record_count = 0
        for workspace in folders_in(layout.landing):
            folders, left = _whole_batches(workspace)
            if left:
                progress.say(
                    f"{workspace.name}: {left} loads of no whole batch are left to the next"
                )
            if not folders:
                continue
            progress.begin(f"{workspace.name}: loading {len(folders):,} loads", len(folders))
            Store(con, workspace.name).begin(api=None, api_key_env=None)
            for folder in folders:
                with load_errors(folder, _ADVICE):
                    con.begin()
                    record_count += load_folder(con, folder).record_count
                    con.commit()
                progress.advance()
            load_count += len(folders)
        if not load_count:
            raise AnalyticsError(
                f"No batch in {layout.landing} ever ended, so there is nothing to rebuild from.\n"
                f"Move {layout.warehouse} away, if there is one, and run `analytics nightly`: it"
                " begins with what was landed."
            )
        done(
            f"loaded {load_count:,} loads with {record_count:,} records",
            load_count=load_count,
            record_count=record_count,
        )


def has_whole_batches(layout: Layout) -> bool:
    """Return True if a complete batch of any workspace has landed."""
    return any(_whole_batches(each)[0] for each in folders_in(layout.landing))


def _whole_batches(workspace: Path) -> tuple[list[Path], int]:
    """Return the loads of complete batches, in order, and the number of later loads."""
    folders = landed_loads(workspace)
    closing = [index for index, each in enumerate(folders) if step_of(each.name) == LAST_STEP]
    end = closing[-1] + 1 if closing else 0
    return folders[:end], len(folders) - end


def _require_the_same_files(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Raise ControlError unless every landing file of the published figures has the same hash.

    Those of the future that were set aside are not among them.
    """
    now = set(con.execute(f"{_FILES} ledger.files").fetchall())
    aside = loads_aside(layout.landing)
    changed = [
        layout.landing.joinpath(*file[:3])
        for file in _published(layout, f"{_FILES} audit.landing_files")
        if file not in now and file[:2] not in aside
    ]
    if changed:
        first = min(changed, key=lambda file: (file.exists(), file))
        raise ControlError(
            f"Landing files are missing, or not what the published figures were made of:"
            f" {len(changed):,}, the first {first}.\nNothing was replaced. Put them back as they"
            f" were; or, to go without them, move {layout.published} away and run again: closed"
            " months that rest on them stay as the books have them, for good."
        )


def _record_publications(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Restore when each load was first loaded, by which release, and when it was published.

    The published file has that, but of the last batch when it was published; the records of
    publications have this too. Without either, each batch counts as published when it was loaded.
    """
    loads = [*_published(layout, f"{LOADS}, coalesce(published_at, now()) from audit.loads")]
    restore(con, loads)
    if not loads:
        con.execute("update ledger.loads set published_at = loaded_at")
    restore_publications(con, layout, moments_on_record(layout), loads_aside(layout.landing))


def restore(con: duckdb.DuckDBPyConnection, loads: Sequence[tuple[Any, ...]]) -> None:
    """Give loads the moments at which they were loaded and published, and the release."""
    if loads:
        con.execute(
            """
            update ledger.loads set
                loaded_at = known.loaded_at,
                code_version = known.code_version,
                published_at = known.published_at
            from (
                select unnest(?), unnest(?), unnest(?), unnest(?), unnest(?)
            ) as known (workspace, load, loaded_at, code_version, published_at)
            where workspace_id = known.workspace and load_id = known.load
            """,
            [*map(list, zip(*loads, strict=True))],
        )


def _published(layout: Layout, query: str) -> Iterator[tuple[Any, ...]]:
    """Yield rows of the published file, if it exists and has the tables of the query."""
    if not layout.published_file.exists():
        return
    with open_marts(layout.published_file) as con:
        try:
            yield from con.execute(query).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException):
            return
