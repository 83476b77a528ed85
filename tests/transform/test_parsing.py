"""Columns that a SELECT reads of a table, as updates ask for them."""

from __future__ import annotations

import pytest

from analytics.transform.parsing import columns_read

A, B = "marts.a", "marts.b"


@pytest.mark.parametrize(
    ("sql", "of_a", "of_b"),
    [
        ("select x from marts.a", {"x"}, {"x"}),
        ("select a.x, b.y from marts.a join marts.b using (k)", {"x", "k"}, {"y", "k"}),
        ("select one.x, two.y from marts.a as one, marts.b as two", {"x"}, {"y"}),
        ("select t.x, (select t.y from marts.b as t) from marts.a as t", {"x", "y"}, {"x", "y"}),
        ("with a as (select y from marts.b) select a.x from a, marts.a", {"x", "y"}, {"y"}),
        ("select own.x from (select y as x from marts.a) as own", {"y"}, {"y"}),
        ("select x.field from marts.a", {"x", "field"}, {"x", "field"}),
        ("select * from marts.a join marts.b using (k)", None, None),
        ("select one.*, b.y from marts.a as one join marts.b using (k)", None, {"y", "k"}),
        ("select sum(columns('_usd$')) from marts.a join marts.b using (k)", None, None),
        ("select 2 * columns(a.*), b.y from marts.a join marts.b using (k)", None, {"y", "k"}),
        ("select b.y, t.z from marts.b, unnest([1]) as t (z)", {"t", "z"}, {"t", "y", "z"}),
    ],
)
def test_columns_that_are_read(sql: str, of_a: set[str] | None, of_b: set[str] | None) -> None:
    """A qualified column is read of the tables that its qualifier names, another one of all."""
    assert (columns_read(sql, A), columns_read(sql, B)) == (of_a, of_b)
