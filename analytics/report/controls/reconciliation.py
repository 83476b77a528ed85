"""The page Reconciliation of a workspace: controls, the bridge to the bill, and an explanation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.format import names, numbers
from analytics.format.days import month_in_words
from analytics.report.controls import amounts, bills, bridge, results, verdicts, waterfall
from analytics.report.controls.verdicts import STATES
from analytics.report.writing import state
from analytics.report.writing.tables import Column, Table, money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from analytics.report.controls.lines import Lines
    from analytics.report.controls.reads import Reads
    from analytics.report.controls.rows import CheckRow, Day, Hour, Origin
    from analytics.report.figures.facts import Workspace
    from analytics.report.writing.tables import Row

_OPEN_MONTHS = 1


@dataclass(frozen=True)
class Month:
    """The days of a month, folded below one line that sums them up."""

    title: str
    table: Table
    is_open: bool


def page(
    workspace: Workspace, read: Reads, lines: Lines, checks: Sequence[CheckRow]
) -> dict[str, Any]:
    """The context of the template `reconciliation.html`."""
    days, steps, controls = read.days(), read.bridge(), read.controls()
    findings = read.findings(results.SHOWN_FINDINGS)
    calendar = workspace.subject.coverage.calendar
    provisional = {each.utc_date.replace(day=1) for each in days if each.status == "open"}
    return {
        "workspace": workspace,
        "coverage": workspace.subject.coverage,
        "finding": verdicts.finding(controls, days),
        "days_line": verdicts.days_in_words(days),
        "open_line": verdicts.open_days(days),
        "anyway": verdicts.published_anyway(checks),
        "controls": results.controls(controls),
        "findings": results.findings(findings, lines),
        "more_findings": results.more_findings(findings),
        "checks_line": verdicts.checks_in_words(checks),
        "bridge": bridge.table(steps, provisional),
        "earlier_line": bridge.earlier(steps),
        "zone_line": _zone(read.timezone()),
        "waterfall": waterfall.table(days) if days else None,
        "origins": _origins(days, read.origins(), lines),
        "hours": _hours(read.hours()),
        "months": _months(days),
        "providers": bills.providers(read.provider_months()),
        "agents": bills.agents(read.agent_months(calendar.last_month.first), calendar, lines),
        "keys": bills.keys(read.keys()),
        "data": [],
    }


def _zone(timezone: str) -> str:
    """A sentence where the months of other pages are cut in another time zone."""
    if timezone == "UTC":
        return ""
    return (
        f"The bridge is in UTC months, as the bill is; other pages cut days and months in "
        f"{names.visible(timezone)}."
    )


def _origins(days: Sequence[Day], origins: Sequence[Origin], lines: Lines) -> Table | None:
    """The lines whose cost is unexplained on days that are over."""
    unexplained = {
        each.utc_date: each for each in days if each.status in ("unreconciled", "pending")
    }
    if not unexplained:
        return None
    rows: list[Row] = [
        [
            each.utc_date.isoformat(),
            lines.cell(each.agent_id),
            *amounts.explained(each.explained)[:-1],
            STATES[unexplained[each.utc_date].status],
        ]
        for each in origins
        if each.utc_date in unexplained
    ]
    return Table(
        "origins",
        "Unexplained cost of days that are over, by agent, US dollars",
        [
            Column("UTC day", "text"),
            Column("Agent", "name"),
            *amounts.EXPLAINED[:-1],
            Column("State", "text"),
        ],
        rows,
        is_cards=True,
    )


def _hours(hours: Sequence[Hour]) -> Table | None:
    if not hours:
        return None
    return Table(
        "hours",
        "Hours of metered usage without an agent on these days, US dollars",
        [Column("Hour", "text"), Column("Requests"), Column("Cost")],
        [
            [
                state.moment(each.hour),
                numbers.UNKNOWN
                if each.request_count is None
                else numbers.count(each.request_count),
                money(each.cost_usd),
            ]
            for each in hours
        ],
    )


def _months(days: Sequence[Day]) -> list[Month]:
    """The days of each month, the newest month unfolded, and any with an unreconciled day."""
    return [
        Month(
            f"{month_in_words(month)}: {verdicts.days_in_words(of)}",
            _month(month, of),
            is_open=index < _OPEN_MONTHS or any(day.status == "unreconciled" for day in of),
        )
        for index, (month, of) in enumerate(_grouped(days).items())
    ]


def _month(month: date, days: Sequence[Day]) -> Table:
    return Table(
        f"days-{month:%Y-%m}",
        f"Metered cost and its parts, {month_in_words(month)}, by UTC day, US dollars",
        [Column("UTC day", "text"), *amounts.EXPLAINED, Column("State", "text")],
        [
            [
                each.utc_date.isoformat(),
                *amounts.explained(each.explained),
                STATES.get(each.status, names.display(each.status)),
            ]
            for each in days
        ],
        amounts.explained_foot(month_in_words(month), [day.explained for day in days], ""),
        is_cards=True,
    )


def _grouped(days: Sequence[Day]) -> dict[date, list[Day]]:
    months: defaultdict[date, list[Day]] = defaultdict(list)
    for each in days:
        months[each.utc_date.replace(day=1)].append(each)
    return months
