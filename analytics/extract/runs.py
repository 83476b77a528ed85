"""Runs: from the lists, by id while they may change, and by id if totals disagree.

A collection between two batches reads the lists alone, and lands new runs for the next batch.
"""

from __future__ import annotations

from collections.abc import Iterable

from analytics.extract.extraction import TRAILING_DAYS, Extraction
from analytics.extract.landing import RUNS, Landing
from analytics.extract.meters import CORRECTION_DAYS, read_agents
from analytics.extract.privacy import stored_runs
from analytics.extract.snapshots import (
    ListSnapshot,
    Row,
    instant_of,
    overlaps,
    refused_snapshot,
    snapshots_by_agent,
    take_snapshot,
)
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
from analytics.warehouse.moved_runs import MOVED_STEP, arrived_runs, shared_runs
from analytics.warehouse.provisional_runs import given_up_runs, provisional_runs
from analytics.warehouse.run_lists import Watermark
from analytics.warehouse.sources import AGENT_ROLLUPS
from analytics.warehouse.store import agent_ids

SHOWN = 3
"""Runs that a warning names."""

LISTS_PER_LOAD = 250
"""Lists of a load: one is stored while the next lists are read."""


async def read_lists(extraction: Extraction) -> None:
    """Read the unfiltered list; if it does not overlap its last snapshot, each agent's list too.

    If it does, only the agents' lists that were refused before are read.
    """
    await extraction.loaded()
    watermarks, known = run_lists.watermarks(extraction.store), agent_ids(extraction.store)
    refused = run_lists.refused_lists(extraction.store)
    watermarks.update(refused.items())
    async with extraction.step(LISTS_STEP) as landing:
        rows, unfiltered = await _read_list(extraction, landing, None, watermarks.get(None))
        heard_of = known | {row.agent_id for row in rows if row.agent_id}
        agents = sorted(refused if unfiltered.is_contiguous else heard_of)
        rows = [row for row in rows if row.agent_id not in refused]
        if not agents:
            _add_unfiltered(landing, unfiltered, rows)
    for start in range(0, len(agents), LISTS_PER_LOAD):
        async with extraction.step(LISTS_STEP) as landing:
            await extraction.gather(
                _read_agent_list(extraction, landing, agent_id, watermarks)
                for agent_id in agents[start : start + LISTS_PER_LOAD]
            )
            # Last: a batch that breaks off before leaves no snapshot for the next one to join.
            if start + LISTS_PER_LOAD >= len(agents):
                _add_unfiltered(landing, unfiltered, rows)
    await extraction.loaded()


async def _read_agent_list(
    extraction: Extraction,
    landing: Landing,
    agent_id: str,
    watermarks: dict[str | None, Watermark],
) -> None:
    watermark = watermarks.get(agent_id)
    # An agent without earlier runs is covered up to the last unfiltered snapshot.
    since = watermark if watermark and watermark.run_id else watermarks.get(None)
    try:
        _, snapshot = await _read_list(extraction, landing, agent_id, watermark, since)
        landing.add_snapshot(snapshot)
    except RefusedError as error:
        landing.add_missing(RUNS, error, extraction.began_at, agent_id=agent_id)
        landing.add_snapshot(refused_snapshot(agent_id, since, extraction.began_at))
        extraction.warnings.append(f"the runs of agent {agent_id} cannot be listed: {error}")


async def _read_list(
    extraction: Extraction,
    landing: Landing,
    agent_id: str | None,
    watermark: Watermark | None,
    since: Watermark | None = None,
) -> tuple[list[Row], ListSnapshot]:
    """Read a list until it overlaps its last snapshot or ends; return its rows and snapshot."""
    rows: list[Row] = []
    page_count = record_count = 0
    is_whole = True
    pulled_at = extraction.began_at
    async for page in extraction.client.runs.pages(agent_id):
        rows += landing.add(RUNS, page.answer, page.records, agent_id=agent_id)
        record_count += len(page.records)
        pulled_at = page.answer.fetched_at
        page_count += 1
        if overlaps(rows, watermark, is_whole=False, is_unfiltered=agent_id is None):
            is_whole = False
            break
    # Without cursors, there may be more runs behind a full page.
    is_whole = is_whole and (page_count > 1 or record_count < LONGEST_LIST)
    extraction.seen.update(row.run_id for row in rows)
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
    extraction: Extraction, last: Watermark | None, landed: set[str]
) -> int | None:
    """Land the new runs of the unfiltered list, if it joins its last snapshot; return their number.

    Else return None. `last` and `landed` are the end of the last list, and the runs, that landed
    and are not loaded. Where no run is new, nothing is landed.
    """
    pages = extraction.client.runs.pages()
    page = await anext(pages)
    # Without cursors, there may be more runs behind a full page.
    is_whole = len(page) < LONGEST_LIST and await anext(pages, None) is None
    runs = [
        (row, each) for each in page.records for row in stored_runs([each], keep_errors=False)[0]
    ]
    rows = [row for row, _ in runs]
    watermark = last or run_lists.watermarks(extraction.store).get(None)
    pulled_at = page.answer.fetched_at
    snapshot = take_snapshot(None, rows, watermark, is_whole=is_whole, pulled_at=pulled_at)
    if not snapshot.is_contiguous:
        return None
    stored = run_lists.known_runs(extraction.store, [row.run_id for row in rows])
    new = [(row, each) for row, each in runs if row.run_id not in stored | landed]
    if new:
        async with extraction.step(LISTS_STEP) as landing:
            landing.add(RUNS, page.answer, [each for _, each in new])
            _add_unfiltered(landing, snapshot, [row for row, _ in new])
    return len(new)


async def read_each_list(extraction: Extraction) -> int:
    """Read the list of each agent, after an unfiltered one that does not join its last snapshot.

    Agents that came since, and may have gone again, are read first. Return the number of runs that
    are new or have changed.
    """
    watermark = run_lists.watermarks(extraction.store).get(None)
    since = instant_of(watermark.created_at) if watermark else None
    days = (extraction.began_at - since).days + 2 if since else TRAILING_DAYS
    days = min(days, extraction.options.history_days)
    await read_agents(extraction, set(extraction.days_back(days)))
    await extraction.loaded()
    known_before = extraction.new_version_count
    await read_lists(extraction)
    return extraction.new_version_count - known_before


async def read_moved(extraction: Extraction) -> None:
    """Read by id the runs that moved with their agent, to this workspace or away from it.

    Those that the lists have just returned are still here.
    """
    await extraction.loaded()
    moved = arrived_runs(extraction.store, extraction.arrived_agents)
    moved += shared_runs(extraction.store)
    if moved:
        async with extraction.step(MOVED_STEP) as landing:
            await _read_by_id(extraction, landing, moved)


async def reread_provisional(extraction: Extraction) -> None:
    """Read by id the provisional runs that this batch's lists lack."""
    await extraction.loaded()
    run_ids = provisional_runs(extraction.store)
    async with extraction.step("provisional") as landing:
        await _read_by_id(extraction, landing, run_ids)
    await extraction.loaded()
    found = given_up_runs(extraction.store)
    given_up = [f"{run_id} ({status})" for run_id, status in found.items()]
    if given_up:
        more = f" and {len(given_up) - SHOWN:,} more" if len(given_up) > SHOWN else ""
        extraction.warnings.append(
            f"the API no longer has {plural(len(given_up), 'open run')}:"
            f" {', '.join(given_up[:SHOWN])}{more}. "
            "Such a run keeps its last status and cost, and no day or month open."
        )


async def reread_corrected(extraction: Extraction) -> None:
    """Read by id the runs of past days whose cost, tokens or statuses differ from the API's totals.

    Only days that ended before the batch began are compared. A difference that remains afterwards
    (unlisted runs) is recorded, and is looked into again only if it changes.
    """
    if AGENT_ROLLUPS in extraction.refused:
        return
    await extraction.loaded()
    trailing = set(extraction.days_back(CORRECTION_DAYS))
    first, end = min(trailing & extraction.days_held(AGENT_ROLLUPS)), extraction.today
    agent_days = differing_agent_days(extraction.store, first, end)
    if not agent_days:
        return
    run_ids = runs_of(extraction.store, agent_days)
    async with extraction.step("corrected") as landing:
        await _read_by_id(extraction, landing, run_ids)
    await extraction.loaded()
    record_api_differences(extraction.store, agent_days, first, end)


async def _read_by_id(extraction: Extraction, landing: Landing, run_ids: Iterable[str]) -> None:
    async def read(run_id: str) -> None:
        try:
            answer = await extraction.client.runs.read(run_id)
        except RefusedError as error:
            landing.add_missing(RUNS, error, extraction.began_at, run_id=run_id)
        else:
            landing.add(RUNS, answer, [answer.record], run_id=run_id)

    wanted = [run_id for run_id in run_ids if run_id not in extraction.seen]
    await extraction.gather(read(run_id) for run_id in wanted)
    extraction.seen.update(wanted)
