"""Parts of a model are found by the columns by which it looks up its inputs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from analytics.resources import folder
from analytics.transform.build import all_models, build
from analytics.transform.incremental import Update
from analytics.transform.models import SqlModel, in_order
from analytics.transform.parsing import nodes
from tests.transform.given import Warehouse


def made(sql: str) -> set[str]:
    """Return the columns of a SELECT that are neither a column of their name nor one's extreme."""
    tree = duckdb.execute(
        "select json_serialize_sql(?::varchar, skip_empty := true, skip_default := true)", [sql]
    ).fetchone()
    assert tree
    return {
        name for node in nodes(json.loads(tree[0])) for name, each in named(node)
        if not is_column(each, name)
    }  # fmt: skip


def named(node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the expressions that a node names, and their names."""
    if "class" in node and "alias" in node:
        yield node["alias"], node
    for each in node.get("replace_list", ()):
        yield each["key"], each["value"]


def is_column(expression: dict[str, Any], name: str) -> bool:
    if expression.get("function_name") in ("min", "max"):
        expression = expression["arguments"][0]["expression"]
    return bool(expression.get("column_names", [""])[-1] == name)


def test_columns_by_which_inputs_are_looked_up(warehouse: Warehouse) -> None:
    """No model makes a column by which it looks up an input: others have it as it is looked up."""
    assert made("select x.a, max(x.b) as b, coalesce(c, '') as c, e as d from s.x") == {"c", "d"}
    assert made("with y as (select * replace (if(a = 1, 2, a) as a) from s.x) from y") == {"a"}
    build(warehouse.con, timezone="UTC")
    update, looked_up, wrong = Update(warehouse.con, {}), 0, []
    for model in in_order(all_models(folder("queries"))):
        update._models[model.relation] = model
        if not (model.header.narrow and isinstance(model, SqlModel)):
            continue
        for name in model.reads:
            columns = {
                column
                for carrier in model.reads - {name}
                if update._parts(model, carrier) and not update._parts(model, name)
                for column in update._lookup(model, name)
                if column in update.changes.columns(carrier)
            }
            looked_up += bool(columns)
            wrong += [(model.relation, name, each) for each in columns & made(model.sql)]

    assert looked_up > 10
    assert wrong == []
