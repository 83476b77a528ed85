"""Rebuild: all is made anew from landing files and books alone, and published or compared."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import duckdb

from analytics.batch import stages
from analytics.batch.batch import Batch, interrupts
from analytics.batch.healing import LOADS, made, require_published, restore
from analytics.batch.last_batch import last_messages
from analytics.batch.progress import Progress
from analytics.batch.readiness import kept_months
from analytics.batch.transform import transform
from analytics.errors import AnalyticsError
from analytics.files import folder
from analytics.settings import Settings, require_timezone
from analytics.transform.build import all_models
from analytics.transform.build_state import Contents, recorded_contents
from analytics.transform.models import PUBLISHED, Model, in_order
from analytics.warehouse.damage import DamagedError, remove_database
from analytics.warehouse.database import (
    BUILD_FILE,
    attached,
    attached_marts,
    marts_beside,
    open_warehouse,
)
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from analytics.warehouse.publish import tidy


def rebuild(settings: Settings, progress: Progress, *, force: bool = False) -> None:
    """Load every complete batch again, build, check and publish; replace files only at the end.

    AnalyticsError names a folder that cannot be loaded; ControlError names landing files that
    differ from the published ones, or a failed check.
    """
    with _at_work(settings, progress) as batch:
        layout = batch.layout
        with made(batch) as new:
            new.force, new.warnings = force, last_messages(layout)
            stages.make(new)
            with marts_beside(new.con, new.layout.marts) as marts:
                kept = kept_months(marts)
            for month, workspace in kept:
                progress.warn(
                    f"{month:%Y-%m} of {workspace} is closed, and loads that it rests on are gone:"
                    " it stays as the books have it, and is no longer held against what was landed"
                )
            new.con.execute("checkpoint")
            new.con.close()
            # What is published stands in its place.
            remove_database(layout.warehouse)
            remove_database(layout.marts)
            new.layout.warehouse.replace(layout.warehouse)
            new.layout.marts.replace(layout.marts)
            new.layout.staged.replace(layout.staged)
        with open_warehouse(layout) as batch.con:
            stages.publish(batch)
        tidy(layout)  # what was published before may be what is to be forgotten


def verify(settings: Settings, progress: Progress) -> None:
    """Hold what batches brought up to date against a build from landing files and books alone.

    AnalyticsError names the first row that differs. Nothing is published.
    """
    with _at_work(settings, progress) as batch:
        with batch.opened():
            transform(batch, even_small=True)
            kept = recorded_contents(batch.con)
            unpublished = batch.con.execute(
                f"{LOADS}, null from ledger.loads where published_at is null"
            ).fetchall()
        with made(batch) as new:
            restore(new.con, unpublished)
            transform(new)
            with (
                attached_marts(new.con, new.layout.marts),
                attached(new.con, batch.layout.marts, "updated"),
            ):
                difference = _first_difference(new.con, kept)
        if difference:
            raise AnalyticsError(
                f"What batches brought up to date differs from a rebuild: {difference}.\n"
                "Run `analytics rebuild`, which replaces it, and report this."
            )
        progress.say("each row is that of a rebuild")


def _first_difference(
    con: duckdb.DuckDBPyConnection, contents: Mapping[str, Contents]
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
        if model.layer in PUBLISHED and (row := _differing_row(con, model)):
            return f"{name}: {row}"
    return None


def _differing_row(con: duckdb.DuckDBPyConnection, model: Model) -> str:
    one, other = f"updated.{model.relation}", f"{BUILD_FILE}.{model.relation}"
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
def _at_work(settings: Settings, progress: Progress) -> Iterator[Batch]:
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
        require_published(layout)
        yield Batch(settings, layout, progress)
