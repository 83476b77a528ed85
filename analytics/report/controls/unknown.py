"""Tables of runs and records that are in no sum: no usage reported, unknown cost, quarantined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.format import names
from analytics.format.numbers import UNKNOWN, count, percent
from analytics.report.writing.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.controls.lines import Lines
    from analytics.report.controls.quality_reads import Listed

    Rows = Sequence[tuple[Any, ...]]


def no_usage(rows: Rows, lines: Lines) -> Table | None:
    """Runs that succeeded with no usage reported: their cost is unknown."""
    found = [row for row in rows if row[2]]
    if not found:
        return None
    return Table(
        "no-usage",
        "Runs that succeeded with no tokens and no cost reported",
        [
            Column("Agent", "name"),
            *(Column(each) for each in ("No usage reported", "Succeeded", "Share")),
            Column("Last on", "text"),
        ],
        [
            [
                lines.cell(agent_id),
                count(number),
                count(succeeded),
                percent(number, succeeded),
                last.isoformat(),
            ]
            for agent_id, succeeded, number, last, *_ in sorted(found, key=lambda row: -row[2])
        ],
        [["Total", count(sum(row[2] for row in found)), "", "", ""]],
        is_cards=True,
    )


def costs(rows: Rows, lines: Lines) -> Table | None:
    """Runs for which the API reports no cost."""
    found = [row for row in rows if row[5]]
    if not found:
        return None
    return Table(
        "unknown-costs",
        "Runs of unknown cost: in no sum, and not zero",
        [
            Column("Agent", "name"),
            *(Column(each) for each in ("Of unknown cost", "Runs")),
            Column("Last on", "text"),
        ],
        [
            [lines.cell(agent_id), count(number), count(runs), last.isoformat()]
            for agent_id, _, _, _, runs, number, last in sorted(found, key=lambda row: -row[5])
        ],
        [["Total", count(sum(row[5] for row in found)), "", ""]],
        is_cards=True,
    )


def quarantined(found: Listed) -> Table | None:
    """Quarantined records by source and reason."""
    if not found.rows:
        return None
    return Table(
        "quarantined",
        "Records that could not be understood: in no figure, but in their landing file",
        [
            Column("Source", "name"),
            Column("Reason", "name"),
            Column("Records"),
            Column("First load", "text"),
            Column("Last load", "text"),
        ],
        [
            [
                names.display(source),
                names.display(reason, "no reason given"),
                count(number),
                names.display(first or UNKNOWN),
                names.display(last or UNKNOWN),
            ]
            for source, reason, number, first, last in found.rows
        ],
        [["Total", "", count(found.totals[0]), "", ""]],
        is_cards=True,
    )
