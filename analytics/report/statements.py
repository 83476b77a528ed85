"""Rows of relations that need no choice, read once for all pages of a scope."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import polars as pl
from msgspec.structs import replace

from analytics.report.months import KEYS, create_wanted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    import duckdb

    from analytics.report.entities import Scope
    from analytics.report.months import Key
    from analytics.report.spec import Page, Part


class Statements:
    """Reads the rows of parts for the pages of a scope, by entity; for some pages if so wanted."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        scope: Scope,
        wanted: Sequence[Key] | None = None,
    ) -> None:
        self._con, self._keys = con, KEYS[scope]
        self._are_some = wanted is not None
        if wanted is not None:
            create_wanted(con, self._keys, wanted)

    def rows(self, part: Part) -> dict[Key, list[dict[str, Any]]]:
        """Return the rows of each entity in the part's order, or of all if it knows no entity.

        Equal rows stand in the same order whenever the page is made.
        """
        source, kinds = self._source(part.data)
        order = ""
        if part.order:
            rest = [name for name in KEYS["agent"] if name in kinds]
            order = " order by " + ", ".join([*map(_direction, part.order.split(",")), *rest])
        frame = pl.DataFrame(
            self._con.sql(f"select * from {source} where {part.where or True}{order}")
        )
        names = [name for name in self._keys if name in frame.columns]
        found: defaultdict[Key, list[dict[str, Any]]] = defaultdict(list)
        for row in frame.iter_rows(named=True):
            found[tuple(row[name] for name in names)].append(row)
        return found

    def entities(self, part: Part) -> set[Key]:
        """Return the entities of which the relation of a part has rows."""
        source, _ = self._source(part.data)
        found = self._con.execute(
            f"select distinct {', '.join(self._keys) or 'true'} from {source}"
        )
        return {row[: len(self._keys)] for row in found.fetchall()}

    def of(self, relation: str) -> dict[Key, dict[str, Any]]:
        """Return the one row of each entity, by workspace, or by workspace and line or month.

        Of several months, a page that is of no month has the last one.
        """
        source, kinds = self._source(relation)
        names = KEYS["month"] if "month" in self._keys else KEYS["agent"]
        keys = [name for name in names if name in kinds]
        order = " order by month" if "month" in kinds else ""
        rows = pl.DataFrame(self._con.sql(f"from {source}{order}")).iter_rows(named=True)
        return {tuple(row[name] for name in keys): row for row in rows}

    def costs(self) -> dict[Key, dict[date, Decimal | None]]:
        """Return the cost of each day of the last 28."""
        found: defaultdict[Key, dict[date, Decimal | None]] = defaultdict(dict)
        keys = "".join(f"{name}, " for name in self._keys)
        source = self._source("rpt_days")[0]
        rows = self._con.execute(
            f"select {keys} date, sum(cost_usd) from {source} where {_NEWEST} group by all"
        )
        for *key, day, amount in rows.fetchall():
            found[tuple(key)][day] = amount
        return found

    def _source(self, relation: str) -> tuple[str, dict[str, str]]:
        """Return SQL of the rows of a relation that the pages show, and its columns' types."""
        sql, kinds = relation, _kinds(self._con, relation)
        if self._are_some and {*self._keys} <= kinds.keys():
            sql = f"{sql} semi join wanted using ({', '.join(self._keys)})"
        return sql, kinds


def without_empty(con: duckdb.DuckDBPyConnection, page: Page) -> Page:
    """Return a page without its optional parts whose relation has no row at all."""

    def is_shown(part: Part) -> bool:
        rows = f"from {part.data} limit 1"
        return not part.optional or con.execute(rows).fetchone() is not None

    sections = [
        replace(section, part=tuple(filter(is_shown, section.part))) for section in page.section
    ]
    return replace(page, section=tuple(sections))


def digests(con: duckdb.DuckDBPyConnection, page: Page) -> dict[Key, str]:
    """Return a digest of all rows that the page of each line or month shows without a choice.

    The start of the batch is not in it: a page of which nothing else changed can stay. It is empty
    if a relation of the page has rows of other entities.
    """
    keys = KEYS[page.scope]
    sources = {"entities": _MONTHS if "month" in keys else _HEADLINES}
    for name in (*page.data, *(part.data for part in page.parts if not part.chosen)):
        sources[name] = name
        if not {*keys} <= _kinds(con, name).keys():
            return {}
    if page.card:
        sources |= _SHOWN
    rows = " union all ".join(
        f"select {', '.join(keys)}, hash('{name}', r) as h from {source} as r"
        for name, source in sources.items()
    )
    found = con.execute(f"select {', '.join(keys)}, sum(h)::varchar from ({rows}) group by all")
    return {tuple(key): digest for *key, digest in found.fetchall()}


_NEWEST = "date > (select max(yesterday) - 28 from rpt_headlines)"
_HEADLINES = "(select * exclude (as_of) from rpt_headlines)"
_SHOWN = {
    # What is new, has ended a while ago or is linked to changes with the day.
    "findings": "(select findings.* exclude (rank), last_batch_date from marts.fct_findings as"
    " findings left join marts.dim_workspaces using (workspace_id))",
    "costs": f"(select workspace_id, agent_id, date, cost_usd from rpt_days where {_NEWEST})",
    "versions": "(select workspace_id, agent_id, first_run_at from marts.dim_agent_versions)",
}
# A month links to the same month of other workspaces, and to those before and after.
_MONTHS = """(
    select rpt_months.*, workspace_name, linked
    from rpt_months
    join rpt_headlines using (workspace_id, agent_id)
    cross join (
        select hash(list((workspace_id, rpt_months.month, workspace_name) order by all)) as linked
        from rpt_months join rpt_headlines using (workspace_id, agent_id)
        where agent_id = '(all)')
    where agent_id = '(all)')"""


def _kinds(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return the type of each column of a relation."""
    return {name: kind for name, kind, *_ in con.execute(f"describe {relation}").fetchall()}


def _direction(order: str) -> str:
    name = order.strip()
    return f"{name[1:]} desc nulls last" if name.startswith("-") else name
