"""The steps of an extraction. Each lands and loads its records before the next one reads.

Counts and meters come before lists, so that a run that starts meanwhile is never counted as
unlisted; each step selects its requests from the records stored by then.
"""

from __future__ import annotations

from datetime import timedelta

from analytics.errors import AnalyticsError
from analytics.extract.counts import read_counts
from analytics.extract.details import read_details, read_schedules, read_versions
from analytics.extract.extraction import Extraction
from analytics.extract.meters import METERS, days_to_read, read_meters, read_touched_days, windows
from analytics.extract.optional_endpoints import REFUSED
from analytics.extract.runs import read_lists, read_moved, reread_corrected, reread_provisional
from analytics.levain.runs import LONGEST_LIST
from analytics.warehouse import run_lists
from analytics.warehouse.landed import LAST_STEP


async def extract_workspace(extraction: Extraction) -> None:
    """Read all records of one workspace that are new or may have changed."""
    async with extraction.at_work():
        if not run_lists.any_read(extraction.store):
            count = await _first_requests(extraction)
            extraction.progress.say(f"first batch: about {count:,} requests will be made")
        extraction.progress.begin("reading agents and meters")
        await read_meters(extraction)
        await read_counts(extraction)
        extraction.progress.begin("reading run lists")
        await read_lists(extraction)
        await read_moved(extraction)
        await reread_provisional(extraction)
        await reread_corrected(extraction)
        await read_touched_days(extraction)
        await read_versions(extraction)
        await read_schedules(extraction)
        await read_details(extraction)
        await end_batch(extraction)


async def end_batch(extraction: Extraction) -> None:
    """Land the workspace's name last: a batch without this load is incomplete.

    Raises AnalyticsError, and sets the batch's loads aside, if the key has become that of another
    workspace.
    """
    async with extraction.step(LAST_STEP) as landing:
        answer, me = await extraction.client.auth.read()
        if me.workspace_id != extraction.workspace_id:
            raise AnalyticsError(
                "The key became that of another workspace during the batch. Its loads may hold"
                f" records of both: they are now in {await extraction.set_aside()}, which no batch"
                " loads.\nPut the right key back and run again."
            )
        landing.add("workspaces", answer, [answer.record])


async def _first_requests(extraction: Extraction) -> int:
    """Return the number of requests of a first batch.

    Each window, two for each agent, two more for each that ran, two for each listed run.
    """
    agents = {
        agent.id
        async for page in extraction.client.agents.pages()
        for agent in page.readable(lambda _: None)
    }
    first = extraction.days_back(extraction.options.history_days)[0]
    try:
        end = extraction.today + timedelta(days=1)
        rollups = await extraction.client.analytics.agents(first, end)
        active = list(rollups.readable(lambda _: None))
    except REFUSED:
        active = []
    agents |= {rollup.agent_id for rollup in active if rollup.agent_id}
    counts = [rollup.run_count or 0 for rollup in active]
    listed = sum(min(LONGEST_LIST, count) for count in counts)
    meter_windows = sum(
        len(windows(days_to_read(extraction, meter), meter.longest_days)) for meter in METERS
    )
    return meter_windows + 4 + 2 * len(agents) + 2 * len(active) + 2 * listed
