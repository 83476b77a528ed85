"""Pages as HTML: what a specification says, filled with the rows of one entity."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
from markupsafe import Markup, escape

from analytics.format import days, text
from analytics.format.names import ALL
from analytics.report import drawings
from analytics.report.columns import column
from analytics.report.findings import Findings
from analytics.report.months import KEYS, key_of
from analytics.report.rendering import (
    SHOWN_ROWS,
    definitions,
    frame_of,
    framed,
    headline_texts,
    reach_of,
    said,
    scripts,
    section_of,
    sentences,
)
from analytics.report.tables import Tables, slim, sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import duckdb

    from analytics.report.entities import Entities, Entity, Scope
    from analytics.report.months import Key
    from analytics.report.rendering import About, Row
    from analytics.report.spec import Page, Part, Section

_EXPECTED = "expected {low_usd|usd_about}\u2013{high_usd|usd_about}"
_OF_BUDGET = "{budget_usd|usd_about} budget: {actual_usd|usd_headline} metered with surcharge"
_OF_BUDGET_EXPECTED = (
    f"{_OF_BUDGET}, expected {{forecast_low_usd|usd_about}}\u2013{{forecast_high_usd|usd_about}}"
)
_WHOLE_BUDGETS = """(
    from rpt_budgets
    where scope = 'all' and workspace_id = '(all)'
        or scope = 'workspace' and workspace_id = budget_workspace_id)"""
_RECENT_COSTS = """(
    select {keys} date, sum(cost_usd) as cost_usd
    from rpt_days
    where date > (select max(yesterday) - 28 from rpt_headlines)
    group by all)"""
_MEMBERS: dict[Scope, str] = {"site": "Workspaces", "workspace": "Agents"}


class Pages:
    """Renders the pages of one specification, whose rows are read once for all entities."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        page: Page,
        pages: Mapping[str, Page],
        entities: Entities,
        about: About,
    ) -> None:
        self.page, self._pages, self._entities, self._about = page, pages, entities, about
        keys = KEYS[page.scope]
        self._rows = {
            part.key: _rows_of(con, part.data, keys, part.where, part.order)
            for part in page.parts
            if not part.chosen
        }
        of_line = KEYS["month" if page.scope == "month" else "agent"]
        self._own = [_rows_of(con, name, of_line) for name in page.data]
        self._findings: Findings | None = None
        self._budgets: dict[Key, list[Row]] = {}
        if page.card:
            costs = _RECENT_COSTS.format(keys="".join(f"{name}, " for name in keys))
            self._findings = Findings(con, entities, about.timezone, about.before)
            self._budgets = _rows_of(con, _WHOLE_BUDGETS, KEYS["month"])
            self._costs = _rows_of(con, costs, keys)

    def html(self, entity: Entity, **alone: Any) -> str:
        """Return the page of an entity; with what differs where it stands alone, without a link."""
        page, about = self.page, self._about
        root = "../" * page.path(entity).count("/")
        row = {**entity.row, "name": entity.name}
        for rows in self._own:  # of several months the last
            mine: list[Row] = rows.get(entity.key) or rows.get(entity.key[:1]) or [{}]
            newest = max(mine, key=lambda each: str(each.get("month")))
            row |= newest
        row |= about.of_months.get(entity.key, {})
        is_signed = entity.workspace_id == ALL and (row.get("revision") or row.get("is_closable"))
        tables = Tables(self._entities.by_key, self._entities.months, None if alone else root)
        sections = [self._section(each, entity, row, tables) for each in page.section]
        heading = text.fill(page.headings.get(str(row.get("state")), page.title), row)
        found = self._found(entity, root)
        given: dict[str, Any] = {
            "title": self._title(entity, heading),
            "reach": self._reach(row),
            "heading": heading,
            "as_of": " · ".join(said(page.as_of, row)),
            "remarks": sentences(page.remarks, row),
            "breadcrumb": about.above(root) + self._breadcrumb(entity, root),
            "tabs": self._tabs(entity, root),
            "members": self._members(entity, root) if page.card else [],
            "needs": found and found | {"warnings": self._warnings(entity)},
            "cards": [self._card(*each, entity, row) for each in page.card.items()],
            "headlines": [headline_texts(each, row) for each in page.headline],
            "is_choosable": page.picker,
            "members_name": _MEMBERS.get(entity.scope, "") if page.picker else "",
            "sections": [each for each in sections if each["parts"] or each["text"]],
            "has_runs": any(part.data == "rpt_runs" for part in page.parts),
            "definitions": definitions(page.scope),
            "sign": page.sign if is_signed else (),
            "foot": " · ".join(said(page.foot, row)),
            "data": {
                "page": page.name,
                "entity": entity.stem,
                "workspace": entity.workspace_id,
                "agent": entity.agent_id,
                **(self._findings.data(entity) if self._findings else {}),
            },
            "scripts": scripts(f"pages/{page.name}", page.parts),
        }
        return framed(about, root, **(given | alone))

    def _title(self, entity: Entity, heading: str) -> str:
        """Return the title of the document, which tells the page from all others."""
        if self.page.path(entity) != entity.path:
            return f"{self.page.menu} \u2013 {entity.name}"
        if entity.scope == "agent":  # each workspace may have a line of this name
            return f"{heading} \u2013 {self._entities.by_key[entity.workspace_id, ALL].name}"
        return heading

    def _section(
        self, section: Section, entity: Entity, row: Row, tables: Tables
    ) -> dict[str, Any]:
        parts = [self._part(part, entity, tables) for part in section.part]
        return section_of(
            section.key,
            section.title,
            [part for part in parts if part],
            text=" ".join(sentences(section.remarks, row)),
            is_folded=section.folded,
        )

    def _part(self, part: Part, entity: Entity, tables: Tables) -> dict[str, Any] | None:
        if part.chosen:
            return frame_of(part) | ({"static": self._columns(entity)} if part.split else {})
        found = self._rows[part.key]
        rows = found.get(key_of(entity, KEYS[self.page.scope])) or found.get(()) or []
        columns = [column(each) for each in part.columns]
        total = sums(rows, columns) if part.total and rows else None
        if part.slim:
            columns, rows = slim(columns, rows)
        if not rows and not (total and slim(columns, [total])[1]):  # of all, nothing is a cent
            return frame_of(part) | {"kind": "text", "label": part.empty} if part.empty else None
        table = tables.table(
            part.key,
            part.subtitle or f"Table: {part.label}",  # its section has the same name
            columns,
            rows,
            total=total,
            limit=part.limit or SHOWN_ROWS,
            relation=part.more,
            is_unseen=not part.subtitle,
            is_slim=self.page.scope == "month",
        )
        made = frame_of(part) | {"table": table}
        if part.title:
            first = rows[0] | {"agent_id": tables.name_of(rows[0])}
            made["label"] = text.fill(
                part.title, {**entity.row, **sums(rows, columns), "first": first}
            )
        return made

    def _columns(self, entity: Entity) -> Markup:
        """Return cost by day of the last 28 as it stands until the script has drawn it."""
        rows = self._costs.get(key_of(entity, KEYS[self.page.scope]), [])
        costs = {row["date"]: row["cost_usd"] for row in rows}
        last: date = entity.row["yesterday"]
        return drawings.columns([costs.get(last - timedelta(days=n)) for n in range(27, -1, -1)])

    def _card(self, key: str, label: str, entity: Entity, row: Row) -> dict[str, Any]:
        """Return the frame of a figure, with what needs no choice."""
        if key != "month":
            return {"key": key, "label": label, "value": "", "notes": []}
        notes: list[str | Markup | None] = ["by the day of the run", text.known(_EXPECTED, row)]
        for budget in self._budgets.get((entity.workspace_id, row["month"]), []):
            said = text.known(_OF_BUDGET_EXPECTED, budget) or text.known(_OF_BUDGET, budget)
            notes += [drawings.bullet(budget), said]
        return {
            "key": key,
            "label": text.fill(label, row),
            "value": text.fill("{month_cost_usd|usd_headline}", row),
            "notes": [*filter(None, notes)],
        }

    def _breadcrumb(self, entity: Entity, root: str) -> list[dict[str, str]]:
        """Return the pages of the site above that of an entity."""
        trail = [self._entities.site, self._entities.by_key[entity.workspace_id, ALL]]
        path = self.page.path(entity)
        return [_link(each, root) for each in dict.fromkeys(trail) if each.path != path]

    def _tabs(self, entity: Entity, root: str) -> list[dict[str, Any]]:
        """Return the pages of the same scope, if there are several; of a month, those beside it."""
        if entity.month:
            beside = self._entities.months_beside(entity) if entity.path else []
            tabs = [(name, each.path, each is entity) for name, each in beside]
        else:
            tabs = [
                (each.menu or each.name, each.path(entity), each is self.page)
                for each in self._pages.values()
                if each.scope == entity.scope
            ]
            tabs.sort(key=lambda tab: (tab[1] != entity.path, tab[0]))
        return [
            {"name": name, "href": root + path, "is_current": is_current}
            for name, path, is_current in tabs
            if len(tabs) > 1 or entity.month
        ]

    def _members(self, entity: Entity, root: str) -> list[dict[str, str]]:
        """Return the pages of the site's workspaces, or of a workspace's lines."""
        of = {"site": self._entities.of("workspace"), "workspace": self._entities.lines_of(entity)}
        return [_link(each, root) for each in of.get(entity.scope, []) if each.path]

    def _found(self, entity: Entity, root: str) -> dict[str, Any] | None:
        """Return what needs a person, if the page tells it."""
        return self._findings.of(entity, root) if self._findings else None

    def _warnings(self, entity: Entity) -> list[Markup]:
        """Return the warnings of the batch, with their `commands` marked; the site has them."""
        code = r"<code>\1</code>"
        return [
            Markup(re.sub("`([^`]+)`", code, str(escape(each))))  # noqa: S704 - escaped
            for each in self._about.warnings
            if entity.scope == "site"
        ]

    def _reach(self, row: Row) -> str:
        """Return how far the data reach: of an agent and a month, to the last day of their own."""
        if self.page.scope in {"site", "workspace"}:
            return reach_of(self._about)
        if not row["last_date"]:
            return reach_of(self._about, "no run yet")
        said = "last day with a run" if self.page.scope == "agent" else "data to"
        return reach_of(self._about, f"{said} {days.day_in_words(row['last_date'])}")


def _rows_of(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    keys: Iterable[str],
    where: str = "",
    order: str = "",
) -> dict[Key, list[Row]]:
    """Return the rows of each entity, by those of its keys that the relation has.

    Equal rows stand in the same order whenever the page is made.
    """
    columns = con.sql(f"from {relation}").columns
    rest = [name for name in KEYS["agent"] if name in columns]
    by = f" order by {', '.join([*map(_direction, order.split(',')), *rest])}" if order else ""
    names = [name for name in keys if name in columns]
    found: defaultdict[Key, list[Row]] = defaultdict(list)
    frame = pl.DataFrame(con.sql(f"from {relation} where {where or 'true'}{by}"))
    for row in frame.iter_rows(named=True):
        found[tuple(row[name] for name in names)].append(row)
    return found


def _direction(order: str) -> str:
    name = order.strip()
    return f"{name[1:]} desc nulls last" if name.startswith("-") else name


def _link(entity: Entity, root: str) -> dict[str, str]:
    return {"name": entity.name, "href": root + entity.path}
