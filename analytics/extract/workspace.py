"""A workspace's night, step by step. Each step lands and loads what it read before the next asks.

Counts and meters come before lists, so that a run that starts meanwhile is never taken for a
missing one; what to read next is asked of what is stored by then.
"""

from __future__ import annotations

from datetime import timedelta

from analytics.extract.counts import read_counts
from analytics.extract.details import read_details
from analytics.extract.landing import CLOSING_STEP
from analytics.extract.meters import METERS, read_meters, read_touched_days, tonight, windows
from analytics.extract.night import Night
from analytics.extract.runs import read_lists, reread_corrected, reread_unsettled
from analytics.extract.schedules import read_schedules
from analytics.levain.runs import LONGEST_LIST


async def extract_workspace(night: Night) -> None:
    """Read all that one workspace's key can see and that is not known yet."""
    if not night.store.has_runs():
        night.say(f"first night: about {await _first_requests(night):,} requests will be made")
    try:
        night.say("reading agents and meters")
        await read_meters(night)
        await read_counts(night)
        await read_schedules(night)
        night.say("reading run lists")
        await read_lists(night)
        await reread_unsettled(night)
        await reread_corrected(night)
        await read_touched_days(night)
        night.say("reading costs and log events of runs that have ended")
        await read_details(night)
        await close_night(night)
    finally:
        await night.loaded()  # also when reading failed: the store must be at rest


async def close_night(night: Night) -> None:
    """Land the workspace's name last: only what comes before it belongs to a whole night."""
    async with night.step(CLOSING_STEP) as landing:
        answer = await night.client.auth.read()
        landing.add("workspaces", answer, [answer.record])


async def _first_requests(night: Night) -> int:
    """How many requests a first night makes: each window, each list, two for each listed run."""
    first = night.days_back(night.options.history_days)[0]
    rollups = await night.client.analytics.agents(first, night.today + timedelta(days=1))
    counts = [rollup.run_count or 0 for rollup in rollups.readable(lambda _: None)]
    listed = sum(min(LONGEST_LIST, count) for count in counts)
    limit = night.options.details_per_night or listed
    meter_windows = sum(len(windows(tonight(night, meter), meter.longest_days)) for meter in METERS)
    return meter_windows + 4 + 3 * len(rollups) + 2 * min(listed, limit)
