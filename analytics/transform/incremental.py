"""Bring relations up to date: replace the touched parts, leave what reads nothing that changed.

A model whose header says `narrow: UNIT` is built in parts: the rows of a workspace with one value
of the unit follow from the rows of its inputs with that value, and from whatever rows of the other
inputs. `narrow INPUT: ...` says what stands for the unit in an input, or in the model itself, or
(`by KEY`) by which key rows of the touched parts look the input up.

The touched parts are known before the first model runs: see `changes`. Which columns of a relation
changed, and whether rows of other parts did, follows from sums of hashes before and after. Where
an input changed in other parts than the touched ones, or is neither narrowed nor looked up by a
stated key, the model is built whole.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from analytics.transform.build_state import Contents
from analytics.transform.changes import UNITS, WORKSPACE, Change, Changes, touched
from analytics.transform.models import CHECK_RESULTS, NO_INPUTS, Model, SqlModel, model_errors
from analytics.transform.parsing import renamed
from analytics.warehouse.database import transaction

_NEW = "temp.new_rows"  # of the model at hand


class Update:
    """An incremental build: `apply` it to each of the models, in order.

    `passed_checks` are the names of the checks that the relations passed as they were before;
    `contents` are those of the relations, and follow the changes.
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
        self._changed = changes.sources | dict.fromkeys(CHECK_RESULTS, Change())
        self._models = {model.relation: model for model in models}
        self._columns: dict[str, tuple[str, ...]] = dict(
            con.execute("""
                select schema_name || '.' || table_name, list(column_name order by column_index)
                from duckdb_columns() where database_name in ('warehouse', 'build_file')
                group by all
            """).fetchall()
        )
        # By relation, the columns that models read, and by unit what narrows it for one of them.
        self._read = defaultdict[str, set[str]](set)
        self._ways = defaultdict[str, defaultdict[str, set[str]]](lambda: defaultdict(set))
        for model in self._models.values():
            unit = model.header.narrow
            for name in model.reads:
                read = model.columns_read(name)
                self._read[name].update(self._columns.get(name, ()) if read is None else read)
                if unit and (parts := self._parts(model, name)):
                    self._ways[name][unit].update(parts)
            if unit:
                self._ways[model.relation][unit].add(_own(model))
        passed = con.execute("select check_name from build_file.audit.check_results where is_ok")
        self.passed_checks = {name for (name,) in passed.fetchall()}

    def on(self, con: duckdb.DuckDBPyConnection) -> Update:
        """Return the same update for another connection."""
        other = copy.copy(self)
        other.con = con
        return other

    def narrowed(self, check: SqlModel) -> str | None:
        """Return the SQL of a check on what changed; None if it reads nothing that did."""
        if not (inputs := self._inputs(check)):
            return None
        return renamed(check.sql, self._narrow(check)) if self._unit(check, inputs) else check.sql

    def apply(self, model: Model, relation: str) -> int | None:
        """Bring a relation up to date; return the number of rows that were built for it.

        No transaction may be open. Raises ModelError, which names the file.
        """
        if not (inputs := self._inputs(model)):
            return None if model.is_view else 0
        if model.is_view:
            outside = frozenset[str]().union(*(self._changed[name].outside for name in inputs))
            self._changed[model.relation] = Change(outside=outside)
            return None
        unit = self._unit(model, inputs)
        rows, new = self._make(model, unit)
        where = self._is_touched(model.relation, (_own(model),), unit) if unit else "true"
        before, after = self._sums(relation, model, unit, where), self._sums(new, model, unit)
        if before == after:
            return rows
        with model_errors(model), transaction(self.con):
            self.con.execute(f"delete from {relation} where {where}")
            self.con.execute(f"insert into {relation} by name {new}")
        columns = {each for each, hashes in after.columns.items() if hashes != before.columns[each]}
        inside = {each for each, hashes in after.outside.items() if hashes == before.outside[each]}
        self._changed[model.relation] = Change(
            frozenset(columns) if before.rows == after.rows else None, UNITS - inside - {unit}
        )
        if kept := self.contents.get(model.relation):
            self.contents[model.relation] = Contents(
                kept.rows + after.rows - before.rows, kept.hashes + after.hashes - before.hashes
            )
        return rows

    def differs(self, relation: str) -> bool:
        """Return True if the touched parts of a relation, built anew, are not those that it has."""
        model = self._models[relation]
        unit = model.header.narrow
        _, new = self._make(model, unit)
        where = self._is_touched(relation, (_own(model),), unit) if unit else "true"
        return self._sums(relation, model, unit, where) != self._sums(new, model, unit)

    def _inputs(self, model: Model) -> list[str]:
        """Return the inputs that changed in a column that a model reads."""
        return [
            name
            for name in sorted(model.reads)
            if (change := self._changed.get(name))
            and (
                change.columns is None
                or (read := model.columns_read(name)) is None
                or change.columns & read
            )
        ]

    def _unit(self, model: Model, changed: Iterable[str]) -> str | None:
        """Return the unit of whose touched parts alone a model is to be built; None for all."""
        unit = model.header.narrow
        for name in changed:
            if self._lookup(model, name):
                source = self._models.get(name)
                of = source.header.narrow if source else None
            else:
                of = unit if self._parts(model, name) else ""
            if of == "" or of in self._changed[name].outside:
                return None
        return unit

    def _parts(self, model: Model, name: str) -> tuple[str, ...]:
        """Return the expressions over an input that say which part a row belongs to."""
        unit, stated = str(model.header.narrow), model.header.narrow_inputs.get(name.split(".")[1])
        if stated is not None:
            return () if self._lookup(model, name) else stated
        return (unit,) if {WORKSPACE, unit} <= set(self._columns.get(name, ())) else ()

    def _lookup(self, model: Model, name: str) -> tuple[str, ...]:
        """Return the key, besides the workspace, by which a model looks up an input, if stated."""
        (stated, *_) = model.header.narrow_inputs.get(name.split(".")[1], ("",))
        return tuple(stated[3:].split(", ")) if stated.startswith("by ") else ()

    def _make(self, model: Model, unit: str | None) -> tuple[int, str]:
        """Build the touched parts of a unit, or all; return how many rows, and what has them."""
        with model_errors(model):
            self.con.execute(f"drop table if exists {_NEW}")
            rows = model.make(self.con, _NEW, self._narrow(model) if unit else NO_INPUTS)
        only = f"where {_in_touched((_own(model),), unit)}" if unit else ""
        return int(rows or 0), f"(from {_NEW} {only})"

    def _narrow(self, model: Model) -> dict[str, str]:
        """Make views of the inputs' touched parts; return their names by input."""
        unit, views = str(model.header.narrow), dict[str, str]()
        for name in sorted(model.reads):
            if parts := self._parts(model, name):
                views[name] = self._view(model, name, self._is_touched(name, parts, unit))
        for name in sorted(model.reads):
            if lookup := self._lookup(model, name):
                key = ", ".join([WORKSPACE, *lookup])
                rows = " union all ".join(
                    f"select {key} from {view}"
                    for carrier, view in views.items()
                    if carrier in self._columns and set(lookup) <= set(self._columns[carrier])
                )
                views[name] = self._view(model, name, f"({key}) in ({rows})")
        return views

    def _view(self, model: Model, name: str, where: str) -> str:
        view = f"temp.part_{model.name}_{name.replace('.', '_')}"
        self.con.execute(f"create or replace temp view {view} as from {name} where {where}")
        return view

    def _is_touched(self, name: str, parts: Iterable[str], unit: str) -> str:
        """Return the condition that a row of a relation is of a touched part."""
        condition = _in_touched(parts, unit)
        stretch = self.changes.stretches.get(unit)
        if stretch and {"run_id", "created_at"} <= set(self._columns.get(name, ())):
            return f"({condition}) and created_at {stretch}"
        return condition

    def _sums(self, rows: str, model: Model, unit: str | None, where: str = "true") -> _Sums:
        """Sum the hashes of rows: of all, by column that is read, and outside of touched parts."""
        name = model.relation
        columns = [each for each in self._columns[name] if each in self._read.get(name, ())]
        is_in = {
            each: f"({_in_touched(sorted(parts), each)}) is true as is_in_{each}"
            for each, parts in self._ways.get(name, {}).items()
            if each != unit or parts != {_own(model)}
        }
        sums = [
            "count(*)",
            "sum(hash(each))",
            *(f'sum(hash(each."{column}"))' for column in columns),
            *(f"sum(hash(each)) filter (not is_in_{each})" for each in is_in),
        ]
        flagged = f"select {', '.join(['each', *is_in.values()])} from {rows} as each where {where}"
        ((count, *hashes),) = self.con.execute(
            f"select {', '.join(sums)} from ({flagged})"
        ).fetchall()
        found = iter(each or 0 for each in hashes)
        return _Sums(
            count,
            next(found),
            {each: next(found) for each in columns},
            {each: next(found) for each in is_in},
        )


@dataclass(frozen=True)
class _Sums:
    """The number of rows, and sums of hashes: of them, of columns, of rows outside by unit."""

    rows: int
    hashes: int
    columns: dict[str, int]
    outside: dict[str, int]


def _in_touched(parts: Iterable[str], unit: str) -> str:
    """Return the condition that one of these expressions is a touched part."""
    return " or ".join(f"({WORKSPACE}, {part}) in (from {touched(unit)})" for part in parts)


def _own(model: Model) -> str:
    """Return the column of a relation, or the expression, that says to which part a row belongs."""
    return model.header.narrow_inputs.get(model.name, (str(model.header.narrow),))[0]
