"""The publication of a fleet: tables for other engines, the site, and one DuckDB file of all.

    <folder>/published/tables/<mart>/       a Delta Lake table of each mart, here or in a bucket
    <folder>/published/site/                the overview; below shards/<shard>/ the sites of shards
    <folder>/published/analytics.duckdb     all marts in one file, up to a size
    <folder>/published/merge.json           the last merge, and the digests of what it published

Each table is one commit, file and site are replaced at once as by a batch, and the record comes
last: what a merge that was killed has left undone is done by the next one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import duckdb
import msgspec

from analytics import __version__, files
from analytics.batch.last_batch import LastBatch, read_last_batch
from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError, UsageError, extra_needed
from analytics.files import hash_file
from analytics.fleet.merged_file import Partition, merge_files
from analytics.fleet.settings import Fleet
from analytics.format.numbers import plural
from analytics.report.files import MANIFEST, Manifest
from analytics.report.rendering import About
from analytics.terminal import tracked
from analytics.warehouse.database import attach_read_only, spilling
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from analytics.warehouse.memory import bytes_of, limit_process
from analytics.warehouse.publish import publish
from analytics.warehouse.scratch import scratch_folder

_MERGED = "merged"
_VACUUM = 10
"""One of so many merges removes old files of tables: to list them takes as long as to publish."""

_KEPT = timedelta(days=2)
"""Files of tables stay so long after a merge replaced them, for readers of earlier versions."""


Published: TypeAlias = dict[str, list[tuple[Partition, str]]]
"""The partitions of each table, with their digests."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A merge that ended: what it published of each shard, and the digests of all partitions.

    `shards` are the times of the files that it merged; `digests` are none while a later merge
    writes `tables`.
    """

    number: int
    ended_at: datetime
    shards: dict[str, int]
    tables: str
    digests: Published


@dataclass
class _Work:
    """A merge at work: the published files of shards, as they were when it began."""

    fleet: Fleet
    layout: Layout
    folder: Path
    before: Record | None
    batches: dict[str, LastBatch | None]
    files: dict[str, Path] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def merged(self) -> Path:
        return self.folder / "merged.duckdb"

    @property
    def site(self) -> Path:
        return self.layout.staged_site

    @property
    def number(self) -> int:
        return self.before.number + 1 if self.before else 1

    @property
    def without(self) -> list[str]:
        """The shards with figures that are in no merged figure, in words, if there are any."""
        names = ", ".join(self.left_out)
        return [f"{names}, whose figures are of another release"] if names else []


def merge(fleet: Fleet, progress: Progress) -> list[str]:
    """Publish what all shards have published; return in words the shards that it is without.

    AnalyticsError if nothing can be published; BusyError if another merge is at work.
    """
    limit_process(fleet.batch.batch.memory_limit)
    layout, mode = Layout(fleet.published), int(fleet.batch.publish.mode, 8)
    os.umask(0o777 & ~files.folder_mode(mode))
    with batch_lock(layout), scratch_folder(layout.root) as folder:
        if folder is None:
            raise UsageError(f"{layout.root} cannot be written.\nLet the merge write there.")
        batches = {shard: read_last_batch(fleet.layout(shard)) for shard in fleet.shards}
        work = _Work(fleet, layout, folder, read_record(fleet), batches)
        _take_shards(work)
        if not work.files:
            raise AnalyticsError(
                "No shard has published figures yet.\nRun `analytics fleet nightly` first."
            )
        _merge_marts(work, progress)
        digests = _publish_tables(work, progress)
        _stage_site(work, progress)
        _publish(work, mode, progress)
        _write_record(
            fleet,
            Record(
                number=work.number,
                ended_at=datetime.now(UTC),
                shards=work.times,
                tables=fleet.tables,
                digests=digests,
            ),
        )
    missing = ", ".join(shard for shard in fleet.shards if shard not in work.files)
    return [f"{missing}, which never had figures", *work.without] if missing else work.without


def read_record(fleet: Fleet) -> Record | None:
    """Return the last merge that ended; None if there is none, or it is of another release."""
    try:
        return msgspec.json.decode(_record_file(fleet).read_bytes(), type=Record)
    except (FileNotFoundError, UnicodeDecodeError, msgspec.DecodeError):
        return None


def _write_record(fleet: Fleet, record: Record) -> None:
    files.replace(_record_file(fleet), msgspec.json.encode(record))


def _record_file(fleet: Fleet) -> Path:
    return fleet.published / "merge.json"


def _take_shards(work: _Work) -> None:
    """Give file and site of each shard a second name, so that its batches may go on meanwhile."""
    for shard in work.fleet.shards:
        layout = work.fleet.layout(shard)
        file, site = work.folder / f"{shard}.duckdb", work.site / "shards" / shard
        for is_last in (False, True):
            try:
                if layout.published_file.exists():
                    work.times[shard] = layout.published_file.stat().st_mtime_ns
                    files.link_or_copy(files.real(layout.published_file), file)
                    work.files[shard] = file
                if work.fleet.publish.site and layout.site.exists():
                    shutil.copytree(
                        files.real(layout.site),
                        site,
                        copy_function=files.link_or_copy,
                        ignore=shutil.ignore_patterns(MANIFEST),  # one is of all
                    )
                break
            except FileNotFoundError:  # a batch published just now
                if is_last:
                    raise
                files.remove(file)
                files.remove(site)


def _merge_marts(work: _Work, progress: Progress) -> None:
    """Merge the published files of all shards into one."""
    with progress.stage("merge") as done:
        project = work.fleet.batch.project
        made = merge_files(work.files, work.batches, work.merged, project)
        work.left_out = made.left_out
        for problem in made.problems:
            progress.warn(f"not used: {problem}")
        done(
            f"merged the marts of {plural(len(work.files), 'shard')} into"
            f" {work.merged.stat().st_size / 1e6:,.0f} MB",
            shard_count=len(work.files),
        )


def _publish_tables(work: _Work, progress: Progress) -> Published:
    """Commit the partitions of each mart that changed; return the digests of all partitions."""
    with extra_needed("A fleet", "fleet"):
        from analytics.fleet import delta
    tables = delta.Tables(work.fleet.tables)
    known: Published = {}
    if work.before:
        if work.before.tables == tables.url:
            known = work.before.digests
        # Of a merge that is killed from now on nobody knows which tables it wrote.
        _write_record(work.fleet, msgspec.structs.replace(work.before, digests={}))
    made: Published = {}
    with progress.stage("tables") as done, _opened(work.merged) as con:
        found = con.execute(
            "select table_name from duckdb_tables()"
            " where database_name = ? and schema_name = 'marts' order by table_name",
            [_MERGED],
        ).fetchall()
        names = [name for (name,) in found]
        partition_count = 0
        for name in tracked(names, progress.part, str):
            rows = f"select * from {_MERGED}.marts.{name}"
            mart = delta.read_mart(con, name, _MERGED, rows)
            new = delta.digests(con, mart, rows)
            old = dict(known.get(name, []))
            partition_count += delta.replace_changed(con, tables, mart, rows, old=old, new=new)
            made[name] = [*new.items()]
            if work.number % _VACUUM == 0:
                delta.vacuum(tables, name, _KEPT)
        done(
            f"published {plural(partition_count, 'partition')} of {len(names)} tables",
            partition_count=partition_count,
        )
    return made


def _stage_site(work: _Work, progress: Progress) -> None:
    """Make the overview beside the sites of shards, if `site` in the settings says so."""
    from analytics.fleet.overview import write_overview

    if not work.fleet.publish.site:
        return
    with progress.stage("site") as done:
        with _opened(work.merged) as con:
            con.execute(f"use {_MERGED}")
            ((as_of,),) = con.execute(
                "select max(last_batch_at) from marts.dim_workspaces"
            ).fetchall()
            about = About(
                as_of or datetime.now(UTC),
                __version__,
                work.fleet.batch.reporting.timezone,
                [f"these figures are without {shards}." for shards in work.without],
            )
            write_overview(con, work.site, about=about)
        files = {
            str(path.relative_to(work.site)): hash_file(path, work.site)
            for path in sorted(work.site.rglob("*"))
            if path.is_file()
        }
        manifest = Manifest(files=files)
        (work.site / MANIFEST).write_bytes(msgspec.json.encode(manifest))
        done(f"made {plural(len(files), 'file')} of the site", file_count=len(files))


def _publish(work: _Work, mode: int, progress: Progress) -> None:
    """Publish the site, and the merged file if it is not too large."""
    with progress.stage("publish") as done:
        layout, size = work.layout, work.merged.stat().st_size
        layout.staged.mkdir(exist_ok=True)
        if size <= bytes_of(work.fleet.publish.duckdb_limit):
            work.merged.rename(layout.staged_file)
        else:
            progress.warn(
                f"no {work.layout.published_file.name} of all shards: it would have"
                f" {size / 1e9:,.1f} GB, which is more than duckdb_limit in [publish]; there are"
                " the tables, and the files of the shards"
            )
        publish(layout, datetime.now(UTC), mode)
        done(f"published to {layout.root}")


@contextmanager
def _opened(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the merged file read-only as catalog `merged`."""
    with spilling(file.parent) as con:
        con.execute("set TimeZone = 'UTC'")
        attach_read_only(con, file, _MERGED)
        yield con
