from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics.transform.checks import run_checks
from tests.queries.sample import NOON, fill
from tests.report import marts
from tests.report.conftest import BuildSite
from tests.transform.given import Warehouse, empty_warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    """The sample warehouse with its marts built and checked."""
    with empty_warehouse(tmp_path / "data") as warehouse:
        fill(warehouse)
        warehouse.build()
        run_checks(warehouse.con)
        yield warehouse


_COLUMNS = """
    select table_name, column_name, data_type from information_schema.columns
    where table_schema = 'marts' order by all
"""


def test_the_made_up_marts_are_like_the_real_ones(warehouse: Warehouse) -> None:
    """Each column of the tests' marts is one of the real marts, with the same kind of type."""
    real = {(table, column): kind for table, column, kind in warehouse.rows(_COLUMNS)}

    for table, column, kind in marts.derive(marts.empty()).execute(_COLUMNS).fetchall():
        assert kind.split("(")[0] == real[table, column].split("(")[0], f"{table}.{column}"


def test_the_real_marts_make_a_site(warehouse: Warehouse, build: BuildSite) -> None:
    """The marts that the queries build are shown: every workspace, agent and failed run."""
    site = build(warehouse.con, as_of=NOON)
    (total,) = warehouse.row("select count(*) from marts.dim_agents where line_type = 'agent'")

    assert site.summary.workspace_count == 2
    assert site.summary.agent_count >= total
    assert "<script>alert(1)</script>" in site.overview.root.text
    assert "🍞 =cmd()" in {
        page.root.all("h1")[0].text.removeprefix("Agent ") for page in site.agents
    }


def test_a_new_warehouse_makes_a_site(tmp_path: Path, build: BuildSite) -> None:
    """The marts of a warehouse that holds a workspace and nothing else are shown as empty."""
    with empty_warehouse(tmp_path / "data") as warehouse:
        warehouse.build()
        run_checks(warehouse.con)
        site = build(warehouse.con)

    assert site.summary.page_count == 4
    assert "No runs in this period" in site.workspaces[0].root.text
