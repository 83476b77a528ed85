"""The page Reconciliation of a workspace: what the vendor metered, and what explains it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analytics.report.controls import amounts, bills, verdicts, waterfall
from analytics.report.controls.rows import added
from analytics.report.controls.verdicts import NOT_JUDGED, STATES
from analytics.report.figures.periods import month_in_words
from analytics.report.writing import names, numbers, state
from analytics.report.writing.tables import Cell, Column, Table, money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from analytics.report.controls.reads import Reads
    from analytics.report.controls.rows import Control, Day, Finding, Hour, Origin
    from analytics.report.figures.facts import Workspace
    from analytics.report.writing.tables import Row

_CONTROLS = {
    "completeness": "Completeness",
    "cut_off": "Cut-off",
    "accuracy": "Accuracy",
    "allocation": "Allocation",
}
_OPEN_MONTHS = 1


@dataclass(frozen=True)
class Month:
    """The days of a month, folded below one line that says what they come to."""

    title: str
    table: Table
    is_open: bool


def page(workspace: Workspace, read: Reads, findings: Sequence[Finding]) -> dict[str, Any]:
    """What the template `reconciliation.html` prints."""
    days, controls = read.days(), read.controls()
    calendar = workspace.subject.coverage.calendar
    agents = read.agent_months(calendar.last_month.first)
    links = agent_links(workspace)
    return {
        "workspace": workspace,
        "coverage": workspace.subject.coverage,
        "finding": verdicts.finding(days),
        "days_line": verdicts.days_in_words(days),
        "controls_line": verdicts.controls(controls),
        "open_line": verdicts.open_days(days),
        "anyway": verdicts.published_anyway(findings),
        "controls": _controls(controls),
        "waterfall": waterfall.table(days) if days else None,
        "origins": _origins(days, read.origins(), links),
        "hours": _hours(read.hours()),
        "broken": _broken(findings),
        "held_line": verdicts.checks_in_words(findings),
        "has_checks": bool(findings),
        "by_month": _by_month(days, read.month_states()) if days else None,
        "months": _months(days),
        "providers": bills.providers(read.provider_months()),
        "agents": bills.agents(agents, calendar, links),
        "keys": bills.keys(read.keys()),
        "data": [],
    }


def agent_links(workspace: Workspace) -> dict[str | None, Cell]:
    """The name of each agent, with the way from a page of these to its own."""
    return {
        agent.row.key[1]: Cell(agent.name, agent.name.casefold(), href=f"../../{agent.path}")
        for agent in workspace.agents
    }


def _controls(totals: Sequence[Control]) -> Table:
    """The four controls, those that nothing is known of yet as well."""
    rows: list[Row] = []
    for control, label in _CONTROLS.items():
        found = [each for each in totals if each.control == control]
        rows += [[label, *_comparison(each)] for each in found]
        if not found:
            rows.append([label, "no day has closed yet", *[numbers.UNKNOWN] * 4, NOT_JUDGED])
    return Table(
        "controls",
        "Our number and what is explained, against the API's, over all closed days: US dollars, "
        "or runs",
        [
            Column("Control", "text"),
            Column("What is compared", "name"),
            *(Column(each) for each in ("Ours", "Explained", "The API's", "Difference")),
            Column("State", "text"),
        ],
        rows,
        is_cards=True,
    )


def _comparison(control: Control) -> list[Cell | str]:
    parts = [control.ours, control.explained, control.difference]
    cents = numbers.cents_together(parts)
    if control.unit == "runs":
        ours, explained, difference = (numbers.count(int(each)) for each in parts)
        theirs = numbers.count(int(control.theirs))
    else:
        pairs = zip(cents, parts, strict=True)
        ours, explained, difference = (numbers.usd_in_cents(*each) for each in pairs)
        theirs = numbers.usd(control.theirs)
    exact = [control.ours, control.explained, control.theirs, control.difference]
    texts = [ours, explained, theirs, difference]
    cells = [Cell(text, f"{each:f}") for text, each in zip(texts, exact, strict=True)]
    return [names.visible(control.measure), *cells, verdicts.held(control.is_ok)]


def _origins(
    days: Sequence[Day], origins: Sequence[Origin], links: dict[str | None, Cell]
) -> Table | None:
    """The days that are not explained, and whose cost they are."""
    unexplained = {each.date: each for each in days if each.status in {"unreconciled", "pending"}}
    if not unexplained:
        return None
    rows: list[Row] = [
        [
            each.date.isoformat(),
            _whose(each.agent_id, links),
            *_origin(each),
            STATES[unexplained[each.date].status],
        ]
        for each in origins
        if each.date in unexplained
    ]
    told = {each.date for each in origins}
    rows += [
        [
            day.date.isoformat(),
            "No agent's or platform's sum differs",
            *[""] * 4,
            money(day.explained.unexplained_usd),
            STATES[day.status],
        ]
        for day in unexplained.values()
        if day.date not in told
    ]
    return Table(
        "origins",
        "Whose cost is not explained, by UTC day: the API's sum, less listed and hidden runs and "
        "platform, US dollars",
        [
            Column("Day", "text"),
            Column("Whose", "name"),
            *(Column(each) for each in ("The API's sum", "Listed runs", "Platform", "Hidden runs")),
            Column("Not explained"),
            Column("State", "text"),
        ],
        rows,
        is_cards=True,
    )


def _origin(origin: Origin) -> list[Cell]:
    """The API's sum, and the parts that make it up, rounded together."""
    parts = [
        origin.runs_usd + origin.open_usd,
        origin.platform_usd,
        origin.gaps_usd,
        origin.unexplained_usd,
    ]
    cells = [
        Cell(numbers.usd_in_cents(cents, exact), numbers.usd_exact(exact))
        for cents, exact in zip(numbers.cents_together(parts), parts, strict=True)
    ]
    return [money(origin.api_usd), *cells]


def _whose(agent_id: str | None, links: dict[str | None, Cell]) -> Cell | str:
    if agent_id is None:
        return "Platform, and usage without an agent"
    return links.get(agent_id, names.display(agent_id))


def _hours(hours: Sequence[Hour]) -> Table | None:
    if not hours:
        return None
    return Table(
        "hours",
        "Hours of usage without an agent on these days, US dollars",
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


def _broken(findings: Sequence[Finding]) -> Table | None:
    broken = [each for each in findings if not each.is_ok]
    if not broken:
        return None
    return Table(
        "broken",
        "Checks that do not hold, in all workspaces",
        [
            Column("Claim", "name"),
            Column("What was found", "name"),
            Column("Control", "text"),
            Column("Published", "text"),
        ],
        [
            [
                names.visible(each.claim or each.name),
                names.visible(each.finding or ""),
                _CONTROLS.get(each.control or "", "our own figures"),
                verdicts.consequence(each),
            ]
            for each in broken
        ],
        is_cards=True,
    )


def _by_month(days: Sequence[Day], states: dict[date, str]) -> Table:
    months = _grouped(days)
    lines = {month: added(each.explained for each in of) for month, of in months.items()}
    rows: list[Row] = [
        [
            Cell(f"{month:%Y-%m}", href=f"#days-{month:%Y-%m}"),
            *amounts.explained(lines[month]),
            f"{states.get(month, 'open')}: {verdicts.days_in_words(of)}",
        ]
        for month, of in months.items()
    ]
    return _amounts_table(
        "by-month",
        "Metered cost and what explains it, by month of UTC days, US dollars",
        "Month",
        rows,
        amounts.explained_foot("Total", list(lines.values()), verdicts.days_in_words(days)),
    )


def _months(days: Sequence[Day]) -> list[Month]:
    """The days of each month, the newest month unfolded, and any with an unreconciled day."""
    return [
        Month(
            f"{month_in_words(month)}: {numbers.plural(len(of), 'day')}, "
            f"{verdicts.days_in_words(of)}",
            _amounts_table(
                f"days-{month:%Y-%m}",
                f"Metered cost and what explains it, {month_in_words(month)}, by UTC day, US "
                "dollars",
                "Day",
                [
                    [
                        each.date.isoformat(),
                        *amounts.explained(each.explained),
                        STATES[each.status],
                    ]
                    for each in of
                ],
                amounts.explained_foot(month_in_words(month), [day.explained for day in of], ""),
            ),
            is_open=index < _OPEN_MONTHS or any(day.status == "unreconciled" for day in of),
        )
        for index, (month, of) in enumerate(_grouped(days).items())
    ]


def _amounts_table(
    key: str, caption: str, head: str, rows: list[Row], foot: Sequence[Row]
) -> Table:
    columns = [Column(head, "text"), *amounts.EXPLAINED, Column("State", "text")]
    return Table(key, caption, columns, rows, foot, is_cards=True)


def _grouped(days: Sequence[Day]) -> dict[date, list[Day]]:
    months: defaultdict[date, list[Day]] = defaultdict(list)
    for each in days:
        months[each.date.replace(day=1)].append(each)
    return months
