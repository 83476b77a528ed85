"""What pages have to show: figures that SQL on what they are made of says."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
        month = "" if "month" in known or not TIMES & {*known} else (
            f", date_trunc('month', {(TIMES & {*known}).pop()})::date as month"
        )  # fmt: skip
        asked = [(name, str(getattr(entity, name)))
                  for name in KEYS[entity.scope] if name in known or name == "month"]  # fmt: skip
        where = " and ".join([part.where or "true", *(f"{name}::varchar = ?" for name, _ in asked)])
        return (
            f"(select * from (select *{month} from {part.data}) where {where})",
            [value for *_, value in asked],
        )

    def _sums(self, part: Part) -> str:
        known = self.columns(part.data)
        lacks = "bool_or(unknown_cost_count > 0)" if "unknown_cost_count" in known else "false"
        return ", ".join(
            f"if({lacks} and {each == 'judged_cost_usd'}, null, sum({each})) as {each}"
            for each in known
            if each.endswith(_ADDED) or each in measures()
        ) + (", (sum(tokens_in) + sum(tokens_out))::bigint as tokens" * ("tokens_in" in known))

    def table(self, part: Part, entity: Entity) -> list[Row]:
        """The rows of a table that needs no choice."""
        rows, values = self._of(part, entity)
        order = [f"{each.strip().removeprefix('-')} {'desc' if '-' in each else 'asc'} nulls last"
                 for each in part.order.split(",") if each]  # fmt: skip
        return self.rows(f"from {rows} {'order by ' * bool(order)} {', '.join(order)}", values)

    def days(self, entity: Entity, choice: Choice) -> tuple[date, date, date]:
        """The first and the last day that a page shows, and the last one that it draws.

        Without a choice these are the last 28 that are over, of what is quiet its newest month.
        """
        whole = self.entities.by_key[entity.workspace_id, "(all)"].row
        today, yesterday, newest = whole["today"], whole["yesterday"], entity.row["last_date"]
        first, last = choice.first, choice.last
        if (first is None or last is None) and newest and newest <= yesterday - timedelta(days=28):
            first = newest.replace(day=1)
            last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        if first is None or last is None:
            first, last = yesterday - timedelta(days=27), today
        return first, last if first > yesterday else min(last, yesterday), last

    def chosen(self, part: Part, entity: Entity, choice: Choice) -> tuple[list[Row], Row]:
        """The rows of a part that follows a choice, and their total."""
        (time,) = TIMES & {*self.columns(part.data)}
        first, last, end = self.days(entity, choice)
        ((total,), rows) = (
            self._grouped(part, entity, choice, by, first, until)
            for by, until in (((), last), (part.by, end if time in part.by else last))
        )
        if any(each.startswith("change_usd") for each in part.columns):
            length = last - first + timedelta(days=1)
            before = self._grouped(
                part, entity, choice, part.by, first - length, first - timedelta(days=1)
            )
            rows = [*_changed(part.by, rows, before)]
            changes = [each["change_usd"] for each in rows]
            total["change_usd"] = None if None in changes else sum(changes)
        return rows, total

    def _grouped(
        self, part: Part, entity: Entity, choice: Choice, by: tuple[str, ...], *days: date
    ) -> list[Row]:
        rows, values = self._of(part, entity)
        (time,) = TIMES & {*self.columns(part.data)}
        member = {"site": "workspace_id", "workspace": "agent_id"}.get(entity.scope)
        of_members = "true"
        if member and choice.members is not None:
            of_members = f"list_contains({[*choice.members]}::varchar[], {member})"
        first, last = days
        return self.rows(
            f"select {''.join(f'{each}, ' for each in by)}{self._sums(part)} from {rows}"
            f" where {of_members} and {time} between '{first}' and '{last}'"
            + " group by all"
            * bool(by),
            values,
        )


def _changed(by: tuple[str, ...], now: list[Row], before: list[Row]) -> Iterator[Row]:
    """The rows of both periods with the change of cost, where most costs of both are known."""
    latest, past = ({tuple(row[each] for each in by): row for row in of} for of in (now, before))
    for key in {**latest, **past}:
        both = [each.get(key) or {} for each in (latest, past)]
        known = all(
            5 * (each.get("unknown_cost_count") or 0) <= (each.get("run_count") or 0)
            for each in both
        )
        costs = [each.get("cost_usd", 0) for each in both]
        change = costs[0] - costs[1] if known and None not in costs else None
        nothing = dict.fromkeys(past.get(key) or {}, 0)
        yield (latest.get(key) or nothing) | {"change_usd": change}


def variants(part: Part) -> list[Part]:
    """What a part can be switched to, as parts of their own; else the part itself."""
    return [
        replace(
            part,
            data=way.data or part.data,
            by=way.by or (way.time or "date",),
            columns=(
                *(way.by or (way.time or "date",)),
                each.value,
                *(["change_usd"] if way.by and each.name == "cost" else []),
            ),
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
