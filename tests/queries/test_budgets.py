"""Budgets against charges: actual amounts, the month's end, and the day the money is gone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from analytics.finance.names import problems_of_names
from tests.queries.closing import close
from tests.queries.metered import metered
from tests.queries.sample import own
from tests.transform.given import WORKSPACE, Warehouse

NOVEMBER = date(2026, 11, 1)
LAST_BATCH = datetime(2026, 11, 20, 5, tzinfo=UTC)  # 19 days are over, 11 are left


@pytest.fixture
def read(warehouse: Warehouse) -> Warehouse:
    """Two agents of a workspace whose meters were read from 1 September on."""
    warehouse.given("agents", agent_id="a-1", agent_slug="baker")
    warehouse.given("agents", agent_id="a-2", agent_slug="Judge")
    read_from(warehouse, date(2026, 9, 1))
    return warehouse


def read_from(warehouse: Warehouse, first: date, workspace_id: str = WORKSPACE) -> None:
    """The meters of a workspace were read from a day to the last batch."""
    warehouse.insert(
        "ledger.requests", workspace_id=workspace_id, load_id="load-1", request=1,
        source="usage_hours", status=200, window_start=first, window_end="2026-11-21",
    )  # fmt: skip
    warehouse._con.execute("update ledger.workspaces set last_batch_at = ?", [LAST_BATCH])


def charged(
    warehouse: Warehouse,
    cost: str | float,
    billed: str | float | None = None,
    *,
    first: date = date(2026, 9, 1),
    last: date = date(2026, 11, 19),
    **of: Any,
) -> None:
    """The same bill on every day."""
    for offset in range((last - first).days + 1):
        warehouse.given(
            "agent_billing_days", date=first + timedelta(days=offset), cost_usd=cost,
            billed_usd=cost if billed is None else billed, **of,
        )  # fmt: skip


def budget(warehouse: Warehouse, amount: str | float, **of: Any) -> None:
    """A line of finance/budgets.csv."""
    ((lines,),) = warehouse._con.execute("select count(*) from finance.budgets").fetchall()
    row = {"line": lines + 2, "scope": "all", "name": "(all)", "month": NOVEMBER} | of
    warehouse.insert("finance.budgets", amount_usd=amount, **row)


def budgets(warehouse: Warehouse, *columns: str) -> list[tuple[Any, ...]]:
    """These columns of every budget."""
    warehouse.build()
    return warehouse.rows(
        f"select {', '.join(columns)} from marts.fct_budgets"
        " order by month, scope, name, workspace_id"
    )


def test_whose_charges(read: Warehouse) -> None:
    """A budget is of all, a workspace, an agent or a cost center, by name or identifier."""
    warehouse = read
    warehouse.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Other")
    warehouse.given("agents", agent_id="a-9", agent_slug="baker", workspace_id="w-2")
    read_from(warehouse, date(2026, 9, 1), "w-2")
    own(warehouse, {"agent": "baker", "cost_center": "C-1"})
    for number, of in enumerate(
        ({}, {"agent_id": "a-2"}, {"agent_id": None}, {"agent_id": "a-9", "workspace_id": "w-2"})
    ):
        charged(warehouse, 10**number, first=LAST_BATCH.date() - timedelta(days=1), **of)
    budget(warehouse, 1)
    for scope, name, workspace in (
        ("workspace", "BAKERY", None),
        ("workspace", "w-2", None),
        ("agent", "Baker", None),
        ("agent", "a-2", None),
        ("agent", "baker", "other"),
        ("agent", "(platform)", None),
        ("cost_center", "C-1", None),
        ("cost_center", "C-1", "w-2"),
        ("cost_center", "(none)", None),
    ):
        budget(warehouse, 1, scope=scope, name=name, workspace=workspace)

    assert budgets(warehouse, "scope", "name", "workspace_id", "actual_usd", "status") == [
        ("agent", "(platform)", "(all)", 100, "exceeded"),
        ("agent", "Baker", "(all)", 1001, "exceeded"),
        ("agent", "a-2", "(all)", 10, "exceeded"),
        ("agent", "baker", "w-2", 1000, "exceeded"),
        ("all", "(all)", "(all)", 1111, "exceeded"),
        ("cost_center", "(none)", "(all)", 110, "exceeded"),
        ("cost_center", "C-1", "(all)", 1001, "exceeded"),
        ("cost_center", "C-1", "w-2", 1000, "exceeded"),
        ("workspace", "BAKERY", "w-1", 111, "exceeded"),
        ("workspace", "w-2", "w-2", 1000, "exceeded"),
    ]


def test_an_unknown_name(read: Warehouse) -> None:
    """A budget of nothing that is there stands with nothing known; it is no budget of zero use."""
    charged(read, 1)
    for scope in ("workspace", "agent", "cost_center"):
        budget(read, 5, scope=scope, name="nobody")
    budget(read, 5, scope="agent", name="baker", workspace="nowhere")

    assert budgets(
        read, "workspace_id", "actual_usd", "remaining_usd", "forecast_usd", "status"
    ) == [
        ("nowhere", None, None, None, "unknown_name"),
        ("(all)", None, None, None, "unknown_name"),
        ("(all)", None, None, None, "unknown_name"),
        ("nobody", None, None, None, "unknown_name"),
    ]


def test_a_name_that_two_workspaces_have(read: Warehouse) -> None:
    """A budget is of one workspace: a name of several is none of theirs, and the line is named."""
    charged(read, 1)
    read.insert("ledger.workspaces", workspace_id="w-2", workspace_name="BAKERY")
    budget(read, 5, scope="workspace", name="Bakery")
    budget(read, 5, scope="agent", name="baker", workspace="bakery")
    budget(read, 5, scope="workspace", name="W-1")

    assert budgets(read, "name", "workspace_id", "actual_usd", "status") == [
        ("baker", "bakery", None, "unknown_name"),
        ("Bakery", "Bakery", None, "unknown_name"),
        ("W-1", "w-1", 19, "exceeded"),
    ]
    assert [each.partition(": ")[2] for each in problems_of_names(read.con)] == [
        "several workspaces are called so; name one by its identifier"
    ] * 2


def test_own_keys_and_surcharges_are_paid_for(read: Warehouse) -> None:
    """Actual is metered cost and surcharge, whoever bills it: Levain or a provider."""
    read.given("provider_keys", created_at=datetime(2026, 9, 1, tzinfo=UTC))
    metered(read, cost_usd=2, billed_usd="0.04")
    metered(read, agent_id="a-2", cost_usd=3, billed_usd="3.3", provider="openai", model="gpt")
    budget(read, 10)

    assert budgets(read, "actual_usd", "remaining_usd") == [(Decimal("5.34"), Decimal("4.66"))]


@pytest.mark.parametrize(
    ("amount", "state", "exhausted_on"),
    [
        (61, "on_track", None),
        (60, "on_track", None),
        (59, "at_risk", date(2026, 11, 30)),
        (40, "at_risk", date(2026, 11, 21)),
        (38, "at_risk", date(2026, 11, 20)),
        (37, "exceeded", date(2026, 11, 19)),
        (0, "exceeded", date(2026, 11, 1)),
    ],
)
def test_states_of_a_month_that_goes_on(
    amount: int, state: str, exhausted_on: date | None, read: Warehouse
) -> None:
    """Where $2 a day are charged, November ends at $60."""
    charged(read, 2)
    budget(read, amount)

    assert budgets(
        read, "actual_usd", "run_rate_usd", "forecast_usd", "forecast_low_usd",
        "forecast_high_95_usd", "remaining_usd", "status", "exhausted_on",
    ) == [(38, 2, 60, 60, 60, amount - 38, state, exhausted_on)]  # fmt: skip


def test_a_range_makes_a_risk(read: Warehouse) -> None:
    """A budget above what is expected is at risk while the 80 % range reaches above it."""
    for offset in range(80):
        day = date(2026, 9, 1) + timedelta(days=offset)
        charged(read, 1 + offset % 5, first=day, last=day)
    budget(read, 93)
    budget(read, 150, scope="workspace", name="Bakery")
    (at_risk, on_track) = budgets(
        read, "status", "exhausted_on", "forecast_low_95_usd", "forecast_low_usd", "forecast_usd",
        "forecast_high_usd", "forecast_high_95_usd",
    )  # fmt: skip

    assert at_risk[:2] == ("at_risk", None)
    assert on_track[:2] == ("on_track", None)
    assert at_risk[2:] == on_track[2:] == tuple(sorted(set(on_track[2:])))
    assert at_risk[4] < 93 < at_risk[5]


def test_today_counts_as_far_as_it_went(read: Warehouse) -> None:
    """Charges of the day of the last batch are actual, and a forecast is never below them."""
    charged(read, 2)
    charged(read, 100, first=LAST_BATCH.date(), last=LAST_BATCH.date())
    budget(read, 110)

    assert budgets(read, "actual_usd", "forecast_usd", "exhausted_on", "status") == [
        (138, 138, date(2026, 11, 20), "exceeded")
    ]


def test_months_that_are_over_or_to_come(read: Warehouse) -> None:
    """A month that is over was within or exceeded; of one to come, nothing is said."""
    charged(read, 2)
    for month, amount in (
        (date(2026, 8, 1), 10),
        (date(2026, 9, 1), 60),
        (date(2026, 10, 1), 61),
        (date(2026, 12, 1), 60),
    ):
        budget(read, amount, month=month)

    assert budgets(
        read, "actual_usd", "forecast_usd", "remaining_usd", "exhausted_on", "status"
    ) == [
        (None, None, None, None, "not_enough_history"),
        (60, None, 0, None, "within"),
        (62, None, -1, date(2026, 10, 31), "exceeded"),
        (0, None, 60, None, "upcoming"),
    ]


def test_a_day_of_unknown_charges_ends_with_its_month(read: Warehouse) -> None:
    """The forecasts of later months begin after it; for its own month there is none."""
    charged(read, 2)
    read._con.execute(
        "update raw.agent_billing_days set billed_usd = null where date = '2026-10-07'"
    )
    budget(read, 70, month=date(2026, 10, 1))
    budget(read, 70)

    assert budgets(read, "actual_usd", "run_rate_usd", "forecast_usd", "status") == [
        (None, None, None, "not_enough_history"),
        (38, 2, 60, "on_track"),
    ]


def test_not_enough_history(warehouse: Warehouse) -> None:
    """Of a month whose begin was not read, or with fewer than twelve days, there is no forecast."""
    warehouse.given("agents", agent_id="a-1", agent_slug="baker")
    warehouse.given("agents", agent_id="a-2", agent_slug="new")
    read_from(warehouse, date(2026, 10, 20))
    charged(warehouse, 2, first=date(2026, 10, 20))
    charged(warehouse, 1, first=date(2026, 11, 9), agent_id="a-2")
    budget(warehouse, 90)
    budget(warehouse, 90, month=date(2026, 10, 1))
    budget(warehouse, 23, month=date(2026, 10, 1), scope="workspace", name="Bakery")
    budget(warehouse, 90, scope="agent", name="new")

    assert budgets(warehouse, "actual_usd", "run_rate_usd", "forecast_usd", "status") == [
        (24, None, None, "not_enough_history"),
        (24, None, None, "exceeded"),
        (11, 1, None, "not_enough_history"),
        (49, 3, pytest.approx(76, abs=3), "on_track"),
    ]


def test_a_workspace_behind(read: Warehouse) -> None:
    """All workspaces are forecast from the first day that is not read of one of them."""
    read.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Behind")
    read_from(read, date(2026, 9, 1), "w-2")
    charged(read, 2)
    charged(read, 3, last=date(2026, 11, 9), workspace_id="w-2", agent_id="a-9")
    read._con.execute(
        "update ledger.workspaces set last_batch_at = '2026-11-10 05:00Z'"
        " where workspace_id = 'w-2'"
    )
    budget(read, 150)

    assert budgets(read, "actual_usd", "forecast_usd", "status") == [(38 + 27, 150, "on_track")]


@pytest.mark.parametrize(
    ("month", "expected"),
    [
        (date(2026, 9, 1), (30 * 2, "within")),
        (date(2026, 10, 1), (31 * 2, "within")),
        (NOVEMBER, (19 * 2 + 5 * 3, "not_enough_history")),
    ],
)
def test_a_workspace_that_is_new(read: Warehouse, month: date, expected: tuple[int, str]) -> None:
    """Months before a workspace was first read are those of the others; its own first is short."""
    read.insert("ledger.workspaces", workspace_id="w-2", workspace_name="New")
    read_from(read, date(2026, 11, 5), "w-2")
    charged(read, 2)
    charged(read, 3, first=date(2026, 11, 5), last=date(2026, 11, 9), workspace_id="w-2")
    budget(read, 90, month=month)

    assert budgets(read, "actual_usd", "status") == [expected]


def test_a_workspace_that_is_behind(read: Warehouse) -> None:
    """Last read within the month before, its own amount is unknown, and so is the end of all."""
    read.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Behind")
    read_from(read, date(2026, 8, 1), "w-2")
    behind = "last_batch_at = '2026-10-20 05:00Z' where workspace_id = 'w-2'"
    read._con.execute(f"update ledger.workspaces set {behind}")
    charged(read, 2)
    charged(read, 30, last=date(2026, 10, 19), workspace_id="w-2", agent_id="a-9")
    budget(read, 1000)
    budget(read, 900, scope="workspace", name="w-2")

    columns = "scope", "actual_usd", "remaining_usd", "forecast_usd", "status"
    assert budgets(read, *columns) == [
        ("all", 38, 962, None, "not_enough_history"),
        ("workspace", None, None, 900, "on_track"),
    ]


def test_a_workspace_that_is_gone(read: Warehouse) -> None:
    """A month that begins over a month after a workspace was last read is one of the others."""
    read.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Gone")
    read_from(read, date(2026, 8, 1), "w-2")
    read._con.execute(
        "update ledger.workspaces set last_batch_at = '2026-09-10 05:00Z'"
        " where workspace_id = 'w-2'"
    )
    charged(read, 2)
    for month in (date(2026, 9, 1), date(2026, 10, 1), NOVEMBER):
        budget(read, 90, month=month)

    assert budgets(read, "month", "forecast_usd", "status", "exhausted_on") == [
        (date(2026, 9, 1), None, "not_enough_history", None),
        (date(2026, 10, 1), None, "not_enough_history", None),
        (NOVEMBER, 60, "on_track", None),
    ]


def test_a_run_older_than_the_meters(read: Warehouse) -> None:
    """A listed run of a month that was not metered takes no forecast away."""
    read.given("runs", created_at="2026-05-03 12:00Z")
    charged(read, 2)
    budget(read, 90)

    assert budgets(read, "forecast_usd", "status") == [(60, "on_track")]


def test_one_budget_twice(read: Warehouse) -> None:
    """An agent's budget by the workspace's name and by its identifier is one: the upper line."""
    charged(read, 2)
    for amount, workspace in ((70, "Bakery"), (80, WORKSPACE), (90, None)):
        budget(read, amount, scope="agent", name="baker", workspace=workspace)

    assert budgets(read, "workspace_id", "budget_usd") == [("(all)", 90), (WORKSPACE, 70)]


def test_a_closed_month_keeps_its_budget(read: Warehouse) -> None:
    """A budget that is changed after the close of its month is that of later months only."""
    charged(read, 2)
    for month in (date(2026, 10, 1), NOVEMBER):
        budget(read, 70, month=month)
    read.build_all()
    close(read, date(2026, 10, 1))
    read.con.execute("update finance.budgets set amount_usd = 99")
    read.con.execute("update raw.agent_billing_days set cost_usd = 3, billed_usd = 3")

    assert budgets(read, "month", "budget_usd", "actual_usd", "status") == [
        (date(2026, 10, 1), 70, 62, "within"),
        (NOVEMBER, 99, 57, "on_track"),
    ]


def test_budgets_on_pages(read: Warehouse) -> None:
    """The site shows every budget, a workspace those of its own, by the names that people know."""
    read.given("agents", agent_id="a-3", agent_slug="proofs", agent_name="<b>Proof reader</b>")
    charged(read, 2)
    budget(read, 70, month=date(2026, 12, 1))
    budget(read, 70, month=date(2026, 10, 1), scope="workspace", name=WORKSPACE)
    budget(read, 70, scope="agent", name="PROOFS", workspace="bakery")
    budget(read, 70, scope="agent", name="nobody")
    read.build()

    assert read.rows("""
        select workspace_id, subject, of_workspace, period from reports.rpt_budgets
        order by workspace_id, month, subject
    """) == [
        ("(all)", "Bakery", "Bakery", "past"),
        ("(all)", "<b>Proof reader</b>", "Bakery", "now"),
        ("(all)", "nobody", "all", "now"),
        ("(all)", "All workspaces", "all", "to_come"),
        (WORKSPACE, "Bakery", "Bakery", "past"),
        (WORKSPACE, "<b>Proof reader</b>", "Bakery", "now"),
    ]


def test_no_budgets(read: Warehouse) -> None:
    """Without the file there is no row."""
    charged(read, 2)

    assert budgets(read, "*") == []
