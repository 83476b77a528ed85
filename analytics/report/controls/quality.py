"""The page Data quality of a workspace: detail coverage, figures that may change, and checks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from analytics.format import names, numbers
from analytics.report.controls import late, unknown, unlisted, verdicts
from analytics.report.writing import state
from analytics.report.writing.blocks import Kpi
from analytics.report.writing.tables import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from analytics.report.controls.lines import Lines
    from analytics.report.controls.quality_reads import Detail, Listed, QualityReads
    from analytics.report.controls.rows import CheckRow
    from analytics.report.figures.facts import Workspace


def page(
    workspace: Workspace, read: QualityReads, lines: Lines, checks: Sequence[CheckRow]
) -> dict[str, Any]:
    """The context of the template `quality.html`."""
    detail, provisional, quarantined = read.detail(), read.provisional(), read.quarantined()
    adjusted, odd = read.adjustments(), read.odd_runs()
    return {
        "workspace": workspace,
        "coverage": workspace.subject.coverage,
        "finding": _finding(detail, quarantined, provisional),
        "kpis": _kpis(detail, provisional, adjusted, odd, quarantined),
        "unlisted_agents": unlisted.agents(read.agent_details(), lines),
        "unlisted_days": unlisted.days(read.unlisted_days(), lines),
        "schedule_line": unlisted.schedule(read.fastest(), lines),
        "provisional_line": late.in_words(provisional),
        "provisional": late.provisional(provisional, lines),
        "adjustments": late.adjustments(adjusted, lines),
        "no_usage": unknown.no_usage(odd, lines),
        "unknown_costs": unknown.costs(odd, lines),
        "quarantined": unknown.quarantined(quarantined),
        "freshness_line": _freshness(read.batches()),
        "loads": late.loads(read.loads()),
        "checks": _checks(checks),
        "checks_line": verdicts.checks_in_words(checks),
        "data": [],
    }


def _finding(detail: Detail, quarantined: Listed, provisional: Listed) -> str:
    """The most important limit of the data."""
    if detail.unlisted_count:
        runs = numbers.plural(detail.unlisted_count, "unlisted run")
        return f"Run detail for {unlisted.coverage(detail)} of runs; {runs}"
    if quarantined.row_count:
        records = numbers.plural(quarantined.totals[0], "quarantined record")
        return f"Run detail for every run; {records}"
    if provisional.totals[0]:
        return f"Run detail for every run; {numbers.plural(provisional.totals[0], 'open run')}"
    if not detail.run_count:
        return "No run has been read yet"
    return "Run detail for every run, and no quarantined record"


def _kpis(
    detail: Detail,
    provisional: Listed,
    adjusted: Listed,
    odd: Sequence[tuple[Any, ...]],
    quarantined: Listed,
) -> list[Kpi]:
    open_count, _, oldest = provisional.totals
    (changed,) = adjusted.totals
    no_usage, unknown_costs = (sum(row[index] for row in odd) for index in (2, 5))
    listed, runs = numbers.count(detail.listed_count), numbers.count(detail.run_count)
    partly = numbers.plural(detail.unknown_day_count, "agent day")
    return [
        Kpi(
            "Unlisted runs",
            numbers.count(detail.unlisted_count),
            notes=(
                f"{numbers.usd(detail.unlisted_usd)} of cost",
                *((f"unknown on {partly}",) if detail.unknown_day_count else ()),
            )
            if detail.unlisted_count
            else ("every run is listed",),
        ),
        Kpi("Detail coverage", unlisted.coverage(detail), notes=(f"{listed} of {runs} runs",)),
        Kpi(
            "Open runs",
            numbers.count(open_count),
            notes=(
                f"the oldest since {state.moment(oldest)}" if oldest else "none",
                f"{numbers.count(provisional.row_count - open_count)} more are provisional",
            ),
        ),
        Kpi(
            "Adjustments",
            numbers.count(adjusted.row_count),
            notes=(f"{numbers.usd_signed(changed)} in all" if adjusted.row_count else "none",),
        ),
        Kpi("No usage reported", numbers.count(no_usage), notes=("succeeded runs",)),
        Kpi(
            "Unknown costs",
            numbers.count(unknown_costs),
            notes=("runs in no sum of cost" if unknown_costs else "every cost is known",),
        ),
        Kpi(
            "Quarantined records",
            numbers.count(quarantined.totals[0] or 0),
            notes=("in no figure" if quarantined.row_count else "every record was understood",),
        ),
    ]


def _freshness(batches: tuple[datetime | None, datetime | None]) -> str:
    first, last = batches
    if first is None or last is None:
        return "No batch has ended yet."
    return f"The first batch began {state.moment(first)}, the last {state.moment(last)}."


def _checks(checks: Sequence[CheckRow]) -> Table | None:
    if not checks:
        return None
    return Table(
        "all-checks",
        "Checks of the last batch, of all workspaces together; those that failed first, then those "
        "against the API",
        [
            Column("Check", "name"),
            Column("Result", "text"),
            Column("Compares", "text"),
            Column("Finding", "name"),
        ],
        [_check(each) for each in checks],
        is_cards=True,
    )


def _check(check: CheckRow) -> list[Cell | str]:
    compares = Cell("keys and sums of our own")
    if check.control:
        first, _, second = (check.sources or "").partition(" | ")
        compares = Cell(names.visible(f"{first} with {second}" if second else "the API"))
        compares = replace(compares, note=f"control: {names.visible(check.control)}")
    return [
        Cell(names.visible(check.claim or check.name), note=names.visible(check.name)),
        Cell(
            verdicts.result(check.is_passed), note="stops publishing" if check.is_blocking else ""
        ),
        compares,
        names.visible(check.finding or ""),
    ]
