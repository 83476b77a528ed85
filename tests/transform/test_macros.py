"""Macros of the published file: rates with their 95 % Wilson intervals, and cost per success."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from analytics.format.wilson import wilson_interval
from analytics.transform.measures import create_macros, measures
from tests.transform.given import Warehouse


@pytest.fixture(autouse=True)
def macros(warehouse: Warehouse) -> None:
    create_macros(warehouse.con, "build_file.marts")


@pytest.mark.parametrize(
    ("succeeded", "failed", "low", "rate", "high"),
    [
        # Reference values: the Wilson score interval without continuity correction.
        (9, 1, 0.017876213095072995, 0.1, 0.4041500267952385),
        (50, 50, 0.4038315303659956, 0.5, 0.5961684696340043),
        (10, 0, 0.0, 0.0, 0.27753279986288925),
        (0, 10, 0.7224672001371107, 1.0, 1.0),
        (1, 0, 0.0, 0.0, 0.7934506856227626),
    ],
)
def test_interval(
    warehouse: Warehouse, succeeded: int, failed: int, low: float, rate: float, high: float
) -> None:
    """The rate is failed runs over failed and succeeded ones, within its Wilson interval."""
    found = warehouse.row(
        "select failure_rate($1, $2), wilson_low($1, $2), wilson_high($1, $2)", failed, succeeded
    )

    assert found[0] == rate
    assert found[1:] == pytest.approx((low, high), abs=1e-12)


def test_nothing_ended(warehouse: Warehouse) -> None:
    """Where nothing succeeded or failed, the rate and both bounds are null."""
    assert warehouse.row("select failure_rate(0, 0), wilson_low(0, 0), wilson_high(0, 0)") == (
        None,
        None,
        None,
    )


def test_bounds_are_those_of_pages(warehouse: Warehouse) -> None:
    """SQL and pages give the same interval to 12 digits, and no bound leaves 0 to 1."""
    rows = warehouse.rows("""
        select f.range, n.range, failure_rate(f.range, n.range - f.range) as rate,
            wilson_low(f.range, n.range - f.range) as low,
            wilson_high(f.range, n.range - f.range) as high
        from range(1, 120) as n, range(0, 120) as f where f.range <= n.range
    """)

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
    warehouse: Warehouse, cost: Any, succeeded: int, expected: Any
) -> None:
    """Cost per successful run is a decimal of ten places, cut; null without a success or a cost."""
    assert warehouse.row("select usd_per_success(?::decimal(38, 10), ?)", cost, succeeded) == (
        expected,
    )


def test_measures_are_declared_once(warehouse: Warehouse) -> None:
    """Each numeric column of the day and month tables is a measure, with one unit and meaning."""
    warehouse.build_all()
    columns = warehouse.rows("""
        select distinct column_name from duckdb_columns()
        where table_name in (
            'fct_agent_days', 'fct_agent_months', 'fct_workspace_days', 'fct_workspace_months'
        ) and data_type not in ('VARCHAR', 'DATE', 'BOOLEAN')
    """)

    assert {name for (name,) in columns} | {"usd_per_success", "detail_coverage"} == set(measures())
    for measure in measures().values():
        assert measure.unit in {"runs", "days", "usd", "tokens", "ms", "share"}
        assert measure.additive == (measure.unit != "share" and measure.macro is None)
