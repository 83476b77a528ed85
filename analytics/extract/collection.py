"""A collection between two batches: the new runs of the lists alone, which the next batch loads."""

from __future__ import annotations

from analytics.extract.batch import TRAILING_DAYS, WorkspaceBatch
from analytics.extract.landing import RUNS
from analytics.extract.listing import instant_of, take_snapshot
from analytics.extract.meters import read_agents
from analytics.extract.privacy import stored_runs
from analytics.extract.runs import add_unfiltered, read_lists
from analytics.levain.runs import LONGEST_LIST
from analytics.warehouse.landed import LISTS_STEP
from analytics.warehouse.store import Watermark


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
    watermark = last or batch.store.watermarks().get(None)
    pulled_at = page.answer.fetched_at
    snapshot = take_snapshot(None, rows, watermark, is_whole=is_whole, pulled_at=pulled_at)
    if not snapshot.is_contiguous:
        return None
    stored = batch.store.known_runs([row.run_id for row in rows])
    new = [(row, each) for row, each in runs if row.run_id not in stored | landed]
    if new:
        async with batch.step(LISTS_STEP) as landing:
            landing.add(RUNS, page.answer, [each for _, each in new])
            add_unfiltered(landing, snapshot, [row for row, _ in new])
    return len(new)


async def read_each_list(batch: WorkspaceBatch) -> int:
    """Read the list of each agent, after an unfiltered one that does not join its last snapshot.

    Agents that came since, and may have gone again, are read first. Return the number of runs that
    are new or have changed.
    """
    watermark = batch.store.watermarks().get(None)
    since = instant_of(watermark.created_at) if watermark else None
    days = (batch.began_at - since).days + 2 if since else TRAILING_DAYS
    await read_agents(batch, set(batch.days_back(min(days, batch.options.history_days))))
    await batch.loaded()
    known_before = batch.new_version_count
    await read_lists(batch)
    return batch.new_version_count - known_before
