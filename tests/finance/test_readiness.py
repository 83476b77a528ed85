"""Reasons not to close a month: what may still change, or is not known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.batch.readiness import (
    books_own_keys,
    early_reasons,
    of_open_months,
    require_ended,
    states_of,
)
from analytics.errors import UsageError
from analytics.files import folder
from analytics.finance.books.entries import WorkspaceState
from analytics.finance.books.reading import Books
from analytics.format.names import ALL
from analytics.settings import load_settings
from tests.transform.given import Warehouse, warehouse

__all__ = ["warehouse"]

NOVEMBER = date(2026, 11, 1)
OVER = datetime(2026, 12, 1, tzinfo=UTC)


def reasons(*, with_own_keys: bool = True, **changed: Any) -> list[str]:
    """The reasons of a workspace whose month is final but for what is changed."""
    of: dict[str, Any] = {
        "workspace_id": "w-1", "workspace_name": "Bakery", "status": "final", "open_day_count": 0,
        "unreconciled_day_count": 0, "open_run_count": 0, "provisional_run_count": 0,
        "unknown_bill_count": 0, "unexplained_usd": None, "load_id": None,
        "data_to": OVER + timedelta(days=3),
    }  # fmt: skip
    state = WorkspaceState(**of | changed)
    return early_reasons([state], NOVEMBER, 3, with_own_keys=with_own_keys)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, []),
        ({"status": "incomplete"}, ["the month was not read from its start"]),
        ({"open_day_count": 1, "provisional_run_count": 2}, ["1 open day, 2 provisional runs"]),
        ({"open_run_count": 3, "unreconciled_day_count": 1}, ["3 open runs, 1 unreconciled day"]),
        ({"unknown_bill_count": 2}, ["2 bills of an agent's day unknown"]),
        ({"has_agent_bill": False}, ["the API does not give the bill by agent of each day"]),
        (
            {"has_provider_keys": False},
            ["the API does not give the provider keys, whose cost is booked"],
        ),
        ({"has_provider_keys": False, "with_own_keys": False}, []),
        ({"data_to": None}, ["no whole batch has read it"]),
        (
            {"data_to": OVER + timedelta(days=3, minutes=-1)},
            ["data reach to 2026-12-03, before 2026-12-04"],
        ),
    ],
)
def test_reasons(changed: dict[str, Any], told: list[str]) -> None:
    """A workspace is named with all that may still change of its month."""
    assert reasons(**changed) == [f"Bakery: {each}" for each in told]


def test_a_month_is_closed_once_it_has_ended() -> None:
    """A month that has not ended by this machine's clock is refused, also with --early."""
    require_ended(NOVEMBER, OVER)
    with pytest.raises(UsageError, match=r"November 2026 has not ended: .* 2026-11-30 23:59 UTC"):
        require_ended(NOVEMBER, OVER - timedelta(minutes=1))


def test_workspaces_of_a_month(warehouse: Warehouse) -> None:
    """One that was last read before it may have figures of it, unless nobody has for longer."""
    for workspace_id, last_batch_at in (("w-2", "2026-10-31 05:00Z"), ("w-3", "2026-08-10 05:00Z")):
        warehouse.insert(
            "ledger.workspaces", workspace_id=workspace_id, workspace_name="Twins",
            last_batch_at=last_batch_at,
        )  # fmt: skip
    warehouse.execute(
        "update ledger.workspaces set last_batch_at = '2026-12-05 05:00Z', workspace_name = 'Twins'"
        " where workspace_id = 'w-1'"
    )
    warehouse.insert(
        "ledger.requests", workspace_id="w-1", load_id="load-1", request=1, source="usage_hours",
        status=200, window_start="2026-10-31", window_end="2026-12-06",
    )  # fmt: skip
    warehouse.given("usage_hours", date="2026-11-10", hour="2026-11-10 09:00Z", cost_usd=1)
    warehouse.build()
    sql = (folder("queries") / "finance" / "month_states.sql").read_text(encoding="utf-8")
    warehouse.execute(sql, NOVEMBER)
    states = states_of(warehouse._con, NOVEMBER)

    assert [each.workspace_id for each in states] == ["w-1", "w-2"]
    assert "Twins (w-2): data reach to 2026-10-31, before 2026-12-04" in early_reasons(
        states, NOVEMBER, 3, with_own_keys=False
    )


def test_own_keys_are_booked_where_an_account_is_named(tmp_path: Path) -> None:
    """The key of finance/accounts.toml for the provider's payable says that they are."""
    (tmp_path / "finance").mkdir()
    accounts = tmp_path / "finance" / "accounts.toml"
    accounts.write_text('[accounts]\nexpense = "6200"\n')
    assert not books_own_keys(tmp_path)

    accounts.write_text('[accounts]\nprovider_payable = "2010"\n')
    assert books_own_keys(tmp_path)


_MONTHS = """
set timezone = 'UTC';
create schema marts; create schema audit;
create table audit.loads (workspace_id varchar, load_id varchar);
create table marts.fct_charges (workspace_id varchar, agent_id varchar, utc_date date,
    metered_cost_usd int, billed_usd int, own_key_usd int);
create table marts.dim_workspaces as
select *, timestamptz '2026-12-06 05:00Z' as last_batch_at
from (values ('w-1', 'Bakery'), ('w-2', 'Cakes')) as workspaces (workspace_id, workspace_name);
create table marts.dim_months as
select *, date '2026-11-01' as month, date '2026-11-01' as first_date, 0 as open_day_count,
    0 as unreconciled_day_count, true as has_agent_bill, true as has_provider_keys,
    null::decimal(38, 10) as unexplained_usd
from (values ('w-1', 'open', 1, 2), ('w-2', 'open', 0, 1))
    as months (workspace_id, status, open_count, provisional_count);
"""


def test_pages_give_the_reasons_of_a_close(tmp_path: Path) -> None:
    """The page of all counts what may change in each workspace; before it is due, from when, unless
    the month was not read from its start, which no later day mends.
    """
    settings, books = load_settings(tmp_path, None), Books(tmp_path)
    with duckdb.connect() as con:
        con.execute(_MONTHS)

        def said(now: str, workspace_id: str = ALL) -> Any:
            at = datetime.fromisoformat(f"{now}T00:00Z")
            return of_open_months(con, books, settings, at)[workspace_id, NOVEMBER]

        soon = "may be closed from 4 December 2026"
        assert said("2026-12-03")["readiness"] == f"{soon} · 1 open run, 3 provisional runs"
        assert said("2026-12-03", "w-2")["readiness"] == f"{soon} · 1 provisional run"
        assert said("2026-12-04") == {
            "readiness": "1 open run, 3 provisional runs",
            "is_closable": False,
        }
        con.execute("update marts.dim_months set status = 'final', open_count = 0")
        con.execute("update marts.dim_months set provisional_count = 0")
        assert said("2026-12-03") == {"readiness": soon, "is_closable": False}
        assert said("2026-12-04") == {"readiness": "may be closed", "is_closable": True}
        con.execute(
            "update marts.dim_workspaces set last_batch_at = timestamptz '2026-12-01 05:00Z'"
        )
        assert said("2026-12-04")["readiness"] == "data reach to 2026-12-01, before 2026-12-04"
        con.execute("update marts.dim_months set status = 'incomplete' where workspace_id = 'w-2'")
        unread = {"readiness": "the month was not read from its start", "is_closable": False}
        assert said("2026-11-29") == said("2026-11-29", "w-2") == unread
        assert said("2026-11-29", "w-1")["readiness"] == soon
