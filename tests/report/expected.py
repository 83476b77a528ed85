"""What pages have to show: figures that SQL on what they are made of says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
from msgspec.structs import replace

from analytics.format import text
from analytics.report.columns import Column, column
from analytics.report.entities import Entities, Entity
from analytics.report.spec import Part
from analytics.transform.measures import measures
from analytics.transform.page_queries import create_queries

Row = dict[str, Any]

KEYS = {
    "site": (), "workspace": ("workspace_id",), "month": ("workspace_id", "month"),
    "agent": ("workspace_id", "agent_id"),
}  # fmt: skip
TIMES = {"date", "utc_date", "week"}
_ADDED = ("_usd", "_count", "_ms", "_seconds")
_OF_RUNS = {"run_cost_usd", "judged_cost_usd"}


@dataclass(frozen=True)
class Choice:
    """Days and members that a reader chooses."""

    first: date | None = None
    last: date | None = None
    members: tuple[str, ...] | None = None

    def asked(self) -> Row:
        """The choice as the engine takes it."""
        return {
            "from": self.first and self.first.isoformat(),
            "to": self.last and self.last.isoformat(),
            "members": self.members,
            "isChosen": bool(self.first or self.members),
        }


class Reports:
    """What pages are made of: tables of a published file and of the warehouse beside it.

    A test may change its copy of what is temporary by `sql`.
    """

    def __init__(self, published: Path, sql: str = "") -> None:
        self.con = duckdb.connect()
        self.con.execute(f"attach '{published}' as published (read_only)")
        warehouse = published.with_name("warehouse.duckdb")
        self.con.execute(f"attach '{warehouse}' as warehouse (read_only)")
        path = "warehouse.main,memory.marts,published.marts,published.audit,warehouse.reports"
        self.con.execute("create schema memory.marts")
        self.con.execute(f"set timezone = 'UTC'; set search_path = '{path}'")
        for (name,) in self.con.execute(
            "select table_name from duckdb_tables() where schema_name = 'reports'"
        ).fetchall():
            self.con.execute(f"create temp table {name} as from warehouse.reports.{name}")
        for name in ("fct_findings", "dim_agent_versions", "fct_workspace_months"):
            self.con.execute(f"create table memory.marts.{name} as from published.marts.{name}")
        create_queries(self.con)
        self.con.execute(sql)
        self.entities = Entities(self.con)

    def rows(self, sql: str, values: list[Any] | None = None) -> list[Row]:
        """The rows of a question by the names of their columns."""
        found = self.con.execute(sql, values or [])
        columns = [name for name, *_ in found.description]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def columns(self, relation: str) -> list[str]:
        """The columns of a relation."""
        return [name for name, *_ in self.con.execute(f"describe {relation}").fetchall()]

    def _of(self, part: Part, entity: Entity) -> tuple[str, list[Any]]:
        """SQL of the rows of a part on the page of an entity, with its values."""
        known = self.columns(part.data)
        asked = [(name, "<>" if value[0] == "!" else "=", value.lstrip("!"))
                 for name, value in part.where.items()]  # fmt: skip
        month = "" if "month" in known or not TIMES & {*known} else (
            f", date_trunc('month', {(TIMES & {*known}).pop()})::date as month"
        )  # fmt: skip
        asked += [(name, "=", str(getattr(entity, name)))
                  for name in KEYS[entity.scope] if name in known or name == "month"]  # fmt: skip
        where = " and ".join(f"{name}::varchar {sign} ?" for name, sign, _ in asked) or "true"
        return (
            f"(select * from (select *{month} from {part.data}) where {where})",
            [value for *_, value in asked],
        )

    def _sums(self, part: Part) -> str:
        known = self.columns(part.data)
        lacks = "bool_or(unknown_cost_count > 0)" if "unknown_cost_count" in known else "false"
        return ", ".join(
            f"if({lacks} and {each in _OF_RUNS}, null, sum({each})) as {each}"
            for each in known
            if each.endswith(_ADDED) or each in measures()
        ) + (", (sum(tokens_in) + sum(tokens_out))::bigint as tokens" * ("tokens_in" in known))

    def table(self, part: Part, entity: Entity) -> list[Row]:
        """The rows of a table that needs no choice."""
        rows, values = self._of(part, entity)
        order = [f"{each.strip().removeprefix('-')} {'desc' if '-' in each else 'asc'} nulls last"
                 for each in part.order.split(",") if each]  # fmt: skip
        if "month" in part.by:
            rows = f"(select {', '.join(part.by)}, {self._sums(part)} from {rows} group by all)"
        return self.rows(f"from {rows} {'order by ' * bool(order)} {', '.join(order)}", values)

    def days(self, entity: Entity, choice: Choice) -> tuple[date, date]:
        """The days that a page shows: those chosen, else the newest month of its entity."""
        if choice.first and choice.last:
            return choice.first, choice.last
        (row,) = self.rows(
            "select max(month) as month from rpt_months where workspace_id = ? and agent_id = ?",
            [entity.workspace_id, entity.agent_id],
        )
        first: date = row["month"]
        return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)

    def chosen(self, part: Part, entity: Entity, choice: Choice) -> tuple[list[Row], Row]:
        """The rows of a part that follows a choice, and their total."""
        rows, values = self._of(part, entity)
        (time,) = TIMES & {*self.columns(part.data)}
        member = {"site": "workspace_id", "workspace": "agent_id"}.get(entity.scope)
        of_members = "true"
        if member and choice.members is not None:
            of_members = f"list_contains({[*choice.members]}::varchar[], {member})"
        first, last = self.days(entity, choice)
        of = f"from {rows} where {of_members} and {time} between '{first}' and '{last}'"
        by = ", ".join(part.by)
        total, *_ = self.rows(f"select {self._sums(part)} {of}", values)
        return self.rows(f"select {by}, {self._sums(part)} {of} group by all", values), total


def variants(part: Part) -> list[Part]:
    """What a part can be switched to, as parts of their own; else the part itself."""
    return [
        replace(
            part,
            data=way.data or part.data,
            by=way.by or (way.time or "date",),
            columns=(*(way.by or (way.time or "date",)), each.value),
        )
        for way in part.split
        for each in part.show
        if not way.values or each.name in way.values
    ] or [part]


def figures(part: Part) -> dict[int, Column]:
    """The columns of a part that are figures, by their places; quotients are of two."""
    columns = enumerate(map(column, part.columns))
    return {
        place: each
        for place, each in columns
        if not (each.kind or re.search("[/.]", each.expression) or each.unit == "of_unit")
    }


def exact(columns: dict[int, Column], row: Row) -> tuple[str, ...]:
    """The figures of a row, each as it is where its text is rounded."""
    given = [(each.expression, each.unit, row) for each in columns.values()]
    return tuple(text.plain(*each) or text.figure(*each) for each in given)
