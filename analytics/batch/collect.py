"""Collect new runs of all workspaces between two batches, so that none leaves its list unseen.

A collection lands, and neither loads nor publishes. Where the unfiltered list does not join its
last snapshot, it reads agents' lists as a batch does, in a transaction that is rolled back: the
warehouse holds whole batches, of which anybody may build marts.
"""

from __future__ import annotations

import uvloop

from analytics.batch.batch import begun
from analytics.batch.extract import (
    ADVICE,
    Outcome,
    left_over,
    load_left_over,
    read_all,
    require_all,
)
from analytics.batch.progress import Progress
from analytics.extract.extraction import Extraction
from analytics.extract.runs import land_new_runs, read_each_list
from analytics.settings import Settings, require_a_key_set
from analytics.warehouse.load import load_errors
from analytics.warehouse.lock import collection_lock
from analytics.warehouse.run_lists import lists_in


def collect(settings: Settings, progress: Progress) -> list[Outcome]:
    """Collect all workspaces; AnalyticsError if one could not be read."""
    require_a_key_set(settings)
    kept = "The next collection or batch reads it again."
    with begun(settings, progress, collection_lock) as batch:
        outcomes = uvloop.run(read_all(batch, _collect, "run", kept))
    require_all(outcomes)
    return outcomes


async def _collect(part: Extraction) -> int:
    """Land the new runs of a workspace."""
    left = left_over(part)
    last, landed = None, set[str]()
    for load in left:
        with load_errors(load, ADVICE):
            end, run_ids = lists_in(part.store, load)
        last, landed = end or last, landed | run_ids
    async with part.at_work():
        count = await land_new_runs(part, last, landed)
        if count is None:
            load_left_over(part, left)
            count = await read_each_list(part)
    return count
