"""Entities that pages are about: the site, workspaces, their months and agents; their addresses."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from analytics.format import days, names
from analytics.format.names import ALL, PLATFORM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    import duckdb


Scope = Literal["site", "workspace", "month", "agent"]

QUERIES = ("reports.rpt_dates", "reports.rpt_headlines", "reports.rpt_months")
"""The page queries that tell of all entities."""

_FEW = 9  # workspaces of which a month leads to the same one
_STATES = {"complete": "c", "incomplete": "i", "provisional": "p"}


@dataclass(frozen=True)
class Entity:
    """The site, a workspace, a month of either, or a line of a workspace.

    `row` is its row of `rpt_headlines`, of a month that of `rpt_months`. The platform's line has no
    page, and so no path.
    """

    scope: Scope
    workspace_id: str
    agent_id: str
    name: str
    path: str
    row: Mapping[str, Any] = field(repr=False, compare=False)
    month: date | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """Its keys in the tables of `reports`."""
        return self.workspace_id, self.month or self.agent_id

    @property
    def stem(self) -> str:
        """The name of its data."""
        if self.scope == "site":
            return "site"
        return self.path.partition("/")[2].removesuffix(".html").replace("/", "-")


class Entities:
    """All entities of the site, by their keys; agents stand in the order of their recent cost."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        lines = con.sql(
            "from rpt_headlines order by workspace_name, workspace_id,"
            " recent_cost_usd desc nulls last, agent_name, agent_id"
        )
        by_key = {each.key: each for row in _rows(lines) if (each := _entity(row))}
        months = con.sql(
            "from rpt_months where agent_id = '(all)' order by workspace_id, month desc"
        )
        found = (_month(row, by_key) for row in _rows(months))
        self._put(by_key.values(), filter(None, found))

    def _put(self, entities: Iterable[Entity], months: Iterable[Entity] = ()) -> None:
        """Keep entities and months, in their order, by key and by scope."""
        self.by_key = {each.key: each for each in entities}
        self.months = {each.key: each for each in months}
        self.site = self.by_key[ALL, ALL]
        self._of = defaultdict[Scope, list[Entity]](list)
        self._lines = defaultdict[str, list[Entity]](list)
        for each in (*self.by_key.values(), *self.months.values()):
            if each.path:
                self._of[each.scope].append(each)
            if each.scope == "agent":
                self._lines[each.workspace_id].append(each)

    def of(self, scope: Scope) -> list[Entity]:
        """The entities of a scope that have a page."""
        return self._of[scope]

    def months_beside(self, month: Entity) -> list[tuple[str, Entity]]:
        """The same month of few workspaces, then the months before and after, by their names."""
        months = [*self.months.values()]
        same = [each for each in months if each.month == month.month]
        mine = {ALL, month.workspace_id}
        own = [each for each in months if each.workspace_id == month.workspace_id]
        at = own.index(month)  # the newest is the first
        return [
            *(
                (self.by_key[each.workspace_id, ALL].name, each)
                for each in same
                if len(same) <= _FEW or each.workspace_id in mine
            ),
            *((f"\u2039 {each.name}", each) for each in own[at + 1 : at + 2]),
            *((f"{each.name} \u203a", each) for each in own[max(at - 1, 0) : at]),
        ]

    def lines_of(self, workspace: Entity) -> list[Entity]:
        """The lines of a workspace, the platform included."""
        return self._lines[workspace.workspace_id]

    def document(self, pages_of: Callable[[Entity], list[dict[str, str]]]) -> dict[str, object]:
        """Return what scripts know of the site: names, addresses, months and states of days.

        `pages_of` gives the pages of an entity beside its main one.
        """
        months, states = self._months(), self._states()

        def days_of(entity: Entity) -> dict[str, object]:
            own = states.get(entity.workspace_id, {"first": None, "states": ""})
            day = {name: entity.row[name] for name in ("today", "yesterday")}
            return {"pages": pages_of(entity), **day, **own}

        def member(entity: Entity, key: str) -> dict[str, object]:
            return {
                "id": entity.row[key],
                "name": entity.name,
                "path": entity.path,
                "entity": entity.stem,
                "last": entity.row["last_date"],
                "months": months.get(entity.key, []),
            }

        def line(entity: Entity) -> dict[str, object]:
            owner = entity.row["owner"]
            return member(entity, "agent_id") | ({"owner": owner} if owner else {})

        return {
            **days_of(self.site),
            "last": self.site.row["last_date"],
            "as_of": self.site.row["as_of"],
            "timezone": self.site.row["timezone"],
            "months": months.get(self.site.key, []),
            "workspaces": [
                {
                    **member(each, "workspace_id"),
                    **days_of(each),
                    "agents": [*map(line, self.lines_of(each))],
                }
                for each in self.of("workspace")
            ],
        }

    def _months(self) -> dict[tuple[str, str], list[str]]:
        rows = self._con.execute("""
            select workspace_id, agent_id, list(strftime(month, '%Y-%m') order by month)
            from rpt_months group by all""").fetchall()
        return {(workspace_id, agent_id): months for workspace_id, agent_id, months in rows}

    def _states(self) -> dict[str, dict[str, object]]:
        rows = self._con.execute("""
            select workspace_id, min(date), list(state order by date),
                list(date order by date) filter (not has_agent_bill)
            from rpt_dates group by all""").fetchall()
        return {
            key: {
                "first": first,
                "states": "".join(map(_STATES.__getitem__, states)),
                **({"unbilled": unbilled} if unbilled else {}),
            }
            for key, first, states, unbilled in rows
        }


def _rows(relation: duckdb.DuckDBPyRelation) -> Iterable[Mapping[str, Any]]:
    return pl.DataFrame(relation).iter_rows(named=True)


def _entity(row: Mapping[str, Any]) -> Entity | None:
    workspace_id, agent_id = row["workspace_id"], row["agent_id"]
    if workspace_id == ALL:
        return Entity("site", ALL, ALL, "All workspaces", "index.html", row)
    if agent_id == ALL:
        path = names.workspace_page(workspace_id)
        name = names.display(row["workspace_name"], workspace_id)
        return Entity("workspace", workspace_id, ALL, name, path, row)
    name = names.display(row["agent_name"], row["agent_slug"], agent_id)
    path = "" if agent_id == PLATFORM else names.agent_page(workspace_id, agent_id)
    return Entity("agent", workspace_id, agent_id, name, path, row)


def _month(row: Mapping[str, Any], by_key: Mapping[tuple[Any, ...], Entity]) -> Entity | None:
    if (workspace := by_key.get((row["workspace_id"], ALL))) is None:
        return None
    month: date = row["month"]
    folder = "months" if workspace.scope == "site" else workspace.path.removesuffix(".html")
    words = days.month_in_words(month)
    row = {**row, "workspace_name": workspace.name}
    path = f"{folder}/{month:%Y-%m}.html"
    return Entity("month", workspace.workspace_id, ALL, words, path, row, month)
