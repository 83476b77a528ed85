"""Hourly usage, billing and roll-ups: read by windows of UTC days."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from analytics.extract.batch import TRAILING_DAYS, WorkspaceBatch
from analytics.extract.landing import Landing
from analytics.levain import AsyncLevain, Page, RefusedError
from analytics.levain.analytics import LONGEST_DAILY_DAYS, LONGEST_HOURLY_DAYS

CORRECTION_DAYS = 35

Read = Callable[[AsyncLevain, date, date], Awaitable[Page[Any]]]


@dataclass(frozen=True, slots=True)
class Meter:
    """A windowed source: its reader, longest window, and the days that each batch reads again."""

    source: str
    longest_days: int
    nightly_days: int
    read: Read


# Roll-ups carry no day of their own, so they add up only if each window is one day.
METERS = (
    Meter(
        "usage_hours",
        LONGEST_HOURLY_DAYS,
        TRAILING_DAYS,
        lambda client, start, end: client.analytics.hourly(start, end),
    ),
    Meter(
        "billing_days",
        LONGEST_DAILY_DAYS,
        TRAILING_DAYS,
        lambda client, start, end: client.analytics.billing(start, end),
    ),
    Meter(
        "agent_billing_days",
        LONGEST_DAILY_DAYS,
        TRAILING_DAYS,
        lambda client, start, end: client.analytics.timeseries_by_agent(start, end),
    ),
    Meter(
        "agent_rollups",
        1,
        CORRECTION_DAYS,
        lambda client, start, end: client.analytics.agents(start, end),
    ),
    Meter(
        "platform_rollups",
        1,
        TRAILING_DAYS,
        lambda client, start, end: client.analytics.platform_agents(start, end),
    ),
)


async def read_meters(batch: WorkspaceBatch) -> None:
    """Read the agents, the trailing days of each meter, and older days that were never read."""
    async with batch.step("meters") as landing:
        async for page in batch.client.agents.pages():
            landing.add("agents", page.answer, page.records)
        await _read_provider_keys(batch, landing)
        await _read_days(batch, landing, lambda meter: days_to_read(batch, meter))


async def _read_provider_keys(batch: WorkspaceBatch, landing: Landing) -> None:
    """Read the workspace's provider keys; a key without that permission is skipped."""
    try:
        page = await batch.client.byok.list()
    except RefusedError:
        return
    landing.add("provider_keys", page.answer, page.records)


async def read_touched_days(batch: WorkspaceBatch) -> None:
    """Read older days on which a run lived that has changed since they were last read."""
    await batch.loaded()
    async with batch.step("touched-days") as landing:
        await _read_days(
            batch,
            landing,
            lambda meter: (
                (batch.touched_days & batch.days_held(meter.source)) - batch.days_read[meter.source]
            ),
        )


def days_to_read(batch: WorkspaceBatch, meter: Meter) -> set[date]:
    """Return the days of a meter that each batch reads, and days of the history never read yet."""
    held = batch.days_held(meter.source)
    missing = held - batch.store.days_read(meter.source)
    return missing | (held & set(batch.days_back(meter.nightly_days)))


async def _read_days(
    batch: WorkspaceBatch, landing: Landing, days_of: Callable[[Meter], set[date]]
) -> None:
    async def read(meter: Meter, start: date, end: date) -> None:
        page = await meter.read(batch.client, start, end)
        landing.add(meter.source, page.answer, page.records, window=(start, end))

    wanted = [(meter, days_of(meter)) for meter in METERS]
    await batch.gather(
        read(meter, start, end)
        for meter, days in wanted
        for start, end in windows(days, meter.longest_days)
    )
    for meter, days in wanted:
        batch.days_read.setdefault(meter.source, set()).update(days)


def windows(days: Iterable[date], longest: int) -> list[tuple[date, date]]:
    """Cover days by the fewest windows `[start, end)` of at most `longest` days."""
    spans: list[tuple[date, date]] = []
    for day in sorted(days):
        following = day + timedelta(days=1)
        if spans and spans[-1][1] == day and (day - spans[-1][0]).days < longest:
            spans[-1] = (spans[-1][0], following)
        else:
            spans.append((day, following))
    return spans
