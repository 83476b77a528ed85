"""Day tables of all runs: listed and unlisted parts, by status, from given rows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.queries.metered import DAY, NOON, controls, metered, read_workspace, rolled_up, run
from tests.queries.metered import unlisted_day as given_unlisted_day
from tests.transform.given import WORKSPACE, Warehouse


def day(warehouse: Warehouse, *columns: str) -> tuple[Any, ...]:
    """Columns of agent a-1's line of the day."""
    return warehouse.row(
        f"select {', '.join(columns)} from marts.fct_agent_days"
        " where agent_id = 'a-1' and date = '2026-11-19'"
    )


def test_a_day_is_of_all_runs(read: Warehouse) -> None:
    """Counts by status, cost, tokens and duration are of listed and unlisted runs together."""
    given_unlisted_day(read)
    read.build()

    assert day(
        read, "run_count", "succeeded_count", "failed_count", "cost_usd", "tokens_in",
        "tokens_out", "duration_ms", "round(failure_rate, 6)",
    ) == (3, 2, 1, 5, 700, 70, 180_000, 0.333333)  # fmt: skip
    assert day(
        read, "listed_run_count", "unlisted_run_count", "listed_cost_usd", "unlisted_cost_usd"
    ) == (1, 2, 2, 3)
    assert controls(read) == {}


def test_failed_cost_is_a_range_where_a_failed_run_is_unlisted(read: Warehouse) -> None:
    """Nobody knows which unlisted run failed: at most all that unlisted runs of the day cost."""
    given_unlisted_day(read)
    read.build()

    assert day(read, "failed_cost_usd", "failed_cost_high_usd", "unlisted_failed_count") == (
        0, 3, 1,
    )  # fmt: skip


def test_without_counts_the_roll_up_has_the_number_of_runs(read: Warehouse) -> None:
    """Runs that the roll-up alone has are in all figures but those by outcome, which is unknown."""
    read.con.execute("delete from ledger.requests where source = 'run_counts'")
    run(read)
    read.given("agent_rollups", cost_usd=5, run_count=3, tokens_in=700, tokens_out=70)
    metered(read, cost_usd=5, tokens_in=700, tokens_out=70)
    read.build()

    assert day(
        read, "run_count", "unlisted_run_count", "cost_usd", "tokens_in", "succeeded_count",
        "failed_count", "unlisted_failed_count", "failed_cost_usd", "failed_cost_high_usd",
        "failure_rate", "failure_rate_high",
    ) == (3, 2, 5, 700, 1, 0, None, 0, 3, None, None)  # fmt: skip
    assert controls(read) == {}


def test_failed_cost_is_exact_where_every_failed_run_is_listed(read: Warehouse) -> None:
    """Unlisted runs that did not fail widen no failed cost."""
    run(read, status="failed")
    read.given("run_counts", run_count=1, status="failed")
    read.given("run_counts", run_count=1, status="cancelled")
    read.given("agent_rollups", cost_usd=9, run_count=2, tokens_in=100, tokens_out=10)
    read.build()

    assert day(
        read, "cancelled_count", "failed_cost_usd", "failed_cost_high_usd", "unlisted_failed_count"
    ) == (1, 2, 2, 0)


def test_failed_cost_has_no_bound_where_that_of_a_failed_run_is_unknown(read: Warehouse) -> None:
    """The cost of the other failed runs of the day is no upper bound of all."""
    run(read, status="failed", cost_usd=1)
    read.given("runs", run_id="r-2", status="failed", cost_usd=None, created_at=NOON)
    read.build()

    assert day(read, "failed_cost_usd", "failed_cost_high_usd") == (1, None)
    assert read.rows(
        "select failed_cost_usd, failed_cost_more_usd, failed_cost_open_count from reports.rpt_days"
    ) == [(1, None, 1)]


def test_lines_add_up_to_the_workspace(read: Warehouse) -> None:
    """A line each for the agent, runs without one and the platform; their sum is the workspace."""
    given_unlisted_day(read)
    run(read, "r-2", agent_id=None, cost_usd=1)
    read.given("platform_rollups", run_count=4, cost_usd="0.25", tokens_in=8)
    read.given("platform_rollups", run_count=1, cost_usd="0.5", date="2026-11-15")
    read.build()

    assert read.rows(
        "select date, agent_id, line_type, agent_name, run_count, cost_usd, tokens_in"
        " from marts.fct_agent_days order by date, agent_id"
    ) == [
        (date(2026, 11, 15), "(platform)", "platform", "Platform", 0, Decimal("0.5"), None),
        (DAY, "(none)", "no_agent", "No agent", 1, 1, 100),
        (DAY, "(platform)", "platform", "Platform", 0, Decimal("0.25"), 8),
        (DAY, "a-1", "agent", "a-1", 3, 5, 700),
    ]
    assert read.rows(
        "select date, run_count, cost_usd, platform_cost_usd, tokens_in"
        " from marts.fct_workspace_days order by date"
    ) == [
        (date(2026, 11, 15), 0, Decimal("0.5"), Decimal("0.5"), None),
        (DAY, 4, Decimal("6.25"), Decimal("0.25"), 808),
    ]


def test_unlisted_runs_without_a_sum_have_an_unknown_cost(read: Warehouse) -> None:
    """Counted runs of a day without a roll-up, or with one without a cost, are of unknown cost."""
    read.given("run_counts", run_count=2)
    read.given("run_counts", run_count=2, date="2026-11-18")
    read.given("agent_rollups", cost_usd=None, run_count=2, date="2026-11-18")
    read.build()

    assert (
        read.rows(
            "select run_count, cost_usd, unlisted_run_count, unlisted_cost_usd, unknown_cost_count"
            " from marts.fct_workspace_days"
        )
        == [(2, None, 2, None, 2)] * 2
    )


def test_unknown_costs_stay_unknown(read: Warehouse) -> None:
    """A listed run and a platform row without a cost are null, not free, and so is their sum."""
    read.given("runs", cost_usd=None)
    read.given("platform_rollups", run_count=1, cost_usd=None)
    read.build()

    assert read.row(
        "select cost_usd, unknown_cost_count, platform_cost_usd from marts.fct_workspace_days"
    ) == (None, 1, None)


def test_a_day_that_goes_on_has_no_unlisted_run(read: Warehouse) -> None:
    """Runs that start while the batch reads are not unlisted: only ended days are compared."""
    rolled_up(read, 2, date="2026-11-28")
    read.build()

    assert read.rows("from marts.fct_agent_days") == []


def test_an_open_run_keeps_its_own_cost(read: Warehouse) -> None:
    """The cost so far of a listed open run is its own, and no part of what unlisted runs cost."""
    given_unlisted_day(read)
    read.given("runs", run_id="r-2", status="running", cost_usd="0.5")
    read.insert("ledger.provisional_runs", workspace_id=WORKSPACE, run_id="r-2")
    read.build()

    assert day(read, "unlisted_run_count", "unlisted_cost_usd", "listed_cost_usd") == (
        1, Decimal("2.5"), Decimal("2.5"),
    )  # fmt: skip
    assert read.row(
        "select run_cost_usd, open_cost_usd, unlisted_cost_usd, unexplained_usd, status"
        " from audit.reconciliation_days where utc_date = '2026-11-19'"
    ) == (2, Decimal("0.5"), Decimal("2.5"), 0, "open")


def test_a_run_that_ended_between_count_and_list(read: Warehouse) -> None:
    """A run counted as running and listed as succeeded is no unlisted open run."""
    run(read)
    read.given("run_counts", run_count=1, status="running")
    read.given("run_counts", run_count=1, status="failed")
    read.given("agent_rollups", cost_usd=3, run_count=2, tokens_in=100, tokens_out=10)
    read.build()

    assert day(
        read, "run_count", "succeeded_count", "failed_count", "open_count", "unlisted_failed_count"
    ) == (2, 1, 1, 0, 1)


@pytest.mark.parametrize(
    ("reported", "known"),
    [
        ({"cost_usd": 1, "tokens_in": 700, "tokens_out": 70}, (2, None, 700)),
        ({"cost_usd": 5, "tokens_in": 7, "tokens_out": 70}, (5, 3, 100)),
    ],
)
def test_a_negative_part_is_no_figure(
    read: Warehouse, reported: dict[str, int], known: tuple[Any, ...]
) -> None:
    """Less reported than listed makes the unlisted part unknown, and fails the control."""
    run(read)
    rolled_up(read, 3, **reported)
    read.build()

    assert day(read, "cost_usd", "unlisted_cost_usd", "tokens_in") == known
    assert "unlisted_parts_are_not_negative" in controls(read)


@pytest.mark.parametrize(
    ("rolled_up_count", "unlisted"), [(1, (1, 0, 1, 0, 0)), (4, (4, 3, 1, 0, None))]
)
def test_a_count_that_list_and_roll_up_contradict_is_no_figure(
    read: Warehouse, rolled_up_count: int, unlisted: tuple[Any, ...]
) -> None:
    """The roll-up has the number of runs, where the count has more, and lacks a listed one."""
    run(read)
    read.given("run_counts", run_count=1000, status="failed")
    read.given("agent_rollups", run_count=rolled_up_count, cost_usd=2, tokens_in=100, tokens_out=10)
    metered(read)
    read.build()

    assert day(
        read, "run_count", "unlisted_run_count", "succeeded_count", "failed_count",
        "unlisted_failed_count",
    ) == unlisted  # fmt: skip
    assert controls(read)["run_counts_agree_with_the_roll_ups"].blocking_count == 1


def test_a_month_of_which_no_outcome_is_known_has_none(read: Warehouse) -> None:
    """Without any count of outcomes, those of a day and of its month are unknown, and not 0."""
    read.given("agent_rollups", cost_usd=5, run_count=3, tokens_in=700, tokens_out=70)
    read.build()

    outcomes = "run_count, succeeded_count, failed_count, open_count, failure_rate"
    unknown = (3, None, None, None, None)
    assert day(read, outcomes) == unknown
    for table in ("fct_agent_months", "fct_workspace_months"):
        assert read.row(f"select {outcomes} from marts.{table} where run_count > 0") == unknown


def test_unlisted_runs_stand_under_their_utc_date(read: Warehouse) -> None:
    """In another time zone listed runs move to their local date; unlisted ones keep the UTC day."""
    run(read, created_at=datetime(2026, 11, 19, 2, tzinfo=UTC))
    read.given("run_counts", run_count=3)
    read.given("agent_rollups", cost_usd=5, run_count=3, tokens_in=700, tokens_out=70)
    read.build("America/New_York")

    assert read.rows(
        "select date, listed_run_count, unlisted_run_count, cost_usd"
        " from marts.fct_agent_days order by date"
    ) == [(date(2026, 11, 18), 1, 0, 2), (DAY, 0, 2, 3)]


def test_usage_by_model_is_of_all_runs(read: Warehouse) -> None:
    """All metered usage stands under its model, with the part that listed runs have of it."""
    given_unlisted_day(read)
    read.build()

    assert read.rows(
        "select agent_id, utc_date, model, metered_cost_usd, tokens_in, listed_cost_usd"
        " from marts.fct_model_days order by model"
    ) == [
        ("a-1", DAY, "claude-haiku-5", Decimal("1.5"), 200, 0),
        ("a-1", DAY, "claude-sonnet-5", Decimal("3.5"), 500, 2),
    ]
    assert read.rows("select model, provider, family from marts.dim_models order by model") == [
        ("claude-haiku-5", "anthropic", "claude"),
        ("claude-sonnet-5", "anthropic", "claude"),
    ]


@pytest.mark.parametrize(
    ("model", "family"),
    [("openai.gpt-5.5", "gpt"), ("zai.glm-5", "glm"), ("gemini-3-flash-preview", "gemini"),
     ("moonshotai.kimi-k3", "kimi"), ("qwen.qwen3-32b-v1:0", "qwen"), ("🍞", "🍞")],
)  # fmt: skip
def test_family(read: Warehouse, model: str, family: str) -> None:
    """A model's family is the first word of its name, without its maker's prefix."""
    metered(read, model=model)
    read.build()

    assert read.rows("select family from marts.dim_models") == [(family,)]


def test_another_workspace_explains_nothing(read: Warehouse) -> None:
    """Runs, counts, sums and batches of a workspace with the same agent id stay its own."""
    read.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Other")
    read_workspace(read, "w-2")
    given_unlisted_day(read)
    read.given("runs", workspace_id="w-2", run_id="r-9", cost_usd=3, finished_at=datetime(
        2026, 11, 19, 13, tzinfo=UTC
    ))  # fmt: skip
    rolled_up(read, 1, workspace_id="w-2", cost_usd=3, tokens_in=0, tokens_out=0)
    metered(read, workspace_id="w-2", cost_usd=3, tokens_in=0, tokens_out=0)
    read.build()

    assert read.rows(
        "select workspace_id, unlisted_run_count, cost_usd from marts.fct_workspace_days order by 1"
    ) == [(WORKSPACE, 2, 5), ("w-2", 0, 3)]
    assert controls(read) == {}


def test_dates_are_dense(read: Warehouse) -> None:
    """Each date from the first metered day to that of the last batch is there, whole once over."""
    run(read)
    read.build("America/New_York")

    assert read.row("select min(date), max(date), count(*) from marts.dim_dates") == (
        date(2026, 11, 12),
        date(2026, 11, 28),
        17,
    )
    assert read.rows(
        "select date, weekday, is_provisional from marts.dim_dates where not is_complete"
        " order by date"
    ) == [(date(2026, 11, 28), 6, True)]


def test_many_tokens_and_dollars(read: Warehouse) -> None:
    """The largest amounts that are stored add up to the last digit."""
    most = Decimal("99999999.9999999999")
    for run_id in ("r-1", "r-2"):
        run(read, run_id, cost_usd=most, tokens_in=10**15)
    read.given("run_counts", run_count=10**15)
    read.given(
        "agent_rollups", run_count=10**15, cost_usd=most, tokens_in=4 * 10**15, tokens_out=20
    )
    read.build()

    assert day(read, "run_count", "cost_usd", "tokens_in", "unlisted_cost_usd") == (
        10**15, 2 * most, 4 * 10**15, None,
    )  # fmt: skip
