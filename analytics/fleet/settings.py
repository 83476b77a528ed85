"""The settings of a fleet: `fleet.toml`, and for each batch the settings file beside it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from pydantic import AfterValidator, Field, model_validator

from analytics.errors import UsageError
from analytics.settings import (
    CONFIG_FILE,
    Settings,
    Size,
    Workspace,
    load_settings,
    read_settings,
    with_api,
)
from analytics.toml import Table
from analytics.warehouse.layout import Layout

FLEET_FILE = "fleet.toml"

_SHARD = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


class Member(Workspace):
    """A workspace of the fleet; those with the same `shard` share a data directory and a task.

    Without one, the workspace is a shard of its own, named as the variable of its key.
    """

    shard: str = ""

    @property
    def shard_name(self) -> str:
        """The name of its shard."""
        return self.shard or self.api_key_env.lower()

    @model_validator(mode="after")
    def _require_shard_name(self) -> Member:
        if not _SHARD.fullmatch(self.shard_name):
            raise ValueError(
                "`workspaces.shard` must be a name of small letters, digits, dots, hyphens and"
                " underscores; without one, it is `api_key_env` in small letters"
            )
        return self


class Task(Table):
    """The bounds of one task: memory, such as "2GB", processors, and how often it is tried."""

    memory: Size = "2GB"
    cpus: Annotated[int, Field(ge=1, le=1024)] = 1
    attempts: Annotated[int, Field(ge=1, le=100)] = 3


class Publication(Table):
    """Where the Delta tables go, the site, and the DuckDB file if it is no larger."""

    tables: str = ""
    duckdb_limit: Size = "20GB"
    site: bool = True


def _folder(text: str) -> str:
    if "://" in text:
        raise ValueError(
            "must be a folder that all machines reach, and no object store; tables alone may be"
            " published to a bucket, by publish.tables"
        )
    return text


class _File(Table):
    folder: Annotated[str, AfterValidator(_folder)]
    requests_per_second: Annotated[float, Field(ge=0)] = 0
    task: Task = Task()
    publish: Publication = Publication()
    workspaces: list[Member] = []  # noqa: RUF012 - pydantic copies it


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a fleet, resolved: `shards` are the workspaces of each, by its name.

    `tables` is a folder or the address of an object store. `batch` are the settings of every batch.
    """

    file: Path
    folder: Path
    tables: str
    requests_per_second: float
    task: Task
    publish: Publication
    shards: Mapping[str, list[Workspace]]
    batch: Settings

    def require_shard(self, name: str) -> None:
        """Raise UsageError if the fleet has no shard of this name."""
        if name not in self.shards:
            raise UsageError(
                f"{self.file} has no shard {name}.\nIt has {', '.join([*self.shards][:20])}."
            )

    @property
    def published(self) -> Path:
        """The folder with all that a merge publishes but for tables that go elsewhere."""
        return self.folder / "published"

    def layout(self, shard: str) -> Layout:
        """Return the data directory of a shard."""
        return Layout(self.folder / "shards" / shard)

    def of(self, shard: str) -> Settings:
        """Return the settings of a batch of a shard, whose pages lie below those of the fleet."""
        publish = self.batch.publish
        if publish.url:
            url = f"{publish.url.rstrip('/')}/shards/{shard}"
            publish = publish.model_copy(update={"url": url})
        return self.batch.model_copy(
            update={
                "data_dir": self.layout(shard).root,
                "workspaces": self.shards[shard],
                "publish": publish,
                "extract": self.batch.extract.model_copy(update={"requests_per_second": 0}),
            }
        )


def load_fleet(named: Path | None, data_dir: Path | None = None) -> Fleet:
    """Load the settings of a fleet, by default `fleet.toml`, and those of batches beside it.

    `data_dir` comes before `folder`.

    UsageError names a wrong one and its correction.
    """
    path = named or Path(FLEET_FILE)
    if not path.exists():
        raise UsageError(
            f"There are no settings of a fleet in {path}.\n"
            "Write them, with `folder` and tables [[workspaces]], or name a file by --config."
        )
    settings = path.with_name(CONFIG_FILE)
    file = read_settings(path, _File, is_named=bool(named))
    root, tables_at = path.parent.resolve(), file.publish.tables.rstrip("/")
    folder = data_dir.resolve() if data_dir else root / file.folder
    if "://" not in tables_at:
        tables_at = str(root / tables_at if tables_at else folder / "published" / "tables")
    return Fleet(
        file=path,
        folder=folder,
        tables=tables_at,
        requests_per_second=file.requests_per_second,
        task=file.task,
        publish=file.publish,
        shards=_shards(path, file.workspaces),
        # Beside a file that was not named, they are those of the working folder, named no more.
        batch=load_settings(None, settings if named and settings.exists() else None),
    )


def _shards(path: Path, members: list[Member]) -> dict[str, list[Workspace]]:
    if not members:
        raise UsageError(f"{path} names no workspace.\nAdd a table [[workspaces]] for each.")
    shards: defaultdict[str, list[Workspace]] = defaultdict(list)
    for member in members:
        shards[member.shard_name].append(with_api(member))
    return dict(sorted(shards.items()))
