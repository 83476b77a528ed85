"""Rows of relations that need no choice, read once for all pages of a scope."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import polars as pl

from analytics.report.months import KEYS, TIMES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    import duckdb

    from analytics.report.entities import Scope
    from analytics.report.spec import Page, Part

CHARTED_DAYS = 92
_NUMBERS = ("DECIMAL", "BIGINT", "HUGEINT", "INTEGER", "DOUBLE")


class Statements:
    """Reads the rows of a part, by the entity whose page shows them; of some lines if so wanted."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        lines: Collection[tuple[str, str]] | None = None,
    ) -> None:
        self._con = con
        self._kinds: dict[str, dict[str, str]] = {}
        self._are_some = lines is not None
        if lines is not None:
            con.execute(
                "create or replace temp table wanted_lines as"
                " select unnest(?::varchar[]) as workspace_id, unnest(?::varchar[]) as agent_id",
                [[key[0] for key in lines], [key[1] for key in lines]],
            )

    def rows(self, part: Part, scope: Scope) -> dict[tuple[str, ...], list[dict[str, Any]]]:
        """Return the rows of each entity; the rows of all, where the relation knows no entity."""
        frame = self.frame(part, scope)
        names = [name for name in KEYS[scope] if name in frame.columns]
        found: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        for row in frame.iter_rows(named=True):
            found[tuple(row[name] for name in names)].append(row)
        return found

    def frame(self, part: Part, scope: Scope) -> pl.DataFrame:
        """Return the rows of a part, or their sums, in its order."""
        kinds = self._columns(part.data)
        keys = [name for name in KEYS[scope] if name in kinds]
        where = " and ".join(_condition(*each) for each in part.where.items()) or "true"
        columns, group = "*", ""
        if "month" in part.by:  # sums of a cube
            by = [name if name in kinds else _month_of(kinds) for name in part.by]
            sums = [
                f"sum({name})::{kind} as {name}"
                for name, kind in kinds.items()
                if kind.startswith(_NUMBERS) and name not in part.by
            ]
            columns, group = ", ".join(dict.fromkeys([*keys, *by, *sums])), " group by all"
        order = ""
        if part.order:  # equal rows stand in the same order whenever the page is made
            rest = [name for name in KEYS["agent"] if name in (part.by if group else kinds)]
            order = " order by " + ", ".join([*map(_direction, part.order.split(",")), *rest])
        return pl.DataFrame(
            self._con.sql(
                f"select {columns} from {self._source(part.data)} where {where}{group}{order}"
            )
        )

    def of(self, relation: str) -> dict[tuple[str, ...], dict[str, Any]]:
        """Return the one row of each entity, by workspace, or by workspace and line."""
        keys = [name for name in KEYS["agent"] if name in self._columns(relation)]
        rows = pl.DataFrame(self._con.sql(f"from {self._source(relation)}")).iter_rows(named=True)
        return {tuple(row[name] for name in keys): row for row in rows}

    def charted(self, part: Part, scope: Scope) -> dict[tuple[str, ...], dict[date, Any]]:
        """Return the first value of a chart by day, for the days that it shows at first."""
        keys = KEYS[scope]
        value = part.draw[0].value.partition("|")[0]
        rows = self._con.execute(f"""
            select {"".join(f"{name}, " for name in keys)} date, sum({value})
            from {self._source(part.data)}
            where date > (select max(today) from reports.rpt_headlines) - {CHARTED_DAYS}
            group by all""").fetchall()
        found: defaultdict[tuple[str, ...], dict[date, Any]] = defaultdict(dict)
        for *key, day, amount in rows:
            found[tuple(key)][day] = amount
        return found

    def _source(self, relation: str) -> str:
        """Return SQL of a relation, or of the wanted lines of it."""
        if self._are_some and {*KEYS["agent"]} <= self._columns(relation).keys():
            return f"reports.{relation} semi join wanted_lines using (workspace_id, agent_id)"
        return f"reports.{relation}"

    def _columns(self, relation: str) -> dict[str, str]:
        if relation not in self._kinds:
            found = self._con.execute(f"describe reports.{relation}").fetchall()
            self._kinds[relation] = {name: kind for name, kind, *_ in found}
        return self._kinds[relation]


def digests(con: duckdb.DuckDBPyConnection, page: Page) -> dict[tuple[str, str], str]:
    """Return a digest of all rows that the page of each line shows without a choice.

    The start of the batch is not in it: a page of which nothing else changed can stay.
    """
    relations = {part.data for part in page.parts if part.is_static or part.mark == "column"}
    rows = " union all ".join(
        f"select workspace_id, agent_id, hash('{name}', r) as h from {source} as r"
        for name, source in [
            ("rpt_headlines", "(select * exclude (as_of) from reports.rpt_headlines)"),
            *((name, f"reports.{name}") for name in sorted({*relations, *page.data})),
        ]
    )
    found = con.execute(
        f"select workspace_id, agent_id, sum(h)::varchar from ({rows}) group by all"
    )
    return {(workspace_id, agent_id): digest for workspace_id, agent_id, digest in found.fetchall()}


def _condition(name: str, value: str) -> str:
    """Return SQL of `name = value`, or of the opposite where the value begins with `!`."""
    sign = "<>" if value.startswith("!") else "="
    text = value.removeprefix("!").replace("'", "''")
    return f"{name} {sign} '{text}'"


def _direction(order: str) -> str:
    name = order.strip()
    return f"{name[1:]} desc nulls last" if name.startswith("-") else name


def _month_of(kinds: Sequence[str] | Mapping[str, str]) -> str:
    time = next(name for name in TIMES if name in kinds)
    return f"date_trunc('month', {time})::date as month"
