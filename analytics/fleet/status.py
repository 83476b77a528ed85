"""The state of a fleet: how the last batch of each shard ended, and what was published of it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from rich.table import Table

from analytics.fleet.generations import Generation
from analytics.fleet.merges import Record
from analytics.fleet.publication import read_heads, read_record
from analytics.fleet.settings import Fleet
from analytics.format.numbers import plural
from analytics.terminal import escaped


class ShardState(msgspec.Struct, frozen=True, kw_only=True):
    """A shard: its newest generation, the one that the last merge published, and its workspaces.

    `message` is of a batch that failed, in short; `messages` are all errors and warnings of it. All
    but the name is null or empty before the first batch.
    """

    shard: str
    generation: int | None = None
    published_generation: int | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    message: str | None = None
    messages: list[str] = []
    workspaces: dict[str, str] = {}


class FleetState(msgspec.Struct, frozen=True, kw_only=True):
    """All shards, and when the last merge ended."""

    merged_at: datetime | None
    shards: list[ShardState]


def read_state(fleet: Fleet) -> FleetState:
    """Read the state of a fleet from its storage."""
    record = read_record(fleet)
    shards = [_state(shard, head, record) for shard, head in read_heads(fleet).items()]
    return FleetState(merged_at=record.ended_at if record else None, shards=shards)


def print_text(state: FleetState) -> None:
    """Print the state as a table, what failed first."""
    from rich.console import Console

    table = Table(
        "shard", "workspaces", "last batch (UTC)", "exit", "published", "message", box=None
    )
    for each in sorted(state.shards, key=lambda one: not (one.exit_code or one.ended_at is None)):
        table.add_row(
            each.shard,
            f"{len(each.workspaces):,}",
            f"{each.ended_at:%Y-%m-%d %H:%M}" if each.ended_at else "never",
            "" if each.exit_code is None else str(each.exit_code),
            "yes" if each.generation and each.generation == each.published_generation else "no",
            escaped(each.message or ""),
        )
    console = Console(markup=False, highlight=False)
    console.print(table)
    failed = sum(bool(each.exit_code) for each in state.shards)
    merged = (
        f"last merge {state.merged_at:%Y-%m-%d %H:%M} UTC" if state.merged_at else "no merge yet"
    )
    console.print(f"{plural(len(state.shards), 'shard')}, {failed:,} failed; {merged}")


def _state(shard: str, head: Generation | None, record: Record | None) -> ShardState:
    if head is None:
        return ShardState(shard=shard)
    return ShardState(
        shard=shard,
        generation=head.number,
        published_generation=record.shards.get(shard) if record else None,
        ended_at=head.ended_at,
        exit_code=head.exit_code,
        message=head.failure,
        messages=head.messages,
        workspaces=head.workspaces,
    )
