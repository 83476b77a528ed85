"""Comparison of relations that were brought up to date with those of a full build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb

from analytics.transform.build_state import Contents, recorded_contents
from analytics.transform.models import PUBLISHED, Model


def first_difference(
    con: duckdb.DuckDBPyConnection,
    models: Iterable[Model],
    updated: str,
    updated_contents: Mapping[str, Contents],
) -> str | None:
    """Return the first relation whose rows are not those of the full build, and its first row.

    The full build is attached as the build file, `updated` is the catalog of the other one. Of
    relations that are not published, the contents are compared.
    """
    now = recorded_contents(con)
    for model in models:
        if model.layer not in PUBLISHED:
            if updated_contents.get(model.relation) != now.get(model.relation):
                return model.relation
            continue
        if row := _differing_row(con, model, updated):
            return f"{model.relation}: {row}"
    return None


def _differing_row(con: duckdb.DuckDBPyConnection, model: Model, updated: str) -> str:
    one, other = f"{updated}.{model.relation}", f"build_file.{model.relation}"
    key = ", ".join(model.header.key) or "*"
    found = con.execute(f"""
        select {key} from (
            (from {one} except all from {other}) union all by name
            (from {other} except all from {one})
        ) order by all limit 1
    """)
    row = found.fetchone()
    if row is None:
        return ""
    return ", ".join(
        f"{name} {value}" for (name, *_), value in zip(found.description, row, strict=True)
    )
