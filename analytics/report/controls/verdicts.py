"""Results of the reconciliation and of checks, in words with a sign."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.format.numbers import plural, usd, usd_headline
from analytics.report.controls.rows import added

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.controls.rows import CheckRow, Control, Day

STATES = {
    "open": "◔ open",
    "pending": "◔ pending",
    "reconciled": "✓ reconciled",
    "unreconciled": "✕ unreconciled",
}


def result(is_passed: bool | None) -> str:
    """The result of a check or a control, as a word and a sign."""
    if is_passed is None:
        return "◔ nothing to compare yet"
    return "✓ passed" if is_passed else "✕ failed"


def finding(controls: Sequence[Control], days: Sequence[Day]) -> str:
    """The title of the page: results of the controls, and the cost that is unexplained."""
    over = [each for each in days if each.status != "open"]
    if not days:
        return "Nothing has been metered yet"
    if not over:
        return f"{controls_in_words(controls)}; {plural(len(days), 'day')} still open"
    unexplained = sum((abs(each.explained.unexplained_usd) for each in over), Decimal(0))
    metered = added(each.explained for each in over).metered_usd
    return (
        f"{controls_in_words(controls)}; {usd(unexplained)} of {usd_headline(metered)} metered "
        f"on {plural(len(over), 'closed day')} is unexplained"
    )


def controls_in_words(controls: Sequence[Control]) -> str:
    """How many controls of the workspace passed."""
    compared = [each for each in controls if each.is_passed is not None]
    failed = [each for each in compared if not each.is_passed]
    if not compared:
        return "No control has compared anything yet"
    if failed:
        count = sum(each.finding_count for each in failed)
        controls_failed = f"{len(failed)} of {plural(len(compared), 'control')} failed"
        return f"{controls_failed} with {plural(count, 'finding')}"
    return f"All {len(compared)} controls passed" if len(compared) > 1 else "1 control passed"


def open_days(days: Sequence[Day]) -> str:
    """How many days are still open, and the cost of them that is unexplained; empty if none."""
    found = [each for each in days if each.status == "open"]
    if not found:
        return ""
    amounts = added(each.explained for each in found)
    left = amounts.unexplained_usd
    rest = f", of which {usd(left)} is unexplained" if left else ""
    return (
        f"{plural(len(found), 'day')} still open: metered {usd(amounts.metered_usd)}{rest}. "
        "An open day is today, or has open or provisional runs."
    )


def days_in_words(days: Sequence[Day]) -> str:
    """How many days are in which state."""
    counts = {
        status: sum(each.status == status for each in days)
        for status in ("reconciled", "pending", "unreconciled", "open")
    }
    return ", ".join(f"{number} {status}" for status, number in counts.items() if number)


def checks_in_words(checks: Sequence[CheckRow]) -> str:
    """The number of checks by what they compare, and how many failed."""
    if not checks:
        return "No checks were run"
    against = [each for each in checks if each.control]
    independent = sum(len((each.sources or "").split(" | ")) == 2 for each in against)
    failed = sum(not each.is_passed for each in checks)
    text = f"{plural(len(checks) - len(against), 'check')} of keys and sums of our own"
    if against:
        all_of = "all " if independent == len(against) and independent > 1 else ""
        text += (
            f", {len(against)} against the API, {all_of}{independent} with two independent sources"
        )
    return f"{text}: {f'{failed} failed' if failed else 'all passed'}"


def published_anyway(checks: Sequence[CheckRow]) -> str:
    """That figures were published in spite of a control that stops publishing; empty if not."""
    stopped = [each for each in checks if each.control and each.is_blocking]
    if not stopped:
        return ""
    return (
        f"Published although {plural(len(stopped), 'control')} against the API failed: closed days "
        "differ by more than both thresholds of [controls]."
    )
