"""The merges of a fleet: each has a number, and of two at work the later one has the last word.

    <publish>/merges/<number>.begun        a merge that began; its number is above all before
    <publish>/merges/<number>.json         one that ended: the generations that it published
    <publish>/merges/<number>.alerts       the findings that were sent

A merge that another one overtakes stops before the next thing that it would write. What it wrote
last may lie over what the later one wrote; so neither trusts the other's record, nor does the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from analytics.errors import AnalyticsError
from analytics.fleet.store import Store


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A merge that ended: the generation of each shard, its site, and the digests of all parts.

    `is_alone` if the merge before had ended when this one began.
    """

    number: int
    ended_at: datetime
    code_version: str
    is_alone: bool
    shards: dict[str, int]
    sites: dict[str, str]
    digests: dict[str, list[tuple[str, str | None, str]]]


@dataclass(frozen=True)
class Merge:
    """A merge at work, and the record of the one before if what is published is as that says."""

    target: Store
    number: int
    is_alone: bool
    before: Record | None

    def put(self, path: str, content: bytes | Path) -> None:
        """Write a published file; AnalyticsError if another merge began later."""
        self.require_latest()
        self.target.put(path, content)

    def delete(self, paths: Sequence[str]) -> None:
        """Delete published files; AnalyticsError if another merge began later."""
        if paths:
            self.require_latest()
            self.target.delete(paths)

    def require_latest(self) -> None:
        """Raise AnalyticsError if another merge began later."""
        latest = max(map(_number, self.target.names("merges/")))
        if latest > self.number:
            raise AnalyticsError(
                f"Another merge has begun in {self.target.url}, so that this one stopped.\n"
                "Start it again if the other one fails."
            )

    @property
    def ledger(self) -> str:
        """The object in which this merge says which findings were sent."""
        return f"merges/{self.number:010}.alerts"

    def end(self, record: Record) -> None:
        """Write the record of this merge, and delete what earlier ones wrote but the ledger."""
        self.put(f"merges/{self.number:010}.json", msgspec.json.encode(record))
        kept = newest_ledger(self.target)
        names = self.target.names("merges/")
        self.target.delete([name for name in names if _number(name) < self.number and name != kept])


def begin(target: Store) -> Merge:
    """Begin a merge, with a number above all that began before.

    After one that never ended, parts may be of either, and all are compared with the tables anew.
    """
    while True:
        number = max((_number(name) for name in target.names("merges/")), default=0) + 1
        if target.commit(f"merges/{number:010}.begun", b""):
            last = last_record(target)
            is_alone = last.number == number - 1 if last else number == 1
            return Merge(
                target, number, is_alone, last if last and is_alone and last.is_alone else None
            )


def newest_ledger(target: Store) -> str | None:
    """Return the object in which the last merge that sent findings says which."""
    names = [name for name in target.names("merges/") if name.endswith(".alerts")]
    return names[-1] if names else None


def last_record(target: Store) -> Record | None:
    """Return the last merge that ended, if there is one."""
    records = [name for name in target.names("merges/") if name.endswith(".json")]
    content = target.read(records[-1]) if records else None
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=Record)
    except msgspec.DecodeError:  # of another release: then all is published anew
        return None


def _number(name: str) -> int:
    return int(Path(name).stem)
