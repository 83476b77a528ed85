"""The last stage of a batch: new findings of what was published are sent."""

from __future__ import annotations

from collections.abc import Callable

from analytics.alerts.delivery import FINDINGS, Found, deliver, read_found
from analytics.alerts.sender import Address, addresses, send
from analytics.batch.batch import Batch
from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError, UsageError
from analytics.format.numbers import plural
from analytics.settings import Settings, alert_urls
from analytics.warehouse.database import open_marts

_SHOWN = 3
"""Findings of an alert that are printed where they are not sent."""


def send_findings(batch: Batch) -> None:
    """Send each finding that was not sent. Nothing here fails the batch."""
    with open_marts(batch.layout.published) as con:
        found = read_found(con, batch.settings.publish.url)
    receivers = _addresses(batch.settings, batch.warn)
    if not receivers:
        _show(found, batch.progress)
        return
    with batch.progress.stage("alerts") as done:
        try:
            sent = deliver(batch.layout.alerts, found, receivers, send, batch.warn)
        except (AnalyticsError, OSError) as error:
            batch.warn(str(error))
            return
        count = len(found.findings)
        done(
            f"sent {sent} of {plural(count, 'finding')}",
            finding_count=count,
            sent_count=sent,
        )


def _addresses(settings: Settings, warn: Callable[[str], None]) -> list[Address]:
    try:
        return addresses(alert_urls(settings))
    except UsageError as error:
        warn(str(error))
        return []


def _show(found: Found, progress: Progress) -> None:
    """Print the first findings of each alert of the user; the summary has all others."""
    for alert in (each for each in found.alerts if each != FINDINGS):
        findings = found.of(alert)
        for each in findings[:_SHOWN]:
            progress.say(f"alert {alert}: {each.text}")
        if more := max(0, len(findings) - _SHOWN):
            progress.say(f"alert {alert}: {more} more")
