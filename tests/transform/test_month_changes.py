"""Why a month costs more or less than the one before."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.transform.checks import run_checks
from analytics.transform.month_changes import month_changes
from tests.transform.days import agent_days, dates, day, span
from tests.transform.given import Warehouse

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
SPAN = span(OCTOBER, date(2026, 11, 30))
ZERO = Decimal(0)


def changes(*rows: tuple[Any, ...], complete: list[date] | None = None) -> pl.DataFrame:
    return month_changes(agent_days(*rows), dates(SPAN if complete is None else complete))


def effects(found: pl.DataFrame, agent: str = "(all)") -> dict[str, Decimal | None]:
    """The effects of a line in November."""
    of_line = found.filter(agent_id=agent, month=NOVEMBER)
    return dict(of_line.select("effect", "amount_usd").rows())


def two_months(
    agent: str, before: tuple[Any, int] | None, now: tuple[Any, int] | None
) -> list[Any]:
    """A line's cost and runs on a day of October and one of November."""
    return [
        day(each.replace(day=9), *figures, agent=agent, unknown=figures[0] is None)
        for each, figures in ((OCTOBER, before), (NOVEMBER, now))
        if figures
    ]


def test_effects_of_lines() -> None:
    """A line has the number and the cost of its runs, or is new, or gone, or the platform's."""
    found = changes(
        *two_months("a-1", (10, 5), (27, 9)),
        *two_months("a-2", None, (4, 1)),
        *two_months("a-3", (3, 2), None),
        *two_months("(none)", (1, 1), (2, 1)),
        *two_months("(platform)", (1, 0), ("1.5", 0)),
    )

    assert effects(found, "a-1") == {"volume": 8, "price": 9}
    assert effects(found, "a-2") == {"new": 4}
    assert effects(found, "a-3") == {"gone": -3}
    assert effects(found, "(none)") == {"volume": 0, "price": 1}
    assert effects(found, "(platform)") == {"platform": Decimal("0.5")}


def test_effects_of_a_workspace() -> None:
    """Runs that move to a line with more expensive runs are mix; all effects are there."""
    found = changes(
        *two_months("a-1", (10, 10), (5, 5)),
        *two_months("a-2", (50, 5), (120, 10)),
        *two_months("a-3", None, (7, 3)),
        *two_months("(platform)", None, (1, 0)),
    )

    assert effects(found) == {
        "volume": 0,
        "mix": 45,
        "price": 20,
        "new": 7,
        "gone": 0,
        "platform": 1,
        "unknown": 0,
    }
    whole = found.filter(agent_id="(all)").row(0, named=True)
    assert (whole["previous_cost_usd"], whole["current_cost_usd"]) == (60, 133)
    assert (whole["previous_run_count"], whole["current_run_count"]) == (15, 18)
    assert (whole["previous_day_count"], whole["current_day_count"]) == (31, 30)


def test_a_platform_that_is_unknown_on_a_day_is_not_compared() -> None:
    """What its other days cost is the effect unknown, not the platform's."""
    found = changes(
        day(OCTOBER.replace(day=9), 10, 0, agent="(platform)"),
        day(NOVEMBER.replace(day=9), 4, 0, agent="(platform)"),
        day(NOVEMBER.replace(day=10), None, 0, agent="(platform)"),
    )

    assert effects(found, "(platform)") == {"unknown": -6}
    assert effects(found)["unknown"] == -6


def test_a_platform_that_is_unknown_in_both_months() -> None:
    """Its effect is unknown, and that of the workspace with it."""
    found = changes(
        *two_months("a-1", (10, 5), (10, 5)),
        *two_months("(platform)", (None, 0), (None, 0)),
    )

    assert effects(found, "(platform)") == {"unknown": None}
    assert effects(found)["unknown"] is None


def test_unknown_is_not_zero() -> None:
    """Where nothing is known of a month, there is no volume or price, but the effect unknown."""
    found = changes(
        *two_months("a-1", (10, 5), (None, 5)),
        *two_months("a-2", (None, 5), (None, 5)),
        *two_months("a-3", (1, 1), (1, 1)),
    )

    assert effects(found, "a-1") == {"unknown": -10}
    assert effects(found, "a-2") == {"unknown": None}
    assert effects(found) == {
        "volume": 0, "mix": 0, "price": 0, "new": 0, "gone": 0, "platform": 0, "unknown": -10,
    }  # fmt: skip
    assert found.filter(agent_id="(all)")["unknown_cost_count"].unique().to_list() == [3]


def test_nothing_known_at_all() -> None:
    """A workspace of which no cost is known has no change that is known."""
    found = changes(*two_months("a-1", (None, 5), (None, 5)))

    assert effects(found)["unknown"] is None
    assert found["current_cost_usd"].to_list() == [None] * len(found)


def test_month_that_is_not_over() -> None:
    """Its complete dates stand against as many of the month before."""
    rows = [day(each, 1) for each in SPAN]
    found = changes(*rows, complete=span(OCTOBER, date(2026, 11, 9)))

    assert set(effects(found).values()) == {ZERO}
    whole = found.row(0, named=True)
    assert (whole["previous_day_count"], whole["current_day_count"]) == (9, 9)
    assert (whole["previous_cost_usd"], whole["current_cost_usd"]) == (9, 9)


def test_longer_than_the_month_before() -> None:
    """On 30 March, 28 days of March stand against all 28 of February."""
    days = span(date(2026, 2, 1), date(2026, 3, 30))
    whole = changes(*(day(each, 1) for each in days), complete=days).row(0, named=True)

    assert (whole["previous_day_count"], whole["current_day_count"]) == (28, 28)


def test_months_that_were_not_read() -> None:
    """A month is compared with no month that was not read from its first date on."""
    rows = [day(each, 1) for each in SPAN]

    assert changes(*rows, complete=span(date(2026, 10, 2), SPAN[-1])).is_empty()
    assert changes(*rows, complete=span(OCTOBER, date(2026, 10, 31))).is_empty()


def test_workspaces_apart() -> None:
    """A line of the same name in another workspace is another one, with its own dates."""
    rows = [*two_months("a-1", (1, 1), (2, 1)), day(NOVEMBER, 50, workspace="w-2")]
    found = month_changes(
        agent_days(*rows),
        pl.concat([dates(SPAN), dates(span(OCTOBER, date(2026, 11, 2)), "w-2")]),
    )

    amounts = found.filter(agent_id="a-1").select("workspace_id", "effect", "amount_usd")
    assert amounts.rows() == [("w-1", "volume", 0), ("w-1", "price", 1), ("w-2", "new", 50)]


def test_empty() -> None:
    """Without workspaces, runs or a second month there are no rows, with the same columns."""
    schema = changes(*two_months("a-1", (1, 1), (2, 1))).schema

    for found in (changes(complete=[]), changes(), changes(day(OCTOBER, 1), complete=[OCTOBER])):
        assert found.is_empty()
        assert found.schema == schema


_FIGURES = st.one_of(
    st.none(),
    st.tuples(st.one_of(st.none(), st.decimals(0, 10**8, places=10)), st.integers(1, 10**6)),
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["a-1", "a-2", "a-3", "a-4", "(none)"]),
                       st.tuples(_FIGURES, _FIGURES)), _FIGURES, _FIGURES)  # fmt: skip
def test_additive(
    lines: dict[str, tuple[Any, Any]], platform_before: Any, platform_now: Any
) -> None:
    """Effects add up to the change of what is known, and lines to the workspace, exactly."""
    lines = lines | {
        "(platform)": tuple(each and (each[0], 0) for each in (platform_before, platform_now))
    }
    rows = [row for agent, figures in lines.items() for row in two_months(agent, *figures)]
    found = changes(*rows)

    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    by_effect: defaultdict[str, Decimal] = defaultdict(Decimal)
    for agent, effect, amount in found.select("agent_id", "effect", "amount_usd").iter_rows():
        sums[agent] += amount or ZERO
        if agent != "(all)":
            by_effect[effect] += amount or ZERO
    for agent, (before, now) in lines.items():
        assert sums[agent] == ((now and now[0]) or ZERO) - ((before and before[0]) or ZERO)
    assert sums["(all)"] == sum(
        (row[4] or ZERO) * (1 if row[2] >= NOVEMBER else -1) for row in rows
    )
    whole = {effect: amount or ZERO for effect, amount in effects(found).items()}
    if whole:
        assert whole["volume"] + whole["mix"] == by_effect["volume"]
        for effect in ("price", "new", "gone", "platform", "unknown"):
            assert whole[effect] == by_effect[effect]


def test_rounding_is_half_even() -> None:
    """Volume is rounded once, to the even neighbour, and price takes the rest."""
    found = changes(*two_months("a-1", ("0.0000000001", 2), ("0.0000000005", 3)))
    less = changes(*two_months("a-1", ("0.0000000003", 2), ("0.0000000005", 1)))

    assert effects(found, "a-1") == {"volume": 0, "price": Decimal("4e-10")}
    assert effects(less, "a-1") == {"volume": Decimal("-2e-10"), "price": Decimal("4e-10")}


def test_mart(warehouse: Warehouse) -> None:
    """The mart has the months of the reporting time zone, and its checks pass."""
    for run_id, created_at, cost in (
        ("r-1", "2026-11-01 02:00Z", 2),  # still October in New York
        ("r-2", "2026-11-01 12:00Z", 5),
        ("r-3", "2026-11-03 12:00Z", 9),  # not over
    ):
        warehouse.given("runs", run_id=run_id, created_at=created_at, cost_usd=cost)
    warehouse.insert(
        "ledger.requests", workspace_id="w-1", load_id="load-1", request=1, source="usage_hours",
        status=200, window_start="2026-09-01", window_end="2026-11-04",
    )  # fmt: skip
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-11-03 15:00Z'")

    warehouse.build("America/New_York")

    assert warehouse.rows("""
        select month::varchar, effect, amount_usd, current_day_count
        from marts.fct_month_changes where agent_id = 'a-1'
    """) == [
        ("2026-10-01", "new", Decimal(2), 31),
        ("2026-11-01", "new", Decimal(5), 2),
    ]
    ours = {result.name: result.ok for result in run_checks(warehouse.con)}
    assert ours["month_changes_add_up"]
    assert ours["fct_month_changes_key_is_unique"]
