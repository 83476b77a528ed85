"""What pages have to show: SQL on the schema `reports`, written by `analytics.format`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from analytics.format import text
from analytics.report.columns import Column, column
from analytics.report.entities import Entities, Entity
from analytics.report.spec import Part

Row = dict[str, Any]
Cell = tuple[str, str | None]
"""A text, and the exact value if it is not a text."""

KEYS = {
    "site": (), "site_month": ("month",), "workspace": ("workspace_id",),
    "month": ("workspace_id", "month"), "agent": ("workspace_id", "agent_id"),
}  # fmt: skip
TIMES = ("date", "utc_date", "week")
_MEASURE = re.compile(r"^tokens_|_(usd|count|ms|seconds)(_median|_p95)?$")
_STATES = {"": "n", "incomplete": "i", "complete": "c", "provisional": "p"}
_OF_RUNS = {"run_cost_usd", "judged_cost_usd"}


def month_of(columns: list[str]) -> str:
    """SQL of the month of a row."""
    return f"date_trunc('month', {next(name for name in TIMES if name in columns)})::date"


@dataclass(frozen=True)
class Choice:
    """Days and members that a reader chooses."""

    first: date | None = None
    last: date | None = None
    members: tuple[str, ...] | None = None

    @property
    def is_chosen(self) -> bool:
        return bool(self.first or self.members)

    def asked(self) -> Row:
        """The choice as the engine takes it."""
        return {
            "from": self.first and self.first.isoformat(),
            "to": self.last and self.last.isoformat(),
            "members": self.members,
            "isChosen": self.is_chosen,
        }


@dataclass
class View:
    """What a part shows: the rows of its table, and their total."""

    rows: list[Row]
    columns: list[Column]
    total: Row
    is_time: bool


def key_in_words(name: str, value: str) -> str:
    """A key as pages name it: of what has none, that there is none."""
    return f"no {name.replace('_', ' ').removesuffix(' name')}" if value == "(none)" else value


class Reports:
    """The tables of a published file, of which a test may change its copy by `sql`."""

    def __init__(self, published: Path, sql: str = "") -> None:
        self.con = duckdb.connect()
        self.con.execute(f"attach '{published}' as published (read_only)")
        self.con.execute("set timezone = 'UTC'; create schema reports")
        for (name,) in self.con.execute(
            "select table_name from duckdb_tables() where schema_name = 'reports'"
        ).fetchall():
            self.con.execute(f"create table reports.{name} as from published.reports.{name}")
        self.con.execute(sql)
        self._columns: dict[str, list[str]] = {}
        self.entities = Entities(self.con)

    def rows(self, sql: str, values: list[Any] | None = None) -> list[Row]:
        """The rows of a question by the names of their columns."""
        found = self.con.execute(sql, values or [])
        columns = [name for name, *_ in found.description]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def columns(self, relation: str) -> list[str]:
        """The columns of a relation."""
        if relation not in self._columns:
            found = self.con.execute(f"describe reports.{relation}").fetchall()
            self._columns[relation] = [name for name, *_ in found]
        return self._columns[relation]

    @cached_property
    def states(self) -> dict[tuple[str, date], str]:
        """The letter of each day of a workspace, or of '(all)'."""
        rows = self.rows("select workspace_id, date, state from reports.rpt_dates")
        return {(row["workspace_id"], row["date"]): _STATES[row["state"]] for row in rows}

    def where(self, part: Part, entity: Entity) -> tuple[str, list[Any]]:
        """The condition of the rows of a part on the page of an entity."""
        known = self.columns(part.data)
        named = [(name, value.removeprefix("!"), "<>" if value.startswith("!") else "=")
                 for name, value in part.where.items()]  # fmt: skip
        named += [
            (name if name in known else month_of(known), getattr(entity, name), "=")
            for name in KEYS[entity.scope]
            if name in known or name == "month"
        ]
        sql = " and ".join(f"({name})::varchar {sign} ?" for name, _, sign in named) or "true"
        return sql, [str(value) for _, value, _ in named]

    def static(self, part: Part, entity: Entity) -> list[list[Row]]:
        """The rows of a part that needs no choice; those of a group may stand in any order."""
        where, values = self.where(part, entity)
        selected = f"select * from reports.{part.data} where {where}"
        known = self.columns(part.data)
        if "month" in part.by:
            sums = ", ".join(f"sum({each}) as {each}" for each in filter(_MEASURE.search, known))
            by = ", ".join(part.by)
            keys = "".join(
                f"any_value({each}) as {each}, "
                for each in KEYS[entity.scope]
                if each in known and each not in part.by
            )
            month = "" if "month" in known else f", {month_of(known)} as month"
            selected = (
                f"select {by}, {keys} {sums} from (select *{month} from ({selected})) group by {by}"
            )
        order = [each.strip() for each in part.order.split(",") if each]
        ranks = [
            f"{each.removeprefix('-')} {'desc' if each[0] == '-' else 'asc'} nulls last"
            for each in order
        ]
        ordered = f"from ({selected})" + (f" order by {', '.join(ranks)}" if ranks else "")
        groups: list[list[Row]] = []
        last: object = None
        for row in self.rows(ordered, values):
            key = [row[each.removeprefix("-")] for each in order]
            groups = [*groups, []] if not groups or key != last else groups
            groups[-1].append(row)
            last = key
        return groups

    def name_of(self, name: str, row: Row, entity: Entity) -> str:
        """The name of a key in a table that the engine writes."""
        value = row[name]
        if name == "workspace_id":
            return self.entities.by_key[value, "(all)"].name
        if name == "agent_id":
            if value in {"(platform)", "(none)"}:
                return {"(platform)": "Platform", "(none)": "No agent"}[value]
            return self.entities.by_key[row.get("workspace_id", entity.workspace_id), value].name
        if name in {"weekday", "hour", "agent_version"}:
            return text.figure(name, name.removeprefix("agent_"), row)
        return key_in_words(name, str(value))

    def days(self, part: Part, entity: Entity, choice: Choice) -> tuple[date, date]:
        """The days of a part."""
        today: date = entity.row["today"]
        if choice.first and choice.last:
            first, last = choice.first, choice.last
        elif part.period == "charted" or choice.is_chosen:
            first, last = today - timedelta(days=91), today
        else:
            yesterday: date = entity.row["yesterday"]
            first, last = yesterday - timedelta(days=29), yesterday
        is_past = marks(part)[:1] == ["interval"] and part.by[:1] <= TIMES and part.by[0] in TIMES
        if is_past and first < last and self.state(entity, last) == "p":
            last -= timedelta(days=1)
        return first, last

    def state(self, entity: Entity, day: date) -> str:
        return self.states.get((entity.workspace_id, day), "n")

    def sums(
        self, part: Part, entity: Entity, choice: Choice, by: tuple[str, ...], *, weekly: bool
    ) -> list[Row]:
        """The sums of a part's relation by some of its columns."""
        known = self.columns(part.data)
        time = next(name for name in TIMES if name in known)
        first, last = self.days(part, entity, choice)
        where, values = self.where(part, entity)
        member = {"site": "workspace_id", "workspace": "agent_id", "agent": ""}[entity.scope]
        members: tuple[str, ...] | None = choice.members
        if part.data == "rpt_run_weeks":  # medians cannot be added up
            members = members or ("(all)",)
            members = members if len(members) == 1 else ()
        if part.by[:1] == ("week",):
            first -= timedelta(days=first.weekday())
        if member and members is not None:
            where += f" and list_contains(?::varchar[], {member})"
            values.append(list(members))
        keys = [f"date_trunc('week', {each})::date as {each}" if each == time and weekly else each
                for each in by]  # fmt: skip
        lacks = "bool_or(unknown_cost_count > 0)" if "unknown_cost_count" in known else "false"
        sums = [f"if({lacks} and {each in _OF_RUNS}, null, sum({each})) as {each}"
                for each in known if _MEASURE.search(each)]  # fmt: skip
        group = "group by all" if by else "having count(*) > 0"
        return self.rows(
            f"select {', '.join([*keys, *sums])} from reports.{part.data}"
            f" where {where} and {time} between ? and ? {group}",
            [*values, first, last],
        )

    def view(self, part: Part, entity: Entity, choice: Choice, *, weekly: bool = False) -> View:
        """What the engine has to make of a part that follows the choice, in any order."""
        columns = [column(each) for each in part.columns]
        is_time = part.by[0] in TIMES and not part.stack
        by = (part.stack,) if part.stack else part.by
        rows = self.sums(part, entity, choice, by, weekly=weekly and is_time)
        if marks(part)[:1] == ["interval"]:
            base = column(part.draw[0].value).expression.partition("/")[2]
            rows = [row for row in rows if row[base]]
        total = (self.sums(part, entity, choice, (), weekly=False) or [{}])[0]
        return View(rows, columns, total, is_time)

    def cells(self, view: View, row: Row, entity: Entity) -> list[Cell]:
        """A row of the table that the engine writes."""
        made: list[Cell] = []
        for each in view.columns:
            name = each.expression
            if view.is_time and name in TIMES:
                made.append(("", row[name].isoformat()))
            elif each.kind and name not in TIMES and "/" not in name:
                exact = str(row[name]) if isinstance(row[name], int) else None
                made.append((self.name_of(name, row, entity), exact))
            else:
                made.append(_figure(name, each.unit, {**row, "total": view.total}))
        return made

    def foot(self, part: Part, view: View) -> list[list[Cell]]:
        """The total of the table that the engine writes."""
        if not part.total or not view.rows:
            return []
        blank: Cell = ("", None)
        return [[("Total", None)] + [
            blank if each.kind or "total." in each.expression
            else _figure(each.expression, each.unit, view.total)
            for each in view.columns[1:]
        ]]  # fmt: skip

    def totals(self, view: View) -> list[Cell]:
        """What a title can say of all rows of a view."""
        row = {**view.total, "total": view.total}
        return [_figure(each.expression, each.unit, row) for each in view.columns if not each.kind]


_AMOUNT = re.compile(r"<?\$[\d,.]*\d(?:\u00a0M)?")


def unheard(text: str, told: Iterable[str]) -> set[str]:
    """The amounts in a text that none of the other texts tells."""
    return {*_AMOUNT.findall(text)} - {*_AMOUNT.findall(" ".join(told))}


def raw(value: Any) -> Any:
    """A figure as data files have it: money in units of 10^-10 USD, an instant in seconds."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    return int(value.scaleb(10)) if isinstance(value, Decimal) else value


def _figure(name: str, unit: str, row: Row) -> Cell:
    return text.figure(name, unit, row), text.plain(name, unit, row)


def marks(part: Part) -> list[str]:
    return [part.mark] if isinstance(part.mark, str) else list(part.mark or ())


def as_money(zero: Row) -> Row:
    return {name: Decimal(0) if name.endswith("_usd") else 0 for name in zero}
