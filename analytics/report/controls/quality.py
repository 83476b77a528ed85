"""The page Data quality of a workspace: what its data lack, and how fresh they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.report.controls import late, missing, verdicts
from analytics.report.controls.reconciliation import agent_links
from analytics.report.writing import names, numbers, state
from analytics.report.writing.blocks import Kpi
from analytics.report.writing.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from analytics.report.controls.quality_reads import Listed, QualityReads
    from analytics.report.controls.rows import Finding
    from analytics.report.figures.facts import Workspace


def page(workspace: Workspace, read: QualityReads, findings: Sequence[Finding]) -> dict[str, Any]:
    """What the template `quality.html` prints."""
    links = agent_links(workspace)
    gaps, provisional, quarantined = read.gaps(), read.provisional(), read.quarantined()
    adjusted, odd, loads = read.adjustments(), read.odd_runs(), read.loads()
    return {
        "workspace": workspace,
        "coverage": workspace.subject.coverage,
        "finding": _finding(gaps, quarantined, provisional),
        "kpis": _kpis(gaps, provisional, adjusted, odd, quarantined),
        "gap_agents": missing.agents(read.gap_agents(), gaps, links),
        "gap_days": missing.days(gaps, links),
        "gap_models": missing.models(read.gap_models()),
        "schedule_line": missing.pace(read.fastest(), links),
        "provisional_line": late.in_words(provisional),
        "provisional": late.provisional(provisional, links),
        "adjustments": late.adjustments(adjusted, links),
        "no_usage": missing.no_usage(odd, links),
        "unknown_costs": missing.unknown_costs(odd, links),
        "quarantined": missing.quarantined(quarantined),
        "freshness_line": _freshness(read.batches()),
        "loads": late.loads(loads),
        "checks": _checks(findings),
        "checks_line": verdicts.checks_in_words(findings),
        "data": [],
    }


def _finding(gaps: Listed, quarantined: Listed, provisional: Listed) -> str:
    """What matters most of what the data lack."""
    runs, cost_usd, unknown = gaps.totals
    if gaps.row_count:
        cost = "of unknown cost" if cost_usd is None else f"which cost {numbers.usd(cost_usd)}"
        more = " and more" if unknown and cost_usd is not None else ""
        return f"{numbers.plural(runs, 'hidden run')}, {cost}{more}"
    if quarantined.row_count:
        records = numbers.plural(quarantined.totals[0], "record")
        return f"No run is hidden; {records} not understood"
    if provisional.totals[0]:
        return f"No run is hidden; {numbers.plural(provisional.totals[0], 'run')} still open"
    return "No run is hidden, and every record was understood"


def _kpis(
    gaps: Listed,
    provisional: Listed,
    adjusted: Listed,
    odd: Sequence[tuple[Any, ...]],
    quarantined: Listed,
) -> list[Kpi]:
    open_count, _, oldest = provisional.totals
    changed, _ = adjusted.totals
    no_usage, unknown = (sum(row[index] for row in odd) for index in (2, 5))
    return [
        Kpi(
            "Hidden runs",
            numbers.count(gaps.totals[0] or 0),
            notes=(numbers.usd(gaps.totals[1]) if gaps.row_count else "the API lists every run",),
        ),
        Kpi(
            "Open runs",
            numbers.count(open_count),
            notes=(
                f"the oldest since {state.moment(oldest)}" if oldest else "none",
                f"{numbers.count(provisional.row_count - open_count)} more are provisional",
            ),
        ),
        Kpi(
            "Adjusted agent days",
            numbers.count(adjusted.row_count),
            notes=(f"{numbers.usd_signed(changed)} in all" if adjusted.row_count else "none",),
        ),
        Kpi("Runs without reported usage", numbers.count(no_usage), notes=("unknown, not free",)),
        Kpi("Runs of unknown cost", numbers.count(unknown), notes=("in no sum",)),
        Kpi(
            "Records left out",
            numbers.count(quarantined.totals[0] or 0),
            notes=("could not be understood" if quarantined.row_count else "all were understood",),
        ),
    ]


def _freshness(batches: tuple[datetime | None, datetime | None]) -> str:
    first, last = batches
    if first is None or last is None:
        return "No batch has ended yet."
    return f"The first batch began {state.moment(first)}, the last {state.moment(last)}."


def _checks(findings: Sequence[Finding]) -> Table | None:
    if not findings:
        return None
    return Table(
        "all-checks",
        "Every check of the last batch, in all workspaces; those that do not hold first",
        [
            Column("Claim", "name"),
            Column("State", "text"),
            Column("Against", "text"),
            Column("What was found", "name"),
        ],
        [
            [
                names.visible(each.claim or each.name),
                verdicts.held(each.is_ok),
                "the API's figures" if each.control else "our own figures",
                names.visible(each.finding or ""),
            ]
            for each in findings
        ],
        is_cards=True,
    )
