"""What the name of a column says of it."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from analytics.format.numbers import UNKNOWN
from analytics.report.columns import column
from analytics.report.tables import Tables, sums
from analytics.transform.measures import measures


@pytest.mark.parametrize(
    ("name", "unit", "label", "kind"),
    [
        ("cost_usd", "usd", "Cost", ""),
        ("recent_cost_usd", "usd", "Recent cost", ""),
        ("request_count", "count", "Request", ""),
        ("duration_ms", "milliseconds", "Duration", ""),
        ("queue_seconds", "seconds", "Queue", ""),
        ("tokens_in", "tokens", "Tokens in", ""),
        ("date", "day", "Day", "text"),
        ("last_run_date", "day", "Last run date", "text"),
        ("created_at", "instant", "Created", "text"),
        ("month", "month", "Month", "text"),
        ("status", "state", "Status", "text"),
        ("agent_id", "agent", "Agent", "name"),
        ("workspace_id", "workspace", "Workspace", "name"),
        ("tool_name", "name", "Tool", "name"),
        ("cost_usd|usd_fine|Price", "usd_fine", "Price", ""),
        ("cost_usd||Price", "usd", "Price", ""),
        ("cost_usd|usd_fine", "usd_fine", "Cost", ""),
    ],
)
def test_a_name_gives_unit_label_and_kind(name: str, unit: str, label: str, kind: str) -> None:
    """A column is written by its suffix, unless a specification gives unit or label after it."""
    known = column(name)

    assert known.expression == name.partition("|")[0]
    assert (known.unit, known.label, known.kind) == (unit, label, kind)


def test_labels_of_measures_are_declared_once() -> None:
    """The label of a measure is that of `queries/measures.toml`."""
    assert {name: column(name).label for name in measures()} == {
        name: each.label for name, each in measures().items()
    }


def test_a_range_is_formed_from_three_figures() -> None:
    """The total of a range needs the sums of its low end, of what is more, and of what is open."""
    figures = ["failed_cost_usd", "failed_cost_more_usd", "failed_cost_open_count"]

    assert column("failed_cost_usd|range").figures == figures


def test_a_total_of_two_figures_is_of_the_same_rows() -> None:
    """Where a row knows one of both alone, there is no change and no rate of the total."""
    columns = [
        column(each)
        for each in (
            "owner",
            "recent_cost_usd",
            "recent_cost_usd/before_cost_usd|change",
            "failed_count/finished_count|rate",
        )
    ]
    names = ("owner", "recent_cost_usd", "before_cost_usd", "failed_count", "finished_count")
    known = dict(zip(names, ("A", Decimal(1000), Decimal(1000), 1, 100), strict=True))
    unknown = dict(zip(names, ("B", Decimal(600), None, 50, None), strict=True))
    tables = Tables({}, {}, "")

    def foot(*rows: dict[str, Any]) -> str:
        made = tables.table("key", "caption", columns, rows, total=sums(rows, columns))
        return re.sub("<[^>]+>", " ", made.split("<tfoot>")[1])

    assert foot(known, unknown).split() == ["Total", "$1,600.00", UNKNOWN, UNKNOWN]
    assert "$2,000.00 no change" in " ".join(foot(known, known).split())
    assert "1.0%" in foot(known, known)


def test_days_and_versions_sort_by_what_they_are() -> None:
    """A cell that shows a date or a version in words has it as it sorts, unless unknown."""
    names = ("month", "date", "agent_version", "owner")
    columns = [
        column("agent_version|version" if each == "agent_version" else each) for each in names
    ]
    rows = [
        dict(zip(names, (date(2026, 9, 1), date(2026, 9, 2), 10, "A"), strict=True)),
        dict.fromkeys(names),
    ]
    made = Tables({}, {}, "").table("key", "caption", columns, rows)

    assert re.findall(r'data-v="([^"]*)">([^<]*)', made) == [
        ("2026-09-01", "September 2026"), ("2026-09-02", "2 September 2026"), ("10", "v10"),
    ]  # fmt: skip
