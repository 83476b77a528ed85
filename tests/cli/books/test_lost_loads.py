"""Closed months of which loads are gone: they stay as the books have them, for good."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from analytics.emulator.world import World
from tests.cli.books.conftest import APPROVED, NOW, OWNERS, SETTINGS, Shop, copied
from tests.cli.conftest import shell_in
from tests.worlds import book_run, hire_baker

ONE = f'{SETTINGS}[[workspaces]]\napi_key_env = "LEVAIN_API_KEY"\n'
BOTH = f'{ONE}[[workspaces]]\napi_key_env = "OTHER_KEY"\n'
INVOICES = (
    "month,invoice_id,workspace,amount_usd,issued_on\n"
    "2026-10,LEV-1,Other,2.75,2026-11-02\n2026-11,LEV-2,Other,1,2026-11-04\n"
)
BOOKED = "select * exclude revision from fct_month_lines where revision is not null"
UNBOOKED = "select * from fct_charge_adjustments union all by name from fct_period_adjustments"


@pytest.fixture(scope="module")
def closed_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Two workspaces with runs in October, which is closed; two batches have read the meters."""
    world, folder = World.empty(1, NOW), tmp_path_factory.mktemp("two")
    baker = hire_baker(world)
    other = world.add_workspace("Other")
    cook = world.add_agent(other, "Cook", "cook", at=NOW - timedelta(days=100))
    for agent in (baker, cook):
        book_run(world, agent, hours_ago=24 * 22, cost="2.50")
        book_run(world, agent, hours_ago=24 * 2, cost="0.25")
    (folder / "finance").mkdir()
    (folder / "finance" / "owners.csv").write_text(OWNERS, encoding="utf-8")
    (folder / "finance" / "invoices.csv").write_text(INVOICES, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, shell_in(folder, world, BOTH) as run:
        patch.setenv("OTHER_KEY", other.api_key)
        shop = Shop(folder, run)
        shop.ok("nightly", "-q")
        world.pass_time(timedelta(hours=12))
        shop.ok("nightly", "-q")
        shop.ok("close", "2026-10", "-q", *APPROVED)
        yield shop


@pytest.fixture
def shop(closed_shop: Shop, tmp_path: Path) -> Iterator[Shop]:
    with copied(closed_shop, tmp_path) as shop:
        yield shop


def workspace_id(shop: Shop, named: str) -> str:
    (row,) = shop.rows(f"select workspace_id from dim_workspaces where workspace_name {named}")
    return str(row["workspace_id"])


@pytest.mark.long
def test_a_workspace_that_is_forgotten(shop: Shop) -> None:
    """The steps of docs/privacy.md leave the books as they are, and no month of it is reopened."""
    booked = shop.rows(f"{BOOKED} order by all")
    journal = shop.rows("from fct_journal_lines where is_booked order by all")
    other = workspace_id(shop, "= 'Other'")
    Path("analytics.toml").write_text(ONE, encoding="utf-8")
    shutil.rmtree(f"data/landing/{other}")
    shutil.rmtree("data/published")
    rebuilt = shop.ok("rebuild")

    assert "2026-10 of Other is closed, and loads that it rests on are gone" in rebuilt.err
    assert "misspelt" not in rebuilt.err
    assert shop.rows(f"{BOOKED} order by all") == booked
    assert shop.rows("from fct_journal_lines where is_booked order by all") == journal
    assert shop.rows(UNBOOKED) == []
    assert shop.rows(f"select * from fct_charges where workspace_id = '{other}'") == []
    (kept,) = {path.resolve() for path in Path("data/published").iterdir()}  # no copy is left
    assert kept == Path("data/analytics.duckdb").resolve().parent
    refused = shop.run("close", "2026-10", "--reopen", "An invoice was wrong")
    assert (refused.code, "landed of Other is gone" in refused.err) == (2, True)


@pytest.mark.long
def test_a_load_of_a_closed_month_that_is_lost(shop: Shop) -> None:
    """A rebuild without it takes nothing back of the month, and tells which it no longer proves."""
    booked = shop.rows(f"{BOOKED} order by all")
    here = Path("data/landing", workspace_id(shop, "<> 'Other'"))
    shutil.rmtree(min(here.glob("*-meters")))
    refused = shop.run("rebuild", "-q")
    Path("data/published").rename("moved-away")
    rebuilt = shop.ok("rebuild", "--force")

    assert refused.code == 3
    assert "closed months that rest on them stay as the books have them" in refused.err
    assert "2026-10 of Blank Slate is closed, and loads" in rebuilt.err
    assert "2026-10 of Other" not in rebuilt.err
    assert shop.rows(f"{BOOKED} order by all") == booked
    assert shop.rows(UNBOOKED) == []
