"""Build the parts of the relations that changed since the last build, by the models' own SELECTs.

A model whose header says `narrow: COLUMN` is built in parts: the rows of a workspace with one value
of the column follow from the rows of its inputs with that value, and from whatever rows of the
other inputs. Which parts a change touches:

- of an input with the column (or with what the header says stands for it, `narrow INPUT: ...`), the
  values in its rows that changed in a column that the model reads;
- of another input, the values that an input with the column has where the key of the changed rows
  is (or the columns that the header names, `narrow INPUT: by ...`); without such an input, all.

The line `narrow MODEL: ...` with the model's own name says what stands for the column in it.
The inputs are narrowed to the touched parts, the SELECT runs over them as it is, and the parts that
came out otherwise replace the stored ones. A model without the line is built whole if an input
changed in a column that it reads.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import duckdb
import polars as pl

from analytics.transform.build_state import Contents
from analytics.transform.changes import (
    ANY,
    WORKSPACE,
    Changes,
)
from analytics.transform.clustering import RUN, SESSION, Clustering
from analytics.transform.models import CHECK_RESULTS, NO_INPUTS, Model, ModelError, SqlModel
from analytics.transform.parsing import renamed
from analytics.warehouse.database import transaction

_SAMPLED = 100  # rows of a relation whose parts an audit builds
# Of the model at hand.
_NEW, _KEPT, _KEPT_ROWS = "temp.new_rows", "temp.kept_rows", "temp.kept_row_numbers"


class Update:
    """An incremental build: `apply` it to each model, in order.

    `passed_checks` are the names of the checks that the relations passed as they were before;
    `contents` are those of the relations as they are now. An `audit` also builds a sample of parts
    that nothing touched; `unseen` are the relations that turn out to differ all the same.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        contents: Mapping[str, Contents],
        *,
        is_audit: bool = False,
    ) -> None:
        self.con = con
        self.is_audit = is_audit
        self.contents = dict(contents)
        self.unseen: list[str] = []
        self.passed_checks = {
            name
            for (name,) in con.execute(
                "select check_name from build_file.audit.check_results where is_ok"
            ).fetchall()
        }
        self.changes = Changes(con)
        self.changes.read_sources()
        self.clustering = Clustering(con, self.changes)
        for relation in CHECK_RESULTS:
            self.changes.add(relation)
        self._models: dict[str, Model] = {}

    def on(self, con: duckdb.DuckDBPyConnection) -> Update:
        """Return the same update for another connection."""
        other = copy.copy(self)
        other.con = con
        other.changes = self.changes.on(con)
        other.clustering = self.clustering.on(con)
        return other

    def narrowed(self, check: SqlModel) -> str | None:
        """Return the SQL of a check on what changed; None if it reads nothing that did."""
        changed = self._changed(check)
        if not changed:
            return None
        if check.header.narrow and self._touch(check, changed):
            return renamed(check.sql, self._narrowed(check))
        return check.sql

    def _changed(self, model: Model) -> list[str]:
        """Return the inputs that changed in a column that a model reads."""
        changes = self.changes
        return [
            name for name in sorted(model.reads) if name in changes and changes.affects(model, name)
        ]

    def apply(self, model: Model, relation: str) -> int | None:
        """Bring a relation up to date; return the number of rows that were built for it.

        No transaction may be open. Raises ModelError, which names the file.
        """
        self._models[model.relation] = model
        try:
            changed = self._changed(model)
            if not changed:
                return None if model.is_view else self._audit(model, relation)
            if isinstance(model, SqlModel) and model.is_view and not model.header.narrow:
                self.changes.follow_view(model, changed)
                return None
            if not (model.header.narrow and self._touch(model, changed)):
                return self._replace(model, relation)
            if model.is_view:
                self._touch_view(model)
                return None
            if self.is_audit:
                self._sample(model, relation)
            return self._replace_parts(model, relation)
        except (duckdb.Error, pl.exceptions.PolarsError, OSError) as error:
            raise ModelError(model.file, str(error)) from error

    def _audit(self, model: Model, relation: str) -> int:
        """Build, of a relation that nothing changed, a sample of parts or all."""
        if not self.is_audit:
            return 0
        if not model.header.narrow:
            rows = self._replace(model, relation)
            if model.relation in self.changes:
                self.unseen.append(model.relation)
            return rows or 0
        self.con.execute(
            "create or replace temp table touched as"
            f" select {WORKSPACE}, {_own_part(model)} as part from {relation} limit 0"
        )
        self._sample(model, relation)
        return self._replace_parts(model, relation)

    def _sample(self, model: Model, relation: str) -> None:
        """Add parts that nothing touched to those that are built: of rows written together.

        Wherever they lie, the rows of inputs that make them lie in one stretch, too.
        """
        ((first,),) = self.con.execute(
            f"select floor(random() * greatest(max(rowid) - {_SAMPLED - 2}, 1)) from {relation}"
        ).fetchall()
        self.con.execute(f"""
            create or replace temp table sampled as
            select distinct {WORKSPACE}, part
            from (
                select {WORKSPACE}, {_own_part(model)} as part
                from {relation} where rowid >= {first:.0f} limit {_SAMPLED}
            )
            anti join touched using ({WORKSPACE}, part)
        """)
        self.con.execute("insert into touched from sampled")
        self.clustering.forget_conditions()

    def _touch(self, model: Model, changed: list[str]) -> bool:
        """Collect the touched parts of a model; return False if any may be."""
        selects: list[str] = []
        for name in changed:
            if self.changes[name] == ANY:
                return False
            if parts := self._parts(model, name):
                selects += [self.changes.parts_seen_by(model, name, part) for part in parts]
                continue
            found = self._looked_up(model, name)
            if not found:
                return False
            selects += found
        self.con.execute(
            "create or replace temp table touched as"
            f" select distinct {WORKSPACE}, part from ({' union all '.join(selects)})"
            " where part is not null"
        )
        self.clustering.forget_conditions()
        return True

    def _touch_view(self, model: Model) -> None:
        """Add the change of a view that is narrowed: of its touched parts, any row may differ."""
        self.changes.add_parts(
            model.relation, f"select {WORKSPACE}, part as {model.header.narrow} from touched"
        )

    def _parts(self, model: Model, name: str) -> tuple[str, ...]:
        """Return the expressions over an input that say which part a row belongs to."""
        stated = model.header.narrow_inputs.get(name.split(".")[1])
        if stated is not None:
            return () if stated[0].startswith("by ") else stated
        narrow = str(model.header.narrow)
        return (narrow,) if {WORKSPACE, narrow} <= set(self.changes.columns(name)) else ()

    def _lookup(self, model: Model, name: str) -> tuple[str, ...]:
        """Return the columns, besides the workspace, by which a model looks up an input."""
        stated = model.header.narrow_inputs.get(name.split(".")[1], ())
        if stated and stated[0].startswith("by "):
            return tuple(each.strip() for each in stated[0][3:].split(","))
        key = self._models[name].header.key if name in self._models else ()
        return tuple(each for each in key if each != WORKSPACE)

    def _looked_up(self, model: Model, name: str) -> list[str]:
        """Return SELECTs of the parts of rows that look up the changed rows of an input."""
        source, selects = self._models.get(name), []
        if source and source.is_view and source.header.narrow:
            return []  # of its change, only the parts are known
        for carrier in sorted(model.reads - {name}):
            parts = self._parts(model, carrier)
            shared = [
                each for each in self._lookup(model, name) if each in self.changes.columns(carrier)
            ]
            if parts and shared:
                key = (WORKSPACE, *shared)
                rows = self.changes.rows_seen_by(model, name, key)
                looked_up = f"from {carrier} semi join ({rows}) using ({', '.join(key)})"
                if stretch := self._stretch_of(carrier, key, rows):
                    looked_up += f" where {stretch}"
                selects += [f"select {WORKSPACE}, {part} as part {looked_up}" for part in parts]
        return selects

    def _stretch_of(self, relation: str, key: Sequence[str], rows: str) -> str:
        """Return a condition that holds for all rows of a relation whose key is in `rows`."""
        source = self._models.get(relation)
        column = next((each for each in (RUN, SESSION) if each in key), None)
        return self.clustering.of(source.header, column, rows) if source and column else ""

    def _replace_parts(self, model: Model, relation: str) -> int:
        """Build the touched parts, and replace those that differ."""
        con, narrow = self.con, _own_part(model)
        is_touched = self._is_touched(model, (narrow,))
        rows = int(self._make(model, self._narrowed(model)) or 0)
        if any(len(parts) > 1 for parts in model.header.narrow_inputs.values()):
            # A row that is of two parts may have come for one that is not touched.
            ((deleted,),) = con.execute(f"delete from {_NEW} where not {is_touched}").fetchall()
            rows -= deleted
        # By their row numbers, rows are read and deleted without a search in the wide table.
        ((kept_rows,),) = con.execute(
            f"create or replace temp table {_KEPT_ROWS} as"
            f" select rowid as row_number from {relation} where {is_touched}"
        ).fetchall()
        con.execute(
            f"create or replace temp table {_KEPT} as select *, rowid as row_number"
            f" from {relation} where rowid in (from {_KEPT_ROWS})"
        )
        if self._compare(model, rows, (_KEPT, kept_rows)):
            con.execute(
                "create or replace temp table differing as select distinct"
                f" {WORKSPACE}, {narrow} as part from {self.changes[model.relation].rows}"
            )
            differs = f"({WORKSPACE}, {narrow}) in (from temp.differing)"
            with transaction(con):
                con.execute(
                    f"delete from {relation}"
                    f" where rowid in (select row_number from {_KEPT} where {differs})"
                )
                con.execute(f"insert into {relation} by name from {_NEW} where {differs}")
            if self.is_audit and con.execute(
                f"select exists (from differing semi join sampled using ({WORKSPACE}, part))"
            ).fetchone() == (True,):
                self.unseen.append(model.relation)
        return rows

    def _narrowed(self, model: Model) -> dict[str, str]:
        """Make views of the inputs' touched parts; return their names by input."""
        inputs: dict[str, str] = {}
        for name in sorted(model.reads):
            if parts := self._parts(model, name):
                source = self._models.get(name)
                inputs[name] = self._view(model, name, self._is_touched(source, parts))
        for name in sorted(model.reads - inputs.keys()):
            if model.header.narrow_inputs.get(name.split(".")[1]):
                lookup = self._lookup(model, name)
                columns = ", ".join([WORKSPACE, *lookup])
                lookups = " union all ".join(
                    f"select {columns} from {view}"
                    for carrier, view in list(inputs.items())
                    if set(lookup) <= set(self.changes.columns(carrier))
                )
                stretch = self._stretch_of(name, lookup, lookups) or "true"
                inputs[name] = self._view(model, name, f"({columns}) in ({lookups}) and {stretch}")
        return inputs

    def _is_touched(self, source: Model | None, parts: Sequence[str]) -> str:
        """Return the condition that a row of a relation is of a touched part."""
        touched = " or ".join(f"({WORKSPACE}, {part}) in (from temp.touched)" for part in parts)
        if source and (stretch := self.clustering.of_parts(source.header, parts)):
            return f"({touched}) and {stretch}"
        return touched

    def _view(self, model: Model, name: str, condition: str) -> str:
        """Make a view of some rows of an input; return its name."""
        view = f"temp.part_{model.name}_{name.replace('.', '_')}"
        source, body = self._models.get(name), f"from {name} where {condition}"
        if (
            isinstance(source, SqlModel)
            and source.is_view
            and source.header.narrow == model.header.narrow
        ):
            body = renamed(source.sql, self._narrowed(source))
        self.con.execute(f"create or replace temp view {view} as {body}")
        return view

    def _replace(self, model: Model, relation: str) -> int | None:
        """Build a relation whole, and replace its rows if any differs."""
        if model.is_view:
            self.changes.add(model.relation)
            return None
        con = self.con
        rows = int(self._make(model) or 0)
        ((kept_rows,),) = con.execute(f"select count(*) from {relation}").fetchall()
        if self._compare(model, rows, (relation, kept_rows), model.header.key):
            with transaction(con):
                con.execute(f"delete from {relation}")
                con.execute(f"insert into {relation} by name from {_NEW}")
        return rows

    def _make(self, model: Model, inputs: Mapping[str, str] = NO_INPUTS) -> int | None:
        self.con.execute(f"drop table if exists {_NEW}")
        return model.make(self.con, _NEW, inputs)

    def _compare(
        self,
        model: Model,
        new_rows: int,
        kept: tuple[str, int],
        key: Sequence[str] = (),
    ) -> bool:
        """Add the change from the kept rows to the new ones; return False if they are equal."""
        columns = ", ".join(f'"{each}"' for each in self.changes.columns(model.relation))

        def rows(one: str, other: str) -> str:
            return f"""
                from (select {columns} from {one}) as rows
                anti join (
                    select hash(others) as row_hash from (select {columns} from {other}) as others
                ) as hashes on hash(rows) = row_hash
            """

        was, now = rows(kept[0], _NEW), rows(_NEW, kept[0])
        changes, relation, surplus = self.changes, model.relation, new_rows - kept[1]
        count = changes.compare(relation, f"select rows.* {was}", f"select rows.* {now}", key)
        if not count and not surplus:
            return False
        gained, hashes = changes.gained(relation) if count else (0, 0)
        if gained != surplus:
            # A row that came twice, or is gone of two: then all rows count as changed.
            was, now = (f"select {columns} from {one}" for one in (kept[0], _NEW))
            changes.compare(relation, was, now)
            gained, hashes = changes.gained(relation)
        if before := self.contents.get(relation):
            self.contents[relation] = Contents(before.rows + gained, before.hashes + hashes)
        return True


def _own_part(model: Model) -> str:
    """Return the column of a relation, or the expression, that says to which part a row belongs."""
    return model.header.narrow_inputs.get(model.name, (str(model.header.narrow),))[0]
