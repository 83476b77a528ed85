"""What the reconciliation finds, in a sentence, and states in words with a sign."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.report.controls.rows import added
from analytics.report.writing.numbers import plural, usd, usd_headline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.controls.rows import Control, Day, Finding

STATES = {
    "open": "◔ open",
    "pending": "◔ pending",
    "reconciled": "✓ ok",
    "unreconciled": "✕ unreconciled",
}
NOT_JUDGED = "◔ not judged yet"


def held(is_held: bool) -> str:
    """Whether a claim holds, in a word and a sign."""
    return "✓ holds" if is_held else "✕ does not hold"


def finding(days: Sequence[Day]) -> str:
    """Whether the metered cost of the days is explained, or how much of it is not."""
    for status, end in (("unreconciled", ""), ("pending", " yet")):
        found = [each for each in days if each.status == status]
        if found:
            amount = sum((abs(each.explained.unexplained_usd) for each in found), Decimal(0))
            verb = "is not explained"
            return f"{usd(amount)} of {plural(len(found), 'day')} {verb}{end}"
    closed = [each for each in days if each.status == "reconciled"]
    if not days:
        return "Nothing has been metered yet"
    if not closed:
        return f"No day has closed yet: {plural(len(days), 'day')} open"
    if any(each.explained.unexplained_usd for each in days if each.status == "open"):
        metered = usd_headline(added(each.explained for each in closed).metered_usd)
        of_days = plural(len(closed), "closed day")
        return f"Metered {metered} of {of_days} is explained to the last cent"
    metered = usd_headline(added(each.explained for each in days).metered_usd)
    return f"Metered {metered} is explained to the last cent"


def open_days(days: Sequence[Day]) -> str:
    """How many days are not judged yet, and what they still leave open; empty if none."""
    found = [each for each in days if each.status == "open"]
    if not found:
        return ""
    amounts = added(each.explained for each in found)
    left = amounts.unexplained_usd
    rest = f", of which {usd(left)} is not explained so far" if left else ""
    return (
        f"{plural(len(found), 'day')} still open: metered {usd(amounts.metered_usd)}{rest}. "
        "They are judged once every run of theirs has ended and is final."
    )


def days_in_words(days: Sequence[Day]) -> str:
    """How many days are in which state."""
    words = {
        "reconciled": "reconciled",
        "pending": "pending",
        "unreconciled": "unreconciled",
        "open": "open",
    }
    counts = {status: sum(each.status == status for each in days) for status in words}
    return ", ".join(f"{number} {words[status]}" for status, number in counts.items() if number)


def controls(totals: Sequence[Control]) -> str:
    """How many of the four controls hold."""
    names = {each.control for each in totals}
    broken = {each.control for each in totals if not each.is_ok}
    if not names:
        return "no control judged yet"
    if not broken:
        return f"all {len(names)} controls hold"
    return f"{len(broken)} of {plural(len(names), 'control')} not held"


def checks_in_words(findings: Sequence[Finding]) -> str:
    """How many checks held, of all that were run."""
    held_count = sum(each.is_ok for each in findings)
    if not findings:
        return "No checks were run"
    if held_count == len(findings):
        return f"All {held_count} checks held"
    return f"{held_count} of {len(findings)} checks held"


def consequence(finding: Finding) -> str:
    """What a check that does not hold means for publishing."""
    if not finding.control:
        return "no: it always stops publishing"
    return "anyway" if finding.is_blocking else "yes: not above both thresholds"


def published_anyway(findings: Sequence[Finding]) -> str:
    """That figures were published which a control would have stopped; empty if none were."""
    stopped = [each for each in findings if each.control and each.is_blocking]
    if not stopped:
        return ""
    checks = plural(len(stopped), "check")
    return (
        f"Published although {checks} of the API's own figures would have stopped it: "
        "closed days differ by more than both thresholds of [controls]."
    )
