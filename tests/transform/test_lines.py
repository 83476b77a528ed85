"""Findings as lines: which are one event, their order, what is folded or new, where they lead."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from analytics.format import names
from analytics.transform.findings.lines import Line, folded, lines_of, news, page_of
from analytics.warehouse.publications import Before

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
FIRST = datetime(2026, 11, 10, tzinfo=UTC)


def row(kind: str, **given: Any) -> dict[str, Any]:
    """A finding of an agent in one of two workspaces."""
    since, until = given.get("since", FIRST), given.get("until")
    return {
        "finding_id": f"{kind} {given}", "kind": kind, "workspace_id": "w", "agent_id": "a",
        "agent": "Baker", "workspace": "Bakery", "subject": "s", "detail": None, "since": since,
        "until": until, "value": 0.5, "baseline": 0.1, "unit": "share", "sample_count": 10,
        "baseline_count": 20, "run_count": 5, "p_value": None, "cost_usd": Decimal(10),
        "cost_high_usd": None, "is_chronic": False, "is_silenced": False, "silenced_note": None,
        "sentence": "As it is.", "next_step": None, "now": NOW, "today": NOW.date(),
        "last_date": date(2026, 11, 19), "first_date": since.date(),
        "until_date": until and (until - timedelta(seconds=1)).date(), **given,
    }  # fmt: skip


def price(workspace: str, **given: Any) -> dict[str, Any]:
    return row(
        "price_step", workspace_id=workspace, agent_id="(all)", subject="gpt", detail="openai",
        value=1.3, baseline=1.0, unit="usd_per_million_tokens",
    ) | given  # fmt: skip


def outage(workspace: str, **given: Any) -> dict[str, Any]:
    until = FIRST + timedelta(hours=3)
    return row(
        "failure_burst", workspace_id=workspace, agent_id="(all)", subject="openai",
        detail="provider", until=until, sample_count=100, now=until + timedelta(days=1),
    ) | given  # fmt: skip


def limit(name: str, **given: Any) -> dict[str, Any]:
    return row("repeated_errors", subject=name, detail="limit") | given


def said(lines: list[Line]) -> list[str]:
    return [each.sentence for each in lines]


def test_a_price_in_several_workspaces_is_one_line() -> None:
    """It is of all of them, with the sum of its cost, since the first day; a later step is another.

    What is silenced in one of them is no part of it.
    """
    one, other = price("w", finding_id="1"), price("x", finding_id="2", value=2.0, baseline=1.6)
    other |= {"since": FIRST + timedelta(days=2), "cost_usd": Decimal(5), "workspace": "Mill"}
    later = price("y", finding_id="3", since=FIRST + timedelta(days=8))
    silenced = price("z", finding_id="4", is_silenced=True)
    lines = lines_of([one, other, later, silenced])

    assert [each.finding_ids for each in lines] == [["1", "2"], ["3"], ["4"]]
    assert lines[0].text == "gpt costs 28% more per token since 10 Nov"
    assert lines[0].amount == "$15.00 more so far"
    assert lines[0].workspace_id == "(all)"
    assert lines[0].reasons[:2] == ["As it is."] * 2
    assert lines[0].page.startswith("index.html#")
    assert said(lines[1:]) == ["As it is."] * 2


def test_an_outage_in_several_workspaces_is_one_line() -> None:
    """It is of all their requests, where its hours meet; one of another day is another."""
    one = outage("w", cost_high_usd=Decimal(12), value=0.5)
    other = outage("x", sample_count=300, value=0.1, since=FIRST + timedelta(hours=2), until=None)
    tool = outage("x", detail="tool")
    next_day = outage("y", since=FIRST + timedelta(days=1), until=None)
    lines = lines_of([one, other, tool, next_day])
    merged = next(each for each in lines if len(each.finding_ids) == 2)

    assert len(lines) == 3
    assert merged.text.startswith("Provider openai failed 20% of 400 requests on 10 Nov from 00 h")
    assert merged.text.endswith("up to 10 runs failed")
    assert (merged.amount, merged.until) == ("$20.00 to $22.00 so far", None)


def test_the_limits_of_an_agent_are_one_line() -> None:
    """Each limit is found alone; of another agent, or of a tool, it is another line."""
    rows = [
        limit("step_limit", is_chronic=True),
        limit("budget_limit", is_chronic=True, value=0.3, run_count=3),
        limit("step_limit", agent_id="b"),
        row("repeated_errors", subject="search", detail="tool"),
    ]
    lines = lines_of(rows)

    assert [len(each.finding_ids) for each in lines].count(2) == 1
    merged = next(each for each in lines if len(each.finding_ids) == 2)
    assert merged.sentence == (
        "Baker ends at its limits in 8 of 10 listed runs, as in the 28 days before,"
        " $20.00 in 28 days."
    )


def test_lines_stand_in_the_order_of_what_waiting_costs() -> None:
    """An event is placed by its sum among those of its urgency, the most urgent first."""
    since = NOW - timedelta(days=28)
    version = row("version_worse", subject="v3", detail="v2", since=since, cost_usd=Decimal(1))
    idle = row("idle_runs", subject="manual", since=since, cost_usd=Decimal(15))
    ended = outage("w", now=FIRST + timedelta(days=1), cost_usd=Decimal(99))
    limits = [limit(each, since=since) for each in ("step_limit", "time_limit")]
    lines = lines_of([ended, idle, *limits, version])

    assert [(each.kind, each.urgency) for each in lines] == [
        ("version_worse", "act now"), ("repeated_errors", "losing money"),
        ("idle_runs", "losing money"), ("failure_burst", "for information"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "fold"),
    [
        (outage("w", now=FIRST + timedelta(days=7)), ""),
        (outage("w", now=FIRST + timedelta(days=7, hours=4)), "ended"),
        (row("data", detail="control", cost_usd=Decimal("0.99"), sample_count=1), "small"),
        (row("data", detail="control", cost_usd=Decimal(1), sample_count=1), ""),
        (row("data", detail="control", cost_usd=None, sample_count=1), ""),
        (limit("step_limit", is_silenced=True), "silenced"),
    ],
)
def test_what_is_over_small_or_silenced_is_folded(finding: dict[str, Any], fold: str) -> None:
    """What ended is folded after seven days; a difference that is unknown is not small."""
    (line,) = lines_of([finding])

    assert line.fold == fold
    assert folded(["small", "ended", "", "small"]) == "1 ended, 2 small"


def test_new_is_what_an_earlier_day_did_not_publish() -> None:
    """A line is new if nothing of it was there; without that publication, nothing is said."""
    rows = [price("w", finding_id="1"), price("x", finding_id="2"),
            limit("step_limit", finding_id="3"), limit("time_limit", finding_id="4", agent_id="b"),
            outage("w", finding_id="5", now=NOW)]  # fmt: skip
    before = Before(NOW.date() - timedelta(days=1), NOW.date(), frozenset("23"))
    lines = lines_of(rows, before)

    assert {each.finding_ids[0]: each.is_new for each in lines} == {
        "1": False, "3": False, "4": True, "5": True,
    }  # fmt: skip
    assert news(lines, before) == "new since yesterday: 1"  # 5 has ended
    earlier = Before(date(2026, 11, 16), NOW.date(), frozenset())
    assert news(lines_of(rows, earlier), earlier) == "new since 16 Nov: 3"
    assert news(lines_of(rows), None) == ""
    assert {each.is_new for each in lines_of(rows)} == {None}


AGENT, WORKSPACE = names.agent_page("w", "a"), names.workspace_page("w")
TRUST = f"{WORKSPACE.removesuffix('.html')}/trust.html"


@pytest.mark.parametrize(
    ("finding", "page"),
    [
        (row("version_worse"), f"{AGENT}#from=2026-11-10&to=2026-11-20&at=versions"),
        (row("version_worse", until=FIRST + timedelta(days=3)),
         f"{AGENT}#from=2026-11-10&to=2026-11-12&at=versions"),
        (price("w"), f"{WORKSPACE}#from=2026-10-27&to=2026-11-19&by=model&at=price-steps"),
        (price("w", first_date=date(2026, 10, 30)),
         f"{WORKSPACE}#from=2026-10-16&to=2026-11-12&by=model&at=price-steps"),
        (outage("w"), f"{WORKSPACE}#from=2026-11-10&to=2026-11-10&show=failures&at=cost"),
        (outage("w", detail="tool"),
         f"{WORKSPACE}#from=2026-11-10&to=2026-11-10&show=failures&at=tool-outages"),
        (row("failure_burst", detail="agent"),
         f"{AGENT}#from=2026-11-10&to=2026-11-20&show=failures&at=cost"),
        (row("cost_jump"), f"{AGENT}#from=2026-10-13&to=2026-11-19&at=cost"),
        (limit("step_limit"), f"{AGENT}#from=2026-10-23&to=2026-11-19&at=errors"),
        (row("repeated_errors", detail="tool"),
         f"{AGENT}#from=2026-10-23&to=2026-11-19&at=tools"),
        (row("idle_runs"), f"{AGENT}#from=2026-10-23&to=2026-11-19&status=succeeded&at=runs"),
        (row("new_agent"), f"{AGENT}#from=2026-11-10&to=2026-11-20&at=cost"),
        (row("silent_agent"), f"{AGENT}#from=2026-10-13&to=2026-11-19&at=cost"),
        (row("budget", agent_id="(all)"), f"{WORKSPACE}#budgets"),
        (row("budget", agent_id="(all)", workspace_id="(all)"), "index.html#budgets"),
        (row("unlisted"), f"{TRUST}#unlisted"),
        (row("data", detail="stale"), f"{TRUST}#fresh"),
        (row("data", detail="control"), f"{TRUST}#differing"),
    ],
)  # fmt: skip
def test_a_finding_leads_to_its_own_period_and_part(finding: dict[str, Any], page: str) -> None:
    """The page has the days of the finding, and shows what it is of."""
    assert page_of(finding) == page


def test_how_a_finding_is_known_stands_beside_it() -> None:
    """Counts and method, and the chance, are no part of the sentence."""
    version = row("version_worse", subject="v3", detail="v2", p_value=1e-9)
    (line,) = lines_of([version | {"value": 0.3, "baseline": 0.05}])

    assert line.text == (
        "Baker v3 fails 30% of listed runs outside outages (3 of 10; v2: 1 of 20) since 10 Nov"
    )
    (reason,) = line.reasons
    assert reason == (
        "3 of 10 finished listed runs failed, 1 of 20 of v2: Fisher's exact test."
        " Chance: below 1 in a million."
    )
    (line,) = lines_of([price("w", p_value=1 / 60_000)])
    assert line.reasons[0].endswith("day by day. Chance: 1 in 60,000.")
