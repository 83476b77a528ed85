"""Bring relations up to date: build touched parts anew, leave what reads nothing that changed.

A part of a relation is its rows of a workspace with one value of a unit, such as a run or a day.
The header of a model declares how its parts follow from those of its inputs:

    narrow: utc_date                            the unit: rows of a day follow from rows of that day
    narrow usage_hours: (hour at time ...)      what stands for it in an input, or the model itself
    narrow loads: by load_id                    rows of touched parts look this input up by its key

`changes` finds the touched parts before the first model runs. Then `Update` takes each model, in
the order of a build:

1. `_inputs`: which inputs changed in a column that the SELECT reads? Without one, it is left.
2. `_unit`: did these change in touched parts alone, and does the header say what the parts are?
   Then the SELECT runs over views of its inputs' touched parts (`_narrow`); else over all rows.
3. `_make` builds the rows beside the relation. Sums of hashes (`_sums`) of what they replace and
   of what is new say which columns changed, whether rows came or went, and whether rows changed
   that are of no touched part for a model that reads them: what steps 1 and 2 ask of the next one.
   The condition by which a model reads a row of an input is its way (`_way`); the sums have one
   for each way, for columns and for rows, and those that differ are the labels of the change.
4. `apply` replaces the rows, if a sum differs. The sums also keep the `contents` of the relation,
   by which the next batch notices rows that no batch wrote (`build` asks `differs` in its audit).

Checks are narrowed in the same way (`narrowed`).
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping

import duckdb

from analytics.transform.build_state import Contents
from analytics.transform.changes import ANYWHERE, ROWS, WORKSPACE, Changes, touched
from analytics.transform.models import CHECK_RESULTS, NO_INPUTS, Model, SqlModel, model_errors
from analytics.transform.parsing import renamed
from analytics.warehouse.database import transaction

_NEW = "temp.new_rows"  # of the model at hand
_HASHES = "*"  # of whole rows, among the sums of a relation


class Update:
    """An incremental build: `apply` it to each of the models, in order.

    `passed_checks` are the names of the checks that the relations passed as they were before. A
    change of a relation (`_changed`) is a set of labels: see `changes.ANYWHERE`.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        models: Iterable[Model],
        contents: Mapping[str, Contents],
        changes: Changes,
    ) -> None:
        self.con = con
        self.contents = dict(contents)
        self.changes = changes
        self._changed = changes.sources | dict.fromkeys(CHECK_RESULTS, ANYWHERE)
        self._models = {model.relation: model for model in models}
        self._columns: dict[str, tuple[str, ...]] = dict(
            con.execute("""
                select schema_name || '.' || table_name, list(column_name order by column_index)
                from duckdb_columns() where database_name in ('warehouse', 'build_file')
                group by all
            """).fetchall()
        )
        # DuckDB hashes 0 and -1 of 128 bits alike: with their sign, they differ.
        self._wide = set(
            con.execute("""
                select schema_name || '.' || table_name, column_name from duckdb_columns()
                where database_name in ('warehouse', 'build_file')
                    and (data_type like 'DECIMAL(38,%)' or data_type = 'HUGEINT')
            """).fetchall()
        )
        # By relation, the conditions of the parts that models and checks read: these have its own.
        self._ways = defaultdict[str, set[str]](set)
        for model in self._models.values():
            if model.header.narrow:
                self._ways[model.relation].add(_own_parts(model))
            for name in model.reads:
                if way := self._way(model, name):
                    self._ways[name].add(way)
        passed = con.execute("select check_name from build_file.audit.check_results where is_ok")
        self.passed_checks = {name for (name,) in passed.fetchall()}

    def on(self, con: duckdb.DuckDBPyConnection) -> Update:
        """Return the same update for another connection; what changed is known to both."""
        other = copy.copy(self)
        other.con = con
        return other

    def narrowed(self, check: SqlModel) -> str | None:
        """Return the SQL of a check on what changed; None if it reads nothing that did."""
        if not (inputs := self._inputs(check)):
            return None
        unit = self._unit(check, inputs)
        return renamed(check.sql, self._narrow(check, unit)) if unit else check.sql

    def apply(self, model: Model, relation: str) -> int | None:
        """Bring a relation up to date; return the number of rows that were built for it.

        No transaction may be open. Raises ModelError, which names the file.
        """
        if not (inputs := self._inputs(model)):
            return None if model.is_view else 0
        if model.is_view:
            changed = frozenset().union(*(self._changed[name] for name in inputs))
            # Of the columns of a table, a view may make any.
            self._changed[model.relation] = changed if changed == {ROWS} else ANYWHERE
            return None
        unit = self._unit(model, inputs)
        rows, new, where, before, after = self._make(model, relation, unit)
        if before != after:
            with model_errors(model), transaction(self.con):
                self.con.execute(f"delete from {relation} where {where}")
                self.con.execute(f"insert into {relation} by name {new}")
            self._changed[model.relation] = frozenset(
                label for label, found in after.items() if found != before[label]
            )
        if kept := self.contents.get(model.relation):
            self.contents[model.relation] = (
                kept[0] + after[ROWS] - before[ROWS],
                kept[1] + after[_HASHES] - before[_HASHES],
            )
        return rows

    def differs(self, relation: str) -> bool:
        """Return True if the touched parts of a relation, built anew, are not those that it has."""
        model = self._models[relation]
        *_, kept, new = self._make(model, relation, model.header.narrow)
        return kept != new

    def _inputs(self, model: Model) -> list[str]:
        """Return the inputs that changed in a column that a model reads."""
        return [
            name
            for name in sorted(model.reads)
            if (changed := self._changed.get(name))
            and (ROWS in changed or (read := model.columns_read(name)) is None or changed & read)
        ]

    def _unit(self, model: Model, inputs: Iterable[str]) -> str | None:
        """Return the unit of whose touched parts alone a model is to be built; None for all."""
        for name in inputs:
            way = self._way(model, name)
            if way is None or self._changed[name] & {way, *ANYWHERE - {ROWS}}:
                return None
        return model.header.narrow

    def _way(self, model: Model, name: str) -> str | None:
        """Return the condition that a model reads a row of an input anew; None if it reads all.

        What is looked up by a key is of touched parts of a unit of its own.
        """
        if not (unit := model.header.narrow):
            return None
        if not self._lookup(model, name):
            parts = self._parts(model, name)
            # What is of no part, as runs without a session, is read for none.
            return f"{_in_touched(parts, unit)} or {parts[0]} is null" if parts else None
        source = self._models.get(name)
        return _own_parts(source) if source and source.header.narrow else "true"

    def _parts(self, model: Model, name: str) -> tuple[str, ...]:
        """Return the expressions over an input that say which part a row belongs to."""
        unit, stated = str(model.header.narrow), model.header.narrow_inputs.get(name.split(".")[1])
        if stated is not None:
            return () if self._lookup(model, name) else stated
        return (unit,) if {WORKSPACE, unit} <= set(self._columns[name]) else ()

    def _lookup(self, model: Model, name: str) -> tuple[str, ...]:
        """Return the key, besides the workspace, by which a model looks up an input, if stated."""
        (stated, *_) = model.header.narrow_inputs.get(name.split(".")[1], ("",))
        return tuple(stated[3:].split(", ")) if stated.startswith("by ") else ()

    def _make(
        self, model: Model, relation: str, unit: str | None
    ) -> tuple[int, str, str, dict[str, int], dict[str, int]]:
        """Build the touched parts of a unit, or all, beside the relation.

        Return how many rows were built, the SELECT of those that belong to it, the condition of
        those that they replace, and the sums of both: of the replaced ones, of the new ones.
        """
        with model_errors(model):
            self.con.execute(f"drop table if exists {_NEW}")
            rows = model.make(self.con, _NEW, self._narrow(model, unit) if unit else NO_INPUTS)
        own = _own_parts(model) if unit else "true"
        where, new = self._in_stretch(model.relation, own, unit), f"(from {_NEW} where {own})"
        ways = self._ways[model.relation] - {own}
        before, after = (
            self._sums(model.relation, ways, rows)
            for rows in (f"(from {relation} where {where})", new)
        )
        return int(rows or 0), new, where, before, after

    def _narrow(self, model: Model, unit: str) -> dict[str, str]:
        """Make views of the inputs' touched parts; return their names by input."""
        views: dict[str, str] = {}
        for name in sorted(model.reads):
            if parts := self._parts(model, name):
                where = self._in_stretch(name, _in_touched(parts, unit), unit)
                views[name] = self._view(model, name, where)
        for name in sorted(model.reads):
            if lookup := self._lookup(model, name):
                key = ", ".join([WORKSPACE, *lookup])
                rows = " union all ".join(
                    f"select {key} from {view}"
                    for carrier, view in views.items()
                    if set(lookup) <= set(self._columns[carrier])
                )
                # A part of what touched runs have is touched, too: their sessions, their days.
                of_key = lookup[0] if unit == "run_id" else None
                where = self._in_stretch(name, f"({key}) in ({rows})", of_key)
                views[name] = self._view(model, name, where)
        return views

    def _view(self, model: Model, name: str, where: str) -> str:
        view = f"temp.part_{model.name}_{name.replace('.', '_')}"
        self.con.execute(f"create or replace temp view {view} as from {name} where {where}")
        return view

    def _in_stretch(self, name: str, condition: str, unit: str | None) -> str:
        """Return a condition on a relation, with when runs of its touched rows were created."""
        columns = self._columns[name]
        if stretch := self.changes.stretches.get(unit or ""):
            for key, moment in (("run_id", "created_at"), ("session_id", "first_run_at")):
                if {key, moment} <= set(columns):
                    return f"({condition}) and {moment} {stretch}"
        return condition

    def _sums(self, name: str, ways: Iterable[str], rows: str) -> dict[str, int]:
        """Count rows of a relation, and sum their hashes.

        The sums are of whole rows, of each column, and, by condition, of the rows for which it does
        not hold. A value is hashed with the key of its row: two rows may have exchanged theirs.
        """
        flags = {way: f"is_in_{number}" for number, way in enumerate(sorted(ways))}
        signs = {
            column: f', each."{column}" < 0'
            for column in self._columns[name]
            if (name, column) in self._wide
        }
        row = f"hash(each{''.join(signs.values())})"
        sums = {
            ROWS: "count(*)",
            _HASHES: "sum(hash(each))",
            **{
                column: f'sum(hash(key, each."{column}"{signs.get(column, "")}))'
                for column in self._columns[name]
            },
            **{way: f"sum({row}) filter (not {flag})" for way, flag in flags.items()},
        }
        key = f"hash({', '.join(self._models[name].header.key) or 'each'}) as key"
        flagged = ", ".join(["each", key, *(f"({way}) is true as {flags[way]}" for way in flags)])
        (found,) = self.con.execute(
            f"select {', '.join(sums.values())} from (select {flagged} from {rows} as each)"
        ).fetchall()
        return dict(zip(sums, (each or 0 for each in found), strict=True))


def _in_touched(parts: Iterable[str], unit: str) -> str:
    """Return the condition that one of these expressions is a touched part."""
    return " or ".join(f"({WORKSPACE}, {part}) in ({touched(unit)})" for part in parts)


def _own_parts(model: Model) -> str:
    """Return the condition that a row of a model's relation is of a touched part."""
    unit = str(model.header.narrow)
    return _in_touched(model.header.narrow_inputs.get(model.name, (unit,))[:1], unit)
