"""The state of a fleet: how the last batch of each shard ended, and what was published of it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from rich.table import Table

from analytics.batch.last_batch import read_last_batch
from analytics.fleet.publication import Record, read_record
from analytics.fleet.settings import Fleet
from analytics.format.numbers import plural
from analytics.terminal import console, escaped


class ShardState(msgspec.Struct, frozen=True, kw_only=True):
    """A shard: how its last batch ended, and if the last merge has what it published.

    `message` is of a batch that failed, in short; `messages` are all errors and warnings of it. All
    but the name is null or empty before the first batch.
    """

    shard: str
    is_merged: bool
    ended_at: datetime | None = None
    exit_code: int | None = None
    message: str | None = None
    messages: list[str] = []


class FleetState(msgspec.Struct, frozen=True, kw_only=True):
    """All shards, and when the last merge ended."""

    merged_at: datetime | None
    shards: list[ShardState]


def read_state(fleet: Fleet) -> FleetState:
    """Read the state of a fleet from its folder."""
    record = read_record(fleet)
    shards = [_state(fleet, shard, record) for shard in fleet.shards]
    return FleetState(merged_at=record.ended_at if record else None, shards=shards)


def print_text(state: FleetState) -> None:
    """Print the state as a table, what failed first."""
    table = Table("shard", "last batch (UTC)", "exit", "merged", "message", box=None)
    for each in sorted(state.shards, key=lambda one: not (one.exit_code or one.ended_at is None)):
        table.add_row(
            each.shard,
            f"{each.ended_at:%Y-%m-%d %H:%M}" if each.ended_at else "never",
            "" if each.exit_code is None else str(each.exit_code),
            "yes" if each.is_merged else "no",
            escaped(each.message or ""),
        )
    out = console()
    out.print(table)
    failed = sum(bool(each.exit_code) for each in state.shards)
    merged = (
        f"last merge {state.merged_at:%Y-%m-%d %H:%M} UTC" if state.merged_at else "no merge yet"
    )
    out.print(f"{plural(len(state.shards), 'shard')}, {failed:,} failed; {merged}")


def _state(fleet: Fleet, shard: str, record: Record | None) -> ShardState:
    layout = fleet.layout(shard)
    published = layout.published_file.stat().st_mtime_ns if layout.published_file.exists() else None
    batch = read_last_batch(layout)
    return ShardState(
        shard=shard,
        is_merged=bool(record and published and record.shards.get(shard) == published),
        ended_at=batch.ended_at if batch else None,
        exit_code=batch.exit_code if batch else None,
        message=batch.failure if batch else None,
        messages=batch.messages if batch else [],
    )
