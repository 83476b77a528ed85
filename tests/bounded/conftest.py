from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from analytics.bounded.limits import Limits
from analytics.bounded.runner import Runner

MARTS = """
    create schema marts; create schema audit; create schema custom;
    create macro marts.doubled(n) as 2 * n;
    create table marts.fct_agent_days as
        select 'w1' as workspace_id, 'a' || n as agent_id, date '2026-11-01' + n::int as date,
            (n * 1.1)::decimal(18, 10) as cost_usd, n as run_count
        from range(1, 4) as days (n);
    create table audit.check_results as select 'a_claim' as check_name, true as is_ok;
    create table custom.targets as select 'a1' as agent_id, 10.50 as target_usd;
"""
FEW = Limits(seconds=60, memory="100MB", rows=1_000)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """One bounded process for the queries of a module; a query that ends it has the next begun."""
    with Runner(FEW) as running:
        yield running


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a few tables in each published schema, and one of the user."""
    file = tmp_path_factory.mktemp("published") / "build.duckdb"
    with duckdb.connect(file) as con:
        con.execute(MARTS)
    return file
