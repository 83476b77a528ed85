"""The states of a shard in the storage: numbered generations, of which the newest is the head.

    shards/<shard>/log/<number>.json                     a generation, and how its batch ended
    shards/<shard>/files/<number>-<token>/<name>         the files that a generation brought
    shards/<shard>/landing/<workspace_id>/<load_id>.tar  a load, as it was landed

A generation begins with its record, which is created only if there is none of its number. So of two
tasks that began with the same head one becomes the next, and what is killed before leaves the head
as it was. Loads are written before: what a task read is not lost where the rest could not be
written, since the next one loads what it finds beyond the head.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from analytics.errors import AnalyticsError
from analytics.fleet.store import Store

PUBLISHED = "analytics.duckdb"
SITE = "site.tar.zst"

_NO_LOADS: Mapping[str, str] = MappingProxyType({})


class StoredFile(msgspec.Struct, frozen=True):
    """A file of a generation: its object, and its SHA-256."""

    path: str
    sha256: str


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """A state of a shard, and how the batch that made it ended.

    `workspaces` has the name of each workspace that was read, and `loads` the newest load of each
    that its warehouse holds, both by identifier.
    """

    number: int
    ended_at: datetime
    code_version: str
    exit_code: int
    messages: list[str]
    seconds: dict[str, float]
    workspaces: dict[str, str]
    loads: dict[str, str]
    files: dict[str, StoredFile]

    @property
    def failure(self) -> str | None:
        """The first message of a batch that failed, and how many more; None if it ended well."""
        if not self.exit_code or not self.messages:
            return None
        first, *others = self.messages
        return f"{first} (and {len(others):,} more)" if others else first


def head(store: Store, shard: str) -> Generation | None:
    """Return the newest generation of a shard; None before its first."""
    records = [*store.names(f"{_log(shard)}/")]
    return _read(store, records[-1]) if records else None


def become_head(store: Store, shard: str, generation: Generation) -> bool:
    """Make a generation the head; return False if another one has its number."""
    path = f"{_log(shard)}/{generation.number:010}.json"
    content = msgspec.json.encode(generation)
    # An answer may be lost: asked again, the store refuses what it has taken from this very task.
    return store.commit(path, content) or store.read(path) == content


def forget_before(store: Store, shard: str, newest: Generation, keep: timedelta) -> None:
    """Delete generations that ended so long before the newest, and files that none has.

    Those of a task that is still at work belong to none yet: its folder has the next number.
    """
    records = [*store.names(f"{_log(shard)}/")]
    kept, gone = [newest], []
    for record in records[:-1]:
        generation = _read(store, record)
        if generation.ended_at < newest.ended_at - keep:
            gone.append(record)
        else:
            kept.append(generation)
    store.delete(gone)
    used = {file.path for generation in kept for file in generation.files.values()}
    left = [
        path
        for path in store.names(f"{files_of(shard)}/")
        if path not in used and _number(path, shard) <= newest.number
    ]
    store.delete(left)


def files_of(shard: str) -> str:
    """Return the prefix of a shard's files."""
    return f"shards/{shard}/files"


def landing_of(shard: str) -> str:
    """Return the prefix of a shard's loads."""
    return f"shards/{shard}/landing"


def load_object(shard: str, workspace: str, load: str) -> str:
    """Return the name of the object that holds a load; those of a workspace sort as its loads."""
    return f"{landing_of(shard)}/{workspace}/{load}.tar"


def loads_in(
    store: Store, shard: str, after: Mapping[str, str] = _NO_LOADS
) -> dict[str, tuple[str, str]]:
    """Return workspace and identifier of each load that was written, by the name of its object.

    Of the workspaces in `after`, only of loads after that one, which costs one request however many
    there are before it.
    """
    found = {}
    for folder in store.folders(f"{landing_of(shard)}/"):
        workspace = folder.rpartition("/")[2]
        newest = after.get(workspace)
        known = load_object(shard, workspace, newest) if newest else ""
        for name in store.names(f"{folder}/", known):
            found[name] = workspace, name.rpartition("/")[2].removesuffix(".tar")
    return found


def _log(shard: str) -> str:
    return f"shards/{shard}/log"


def _number(path: str, shard: str) -> int:
    return int(path.removeprefix(f"{files_of(shard)}/").partition("-")[0])


def _read(store: Store, path: str) -> Generation:
    try:
        return msgspec.json.decode(store.require(path), type=Generation)
    except msgspec.DecodeError as error:
        raise AnalyticsError(
            f"{store.url}/{path} is not what a batch wrote: {error}.\n"
            "Delete it, so that the shard goes on from the generation before."
        ) from error
