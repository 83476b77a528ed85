"""Macros of the published file: rates with their 95 % Wilson intervals, and cost per success."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from analytics.format.numbers import wilson_interval
from analytics.transform.measures import create_macros, create_what_if, measures
from tests.transform.given import Warehouse


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        create_macros(con, "main")
        yield con


@pytest.mark.parametrize(
    ("succeeded", "failed", "low", "rate", "high"),
    [
        # Reference values: the Wilson score interval without continuity correction.
        (9, 1, 0.017876213095072995, 0.1, 0.4041500267952385),
        (50, 50, 0.4038315303659956, 0.5, 0.5961684696340043),
        (10, 0, 0.0, 0.0, 0.27753279986288925),
        (0, 10, 0.7224672001371107, 1.0, 1.0),
        (1, 0, 0.0, 0.0, 0.7934506856227626),
        (0, 0, None, None, None),
    ],
)
def test_interval(
    con: duckdb.DuckDBPyConnection, succeeded: int, failed: int, low: Any, rate: Any, high: Any
) -> None:
    """The rate is failed runs over failed and succeeded ones, within its Wilson interval."""
    sql = "select failure_rate($1, $2), wilson_low($1, $2), wilson_high($1, $2)"

    assert con.execute(sql, [failed, succeeded]).fetchall() == [
        (rate, pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))
    ]


def test_no_rate_beside_an_unknown_outcome(con: duckdb.DuckDBPyConnection) -> None:
    """With a run of unknown outcome neither the rate nor its bounds are known."""
    sql = "select failure_rate(1, 2, 1), wilson_low(1, 2, 1), wilson_high(1, 2, 1)"

    assert con.execute(sql).fetchall() == [(None, None, None)]


def test_bounds_are_those_of_pages(con: duckdb.DuckDBPyConnection) -> None:
    """SQL and pages give the same interval to 12 digits, and no bound leaves 0 to 1."""
    rows = con.execute("""
        select f.range, n.range, failure_rate(f.range, n.range - f.range) as rate,
            wilson_low(f.range, n.range - f.range) as low,
            wilson_high(f.range, n.range - f.range) as high
        from range(1, 120) as n, range(0, 120) as f where f.range <= n.range
    """).fetchall()

    for failed, finished, rate, low, high in rows:
        assert 0 <= low <= rate <= high <= 1
        assert (low, high) == pytest.approx(wilson_interval(failed, finished), abs=1e-12)


@pytest.mark.parametrize(
    ("cost", "succeeded", "expected"),
    [
        (Decimal(10), 3, Decimal("3.3333333333")),
        (Decimal("0.0000000001"), 1, Decimal("0.0000000001")),
        (Decimal("9999999999.9999999999"), 1, Decimal("9999999999.9999999999")),
        (Decimal(1), 0, None),
        (None, 3, None),
    ],
)
def test_cost_per_success_is_exact(
    con: duckdb.DuckDBPyConnection, cost: Any, succeeded: int, expected: Any
) -> None:
    """Cost per successful run is a decimal of ten places, cut; null without a success or a cost."""
    sql = "select usd_per_success(?::decimal(38, 10), ?)"

    assert con.execute(sql, [cost, succeeded]).fetchall() == [(expected,)]


def test_measures_are_declared_once(warehouse: Warehouse) -> None:
    """Each numeric column of the day and month tables is a measure, with one unit and meaning."""
    tables = ("fct_agent_days", "fct_agent_months", "fct_workspace_days", "fct_workspace_months")
    warehouse.build()
    columns = {
        name
        for table in tables
        for name, kind, *_ in warehouse.rows(f"describe from marts.{table}")
        if kind not in ("VARCHAR", "DATE", "BOOLEAN")
    }

    of_two_months = {"adjusted_failure_rate", "compared_failure_rate"}
    assert columns - of_two_months | {
        "usd_per_success",
        "detail_coverage",
        "list_price_cost_usd",
    } == set(measures())
    for measure in measures().values():
        assert measure.unit in {"runs", "days", "usd", "tokens", "ms", "share"}
        assert measure.additive == (measure.unit != "share" and measure.macro is None)


@pytest.fixture
def grains() -> Iterator[duckdb.DuckDBPyConnection]:
    """Two agents on wheat, at 2 a million tokens: one pays 3, the other 1.5; three are cheaper."""
    with duckdb.connect() as con:
        con.execute("""
            create schema marts;
            create table marts.fct_model_days as select 'w-1' as workspace_id, agent_id,
                'wheat' as model, date '2026-11-02' as utc_date, cost as metered_cost_usd,
                1000000 as tokens_in, 0 as tokens_out
            from (values ('a-1', 3::decimal(38, 10)), ('a-2', 1.5)) as given (agent_id, cost);
            create table marts.fct_model_months as select workspace_id, agent_id, model,
                date '2026-11-01' as month, metered_cost_usd,
                2::decimal(38, 10) as list_price_cost_usd,
                if(metered_cost_usd > 2, 'unknown fee', 'caching or discount') as caveat
            from marts.fct_model_days;
            create table marts.dim_prices as select model, price as input_usd_per_million_tokens,
                price as output_usd_per_million_tokens, date '2026-10-01' as valid_from,
                null::date as valid_until, true as is_first
            from (values ('wheat', 2::decimal(38, 10)), ('rye', 1), ('barley', 0.5), ('oats', 0.1))
                as given (model, price);
            create table marts.dim_models as select 'w-1' as workspace_id, model,
                if(model = 'oats', 'oats', 'bread') as family
            from marts.dim_prices
        """)
        create_macros(con, "marts")
        create_what_if(con, "marts")
        yield con


def test_what_raised_a_cost_above_list_raises_no_estimate(
    grains: duckdb.DuckDBPyConnection,
) -> None:
    """The discount of an agent that pays more than list is none; that of another is its own.

    A caveat names what it contains.
    """
    found = grains.execute("""
        select agent_id, metered_cost_usd, list_price_cost_usd, discounted_cost_usd, caveat
        from marts.what_if('rye') order by all""").fetchall()

    assert found == [
        ("a-1", 3, 1, 1, "unknown fee"),
        ("a-2", Decimal("1.5"), 1, Decimal("0.75"), "caching or discount"),
    ]


def test_the_next_cheaper_model_of_each_family_is_first(grains: duckdb.DuckDBPyConnection) -> None:
    """Of each family the most expensive that costs less, never an agent's own at list price."""
    found = grains.execute("""
        select agent_id, model from marts.what_if_by_model()
        where cheaper_rank = 1 order by all""").fetchall()

    assert found == [(agent, model) for agent in ("a-1", "a-2") for model in ("oats", "rye")]
