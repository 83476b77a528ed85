"""The morning summary: its figures, its lines, and its files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from analytics.format import numbers
from analytics.report import facts
from analytics.report.facts import Summary, read_summary
from analytics.report.summary import (
    escaped,
    failed_cost_in_words,
    markdown,
    summary_files,
    terminal_lines,
)
from analytics.transform.checks import run_checks
from analytics.transform.findings.lines import Line
from analytics.transform.page_queries import create_queries
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

CUT_OFF = "2026-11-24 05:00Z"  # a Tuesday
YESTERDAY = date(2026, 11, 23)
DAYS = [YESTERDAY - timedelta(days=number) for number in range(56)]


def given_a_batch(warehouse: Warehouse, first: str = "2026-09-28") -> None:
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
        row = {"run_id": f"{columns}-{day}", "created_at": f"{day} 12:00Z", "cost_usd": cost}
        warehouse.given("runs", **(row | columns))


def summary_of(warehouse: Warehouse) -> Summary:
    """The summary of what was given."""
    warehouse.build()
    run_checks(warehouse.con)
    create_queries(warehouse.con)
    return read_summary(warehouse.con)


def finding(sentence: str, fold: str = "") -> Line:
    """A finding that is said so."""
    return Line(
        finding_ids=["f"], kind="data", workspace_id="w", agent_id="(all)",
        since=datetime(2026, 11, 20, tzinfo=UTC), until=None, cost_usd=None, cost_high_usd=None,
        urgency="act now", sentence=sentence, text=sentence, amount="", reasons=[],
        next_step=None, note="", page="index.html#budgets", fold=fold, is_new=True,
    )  # fmt: skip


def text_of(summary: Summary) -> str:
    """The lines on a terminal."""
    return "\n".join(terminal_lines(summary)).replace(numbers.NO_BREAK, " ")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Summary]:
    """A batch after two months of runs, failures, unlisted runs and a change of cost."""
    with empty_warehouse(tmp_path_factory.mktemp("summary") / "data") as warehouse:
        given_a_batch(warehouse)
        given_runs(warehouse, {day: 3 if day > date(2026, 11, 16) else 1 for day in DAYS})
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


def test_figures_are_of_all_runs(example: Summary) -> None:
    """Yesterday is of listed and unlisted runs and the platform, and its failures a range."""
    day = example.yesterday

    assert (day.first_date, day.last_date, day.cost_usd) == (
        YESTERDAY, YESTERDAY, Decimal("43.7500000001"),
    )  # fmt: skip
    assert (day.run_count, day.listed_run_count, day.unlisted_run_count) == (402, 2, 400)
    assert (day.unlisted_cost_usd, day.platform_cost_usd) == (
        Decimal("40.0000000001"), Decimal("0.25"),
    )  # fmt: skip
    assert (day.failed_count, day.unlisted_failed_count, day.finished_count) == (21, 20, 402)
    assert (day.failed_cost_usd, day.failed_cost_high_usd) == (
        Decimal("0.5"), Decimal("40.5000000001"),
    )  # fmt: skip
    assert (day.tokens_in, day.unknown_cost_count, example.is_complete) == (401_010, 0, True)


def test_what_is_compared(example: Summary) -> None:
    """A day has its usual weekday, and 28 days the 28 before; of the month, today is a part."""
    recent, before = example.last_28_days, example.previous_28_days
    (one,) = example.workspaces

    assert example.usual_cost_usd == 1
    assert (example.month.first_date, example.month.last_date.day) == (date(2026, 11, 1), 24)
    assert before
    assert (recent.first_date, recent.last_date) == (date(2026, 10, 27), YESTERDAY)
    assert (before.first_date, before.last_date) == (date(2026, 9, 29), date(2026, 10, 26))
    assert recent.cost_usd == 21 + 7 * 3 + Decimal("40.7500000001")
    assert before.cost_usd == 28
    assert before.platform_cost_usd == before.unlisted_cost_usd == before.failed_cost_high_usd == 0
    assert (one.run_count, one.cost_usd) == (457, 49 + 7 * 3 + Decimal("40.7500000001"))


@pytest.mark.parametrize(
    ("sentences", "lines"),
    [
        ([], ["Nothing needs you."]),
        (["One."], ["Needs you:", "- Act now: One."]),
        (["a" * 90, "b"],
         ["Needs you:", "- Act now: " + "a" * 69, "  " + "a" * 21, "- Act now: b"]),
        ([*"abcdefg"],
         ["Needs you:", *(f"- Act now: {each}" for each in "abcde"), "and 2 more, on the pages"]),
        (["a " * 90] * 3, ["Needs you:", *(["- Act now: " + "a " * 34 + "a",
         "  " + "a " * 38 + "a", "  " + "a " * 15 + "a"]), "and 2 more, on the pages"]),
        (["\u202ea\n\x1b[31m"], ["Needs you:", "- Act now: ⟨U+202E⟩a⟨U+000A⟩⟨U+001B⟩[31m"]),
        (["🍞" * 90], ["Needs you:", "- Act now: " + "🍞" * 34 + "…", "  " + "🍞" * 21]),
    ],
    ids=["none", "one", "long", "many", "whole", "hostile", "wide"],
)  # fmt: skip
def test_a_terminal_gets_twelve_lines(
    example: Summary, sentences: list[str], lines: list[str]
) -> None:
    """Sentences are whole, at most five, as many as fit: eleven lines with those of figures.

    The place of the pages is the twelfth. No line is wider than 80 columns.
    """
    shown = terminal_lines(replace(example, findings=list(map(finding, sentences))))

    assert shown[4:] == lines
    assert len(shown) <= 11
    assert all(cell_len(line) <= 80 for line in shown)


def test_a_terminal_leads_to_the_pages(example: Summary) -> None:
    """Each line of a finding is a link; what is folded is counted, and news stand above."""
    told = [finding("One " * 30), finding("Two.", "ended"), finding("Three.", "small")]
    summary = replace(example, findings=told, news="new since yesterday: 1")
    plain, linked = terminal_lines(summary), terminal_lines(summary, "https://a.example")
    begin, end = "\x1b]8;;https://a.example/index.html#budgets\x1b\\", "\x1b]8;;\x1b\\"

    assert plain[4] == "Needs you (new since yesterday: 1):"
    assert plain[-1] == "and 1 ended, 1 small, on the pages"
    assert linked[5:-1] == [f"{begin}{line}{end}" for line in plain[5:-1]]
    assert [*linked[:5], linked[-1]] == [*plain[:5], plain[-1]]
    folded = terminal_lines(replace(example, findings=told[1:]))
    assert folded[4:] == ["Nothing needs you.", "and 1 ended, 1 small, on the pages"]


def test_lines_name_their_figures(example: Summary) -> None:
    """Each line has its figures, and says of what: since when, in or out, compared with what."""
    text = text_of(example)

    assert text.splitlines()[0] == "Data to 2026-11-24 05:00 UTC, all runs since 28 September 2026"
    assert "Monday 23 Nov: $43.75 in 402 runs, 4,275% above usual Mondays\n" in text
    assert "28 days    $82.75 in 429 runs, +196%; failed: $0.50 to $40.50\n" in text
    assert "November so far $77.75 in 424 runs, by the day of the run\n" in text
    assert "- **Platform**: $0.25 yesterday, $0.25 this month" in markdown(example)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        ("1.5", "1.5", "$1.50"),
        ("1.5", "4", "$1.50 to $4.00"),
        ("1.5", "1.5001", "$1.50"),
        ("1.5", None, "$1.50 or more"),
        ("0", None, "cost unknown"),
        ("0", "4", "$0.00 to $4.00"),
        (None, None, "cost unknown"),
    ],
)
def test_failed_cost_is_exact_or_a_range(
    example: Summary, low: str | None, high: str | None, text: str
) -> None:
    """The cost of failures is a range where that of some is unknown, and unknown is no zero."""
    amounts = [None if each is None else Decimal(each) for each in (low, high)]
    day = replace(example.yesterday, failed_cost_usd=amounts[0], failed_cost_high_usd=amounts[1])

    assert failed_cost_in_words(day) == text


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({"failed_count": 1, "succeeded_count": 3}, "1 of 4"),
        ({"failed_count": 0, "succeeded_count": 0}, "none finished"),
        ({"failed_count": 0, "succeeded_count": 0, "unknown_outcome_count": 1}, "\u2013"),
        ({"failed_count": 1, "succeeded_count": 3, "unknown_outcome_count": 1}, "\u2013"),
    ],
)
def test_failed_runs_are_of_finished_ones(
    example: Summary, counts: dict[str, int], text: str
) -> None:
    """Runs of which none has finished have no failure rate, and those of unknown outcome a dash."""
    runs = replace(example.workspaces[0], **counts)
    (row,) = [
        line
        for line in markdown(replace(example, workspaces=[runs])).splitlines()
        if line.startswith("| Bakery")
    ]

    assert row.split(" | ")[4] == text


def test_nothing_at_all(warehouse: Warehouse) -> None:
    """Before any batch, and for a workspace without runs, the summary says that there is none."""
    summary = summary_of(warehouse)
    lines = terminal_lines(summary)

    assert "(read only in part): cost unknown in 0 runs" in lines[1]
    assert lines[4] == "Nothing needs you."
    assert "| Bakery | no runs |" in markdown(summary)
    assert (summary.previous_28_days, summary.findings) == (None, [])


def test_nothing_is_compared_with_days_that_were_not_read(warehouse: Warehouse) -> None:
    """Where the data do not reach back, nothing is compared; an unknown cost is no zero."""
    given_a_batch(warehouse, first="2026-11-20")
    given_runs(warehouse, {date(2026, 11, 20): 1})
    given_runs(warehouse, {YESTERDAY: None}, status="failed", agent_id="a-2")
    summary = summary_of(warehouse)
    text = text_of(summary)

    assert (summary.usual_cost_usd, summary.previous_28_days) == (None, None)
    assert (summary.yesterday.cost_usd, summary.yesterday.failed_cost_usd) == (None, None)
    assert (summary.month.cost_usd, summary.month.failed_cost_high_usd) == (1, None)
    assert "Monday 23 Nov: cost unknown in 1 run, 1 of unknown cost\n" in text
    assert "28 days    $1.00 in 2 runs, 1 of unknown cost; failed: cost unknown\n" in text
    assert "November, read in part: $1.00 in 2 runs, 1 of unknown cost\n" in text


def test_a_workspace_that_was_not_read_makes_no_day_complete(warehouse: Warehouse) -> None:
    """Where a workspace was not read, yesterday is incomplete, and compared with nothing."""
    given_a_batch(warehouse)
    given_runs(warehouse, dict.fromkeys(DAYS, 2))
    warehouse.insert("ledger.workspaces", workspace_id="late", last_batch_at="2026-11-22 05:00Z")
    given_runs(warehouse, {date(2026, 11, 20): 1, date(2026, 11, 21): 1}, workspace_id="late")
    warehouse.insert(
        "ledger.requests", workspace_id="late", load_id="load-1", request=1,
        source="usage_hours", status=200, window_start="2026-11-01", window_end="2026-11-22",
    )  # fmt: skip
    summary = summary_of(warehouse)

    assert summary.last_complete_date == date(2026, 11, 21)
    assert (summary.usual_cost_usd, summary.previous_28_days) == (None, None)
    assert "Monday 23 Nov (read only in part): $2.00 in 1 run\n" in text_of(summary)
    assert "; not read: late" in markdown(summary)


def test_failed_checks_come_first(example: Summary) -> None:
    """Failed checks, unexplained days and a workspace that was not read are named."""
    failed = replace(example.controls, failed_checks=["sums_agree"])
    passed = replace(example.controls, failed_checks=[], unreconciled_day_count=0)
    unreconciled = replace(passed, unreconciled_day_count=2, unexplained_usd=Decimal("1.5"))
    old = replace(example.workspaces[0], last_batch_at=example.as_of - timedelta(days=2))
    count = passed.check_count

    def line(controls: facts.Controls, **changes: Any) -> str:
        text = markdown(replace(example, controls=controls, **changes))
        return next(each for each in text.splitlines() if "**Checks**" in each)

    assert line(passed) == f"- **Checks**: all {count} passed"
    assert f"1 of {count} failed: sums\\_agree" in line(failed)
    assert "$1.50 of 2 days is unexplained" in line(unreconciled)
    assert "not read: Bakery" in line(passed, workspaces=[old])


def test_workspaces_of_one_name_are_told_apart(example: Summary) -> None:
    """Of two workspaces with one name, Markdown has the id too."""
    (one,) = example.workspaces
    old = replace(one, workspace_id="f00d", last_batch_at=example.as_of - timedelta(days=2))
    summary = replace(example, workspaces=[one, old])
    table = markdown(summary)

    assert f"| Bakery ({one.workspace_id[:8]}) |" in table
    assert "| Bakery (f00d) |" in table
    assert "not read: Bakery (f00d)" in table


def test_json_is_exact(example: Summary) -> None:
    """Money is text with every digit, instants and days are ISO 8601, the file is UTF-8."""
    found = json.loads(summary_files(example)["summary.json"].decode())

    assert found["yesterday"]["cost_usd"] == "43.7500000001"
    assert datetime.fromisoformat(found["as_of"]) == example.as_of
    assert set(found) == {field.name for field in fields(Summary)}


def test_markdown_is_inert(example: Summary) -> None:
    """A name is text in Markdown: no tag, table cell, code, link or mention; most need no mark."""
    hostile = "<script>|`x` [a](http://b) www.c @all $x$ \x1b[31m\n# y"
    workspaces = [replace(example.workspaces[0], workspace_name=hostile)]
    text = markdown(replace(example, workspaces=workspaces, findings=[finding(hostile)] * 6))
    (*said, row) = [line for line in text.splitlines() if "script" in line]

    assert "<script>" not in text
    assert "\x1b" not in text
    assert len(said) == 5
    assert "- and 1 more, on the pages\n" in text
    assert all(each.endswith(" [→](index.html#budgets)") for each in said)
    assert all("\\[a\\](http\\://b) www\\.c \\@all \\$x\\$" in each for each in said)
    assert row.replace("\\|", "").count("|") == 9
    assert "\\[a\\](http\\://b) www\\.c \\@all \\$x\\$" in row
    for plain in ("$5.66 in 553 runs, +26%; failed", "Söhne & Co. 🍞", "<$0.01", "8 h 37 min"):
        assert escaped(plain) == plain


def test_every_field_is_documented() -> None:
    """The page on pages names each field of `summary.json`."""
    text = (Path(__file__).parents[2] / "docs" / "pages.md").read_text(encoding="utf-8")
    kinds = [kind for kind in vars(facts).values() if is_dataclass(kind)]

    assert {field.name for kind in kinds for field in fields(kind)} <= set(
        text.replace("`", " ").replace(",", " ").split()
    )
