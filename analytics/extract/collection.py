"""A collection between two batches: new runs of a workspace's unfiltered list, by one request.

It compares the list with the landing folders, and only lands: the next batch loads its folders
first, as it does those of a batch that broke off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from analytics.extract.batch import TRAILING_DAYS, WorkspaceBatch
from analytics.extract.landing import RUNS, Landing
from analytics.extract.listing import ListSnapshot, Row, Watermark, instant_of, take_snapshot
from analytics.extract.loads import LIST_SNAPSHOTS, LISTS_STEP, SUFFIX, new_loads, step_of
from analytics.extract.meters import read_agents
from analytics.extract.privacy import stored_runs
from analytics.extract.runs import add_unfiltered, read_lists
from analytics.levain import AsyncLevain
from analytics.levain.answers import Answer, Record
from analytics.levain.runs import LONGEST_LIST


class _Identified(msgspec.Struct, gc=False):
    id: Any = None


class _RunLine(msgspec.Struct, gc=False):
    record: _Identified


_read_runs = msgspec.json.Decoder(_RunLine).decode_lines
_read_snapshots = msgspec.json.Decoder(ListSnapshot).decode_lines


@dataclass(frozen=True, slots=True)
class _Load:
    """A landed load of lists: ids of its runs, and its snapshot of the unfiltered list, if any."""

    run_ids: set[str]
    unfiltered: ListSnapshot | None

    @property
    def is_whole(self) -> bool:
        """True if all rows of the unfiltered list were landed with it."""
        return self.unfiltered is not None and len(self.run_ids) >= self.unfiltered.row_count


@dataclass(frozen=True, slots=True)
class Pull:
    """The first page of the unfiltered list: its runs that have an id, newest first."""

    answer: Answer
    runs: list[tuple[Record, Row]]
    is_whole: bool

    def shows(self, watermark: Watermark | None) -> bool:
        """Return True if it contains the newest run of the last snapshot."""
        return watermark is not None and any(row.run_id == watermark.run_id for _, row in self.runs)


async def pull_list(client: AsyncLevain) -> Pull:
    """Read the first page of the unfiltered list."""
    pages = client.runs.pages()
    page = await anext(pages)
    # Without cursors, there may be more runs behind a full page.
    is_whole = len(page) < LONGEST_LIST and await anext(pages, None) is None
    runs = [
        (record, row)
        for record in page.records
        for row in stored_runs([record], keep_errors=False)[0]
    ]
    return Pull(page.answer, runs, is_whole)


def last_watermark(folder: Path) -> Watermark | None:
    """Return the end of the unfiltered list's last snapshot that a workspace's folder holds."""
    for load in _landed_lists(folder):
        if (last := load.unfiltered) is not None:
            return Watermark(last.newest_run_id, last.newest_created_at)
    return None


def land_new_runs(pull: Pull, folder: Path, *, keep_errors: bool) -> int | None:
    """Land the runs that a workspace's folder lacks, if the list overlaps its last snapshot.

    Return their number, and None if it does not overlap. Where there is none, nothing is landed.
    """
    rows, watermark = [row for _, row in pull.runs], last_watermark(folder)
    snapshot = take_snapshot(
        None, rows, watermark, is_whole=pull.is_whole, pulled_at=pull.answer.fetched_at
    )
    if not snapshot.is_contiguous:
        return None
    landed = _landed_run_ids(folder, rows, watermark)
    new = [(record, row) for record, row in pull.runs if row.run_id not in landed]
    if new:
        load_id = f"{next(new_loads(folder, pull.answer.fetched_at))}-{LISTS_STEP}"
        landing = Landing(folder.parent, folder.name, load_id, keep_errors=keep_errors)
        try:
            landing.add(RUNS, pull.answer, [record for record, _ in new])
            add_unfiltered(landing, snapshot, [row for _, row in new])
            landing.commit()
        except BaseException:
            landing.discard()
            raise
    return len(new)


async def collect_by_agent(batch: WorkspaceBatch) -> int:
    """Read the list of each agent, after an unfiltered one that does not overlap its last snapshot.

    Agents that came since, and may have gone again, are read first. Return the number of runs that
    are new or have changed.
    """
    watermark = batch.store.watermarks().get(None)
    since = instant_of(watermark.created_at) if watermark else None
    days = (batch.began_at - since).days + 2 if since else TRAILING_DAYS
    async with batch.at_work():
        await read_agents(batch, set(batch.days_back(min(days, batch.options.history_days))))
        await batch.loaded()
        known_before = batch.new_version_count
        await read_lists(batch)
    return batch.new_version_count - known_before


def _landed_run_ids(folder: Path, rows: list[Row], watermark: Watermark | None) -> set[str]:
    """Return ids of landed runs: of the last page that was landed whole, and of all since.

    The search ends before that page once it has found the rows from the watermark on. A run that it
    misses is landed once more.
    """
    run_ids = [row.run_id for row in rows]
    newest = watermark.run_id if watermark else None
    wanted = set(run_ids[run_ids.index(newest) :] if newest in run_ids else run_ids)
    found: set[str] = set()
    for load in _landed_lists(folder):
        found.update(load.run_ids)
        if wanted <= found or load.is_whole:
            break
    return found


def _landed_lists(folder: Path) -> Iterator[_Load]:
    """Read the loads of lists of a workspace, the last one first, up to a damaged one."""
    if not folder.is_dir():
        return
    names = (each.name for each in folder.iterdir())
    for name in sorted((name for name in names if step_of(name) == LISTS_STEP), reverse=True):
        try:
            runs = _read_runs(_content(folder / name, RUNS))
            snapshots = _read_snapshots(_content(folder / name, LIST_SNAPSHOTS))
        except (OSError, zstandard.ZstdError, msgspec.MsgspecError):
            return
        unfiltered = [each for each in snapshots if each.agent_id is None]
        run_ids = {run.record.id for run in runs if isinstance(run.record.id, str)}
        yield _Load(run_ids, unfiltered[-1] if unfiltered else None)


def _content(load: Path, name: str) -> bytes:
    """Return the content of a landing file, which a load without such records lacks."""
    file = load / (name + SUFFIX)
    if not file.exists():
        return b""
    with file.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as reader:
        return reader.read()
