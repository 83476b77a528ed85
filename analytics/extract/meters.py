"""Hourly usage, billing and roll-ups: read by windows of UTC days."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from analytics.extract.extraction import TRAILING_DAYS, Extraction
from analytics.extract.landing import Landing, Window
from analytics.extract.optional_endpoints import REFUSED, Endpoint
from analytics.levain import AnswerTooLargeError, Page
from analytics.levain.client import LONGEST_DAILY_DAYS, LONGEST_HOURLY_DAYS, Analytics
from analytics.warehouse import windows_read
from analytics.warehouse.moved_runs import arrived_agents, arrived_days
from analytics.warehouse.sources import AGENT_ROLLUPS

CORRECTION_DAYS = 35

Read = Callable[[Analytics, date, date], Awaitable[Page[Any]]]


@dataclass(frozen=True, slots=True)
class Meter:
    """A windowed source: its reader, longest window, and the days that each batch reads again.

    `unknown` says in words what stays unknown where the API refuses its `endpoint`.
    """

    source: str
    endpoint: str
    unknown: str
    longest_days: int
    nightly_days: int
    read: Read


# Roll-ups carry no day of their own, so they add up only if each window is one day.
METERS = (
    Meter(
        "usage_hours",
        "analytics/hourly",
        "usage by hour and model is unknown, and no day can be reconciled",
        LONGEST_HOURLY_DAYS,
        TRAILING_DAYS,
        Analytics.hourly,
    ),
    Meter(
        "billing_days",
        "analytics/billing",
        "the bill by provider is unknown, and no day can be reconciled",
        LONGEST_DAILY_DAYS,
        TRAILING_DAYS,
        Analytics.billing,
    ),
    Meter(
        "agent_billing_days",
        "analytics/timeseries/by-agent",
        "the bill by agent and its charges are unknown, and no day can be reconciled",
        LONGEST_DAILY_DAYS,
        TRAILING_DAYS,
        Analytics.timeseries_by_agent,
    ),
    Meter(
        AGENT_ROLLUPS,
        "analytics/agents",
        "cost and tokens of unlisted runs are unknown, and no day can be reconciled",
        1,
        CORRECTION_DAYS,
        Analytics.agents,
    ),
    Meter(
        "platform_rollups",
        "analytics/platform-agents",
        "the platform's own cost is unknown",
        1,
        TRAILING_DAYS,
        Analytics.platform_agents,
    ),
)


async def read_meters(extraction: Extraction) -> None:
    """Read agents and provider keys, the trailing days of each meter, and older days never read."""
    async with extraction.step("meters") as landing:
        await _read_agents(extraction, landing)
        store = extraction.store
        extraction.arrived_agents = arrived_agents(store, extraction.listed_agents)
        extraction.arrived_days = arrived_days(store, extraction.arrived_agents)
        unknown = "which usage the workspace's own keys paid for is unknown"
        keys = Endpoint("provider_keys", "byok", unknown)
        await keys.land(extraction, landing, extraction.client.byok.list(), REFUSED)
        keys.conclude(extraction)
        await _read_days(extraction, landing, lambda meter: days_to_read(extraction, meter))


async def read_agents(extraction: Extraction, days: set[date]) -> None:
    """Read the agents there are, and by their roll-ups those that were active on days."""
    async with extraction.step("agents") as landing:
        await _read_agents(extraction, landing)
        await _read_days(
            extraction, landing, lambda meter: days if meter.source == AGENT_ROLLUPS else set()
        )


async def _read_agents(extraction: Extraction, landing: Landing) -> None:
    async for page in extraction.client.agents.pages():
        landing.add("agents", page.answer, page.records)
        extraction.listed_agents |= {agent.id for agent in page.readable(lambda _: None)}


async def read_touched_days(extraction: Extraction) -> None:
    """Read older days on which a run lived that has changed since, or whose agent arrived here."""
    await extraction.loaded()

    def unread(meter: Meter) -> set[date]:
        touched = extraction.touched_days | extraction.arrived_days
        return (touched & extraction.days_held(meter.source)) - extraction.days_read[meter.source]

    async with extraction.step("touched-days") as landing:
        await _read_days(extraction, landing, unread)


def days_to_read(extraction: Extraction, meter: Meter) -> set[date]:
    """Return the days of a meter that each batch reads, and those last read before they were final.

    The API may add to a day for as long as each batch reads it again; one that no batch has read
    at the end of that time, as none ran, is read once more.
    """
    held = extraction.days_held(meter.source)
    final = windows_read.days_of(extraction.store, meter.source, meter.nightly_days - 1)
    return (held - final) | (held & set(extraction.days_back(meter.nightly_days)))


async def _read_days(
    extraction: Extraction, landing: Landing, days_of: Callable[[Meter], set[date]]
) -> None:
    """Read the days of each meter by windows, the newest one first.

    A meter whose newest window is refused is not asked for the others. A window of which more would
    come than one answer may have is read by halves.
    """
    endpoints = {
        meter.source: Endpoint(meter.source, meter.endpoint, meter.unknown) for meter in METERS
    }

    async def read(meter: Meter, window: Window, stands_for: Window) -> None:
        reading = meter.read(extraction.client.analytics, *window)
        try:
            error = await endpoints[meter.source].land(
                extraction, landing, reading, REFUSED, days_at=lambda _: window, window=stands_for
            )
        except AnswerTooLargeError:
            start, end = window
            middle = start + (end - start) // 2
            if middle == start:
                raise
            for half in ((start, middle), (middle, end)):
                await read(meter, half, half)
        else:
            if error is None:
                extraction.days_read[meter.source].update(days_of_window(window))

    wanted: list[tuple[Meter, list[Window]]] = []
    for meter in METERS:
        extraction.days_read.setdefault(meter.source, set())
        if meter.source not in extraction.refused and (days := days_of(meter)):
            wanted.append((meter, windows(days, meter.longest_days)))
    await extraction.gather(
        read(meter, spans[-1], (spans[0][0], spans[-1][1])) for meter, spans in wanted
    )
    await extraction.gather(
        read(meter, span, span)
        for meter, spans in wanted
        for span in spans[:-1]
        if not endpoints[meter.source].is_refused
    )
    for endpoint in endpoints.values():
        endpoint.conclude(extraction)


def days_of_window(window: Window) -> set[date]:
    """Return the days `[start, end)`."""
    start, end = window
    return {start + timedelta(days=number) for number in range((end - start).days)}


def windows(days: Iterable[date], longest: int) -> list[Window]:
    """Cover days by the fewest windows `[start, end)` of at most `longest` days."""
    spans: list[Window] = []
    for day in sorted(days):
        following = day + timedelta(days=1)
        if spans and spans[-1][1] == day and (day - spans[-1][0]).days < longest:
            spans[-1] = (spans[-1][0], following)
        else:
            spans.append((day, following))
    return spans
