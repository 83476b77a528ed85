"""A plain name is the whole: it adds up to the workspace's figure in every table that has it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from analytics.transform.measures import measures
from analytics.warehouse.layout import Layout
from tests.queries.sample import fill
from tests.transform.given import MODELS, Warehouse, empty_warehouse

COUNTS = {"run_count", "succeeded_count", "failed_count", "cancelled_count", "open_count"}
OF_LISTED = {
    "audit.run_versions", "marts.fct_runs", "marts.fct_run_models", "marts.fct_log_events",
    "marts.fct_tool_calls", "marts.fct_sessions", "reports.rpt_errors", "reports.rpt_runs",
    "reports.rpt_tools", "reports.rpt_triggers",
}  # fmt: skip
METERED = {
    "fct_usage_hours", "fct_model_days", "fct_model_months", "fct_charges", "fct_billing_days",
}  # fmt: skip
OTHERS = {
    *(f"marts.{name}.{tokens}" for name in (*METERED, "fct_month_lines")
      for tokens in ("tokens_in", "tokens_out")),  # of the meter
    "marts.fct_charge_adjustments.tokens_in", "marts.fct_charge_adjustments.tokens_out",  # changes
    "marts.fct_findings.run_count", "marts.fct_findings.cost_usd",  # of what a finding is about
    "marts.fct_outcomes.cost_usd",  # of agents with an outcome, under each of them
    "marts.fct_forecasts.unknown_cost_count",  # of lines, and of all of them in one
}  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with empty_warehouse(tmp_path_factory.mktemp("wholes"), Layout) as warehouse:
        fill(warehouse)
        warehouse.build_all()
        yield warehouse


def test_a_plain_name_is_the_whole(warehouse: Warehouse) -> None:
    """Sums of measures without a prefix are those of `fct_workspace_days`, listed and unlisted."""
    plain = [name for name in _columns(warehouse)["marts.fct_workspace_days"] if _is_plain(name)]
    whole = _sums(warehouse, "marts.fct_workspace_days", plain)
    compared = {
        f"{table}.{name}": (found, whole[name])
        for table, columns in _columns(warehouse).items()
        if table not in OF_LISTED
        for name, found in _sums(warehouse, table, [*filter(plain.count, columns)]).items()
        if f"{table}.{name}" not in OTHERS
    }

    ((listed,),) = warehouse.con.execute("select count(*) from marts.fct_runs").fetchall()
    assert whole["run_count"] > listed
    assert {name: sums for name, sums in compared.items() if sums[0] != sums[1]} == {}
    assert {"marts.fct_agent_months.cost_usd", "marts.fct_month_lines.run_count"} <= {*compared}


@pytest.mark.parametrize("table", sorted(OF_LISTED))
def test_a_table_of_listed_runs_alone_says_so(warehouse: Warehouse, table: str) -> None:
    """Its header names listed runs, and no count of runs in it has a plain name."""
    assert re.search(r"\blisted runs?\b", MODELS[table].header.description, re.IGNORECASE)
    assert not COUNTS & {*_columns(warehouse)[table]}


def _is_plain(name: str) -> bool:
    """A measure that may be summed; a bound is unknown in a month that has an unknown day."""
    measure = measures().get(name)
    is_part = name.startswith(("listed_", "unlisted_", "platform_"))
    return bool(measure and measure.additive) and not is_part and "_high_" not in name


def _columns(warehouse: Warehouse) -> dict[str, list[str]]:
    rows = warehouse.con.execute("""
        select schema_name || '.' || table_name, list(column_name order by column_index)
        from duckdb_columns() where schema_name in ('marts', 'audit', 'reports') group by all
    """).fetchall()
    return dict(rows)


def _sums(warehouse: Warehouse, table: str, names: list[str]) -> dict[str, float]:
    if not names:
        return {}
    sums = ", ".join(f"sum({name})" for name in names)
    (row,) = warehouse.con.execute(f"select {sums} from {table}").fetchall()
    return dict(zip(names, row, strict=True))
