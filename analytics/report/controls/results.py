"""Tables of the controls against the API, and of the differences that they found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analytics.format import names, numbers
from analytics.report.controls import verdicts
from analytics.report.writing.tables import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from analytics.report.controls.lines import Lines
    from analytics.report.controls.rows import Control, Finding

SHOWN_FINDINGS = 20

_AT_MOST = "unlisted runs"  # its first source has a part of what the second has

_COMPARED = {
    "run costs": "run",
    "listed runs": "agent day",
    "unlisted runs": "agent day",
    "run counts": "agent day",
    "cut-off": "agent day",
    "platform": "day",
    "bill": "day",
    "allocation": "day",
}
_MEASURES = {
    "cost_usd": "cost",
    "billed_usd": "billed",
    "run_count": "runs",
    "succeeded_count": "succeeded runs",
    "failed_count": "failed runs",
    "cancelled_count": "cancelled runs",
    "tokens_in": "tokens in",
    "tokens_out": "tokens out",
    "request_count": "requests",
}


def controls(found: Sequence[Control]) -> Table | None:
    """Each control with its two sources, how much was compared, and both numbers."""
    if not found:
        return None
    return Table(
        "controls",
        "Controls: two sources of the API that are independent of each other, and the sum of each "
        "over all that was compared, US dollars or runs",
        [
            Column("Control", "text"),
            *(Column(each, "name") for each in ("Claim", "First source", "Second source")),
            *(Column(each) for each in ("Compared", "First", "Second")),
            Column("Result", "text"),
        ],
        [_control(each) for each in found],
        is_cards=True,
    )


def findings(found: Sequence[Finding], lines: Lines) -> Table | None:
    """The largest differences of each control that failed."""
    if not found:
        return None
    return Table(
        "findings",
        "Findings of the controls that failed, the largest first, US dollars or counts",
        [
            Column("Control", "text"),
            Column("UTC day", "text"),
            Column("Agent", "name"),
            Column("Run or provider", "name"),
            Column("Compared", "text"),
            *(Column(each) for each in ("First", "Second", "Difference")),
            Column("Day is", "text"),
        ],
        [_finding(each, lines) for each in found],
        is_cards=True,
    )


def more_findings(found: Sequence[Finding]) -> str:
    """How many findings of which control are in the published file alone; empty if none."""
    rest = {each.control: each.finding_count - each.number for each in found}  # the last one's
    more = [
        f"{numbers.plural(count, 'more finding')} of {_label(control)}"
        for control, count in rest.items()
        if count
    ]
    return f"{', '.join(more)}: audit.control_findings." if more else ""


def _control(control: Control) -> list[Cell | str]:
    compared: Cell | str = numbers.UNKNOWN
    if control.compared_count is not None:
        noun = _COMPARED.get(control.control, "row")
        compared = Cell(numbers.plural(control.compared_count, noun), str(control.compared_count))
    result = Cell(verdicts.result(control.is_passed))
    if control.finding_count:
        count = numbers.plural(control.finding_count, "finding")
        result = replace(result, note=count, href="#findings")
    elif control.control != _AT_MOST and control.ours != control.theirs:
        result = replace(result, note="difference found by another control")
    return [
        _label(control.control),
        names.visible(control.claim),
        *map(names.visible, control.sources),
        compared,
        _number(control.ours, control.measure),
        _number(control.theirs, control.measure),
        result,
    ]


def _finding(finding: Finding, lines: Lines) -> list[Cell | str]:
    difference = finding.difference_usd
    if difference is None and finding.ours is not None and finding.theirs is not None:
        difference = finding.ours - finding.theirs
    measure = finding.measure
    return [
        _label(finding.control),
        finding.utc_date.isoformat() if finding.utc_date else numbers.UNKNOWN,
        lines.cell(finding.agent_id) if finding.agent_id else "",
        names.display(finding.run_id or finding.provider)
        if finding.run_id or finding.provider
        else "",
        _MEASURES.get(measure or "", names.display(measure or numbers.UNKNOWN)),
        *(_number(each, measure, is_fine=True) for each in (finding.ours, finding.theirs)),
        _number(difference, measure, is_fine=True),
        "closed" if finding.is_closed else "open or provisional",
    ]


def _label(control: str) -> str:
    return names.capitalized(names.display(control))


def _number(value: Decimal | None, measure: str | None, *, is_fine: bool = False) -> Cell:
    if value is None:
        return Cell(numbers.UNKNOWN, "")
    if (measure or "").endswith("_usd"):
        return Cell((numbers.usd_fine if is_fine else numbers.usd)(value), numbers.usd_exact(value))
    return Cell(numbers.count(int(value)), numbers.usd_exact(value))
