"""Runs: from the lists, by id while they may change, and by id if totals disagree.

A collection between two batches reads the lists alone, and lands new runs for the next batch.
"""

from __future__ import annotations

from collections.abc import Iterable

from analytics.extract.batch import TRAILING_DAYS, WorkspaceBatch
from analytics.extract.landing import RUNS, Landing
from analytics.extract.listing import (
    ListSnapshot,
    Row,
    instant_of,
    overlaps,
    refused_snapshot,
    snapshots_by_agent,
    take_snapshot,
)
from analytics.extract.meters import CORRECTION_DAYS, read_agents
from analytics.extract.privacy import stored_runs
from analytics.format.numbers import plural
from analytics.levain import RefusedError
from analytics.levain.runs import LONGEST_LIST
from analytics.warehouse import run_lists
from analytics.warehouse.api_differences import (
    differing_agent_days,
    record_api_differences,
    runs_of,
)
from analytics.warehouse.landed import LISTS_STEP
from analytics.warehouse.provisional_runs import given_up_runs, provisional_runs
from analytics.warehouse.run_lists import Watermark
from analytics.warehouse.sources import AGENT_ROLLUPS
from analytics.warehouse.store import agent_ids

SHOWN = 3
"""Runs that a warning names."""

BATCH = 250
"""Lists per load: one load is stored while the next lists are read."""


async def read_lists(batch: WorkspaceBatch) -> None:
    """Read the unfiltered list; if it does not overlap its last snapshot, each agent's list too.

    If it does, only the agents' lists that were refused before are read.
    """
    await batch.loaded()
    watermarks, known = run_lists.watermarks(batch.store), agent_ids(batch.store)
    refused = run_lists.refused_lists(batch.store)
    watermarks.update(refused.items())
    async with batch.step(LISTS_STEP) as landing:
        rows, unfiltered = await _read_list(batch, landing, None, watermarks.get(None))
        heard_of = known | {row.agent_id for row in rows if row.agent_id}
        agents = sorted(refused if unfiltered.is_contiguous else heard_of)
        rows = [row for row in rows if row.agent_id not in refused]
        if not agents:
            _add_unfiltered(landing, unfiltered, rows)
    for start in range(0, len(agents), BATCH):
        async with batch.step(LISTS_STEP) as landing:
            await batch.gather(
                _read_agent_list(batch, landing, agent_id, watermarks)
                for agent_id in agents[start : start + BATCH]
            )
            # Last: a batch that breaks off before leaves no snapshot for the next one to join.
            if start + BATCH >= len(agents):
                _add_unfiltered(landing, unfiltered, rows)
    await batch.loaded()


async def _read_agent_list(
    batch: WorkspaceBatch,
    landing: Landing,
    agent_id: str,
    watermarks: dict[str | None, Watermark],
) -> None:
    watermark = watermarks.get(agent_id)
    # An agent without earlier runs is covered up to the last unfiltered snapshot.
    since = watermark if watermark and watermark.run_id else watermarks.get(None)
    try:
        _, snapshot = await _read_list(batch, landing, agent_id, watermark, since)
        landing.add_snapshot(snapshot)
    except RefusedError as error:
        landing.add_missing(RUNS, error, batch.began_at, agent_id=agent_id)
        landing.add_snapshot(refused_snapshot(agent_id, since, batch.began_at))
        batch.warnings.append(f"the runs of agent {agent_id} cannot be listed: {error}")


async def _read_list(
    batch: WorkspaceBatch,
    landing: Landing,
    agent_id: str | None,
    watermark: Watermark | None,
    since: Watermark | None = None,
) -> tuple[list[Row], ListSnapshot]:
    """Read a list until it overlaps its last snapshot or ends; return its rows and snapshot."""
    rows: list[Row] = []
    page_count = record_count = 0
    is_whole = True
    pulled_at = batch.began_at
    async for page in batch.client.runs.pages(agent_id):
        rows += landing.add(RUNS, page.answer, page.records, agent_id=agent_id)
        record_count += len(page.records)
        pulled_at = page.answer.fetched_at
        page_count += 1
        if overlaps(rows, watermark, is_whole=False, is_unfiltered=agent_id is None):
            is_whole = False
            break
    # Without cursors, there may be more runs behind a full page.
    is_whole = is_whole and (page_count > 1 or record_count < LONGEST_LIST)
    batch.seen.update(row.run_id for row in rows)
    this = take_snapshot(
        agent_id, rows, watermark, is_whole=is_whole, pulled_at=pulled_at, since=since
    )
    return rows, this


def _add_unfiltered(landing: Landing, snapshot: ListSnapshot, rows: list[Row]) -> None:
    """Land the snapshot of the unfiltered list, and those of agents' lists that it implies."""
    landing.add_snapshot(snapshot)
    if snapshot.is_contiguous:
        for implied in snapshots_by_agent(snapshot, rows):
            landing.add_snapshot(implied)


async def land_new_runs(
    batch: WorkspaceBatch, last: Watermark | None, landed: set[str]
) -> int | None:
    """Land the new runs of the unfiltered list, if it joins its last snapshot; return their number.

    Else return None. `last` and `landed` are the end of the last list, and the runs, that landed
    and are not loaded. Where no run is new, nothing is landed.
    """
    pages = batch.client.runs.pages()
    page = await anext(pages)
    # Without cursors, there may be more runs behind a full page.
    is_whole = len(page) < LONGEST_LIST and await anext(pages, None) is None
    runs = [
        (row, each) for each in page.records for row in stored_runs([each], keep_errors=False)[0]
    ]
    rows = [row for row, _ in runs]
    watermark = last or run_lists.watermarks(batch.store).get(None)
    pulled_at = page.answer.fetched_at
    snapshot = take_snapshot(None, rows, watermark, is_whole=is_whole, pulled_at=pulled_at)
    if not snapshot.is_contiguous:
        return None
    stored = run_lists.known_runs(batch.store, [row.run_id for row in rows])
    new = [(row, each) for row, each in runs if row.run_id not in stored | landed]
    if new:
        async with batch.step(LISTS_STEP) as landing:
            landing.add(RUNS, page.answer, [each for _, each in new])
            _add_unfiltered(landing, snapshot, [row for row, _ in new])
    return len(new)


async def read_each_list(batch: WorkspaceBatch) -> int:
    """Read the list of each agent, after an unfiltered one that does not join its last snapshot.

    Agents that came since, and may have gone again, are read first. Return the number of runs that
    are new or have changed.
    """
    watermark = run_lists.watermarks(batch.store).get(None)
    since = instant_of(watermark.created_at) if watermark else None
    days = (batch.began_at - since).days + 2 if since else TRAILING_DAYS
    await read_agents(batch, set(batch.days_back(min(days, batch.options.history_days))))
    await batch.loaded()
    known_before = batch.new_version_count
    await read_lists(batch)
    return batch.new_version_count - known_before


async def reread_provisional(batch: WorkspaceBatch) -> None:
    """Read by id the provisional runs that this batch's lists lack."""
    await batch.loaded()
    run_ids = provisional_runs(batch.store)
    async with batch.step("provisional") as landing:
        await _read_by_id(batch, landing, run_ids)
    await batch.loaded()
    given_up = [f"{run_id} ({status})" for run_id, status in given_up_runs(batch.store).items()]
    if given_up:
        more = f" and {len(given_up) - SHOWN:,} more" if len(given_up) > SHOWN else ""
        batch.warnings.append(
            f"the API no longer has {plural(len(given_up), 'open run')}:"
            f" {', '.join(given_up[:SHOWN])}{more}. "
            "Such a run keeps its last status and cost, and no day or month open."
        )


async def reread_corrected(batch: WorkspaceBatch) -> None:
    """Read by id the runs of past days whose cost, tokens or statuses differ from the API's totals.

    Only days that ended before the batch began are compared. A difference that remains afterwards
    (unlisted runs) is recorded, and is looked into again only if it changes.
    """
    if AGENT_ROLLUPS in batch.refused:
        return
    await batch.loaded()
    trailing = set(batch.days_back(CORRECTION_DAYS))
    first, end = min(trailing & batch.days_held(AGENT_ROLLUPS)), batch.today
    agent_days = differing_agent_days(batch.store, first, end)
    if not agent_days:
        return
    run_ids = runs_of(batch.store, agent_days)
    async with batch.step("corrected") as landing:
        await _read_by_id(batch, landing, run_ids)
    await batch.loaded()
    record_api_differences(batch.store, agent_days, first, end)


async def _read_by_id(batch: WorkspaceBatch, landing: Landing, run_ids: Iterable[str]) -> None:
    async def read(run_id: str) -> None:
        try:
            answer = await batch.client.runs.read(run_id)
        except RefusedError as error:
            landing.add_missing(RUNS, error, batch.began_at, run_id=run_id)
        else:
            landing.add(RUNS, answer, [answer.record], run_id=run_id)

    wanted = [run_id for run_id in run_ids if run_id not in batch.seen]
    await batch.gather(read(run_id) for run_id in wanted)
    batch.seen.update(wanted)
