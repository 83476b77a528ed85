"""The last stage of a batch: new findings of what was published are sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analytics.alerts.delivery import Found, deliver, read_found
from analytics.alerts.sender import Address, addresses, send
from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError, UsageError
from analytics.format.numbers import plural
from analytics.settings import Settings, alert_urls
from analytics.warehouse.database import open_marts
from analytics.warehouse.layout import Layout

_SHOWN = 3
"""Findings of an alert that are printed where they are not sent."""


def send_findings(settings: Settings, layout: Layout, progress: Progress) -> list[str]:
    """Send each finding that was not sent; return the warnings. Nothing here fails the batch."""
    with open_marts(layout.published) as con:
        found = read_found(con)
    if not found.alerts and not layout.alerts.exists():
        return []
    return send_found(settings, found, layout.alerts, progress)


def send_found(settings: Settings, found: Found, file: Path, progress: Progress) -> list[str]:
    """Send what `file` does not keep as sent; return the warnings of all that fails."""
    warnings: list[str] = []

    def warn(text: str) -> None:
        warnings.append(text)
        progress.warn(text)

    with progress.stage("alerts") as done:
        receivers = _addresses(settings, warn)
        try:
            sent = deliver(file, found, receivers, send, warn)
        except (AnalyticsError, OSError) as error:
            warn(str(error))
            return warnings
        if not receivers:
            _show(found, progress)
        count = len(found.findings)
        sending = f"{sent} of them sent now" if receivers else "not sent"
        done(
            f"asked {plural(len(found.alerts), 'alert')}: {plural(count, 'finding')}"
            + (f", {sending}" if count else ""),
            alert_count=len(found.alerts),
            finding_count=count,
            sent_count=sent,
        )
    return warnings


def _addresses(settings: Settings, warn: Callable[[str], None]) -> list[Address]:
    try:
        return addresses(alert_urls(settings))
    except UsageError as error:
        warn(str(error))
        return []


def _show(found: Found, progress: Progress) -> None:
    """Print the first findings of each alert."""
    for alert in found.alerts:
        findings = found.of(alert)
        for each in findings[:_SHOWN]:
            progress.say(f"alert {alert}: {each.text}")
        if more := max(0, len(findings) - _SHOWN):
            progress.say(f"alert {alert}: {more} more")
    if found.findings:
        progress.say("findings are not sent: there are no addresses (urls_env in [alerts])")
