"""The files of a shard, between its data directory and the storage.

A batch needs the databases, the site and the small state, and of what was landed only loads that no
generation has yet. All of these are verified by their SHA-256; what did not change is not written
again.
"""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NoReturn
from uuid import uuid4

import duckdb
import zstandard

from analytics import __version__
from analytics.batch.last_batch import read_last_batch
from analytics.errors import AnalyticsError, BusyError
from analytics.extract.loads import folders_in, landed_loads
from analytics.files import hash_file
from analytics.fleet.generations import (
    PUBLISHED,
    SITE,
    Generation,
    StoredFile,
    become_head,
    files_of,
    load_object,
    loads_in,
)
from analytics.fleet.store import Store, StoreError
from analytics.warehouse.database import OFFLINE, attach_read_only
from analytics.warehouse.layout import Layout

_STATE = "state.tar.zst"


def fetch_later_loads(store: Store, shard: str, generation: Generation, layout: Layout) -> None:
    """Fetch the loads that the warehouse of a generation does not hold."""
    for workspace, load in generation.loads.items():
        # The folder alone: later loads sort after it, also where a clock went back.
        (layout.landing / workspace / load).mkdir(parents=True)
    for name, (workspace, load) in loads_in(store, shard, generation.loads).items():
        _fetch_load(store, name, layout.landing / workspace / load)


def fetch_all_loads(store: Store, shard: str, layout: Layout) -> None:
    """Fetch all that was landed."""
    for name, (workspace, load) in loads_in(store, shard).items():
        _fetch_load(store, name, layout.landing / workspace / load)


def fetch_files(store: Store, generation: Generation, layout: Layout) -> bool:
    """Fetch all files of a generation into their places; False if one is gone, or damaged."""
    layout.root.mkdir(parents=True, exist_ok=True)
    whole = all(_fetch_into_place(store, each, layout) for each in generation.files.items())
    if whole and layout.published.exists() and not layout.marts.exists():
        shutil.copyfile(layout.published, layout.marts)  # as they are after each publication
    return whole


def fetch_state(store: Store, generation: Generation, layout: Layout) -> None:
    """Fetch what cannot be made anew: books and publications; AnalyticsError if it is damaged."""
    state = generation.files.get(_STATE)
    layout.root.mkdir(parents=True, exist_ok=True)
    if state and not _fetch_into_place(store, (_STATE, state), layout):
        raise AnalyticsError(
            f"{store.url}/{state.path} is gone or damaged, which holds the books of the shard.\n"
            "Put it back from a backup of the storage."
        )


def fetch_file(store: Store, file: StoredFile, target: Path) -> bool:
    """Fetch a file of a generation to a new path; return False if it is gone, or damaged."""
    try:
        store.fetch(file.path, target)
    except StoreError:
        if file.path in store.names(file.path.rpartition("/")[0]):
            raise
        return False
    return hash_file(target, target.parent) == file.sha256


def unpack(archive: Path, target: Path) -> None:
    """Unpack a compressed archive of a generation into a folder."""
    with (
        archive.open("rb") as raw,
        zstandard.ZstdDecompressor().stream_reader(raw) as stream,
        tarfile.open(fileobj=stream, mode="r|") as files,
    ):
        files.extractall(target, filter="data")


def put_back(
    store: Store, shard: str, before: Generation | None, layout: Layout, started_at: datetime
) -> Generation:
    """Write what changed since `before`, then the record that makes it the head.

    BusyError if another task did so meanwhile; then nothing of this one is left.
    """
    brought = _put_loads(store, shard, layout)
    number = before.number + 1 if before else 1
    prefix = f"{files_of(shard)}/{number}-{uuid4().hex[:12]}"
    files = _put_files(store, before.files if before else {}, layout, prefix)
    batch = read_last_batch(layout)
    if batch is None or batch.ended_at < started_at:
        raise AnalyticsError(f"The batch of {shard} has left no record; nothing was put back.")
    workspaces, loads = _read_ledger(layout)
    generation = Generation(
        number=number,
        ended_at=datetime.now(UTC),
        code_version=__version__,
        exit_code=batch.exit_code,
        messages=batch.messages,
        seconds=batch.seconds,
        workspaces=workspaces,
        loads=loads,
        files=files,
    )
    if not become_head(store, shard, generation):
        own = (file.path for file in files.values() if file.path.startswith(prefix))
        _give_way(store, shard, [*brought, *own])
    return generation


def _put_loads(store: Store, shard: str, layout: Layout) -> list[str]:
    """Write each load that the storage has not; return the names of their objects."""
    brought: list[str] = []
    for folder in folders_in(layout.landing):
        for load in landed_loads(folder):
            name = load_object(shard, folder.name, load.name)
            packed = io.BytesIO()
            _pack(packed, load, [each.name for each in load.iterdir()])
            content = packed.getvalue()
            if store.create(name, content):
                brought.append(name)
            elif store.read(name) != content:  # began within the same second
                _give_way(store, shard, brought)
    return brought


def _give_way(store: Store, shard: str, brought: Sequence[str]) -> NoReturn:
    """Delete what this task has brought, and raise BusyError."""
    store.delete(brought)
    raise BusyError(
        f"Another task has brought the shard {shard} on meanwhile.\n"
        "What it published stands; this batch is dropped."
    )


def _put_files(
    store: Store, known: dict[str, StoredFile], layout: Layout, prefix: str
) -> dict[str, StoredFile]:
    """Write the files of a data directory that are not known; return all of them."""
    files: dict[str, StoredFile] = {}
    state = (layout.books, layout.publications, layout.alerts, layout.last_batch)
    with tempfile.TemporaryDirectory(prefix="analytics-") as name:
        archives = Path(name)
        _pack_compressed(archives / SITE, layout.root, [layout.site.name])
        _pack_compressed(archives / _STATE, layout.root, [each.name for each in state])
        paths = (layout.warehouse, layout.published, layout.marts, *sorted(archives.iterdir()))
        for path in filter(Path.exists, paths):
            digest = hash_file(path, path.parent)
            published = files.get(PUBLISHED)
            if path == layout.marts and published and published.sha256 == digest:
                continue
            same = known.get(path.name)
            if same is None or same.sha256 != digest:
                same = StoredFile(f"{prefix}/{path.name}", digest)
                store.put(same.path, path)
            files[path.name] = same
    return files


def _read_ledger(layout: Layout) -> tuple[dict[str, str], dict[str, str]]:
    """Return the names of the workspaces in the warehouse, and the newest load of each."""
    with duckdb.connect(config=OFFLINE) as con:
        attach_read_only(con, layout.warehouse, "warehouse")
        names = con.execute(
            "select workspace_id, coalesce(workspace_name, workspace_id)"
            " from warehouse.ledger.workspaces"
        ).fetchall()
        loads = con.execute(
            "select workspace_id, max(load_id) from warehouse.ledger.loads group by all"
        ).fetchall()
    return dict(names), dict(loads)


def _fetch_into_place(store: Store, named: tuple[str, StoredFile], layout: Layout) -> bool:
    name, file = named
    target = layout.root / name
    if not fetch_file(store, file, target):
        return False
    if target.suffix == ".zst":
        unpack(target, layout.root)
        target.unlink()
    return True


def _fetch_load(store: Store, name: str, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(store.require(name))) as files:
        files.extractall(folder, filter="data")


def _pack_compressed(archive: Path, root: Path, names: Iterable[str]) -> None:
    """Pack files and folders, as far as they are there, into a compressed archive."""
    with (
        archive.open("wb") as raw,
        zstandard.ZstdCompressor(level=3).stream_writer(raw) as stream,
    ):
        _pack(stream, root, [each for each in names if (root / each).exists()])


def _pack(stream: IO[bytes], root: Path, names: Iterable[str]) -> None:
    """Pack files and folders of `root`; the same content gives the same bytes."""
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as files:
        for name in sorted(names):
            files.add(root / name, name, filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member
