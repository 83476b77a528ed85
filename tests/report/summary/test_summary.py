"""The morning summary: its figures, its ten lines, and its files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from analytics.report.figures.usual import usual_cost_usd
from rich.cells import cell_len

from analytics.format import numbers
from analytics.report.summary import facts
from analytics.report.summary.facts import Summary
from analytics.report.summary.files import markdown, terminal_lines, write_files
from analytics.report.summary.lines import failed_cost_in_words, schedule_in_words
from analytics.report.summary.reads import read_summary
from analytics.transform.checks import run_checks
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

CUT_OFF = "2026-11-24 05:00Z"  # a Tuesday
YESTERDAY = date(2026, 11, 23)


def given_a_batch(warehouse: Warehouse, first: str = "2026-10-01") -> None:
    """A batch that has read all days since `first`."""
    warehouse.con.execute(
        "update ledger.workspaces set last_batch_at = ?, first_batch_at = ?", [CUT_OFF, CUT_OFF]
    )
    for request, source in enumerate(("usage_hours", "run_counts")):
        warehouse.insert(
            "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=request,
            source=source, agent_id="a-1", status=200,
            window_start=first, window_end="2026-11-25",
        )  # fmt: skip


def given_runs(warehouse: Warehouse, costs: dict[date, Any], **columns: Any) -> None:
    """A run a day, at noon, of such cost."""
    for day, cost in costs.items():
        warehouse.given(
            "runs",
            run_id=f"{columns.get('agent_id', 'a-1')}-{day}",
            created_at=f"{day} 12:00Z",
            cost_usd=cost,
            **columns,
        )


def summary_of(warehouse: Warehouse, timezone: str = "UTC") -> Summary:
    warehouse.build(timezone)
    run_checks(warehouse.con)
    return read_summary(warehouse.con)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Summary]:
    """A batch after two months of runs, failures, unlisted runs and a change of cost."""
    with empty_warehouse(tmp_path_factory.mktemp("summary") / "data") as warehouse:
        given_a_batch(warehouse)
        days = [YESTERDAY - timedelta(days=number) for number in range(50)]
        given_runs(warehouse, {day: 3 if day > date(2026, 11, 16) else 1 for day in days})
        given_runs(
            warehouse, {YESTERDAY: "0.5"}, agent_id="a-2", status="failed", error="TimeoutError"
        )
        warehouse.given("agents", agent_id="a-1", agent_name="Baker")
        warehouse.given("agents", agent_id="a-2", agent_name="Judge <b>|`x`")
        for status, count in (("succeeded", 381), ("failed", 20)):
            warehouse.given("run_counts", date=str(YESTERDAY), status=status, run_count=count)
        warehouse.given(
            "agent_rollups", date=str(YESTERDAY), run_count=401, cost_usd="43.0000000001",
            tokens_in=401_000, tokens_out=802,
        )  # fmt: skip
        warehouse.given(
            "platform_rollups", date=str(YESTERDAY), run_count=2, cost_usd="0.25", tokens_in=10
        )
        yield summary_of(warehouse)


def test_yesterday_against_its_usual_weekday(example: Summary) -> None:
    """Yesterday is of all runs and the platform, against the median of its weekday before."""
    day = example.yesterday

    assert (day.first_date, day.cost_usd) == (YESTERDAY, Decimal("43.7500000001"))
    assert (day.run_count, day.listed_run_count, day.unlisted_run_count) == (402, 2, 400)
    assert (day.platform_cost_usd, example.usual_cost_usd) == (Decimal("0.25"), Decimal(1))


def test_failures_are_of_all_runs(example: Summary) -> None:
    """Failed runs that are unlisted are counted; their cost lies between nothing and all of it."""
    day = example.yesterday

    assert (day.failed_count, day.unlisted_failed_count, day.finished_count) == (21, 20, 402)
    assert (day.failed_cost_usd, day.failed_cost_high_usd) == (
        Decimal("0.5"), Decimal("40.5000000001"),
    )  # fmt: skip
    assert day.tokens_in == 401_010


def test_month_against_as_many_days_of_the_last(example: Summary) -> None:
    """The month so far includes today; its complete days stand against as many of last month."""
    complete, before = example.month_complete_days, example.same_days_of_last_month

    assert (example.month.first_date, example.month.last_date.day) == (date(2026, 11, 1), 24)
    assert complete
    assert before
    assert (complete.last_date, before.last_date) == (YESTERDAY, date(2026, 10, 23))
    assert complete.cost_usd == 16 + 7 * 3 + Decimal("40.7500000001")


def test_movers_are_week_on_week(example: Summary) -> None:
    """The lines whose seven complete days differ most from the seven before, of all runs."""
    assert [
        (each.agent_name, each.previous_cost_usd, each.current_cost_usd) for each in example.movers
    ] == [
        ("Baker", Decimal(7), Decimal("61.0000000001")),
        ("Judge <b>|`x`", Decimal(0), Decimal("0.5")),
        ("Platform", Decimal(0), Decimal("0.25")),
    ]


def test_ten_lines(example: Summary) -> None:
    """A terminal gets ten lines of 80 columns at most, however many workspaces and digits."""
    (one,) = example.workspaces
    huge = replace(
        one,
        workspace_name="🍞" * 60,
        run_count=10**9,
        cost_usd=Decimal("9e27"),
        tokens_in=10**18,
    )
    lines = [terminal_lines(replace(example, workspaces=[huge] * count)) for count in range(6)]

    assert [len(each) for each in lines] == [7, 8, 9, 10, 10, 10]
    assert all(cell_len(line) <= 80 for each in lines for line in each)
    assert lines[5][2].startswith("3 others: 3,000,000,000 runs")


def test_lines_name_their_figures(example: Summary) -> None:
    """Each line has its figures: cost, change, failures, run detail, and how often to run."""
    text = "\n".join(terminal_lines(example)).replace(numbers.NO_BREAK, " ")

    assert text.startswith("Bakery: 451 runs, $104.75, 4.7% failed, 401 k + 802 tokens\n")
    assert "Monday 23 Nov: $43.75 in 402 runs; +$42.75 (+4,275%) vs usual" in text
    assert "November so far $77.75; first 23 days +$58.75 (+309%) vs October" in text
    assert "Baker +$54.00, Judge <b>|`x` +$0.50, Platform +$0.25, week on week" in text
    assert "5.2% failed, costing $0.50 to $40.50; $0.50 to $40.50 this month" in text
    assert "run detail for 5.7% of runs this month; 400 runs unlisted yesterday" in text
    assert "run at least every 11 h to list every run of Baker" in text
    assert "5.2% failed, costing $0.50 to $40.50; $0.50 to $40.50 this month; most by" in markdown(
        example
    )


@pytest.mark.parametrize(
    ("low", "high", "unlisted_failed_count", "text"),
    [
        ("1.5", "1.5", 0, "$1.50"),
        ("1.5", "4", 2, "$1.50 to $4.00"),
        ("1.5", "1.5001", 2, "$1.50"),
        ("1.5", None, 2, "$1.50 or more"),
        ("0", None, 2, "cost unknown"),
        ("0", "4", 2, "$0.00 to $4.00"),
        (None, None, 2, "cost unknown"),
    ],
)
def test_failed_cost_is_exact_or_a_range(
    example: Summary, low: str | None, high: str | None, unlisted_failed_count: int, text: str
) -> None:
    """The cost of failures is a range where failed runs are unlisted, and unknown is no zero."""
    day = replace(
        example.yesterday,
        failed_cost_usd=None if low is None else Decimal(low),
        failed_cost_high_usd=None if high is None else Decimal(high),
        unlisted_failed_count=unlisted_failed_count,
    )

    assert failed_cost_in_words(day) == text


@pytest.mark.parametrize(
    ("seconds", "batches", "text"),
    [
        (1e6, 1, "one batch a day lists every run"),
        (9.98 * 3600, 3, "run at least every 9 h to list"),
        (9 * 3600, 3, "run at least every 8 h to list"),
        (3600, 25, "run at least every 59 min to list"),
        (60.5, 1429, "run at least every 1 min to list"),
        (59.5, 1453, "run at least every 59 s to list"),
        (0, None, "no schedule lists every run: 200 at one instant, Baker"),
    ],
)
def test_a_schedule_is_shorter_than_the_fastest_list(
    seconds: float, batches: int | None, text: str
) -> None:
    """The time between batches is the longest round one in which no list fills up."""
    assert text in schedule_in_words("Baker", seconds, batches).replace(numbers.NO_BREAK, " ")


def test_the_first_batch(warehouse: Warehouse) -> None:
    """Where the data do not reach back, nothing is compared, and nothing fails."""
    given_a_batch(warehouse, first="2026-11-22")
    given_runs(warehouse, {YESTERDAY: 2})
    summary = summary_of(warehouse)

    assert (summary.usual_cost_usd, summary.same_days_of_last_month) == (None, None)
    assert summary.movers == []
    assert "Monday 23 Nov: $2.00 in 1 run" in terminal_lines(summary)[1]


def test_nothing_at_all(warehouse: Warehouse) -> None:
    """Before any batch, and for a workspace without runs, the summary says that there is none."""
    summary = summary_of(warehouse)

    assert terminal_lines(summary)[0] == "Bakery: no runs"
    assert "no runs this month" in terminal_lines(summary)[5]
    assert "no agent has started a run in 28 days" in terminal_lines(summary)[6]
    assert "| Bakery | no runs |" in markdown(summary)


def test_the_first_of_a_month(warehouse: Warehouse) -> None:
    """On the first of a month there is no complete day to compare."""
    given_a_batch(warehouse)
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-11-01 05:00Z'")
    summary = summary_of(warehouse)

    assert (summary.month_complete_days, summary.same_days_of_last_month) == (None, None)


def test_a_month_longer_than_the_last(warehouse: Warehouse) -> None:
    """The last days of a long month are compared with nothing."""
    given_a_batch(warehouse, first="2026-01-01")
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-03-31 05:00Z'")
    summary = summary_of(warehouse)

    assert summary.month_complete_days
    assert summary.same_days_of_last_month
    assert summary.month_complete_days.last_date == date(2026, 3, 28)
    assert summary.same_days_of_last_month.last_date == date(2026, 2, 28)


def test_days_of_the_reporting_time_zone(warehouse: Warehouse) -> None:
    """Yesterday is that of the reporting time zone, also when its clocks change."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-11-02 04:30Z'")
    for created_at, cost in (("2026-11-01 03:59Z", 1), ("2026-11-01 04:01Z", 2)):
        warehouse.given("runs", run_id=created_at, created_at=created_at, cost_usd=cost)
    for created_at, cost in (("2026-11-02 04:59Z", 4), ("2026-11-02 05:00Z", 8)):
        warehouse.given("runs", run_id=created_at, created_at=created_at, cost_usd=cost)
    summary = summary_of(warehouse, "America/New_York")

    assert summary.month.last_date == date(2026, 11, 1)
    assert (summary.yesterday.cost_usd, summary.month.cost_usd) == (Decimal(1), Decimal(6))


def test_a_workspace_that_was_not_read_makes_no_day_complete(warehouse: Warehouse) -> None:
    """Where a workspace was not read, yesterday is incomplete, and compared with nothing."""
    given_a_batch(warehouse)
    days = [YESTERDAY - timedelta(days=number) for number in range(50)]
    given_runs(warehouse, dict.fromkeys(days, 2))
    warehouse.insert("ledger.workspaces", workspace_id="late", last_batch_at="2026-11-22 05:00Z")
    for day in ("2026-11-20", "2026-11-21"):
        warehouse.given(
            "runs", workspace_id="late", run_id=f"late-{day}", created_at=f"{day} 12:00Z"
        )
    warehouse.insert(
        "ledger.requests", workspace_id="late", load_id="load-1", request=1,
        source="usage_hours", status=200, window_start="2026-11-01", window_end="2026-11-22",
    )  # fmt: skip
    summary = summary_of(warehouse)

    assert summary.last_complete_date == date(2026, 11, 21)
    assert (summary.usual_cost_usd, summary.same_days_of_last_month) == (None, None)
    assert summary.movers == []
    assert "Monday 23 Nov (incomplete): $2.00 in 1 run" in "\n".join(terminal_lines(summary))


@pytest.mark.parametrize(
    ("timezone", "last"), [("UTC", YESTERDAY), ("Asia/Kolkata", date(2026, 11, 23))]
)
def test_a_day_is_complete_once_the_utc_day_has_ended(
    warehouse: Warehouse, timezone: str, last: date
) -> None:
    """East of UTC, yesterday is incomplete while its UTC day is running."""
    given_a_batch(warehouse)
    if timezone != "UTC":  # 00:30 on the 25th there
        warehouse.con.execute("update ledger.workspaces set last_batch_at = '2026-11-24 19:00Z'")
    given_runs(warehouse, {YESTERDAY: 2})
    summary = summary_of(warehouse, timezone)

    assert (summary.last_complete_date, summary.is_complete) == (last, timezone == "UTC")


def test_days_without_failures_make_no_unknown_cost_a_zero(warehouse: Warehouse) -> None:
    """The cost of failures is unknown where that of none is known, whatever else is."""
    given_a_batch(warehouse)
    given_runs(warehouse, {date(2026, 11, 20): 1})
    given_runs(warehouse, {YESTERDAY: None}, status="failed", agent_id="a-2")
    summary = summary_of(warehouse)

    assert (summary.month.failed_cost_usd, summary.month.cost_usd) == (None, Decimal(1))
    assert "costing cost unknown" not in "\n".join(terminal_lines(summary))
    assert "cost unknown this month" in "\n".join(terminal_lines(summary))


def test_unknown_cost_is_shown(warehouse: Warehouse) -> None:
    """A cost that nobody knows is no zero: it is named, and null in JSON."""
    given_a_batch(warehouse)
    given_runs(warehouse, {YESTERDAY: None}, status="failed")
    summary = summary_of(warehouse)

    assert "cost unknown" in terminal_lines(summary)[0]
    assert "1 of unknown cost" in terminal_lines(summary)[1]
    assert summary.yesterday.failed_cost_usd is None


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({7: 1, 14: 9, 21: 3, 28: 5}, Decimal(4)),
        ({7: 1, 14: None, 21: 3, 28: 5}, Decimal(3)),
        ({7: 1, 14: 2}, Decimal("0.5")),
        ({7: None, 14: None, 21: None, 28: 5}, None),
        ({35: 100}, Decimal(0)),
    ],
)
def test_the_usual_cost_is_a_median_of_weekdays(
    known: dict[int, int | None], expected: Decimal | None
) -> None:
    """Four weeks count, a complete date without runs as 0; an unknown cost does not."""
    costs = {
        YESTERDAY - timedelta(days=days): None if cost is None else Decimal(cost)
        for days, cost in known.items()
    }

    assert usual_cost_usd(costs, YESTERDAY, date(2026, 1, 1)) == expected
    assert usual_cost_usd(costs, YESTERDAY, YESTERDAY - timedelta(days=8)) is None
    assert usual_cost_usd(costs, YESTERDAY, None) is None


def test_failed_checks_come_first(example: Summary) -> None:
    """Failed checks, unexplained days and a workspace that was not read are named."""
    failed = replace(example.controls, failed_checks=["sums_agree"])
    passed = replace(example.controls, failed_checks=[], unreconciled_day_count=0)
    unreconciled = replace(passed, unreconciled_day_count=2, unexplained_usd=Decimal("1.5"))
    old = replace(example.workspaces[0], last_batch_at=example.as_of - timedelta(days=2))
    count, api_count = passed.check_count, passed.api_check_count

    def line(controls: facts.Controls, **changes: Any) -> str:
        return terminal_lines(replace(example, controls=controls, **changes))[-1]

    assert count > api_count > 0
    assert f"all {count} checks passed ({api_count} against the API)" in line(passed)
    assert line(passed).endswith("; data to 24 Nov 05:00 UTC")
    assert f"1 of {count} checks failed: sums_agree" in line(failed)
    assert "$1.50 of 2 days is unexplained" in line(unreconciled)
    assert "not read: Bakery" in line(passed, workspaces=[old])


def test_json_is_exact(example: Summary, tmp_path: Path) -> None:
    """Money is text with every digit, instants and days are ISO 8601, the file is UTF-8."""
    write_files(example, tmp_path)
    found = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))

    assert found["yesterday"]["cost_usd"] == "43.7500000001"
    assert datetime.fromisoformat(found["as_of"]) == example.as_of
    assert found["movers"][1]["agent_name"] == "Judge <b>|`x`"
    assert set(found) == {field.name for field in fields(Summary)}


def test_markdown_is_inert(example: Summary) -> None:
    """A name is text in Markdown: no tag, table cell, code, link or mention."""
    hostile = "<script>|`x` [a](http://b) www.c @all $x$ \x1b[31m\n# y"
    workspaces = [replace(example.workspaces[0], workspace_name=hostile)]
    text = markdown(replace(example, workspaces=workspaces))
    (row,) = [line for line in text.splitlines() if "script" in line]

    assert "<script>" not in text
    assert "\x1b" not in text
    assert row.replace("\\|", "").count("|") == 9
    assert "\\[a\\](http\\://b) www\\.c \\@all \\$x\\$" in row


def test_every_field_is_documented() -> None:
    """README names each field of `summary.json`."""
    readme = Path(__file__).parents[3] / "README.md"
    text = readme.read_text(encoding="utf-8")
    kinds = [kind for kind in vars(facts).values() if is_dataclass(kind)]

    assert {field.name for kind in kinds for field in fields(kind)} <= set(
        text.replace("`", " ").replace(",", " ").split()
    )
