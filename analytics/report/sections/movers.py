"""What changed most since the week before, and whether by more runs or by more expensive ones."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.format import numbers
from analytics.format.names import in_sentence
from analytics.report.writing.blocks import Chart, Spec, missing
from analytics.report.writing.tables import Cell, Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analytics.report.figures.facts import Measures, Sheet, Subject, Workspace
    from analytics.report.writing.tables import Row

SHOWN = 10
AGENT, VERSION, MODEL = "Agent", "Version", "Model"


@dataclass(frozen=True)
class Mover:
    """An agent, a version of one, or a model: its cost and its runs in two weeks."""

    kind: str
    name: str
    href: str
    now_usd: Decimal
    before_usd: Decimal
    now_count: int | None
    before_count: int | None

    @property
    def change_usd(self) -> Decimal:
        """What the last week cost more than the one before."""
        return self.now_usd - self.before_usd

    @property
    def why(self) -> str:
        """What the change comes from, as far as counts tell."""
        if self.now_count is None or self.before_count is None:
            return ""
        if not self.before_count and not self.now_count:
            return "the platform's own"
        if not self.before_count:
            return "new"
        if not self.now_count:
            return "no run any more"
        runs = f"{numbers.count(self.before_count)} \u2192 {numbers.count(self.now_count)} runs"
        each = [
            numbers.usd_per_run(cost / count)
            for cost, count in (
                (self.before_usd, self.before_count),
                (self.now_usd, self.now_count),
            )
        ]
        return f"{runs}, {each[0]} \u2192 {each[1]} each"


def chart(subject: Subject, movers: Sequence[Mover]) -> Chart:
    """The largest changes of agents as bars, and those of versions and models in the table."""
    calendar, key, label = subject.coverage.calendar, "movers", "Changes since the week before"
    weeks = (calendar.last_week, calendar.week_before)
    if not all(subject.covers(week) for week in weeks):
        reason = f"No comparison: {weeks[1]} and {weeks[0]} are not both complete."
        return missing(key, label, reason)
    moved = sorted((each for each in movers if each.change_usd), key=_largest_first)
    agents = [each for each in moved if each.kind == AGENT][:SHOWN]
    if not agents:
        return missing(key, label, f"No agent's cost changed from {weeks[1]} to {weeks[0]}.")
    now, before = (subject.over(week).cost_usd for week in weeks)
    first = agents[0]
    return Chart(
        key,
        f"Cost changed by {numbers.usd_change(now, before)} in a week; most by "
        f"{in_sentence(first.name)}, {numbers.usd_signed(first.change_usd)}",
        f"Change of cost by agent, US dollars, {weeks[0]} against {weeks[1]}.",
        _spec(agents),
        Table(
            "movers-table",
            f"The largest changes of cost by agent, version and model, US dollars, {weeks[0]} "
            f"against {weeks[1]}",
            [
                Column("What", "name"),
                Column("Kind", "text"),
                Column("Change"),
                Column("Last week"),
                Column("Week before"),
                Column("By", "text"),
            ],
            [
                _row(each)
                for kind in (AGENT, VERSION, MODEL)
                for each in [mover for mover in moved if mover.kind == kind][:SHOWN]
            ],
            is_sortable=True,
        ),
    )


def of_workspace(workspace: Workspace, sheet: Sheet, root: str) -> list[Mover]:
    """All that ran in either week; `root` leads from the page to the site's folder."""
    calendar = workspace.subject.coverage.calendar
    weeks = (calendar.last_week, calendar.week_before)
    known = {each.row.key[1]: each for each in workspace.lines}
    found = [
        _mover(AGENT, each.name, each.path and root + each.path, *map(each.subject.over, weeks))
        for each in workspace.lines
    ]
    for agent_id, version, now, before, now_count, before_count in workspace.versions_of_weeks:
        agent = known[agent_id]
        label = "no version" if version is None else f"v{version}"
        found.append(
            Mover(
                VERSION,
                f"{agent.name}, {label}",
                root + agent.path,
                now,
                before,
                now_count,
                before_count,
            )
        )
    models = [sheet.splits["models"].over(week) for week in weeks]
    for key in dict.fromkeys([*models[0], *models[1]]):
        costs = [Decimal(each.get(key, {}).get("cost_usd") or 0) for each in models]
        found.append(Mover(MODEL, f"{key[0]} ({key[1]})", "", costs[0], costs[1], None, None))
    return found


def _mover(kind: str, name: str, href: str, now: Measures, before: Measures) -> Mover:
    costs = (now.cost_usd or Decimal(0), before.cost_usd or Decimal(0))
    return Mover(kind, name, href, *costs, now.run_count, before.run_count)


def _spec(agents: Sequence[Mover]) -> Spec:
    rows = [
        {
            "label": each.name,
            "href": each.href,
            "values": [float(each.change_usd)],
            "texts": [numbers.usd_signed(each.change_usd)],
        }
        for each in agents
    ]
    return {"kind": "bars", "rows": rows, "measures": [["Change", "@cost"]], "linked": True}


def _row(mover: Mover) -> Row:
    return [
        Cell(mover.name, href=mover.href),
        mover.kind,
        Cell(
            numbers.usd_change(mover.now_usd, mover.before_usd),
            numbers.usd_exact(mover.change_usd),
        ),
        Cell(numbers.usd(mover.now_usd), numbers.usd_exact(mover.now_usd)),
        Cell(numbers.usd(mover.before_usd), numbers.usd_exact(mover.before_usd)),
        mover.why,
    ]


def _largest_first(mover: Mover) -> tuple[Decimal, str]:
    return -abs(mover.change_usd), mover.name.casefold()
