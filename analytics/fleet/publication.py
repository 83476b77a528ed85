"""The publication of a fleet: tables for other engines, the site, and one DuckDB file of all.

    <publish>/merges/                      which merges began and ended
    <publish>/tables/<mart>/               a Delta Lake table of each mart
    <publish>/site/                        the overview; below shards/<shard>/ the sites of shards
    <publish>/analytics.duckdb             all marts in one file, up to a size
    <publish>/shards/<shard>.duckdb        the published file of each shard

Each table is one commit, each file is replaced whole, and the record comes last: what a merge that
was killed has left undone is done by the next one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import msgspec

from analytics import __version__
from analytics.batch.progress import Progress
from analytics.disk import folder_mode
from analytics.errors import AnalyticsError, extra_needed
from analytics.files import hash_file
from analytics.fleet import alerts
from analytics.fleet.generations import PUBLISHED, SITE, Generation, head
from analytics.fleet.merge import merge_files
from analytics.fleet.merges import Merge, Record, begin, last_record
from analytics.fleet.settings import Fleet
from analytics.fleet.store import Store
from analytics.fleet.tasks import scratch
from analytics.fleet.transfer import fetch_file, unpack
from analytics.format.numbers import plural
from analytics.report.rendering import About
from analytics.warehouse.confined import bytes_of
from analytics.warehouse.database import attach_read_only, spilling
from analytics.warehouse.machine import limit_process
from analytics.warehouse.site import MANIFEST, Manifest

_MERGED = "merged"
_FILE = re.compile(r"shards/[^/]+\.duckdb")
"""A shard's published file: where the storage is published to, its own files lie deeper."""


@dataclass
class _Work:
    """A merge at work."""

    fleet: Fleet
    storage: Store
    folder: Path
    merge: Merge
    heads: dict[str, Generation]
    left_out: list[str] = field(default_factory=list)

    @property
    def merged(self) -> Path:
        return self.folder / "merged.duckdb"

    @property
    def without(self) -> list[str]:
        """The shards with figures that are in no merged figure, in words, if there are any."""
        names = ", ".join(self.left_out)
        return [f"{names}, whose figures are of another release"] if names else []


def read_heads(fleet: Fleet) -> dict[str, Generation | None]:
    """Return the newest generation of each shard; None before its first."""
    storage = Store(fleet.storage)
    return {shard: head(storage, shard) for shard in fleet.shards}


def merge(fleet: Fleet, progress: Progress) -> list[str]:
    """Publish what all shards have published; return in words the shards that it is without.

    AnalyticsError if nothing can be published, or another merge is at work: each table and file is
    then as it was, or of this merge.
    """
    limit_process(fleet.batch.batch)
    os.umask(0o777 & ~folder_mode(int(fleet.batch.publish.mode, 8)))
    with scratch("merge") as folder:
        at_work = begin(Store(fleet.publish.url))
        heads = read_heads(fleet)  # after it began: of two merges the later one has the newer ones
        work = _Work(
            fleet,
            Store(fleet.storage),
            folder,
            at_work,
            {shard: each for shard, each in heads.items() if each and PUBLISHED in each.files},
        )
        if not work.heads:
            raise AnalyticsError(
                "No shard has published figures yet.\nRun `analytics fleet nightly` first."
            )
        _merge_marts(work, heads, progress)
        at_work.require_latest()
        digests = _publish_tables(work, progress)
        sites = _publish_sites(work, progress)
        _publish_files(work, progress)
        at_work.end(
            Record(
                number=at_work.number,
                ended_at=datetime.now(UTC),
                code_version=__version__,
                is_alone=at_work.is_alone,
                shards={shard: each.number for shard, each in work.heads.items()},
                sites=sites,
                digests=digests,
            )
        )
        if not work.left_out:  # else what alerts do not find may be there
            alerts.send(work.merged, at_work, fleet.batch, progress)
    missing = ", ".join(shard for shard in heads if shard not in work.heads)
    return [f"{missing}, which never had figures", *work.without] if missing else work.without


def read_record(fleet: Fleet) -> Record | None:
    """Return the last merge that ended, if there is one."""
    return last_record(Store(fleet.publish.url))


def _merge_marts(work: _Work, heads: Mapping[str, Generation | None], progress: Progress) -> None:
    """Fetch the published files of all shards, and merge them into one."""
    with progress.stage("fetch") as done:
        files = {}
        for number, (shard, generation) in enumerate(work.heads.items(), start=1):
            progress.part(number, len(work.heads), shard)
            files[shard] = work.folder / f"{shard}.duckdb"
            if not fetch_file(work.storage, generation.files[PUBLISHED], files[shard]):
                raise AnalyticsError(
                    f"The published file of {shard} is gone or damaged in {work.storage.url}.\n"
                    "Nothing was published. The next batch of the shard makes it anew: run"
                    f" `analytics fleet nightly --shard {shard}`, then merge again."
                )
        size = sum(file.stat().st_size for file in files.values())
        done(
            f"fetched {plural(len(files), 'shard')}, {size / 1e6:,.0f} MB",
            shard_count=len(files),
        )
    with progress.stage("merge") as done:
        made = merge_files(files, heads, work.merged, work.fleet.batch.project)
        work.left_out = made.left_out
        for problem in made.problems:
            progress.warn(f"not used: {problem}")
        done(f"merged their marts into {work.merged.stat().st_size / 1e6:,.0f} MB")
    alerts.ask(work.merged, work.fleet.batch, made.problems, progress)


def _publish_tables(
    work: _Work, progress: Progress
) -> dict[str, list[tuple[str, str | None, str]]]:
    """Commit the partitions of each mart that changed; return the digests of all partitions."""
    with extra_needed("A fleet", "fleet"):
        from analytics.fleet import delta
    tables = delta.Tables(f"{work.merge.target.url}/tables")
    known = work.merge.before.digests if work.merge.before else {}
    made: dict[str, list[tuple[str, str | None, str]]] = {}
    with progress.stage("tables") as done, _opened(work.merged) as con:
        names = [
            name
            for (name,) in con.execute(
                "select table_name from duckdb_tables()"
                " where database_name = ? and schema_name = 'marts' order by table_name",
                [_MERGED],
            ).fetchall()
        ]
        partition_count = 0
        for number, name in enumerate(names, start=1):
            progress.part(number, len(names), name)
            rows = f"select * from {_MERGED}.marts.{name}"
            mart = delta.read_mart(con, name, _MERGED, rows)
            new = delta.digests(con, mart, rows)
            old = {
                delta.Partition(workspace_id, date.fromisoformat(month) if month else None): digest
                for workspace_id, month, digest in known.get(name, [])
            }
            partition_count += delta.publish(
                con, tables, mart, rows, merge=work.merge.number, old=old, new=new
            )
            made[name] = [
                (each.workspace_id, each.month.isoformat() if each.month else None, digest)
                for each, digest in new.items()
            ]
            if work.merge.number % _VACUUM == 0:
                delta.vacuum(tables, name, timedelta(days=work.fleet.keep_days))
        done(
            f"published {plural(partition_count, 'partition')} of {len(names)} tables",
            partition_count=partition_count,
        )
    return made


_VACUUM = 10
"""One of so many merges removes old files of tables: to list them takes as long as to publish."""


def _publish_sites(work: _Work, progress: Progress) -> dict[str, str]:
    """Publish the overview and the sites of shards, as far as they changed; return their hashes."""
    from analytics.fleet.overview import write_overview

    if not work.fleet.publish.site:  # its figures would be older than those of the file
        names = work.merge.target.names("site/")
        work.merge.delete([*names] if f"site/{MANIFEST}" in names else [])
        return {}
    known = work.merge.before.sites if work.merge.before else {}
    sites, written = {}, 0
    with progress.stage("site") as done:
        for number, (shard, generation) in enumerate(work.heads.items(), start=1):
            progress.part(number, len(work.heads), shard)
            if (archive := generation.files.get(SITE)) is None:
                continue
            sites[shard] = archive.sha256
            if known.get(shard) == archive.sha256:
                continue
            folder = work.folder / "sites" / shard
            folder.mkdir(parents=True)
            if not fetch_file(work.storage, archive, folder / SITE):
                raise AnalyticsError(
                    f"The site of {shard} is gone or damaged in {work.storage.url}.\nRun"
                    f" `analytics fleet nightly --shard {shard}`, which makes it anew, and merge."
                )
            unpack(folder / SITE, folder)
            written += _put_site(work.merge, f"site/shards/{shard}", folder / "site")
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
            own = work.folder / "overview"
            own.mkdir()
            write_overview(con, own, about=about)
        written += _put_site(work.merge, "site", own)
        for left in work.merge.target.folders("site/shards/"):
            if left.rpartition("/")[2] not in sites:
                work.merge.delete([*work.merge.target.names(f"{left}/")])
        done(
            f"published {plural(written, 'file')} of the site",
            file_count=written,
        )
    return sites


def _put_site(merge: Merge, prefix: str, folder: Path) -> int:
    """Write the files of a folder that differ from those that a manifest has, that one last.

    All of them if what lies there may be of another merge. Return their number.
    """
    before = _read_manifest(merge.target, f"{prefix}/{MANIFEST}")
    known = before.files if merge.before else {}
    now = {
        str(path.relative_to(folder)): hash_file(path, folder)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    changed = [name for name, digest in now.items() if known.get(name) != digest]
    for name in changed:
        merge.put(f"{prefix}/{name}", folder / name)
    own = folder / MANIFEST
    merge.put(
        f"{prefix}/{MANIFEST}",
        own.read_bytes() if own.exists() else msgspec.json.encode(Manifest(files=now)),
    )
    merge.delete([f"{prefix}/{name}" for name in before.files.keys() - now.keys()])
    return len(changed)


def _read_manifest(target: Store, path: str) -> Manifest:
    try:
        return msgspec.json.decode(target.read(path) or b"{}", type=Manifest)
    except msgspec.DecodeError:
        return Manifest()


def _publish_files(work: _Work, progress: Progress) -> None:
    """Publish the file of each shard that changed, and one of all if it is not too large."""
    known = work.merge.before.shards if work.merge.before else {}
    with progress.stage("publish") as done:
        for shard, generation in work.heads.items():
            if known.get(shard) != generation.number:
                work.merge.put(f"shards/{shard}.duckdb", work.folder / f"{shard}.duckdb")
        files = {f"shards/{shard}.duckdb" for shard in work.heads}
        there = filter(_FILE.fullmatch, work.merge.target.names("shards/"))
        gone = [name for name in there if name not in files]
        size = work.merged.stat().st_size
        if size <= bytes_of(work.fleet.publish.duckdb_limit):
            work.merge.put(PUBLISHED, work.merged)
        else:
            gone.append(PUBLISHED)
            progress.warn(
                f"no {PUBLISHED} of all shards: it would have {size / 1e9:,.1f} GB, which is more"
                " than duckdb_limit in [publish]; there are the tables, and a file for each shard"
            )
        work.merge.delete(gone)
        done(f"published to {work.merge.target.url}")


@contextmanager
def _opened(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the merged file read-only as catalog `merged`."""
    with spilling(file.parent) as con:
        con.execute("set TimeZone = 'UTC'")
        attach_read_only(con, file, _MERGED)
        yield con
