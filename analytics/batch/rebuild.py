"""Rebuild: a new warehouse from landing files and books alone, published as by a batch.

So what a batch finds unusable of its own files is set aside, said, and made anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from analytics.batch import stages
from analytics.batch.batch import Batch, opened
from analytics.batch.last_batch import last_messages
from analytics.batch.progress import Progress
from analytics.batch.readiness import kept_months
from analytics.batch.transforming import transform
from analytics.errors import AnalyticsError, ControlError
from analytics.files import folder
from analytics.finance.books.reading import CLOSINGS, require_known
from analytics.format.numbers import plural
from analytics.machine_clock import machine_time
from analytics.settings import Settings, require_timezone
from analytics.transform.build import all_models
from analytics.transform.build_state import Contents, recorded_contents
from analytics.transform.models import PUBLISHED, Model, in_order
from analytics.warehouse.damage import DamagedError, aside_of, set_aside
from analytics.warehouse.database import (
    BUILD_FILE,
    attached,
    attached_marts,
    interrupts,
    marts_beside,
    open_marts,
    open_warehouse,
    read_whole,
    remove_database,
)
from analytics.warehouse.landed import (
    CLOSING_STEP,
    folders_in,
    landed_loads,
    loads_ahead,
    loads_aside,
    move_aside,
    of_the_future,
    step_of,
)
from analytics.warehouse.layout import Layout
from analytics.warehouse.load import load_errors
from analytics.warehouse.lock import batch_lock
from analytics.warehouse.publications import moments_on_record, restore_publications
from analytics.warehouse.publish import tidy
from analytics.warehouse.store import WarehouseStore

T = TypeVar("T")

_ADVICE = (
    "Nothing was replaced. Put the folder back as it was landed, and run again; or, to go on"
    " without it, move it out of landing/ and run again, which says how."
)
_FILES = "select workspace_id, load_id, file_name, sha256 from"
_LOADS = "select workspace_id, load_id, loaded_at, code_version"


def rebuild(settings: Settings, progress: Progress, *, force: bool = False) -> None:
    """Load every complete batch again, build, check and publish; replace files only at the end.

    AnalyticsError names a folder that cannot be loaded; ControlError names landing files that
    differ from the published ones, or a failed check. Where only loads of the future were whole,
    nothing is published: the next batch begins anew.
    """
    with _at_work(settings) as layout:
        if _leave_the_future(layout, progress) and not _has_whole_batches(layout):
            remove_database(layout.warehouse)
            remove_database(layout.marts)
            progress.warn("no other load is of a whole batch: `analytics nightly` begins anew")
            return
        with _made(layout, settings, progress) as batch:
            batch.force, batch.warnings = force, last_messages(layout)
            transform(batch)
            with marts_beside(batch.con, batch.layout.marts) as marts:
                kept = kept_months(marts)
            for month, workspace in kept:
                progress.warn(
                    f"{month:%Y-%m} of {workspace} is closed, and loads that it rests on are gone:"
                    " it stays as the books have it, and is no longer held against what was landed"
                )
            stages.check(batch)
            stages.custom(batch)
            batch.con.execute("checkpoint")
            stages.report(batch)
            batch.con.close()
            made = batch.layout
            for new, file in ((made.warehouse, layout.warehouse), (made.marts, layout.marts)):
                remove_database(file)
                new.replace(file)
            made.staged.replace(layout.staged)
        with open_warehouse(layout) as con:
            stages.publish(replace(batch, layout=layout, con=con))
        tidy(layout)  # what was published before may be what is to be forgotten


def verify(settings: Settings, progress: Progress) -> None:
    """Hold what batches brought up to date against a build from landing files and books alone.

    AnalyticsError names the first row that differs. Nothing is published.
    """
    with _at_work(settings) as layout:
        with opened(layout, settings, progress) as batch:
            transform(batch, even_small=True)
            kept = recorded_contents(batch.con)
            unpublished = batch.con.execute(
                f"{_LOADS}, null from ledger.loads where published_at is null"
            ).fetchall()
        with _made(layout, settings, progress) as batch:
            _restore(batch.con, unpublished)
            transform(batch)
            with (
                attached_marts(batch.con, batch.layout.marts),
                attached(batch.con, layout.marts) as catalog,
            ):
                difference = _first_difference(batch.con, catalog, kept)
        if difference:
            raise AnalyticsError(
                f"What batches brought up to date differs from a rebuild: {difference}.\n"
                "Run `analytics rebuild`, which replaces it, and report this."
            )
        progress.say("each row is that of a rebuild")


def _leave_the_future(layout: Layout, progress: Progress) -> bool:
    """Set aside the loads of the future, and say so; return True if there were any."""
    found = [ahead for each in folders_in(layout.landing) if (ahead := loads_ahead(each))]
    for ahead in found:
        folder = move_aside(ahead)
        progress.warn(
            f"{plural(len(ahead), 'load')} from {ahead[0].name} on are of the future, as the API"
            f" told a wrong time: this machine's clock says {machine_time():%Y-%m-%d %H:%M} UTC."
            f" They are left out, and now lie in {folder}. The next batch reads anew what the API"
            " still gives of them; if the clock is wrong, set it, move them back and rebuild again"
        )
    return bool(found)


def _first_difference(
    con: duckdb.DuckDBPyConnection, updated: str, contents: Mapping[str, Contents]
) -> str | None:
    """Return the first relation whose rows are not those of the full build, and its first row.

    The full build is attached as the build file, `updated` is the catalog of the other one. Of
    relations that are not published, the `contents` are compared.
    """
    now = recorded_contents(con)
    for model in in_order(all_models(folder("queries"))):
        name = model.relation
        if model.layer not in PUBLISHED and contents.get(name) != now.get(name):
            return name
        if model.layer in PUBLISHED and (row := _differing_row(con, model, updated)):
            return f"{name}: {row}"
    return None


def _differing_row(con: duckdb.DuckDBPyConnection, model: Model, updated: str) -> str:
    one, other = f"{updated}.{model.relation}", f"{BUILD_FILE}.{model.relation}"
    found = con.execute(f"""
        select {", ".join(model.header.key) or "*"} from (
            (from {one} except all from {other}) union all by name
            (from {other} except all from {one})
        ) order by all limit 1
    """)
    names = [name for name, *_ in found.description]
    row = found.fetchone() or ()
    return ", ".join(f"{name} {value}" for name, value in zip(names, row, strict=False))


@contextmanager
def _at_work(settings: Settings) -> Iterator[Layout]:
    """Lock a data directory that can be made anew; AnalyticsError if it cannot be."""
    os.umask(0o077)
    layout = Layout(settings.data_dir)
    if not layout.landing.is_dir():
        raise AnalyticsError(
            f"There is no {layout.landing} to rebuild from.\n"
            "Name the data directory with --data-dir, or run `analytics nightly` first."
        )
    require_timezone(settings)
    with batch_lock(layout), interrupts():
        if layout.warehouse.exists():
            with suppress(DamagedError), open_warehouse(layout):
                pass  # one of a newer release is never replaced
        _require_published(layout)
        yield layout


def run_healed(
    layout: Layout,
    settings: Settings,
    progress: Progress,
    work: Callable[[Batch], tuple[T, list[str]]],
    **more: object,
) -> tuple[T, list[str]]:
    """Run `work` in the locked directory, and once more after both files were made anew.

    What was made anew is a warning, and the first of those that are returned.
    """
    try:
        with opened(layout, settings, progress, **more) as batch:
            return work(batch)
    except DamagedError as damage:
        if damage.file not in (layout.warehouse, layout.marts):
            raise
        error = damage
    aside = aside_of(layout.warehouse)
    text = (
        f"{error.file} {error.state}: the warehouse is kept as {aside.name}, and made anew from"
        f" {layout.landing}"
    )
    progress.warn(text)
    _rebuild_warehouse(layout, settings, progress, error.state, aside)
    remove_database(layout.marts)
    with opened(layout, settings, progress, **more) as batch:
        result, warnings = work(batch)
    return result, [text, *warnings]


def _rebuild_warehouse(
    layout: Layout, settings: Settings, progress: Progress, state: str, aside: Path
) -> None:
    """Replace the warehouse, which is in some state, by one made of whole batches that landed.

    It is renamed to `aside` once that is made. Where none landed and nothing was published, only
    this is done: the batch then begins anew. The errors are those of a rebuild.
    """
    if not _has_whole_batches(layout):
        if layout.published.exists():
            raise AnalyticsError(
                f"{layout.warehouse} {state}; and {layout.landing} has no whole batch to make it"
                " anew from.\nPut that folder back from a backup; or, to begin anew with what the"
                f" API still gives, move {layout.batches} and {layout.warehouse} away."
            )
        set_aside(layout.warehouse, aside)
        return
    _require_published(layout)
    with _made(layout, settings, progress) as batch:
        batch.con.execute("checkpoint")
        batch.con.close()
        set_aside(layout.warehouse, aside)
        batch.layout.warehouse.replace(layout.warehouse)


@contextmanager
def _made(layout: Layout, settings: Settings, progress: Progress) -> Iterator[Batch]:
    """Yield a batch in a folder of its own, with all that landed, and remove that in the end.

    It is held against what was published and closed.
    """
    making = layout.rebuilding
    shutil.rmtree(making.root, ignore_errors=True)
    making.root.mkdir()
    try:
        with open_warehouse(making) as con:
            batch = Batch(settings, making, con, progress)
            load_all(con, layout, progress)
            _require_the_same_files(con, layout)
            require_known(batch.books, _published(layout, f"{CLOSINGS} audit.closings"))
            _record_publications(con, layout)
            yield batch
    finally:
        shutil.rmtree(making.root, ignore_errors=True)


def _require_published(layout: Layout) -> None:
    """Raise AnalyticsError if the published file is damaged, as its hashes verify a rebuild."""
    if not layout.published.exists():
        return
    try:
        with open_marts(layout.published) as con:
            read_whole(con, BUILD_FILE)
    except (duckdb.Error, DamagedError) as error:
        raise AnalyticsError(
            f"{layout.published} cannot be read: {str(error).splitlines()[0]}\n"
            "Nothing was made anew, as what was landed cannot be held against what it published. To"
            f" go on without that, move {layout.batches} away and run again."
        ) from error


def load_all(con: duckdb.DuckDBPyConnection, layout: Layout, progress: Progress) -> None:
    """Load every complete batch of the landing folder into an empty warehouse."""
    with progress.stage("load") as done:
        load_count = record_count = 0
        for workspace in folders_in(layout.landing):
            if ahead := loads_ahead(workspace):
                raise of_the_future(ahead[0])
            folders, left = _whole_batches(workspace)
            if left:
                progress.say(
                    f"{workspace.name}: {left} loads of no whole batch are left to the next"
                )
            if not folders:
                continue
            progress.begin(f"{workspace.name}: loading {len(folders):,} loads", len(folders))
            store = WarehouseStore(con, workspace.name)
            store.begin(api=None, api_key_env=None)
            for folder in folders:
                with load_errors(folder, _ADVICE):
                    con.begin()
                    record_count += store.load(folder).record_count
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


def _has_whole_batches(layout: Layout) -> bool:
    return any(_whole_batches(each)[0] for each in folders_in(layout.landing))


def _whole_batches(workspace: Path) -> tuple[list[Path], int]:
    """Return the loads of complete batches, in order, and the number of later loads."""
    folders = landed_loads(workspace)
    closing = [index for index, each in enumerate(folders) if step_of(each.name) == CLOSING_STEP]
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
            f" were; or, to go without them, move {layout.batches} away and run again: closed"
            " months that rest on them stay as the books have them, for good."
        )


def _record_publications(con: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    """Restore when each load was first loaded, by which release, and when it was published.

    The published file has that, but of the last batch when it was published; the records of
    publications have this too. Without either, each batch counts as published when it was loaded.
    """
    loads = [*_published(layout, f"{_LOADS}, coalesce(published_at, now()) from audit.loads")]
    _restore(con, loads)
    if not loads:
        con.execute("update ledger.loads set published_at = loaded_at")
    restore_publications(con, layout, moments_on_record(layout), loads_aside(layout.landing))


def _restore(con: duckdb.DuckDBPyConnection, loads: Sequence[tuple[Any, ...]]) -> None:
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
    if not layout.published.exists():
        return
    with open_marts(layout.published) as con:
        try:
            yield from con.execute(query).fetchall()
        except (duckdb.CatalogException, duckdb.BinderException):
            return
