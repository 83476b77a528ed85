"""Findings as a person reads them: one line for each event, in order, with the page that shows it.

Pages, the summary and `status` show these lines. What is one event in several workspaces, and the
limits of one agent, are one line; what has ended a week ago, is small or silenced is folded.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import fmean
from typing import TYPE_CHECKING, Any

from analytics.format import days, names
from analytics.format.names import ALL
from analytics.format.numbers import known_sum
from analytics.transform.findings import words
from analytics.transform.findings.finding import RECENT_DAYS
from analytics.transform.findings.said import place
from analytics.transform.findings.urgency import is_small, urgency
from analytics.warehouse.database import records

if TYPE_CHECKING:
    import duckdb

    from analytics.warehouse.publications import Before

Row = dict[str, Any]

SHOWN = 5
"""Lines that stand first; the others are folded, or counted."""

_ENDED_FOR = timedelta(days=7)  # after which what has ended is folded
_ONE_STEP = timedelta(days=7)  # between the days on which workspaces show one price
_ROWS = """
    select
        findings.*,
        agent_slug,
        workspaces.workspace_name,
        newest.last_batch_at as now,
        coalesce(workspaces.last_batch_date, newest.last_batch_date) as today,
        coalesce(workspaces.last_complete_date, newest.last_complete_date) as last_date,
        (since at time zone timezone)::date as first_date,
        ((until - interval 1 second) at time zone timezone)::date as until_date
    from marts.fct_findings as findings
    left join marts.dim_agents as agents using (workspace_id, agent_id)
    left join marts.dim_workspaces as workspaces using (workspace_id)
    cross join (
        select
            max(last_batch_at) as last_batch_at,
            max(last_batch_date) as last_batch_date,
            max(last_complete_date) as last_complete_date,
            max(reporting_timezone) as timezone
        from marts.dim_workspaces
    ) as newest
    order by rank
"""
_FOLDS = ("ended", "small", "silenced")
_SITE = "index.html"
_PARTS = {"version_worse": "versions", "price_step": "price-steps", "idle_runs": "runs",
          "repeated_errors": "tools", "failure_burst tool": "tool-outages",
          "repeated_errors limit": "errors"}  # fmt: skip
_VIEWS = {"price_step": "&by=model", "failure_burst": "&show=failures",
          "idle_runs": "&status=succeeded"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A finding, or several that are one event, as it is shown; names are as they came.

    `page` is the address of what shows it, from the site's folder. `fold` says why it is not among
    the first: "ended", "small" or "silenced". `is_new` is None where nothing tells.
    """

    finding_ids: list[str]
    kind: str
    workspace_id: str
    agent_id: str
    since: datetime
    until: datetime | None
    cost_usd: Decimal | None
    cost_high_usd: Decimal | None
    urgency: str
    sentence: str
    text: str
    amount: str
    reasons: list[str]
    next_step: str | None
    note: str
    page: str
    fold: str
    is_new: bool | None


def read_rows(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """Read the findings with what their words and their pages need, in the order of their rank."""
    rows = []
    for row in records(con, _ROWS):
        row |= {each: row[each] and row[each].astimezone(UTC) for each in ("since", "until", "now")}
        rows.append(words.named(row))
    return rows


def lines_of(rows: Iterable[Row], before: Before | None = None) -> list[Line]:
    """Return the lines of findings, in order of urgency."""
    return [_line(row, event, before) for row, event in events_of(rows)]


def events_of(rows: Iterable[Row]) -> list[tuple[Row, list[Row]]]:
    """Return each event as one finding, with those that it is made of, in the same order."""
    merged = [(_together(event), event) for event in _events(rows)]
    return sorted(merged, key=lambda each: place(each[0]))


def folded(folds: Iterable[str]) -> str:
    """Return in words how many lines are folded, and why."""
    counts = Counter(folds)
    return ", ".join(f"{counts[why]} {why}" for why in _FOLDS if counts[why])


def news(lines: Iterable[Line], before: Before | None) -> str:
    """Return in words how many lines are new since an earlier day; empty where nothing tells."""
    if before is None:
        return ""
    is_yesterday = before.day == before.today - timedelta(days=1)
    since = "yesterday" if is_yesterday else days.day_on_axis(before.day)
    return f"new since {since}: {sum(bool(each.is_new) for each in lines if not each.fold)}"


def page_of(row: Row) -> str:
    """Return the address of the page that shows a finding, with its own period, view and part."""
    workspace_id, agent_id, kind = row["workspace_id"], row["agent_id"], row["kind"]
    page = _SITE if workspace_id == ALL else names.workspace_page(workspace_id)
    if kind in {"unlisted", "data"}:
        of_data = "fresh" if row["detail"] == "stale" else "differing"
        part = "unlisted" if kind == "unlisted" else of_data
        return f"{page.removesuffix('.html')}/trust.html#{part}"
    if kind == "budget":
        return f"{page}#budgets"
    if agent_id != ALL:
        page = names.agent_page(workspace_id, agent_id)
    first, last = _period(row)
    part = _PARTS.get(f"{kind} {row['detail']}") or _PARTS.get(kind, "cost")
    return f"{page}#from={first}&to={max(first, last)}{_VIEWS.get(kind, '')}&at={part}"


def _period(row: Row) -> tuple[date, date]:
    """Return the days in which a finding is seen."""
    first, last, today = row["first_date"], row["last_date"], row["today"]
    match row["kind"]:
        case "version_worse" | "new_agent" | "failure_burst":
            return first, row["until_date"] or today
        case "price_step":  # as many days before as after
            half = timedelta(days=RECENT_DAYS // 2)
            return first - half, min(first + half - timedelta(days=1), last)
        case "cost_jump" | "silent_agent":
            return first - timedelta(days=RECENT_DAYS), last
    return last - timedelta(days=RECENT_DAYS - 1), last


def _events(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield findings that are one event."""
    events = defaultdict[tuple[Any, ...], list[list[Row]]](list)
    for row in rows:
        alike = events[_event_of(row)]
        for event in alike:
            if _is_near(event[0], row):
                event.append(row)
                break
        else:
            alike.append([row])
    for alike in events.values():
        yield from alike


def _event_of(row: Row) -> tuple[Any, ...]:
    """Return what findings of one event have in common."""
    fold, kind, detail = _fold(row), row["kind"], row["detail"]
    if kind == "price_step" or (kind == "failure_burst" and detail == "provider"):
        return fold, kind, detail, row["subject"]
    if kind == "repeated_errors" and detail == "limit":
        return fold, kind, detail, row["workspace_id"], row["agent_id"]
    return (row["finding_id"],)


def _is_near(one: Row, other: Row) -> bool:
    """Return True if what two findings tell of began, or was, at one time."""
    if one["kind"] == "failure_burst":
        begun, ended = (max(one["since"], other["since"]), [one["until"], other["until"]])
        return all(end is None or begun <= end for end in ended)
    apart: timedelta = abs(one["since"] - other["since"])
    return one["kind"] != "price_step" or apart <= _ONE_STEP


def _together(event: Sequence[Row]) -> Row:
    """Return an event as one finding."""
    first, *others = event
    if not others:
        return first

    def all_of(name: str) -> list[Any]:
        return [row[name] for row in event]

    def last(name: str) -> Any:
        return None if None in all_of(name) else max(all_of(name))

    costs, highs = all_of("cost_usd"), all_of("cost_high_usd")
    ends = [cost if high is None else high for cost, high in zip(costs, highs, strict=True)]
    merged = first | {
        "since": min(all_of("since")),
        "first_date": min(all_of("first_date")),
        "until": last("until"),
        "until_date": last("until_date"),
        "cost_usd": known_sum(costs),
        "cost_high_usd": known_sum(ends) if any(highs) else None,
        "run_count": known_sum(all_of("run_count")),
        "is_chronic": all(all_of("is_chronic")),
    }
    if first["kind"] == "repeated_errors":
        return merged | {"subject": words.LIMITS, "value": sum(all_of("value"))}
    if len(set(all_of("workspace_id"))) > 1:
        merged["workspace_id"] = ALL
    if first["kind"] == "price_step":
        ratios = [row["value"] / row["baseline"] for row in event]
        paid = [  # at the price before
            float(cost or 0) / (ratio - 1) for cost, ratio in zip(costs, ratios, strict=True)
        ]
        return merged | {"value": fmean(ratios, paid if any(paid) else None), "baseline": 1.0}
    counts = all_of("sample_count")
    shares = {name: fmean(all_of(name), counts) for name in ("value", "baseline")}
    return merged | shares | {"sample_count": sum(counts)}


def _fold(row: Row) -> str:
    if row["is_silenced"]:
        return "silenced"
    if is_small(row):
        return "small"
    return "ended" if row["until"] and row["now"] - row["until"] > _ENDED_FOR else ""


def _line(row: Row, event: Sequence[Row], before: Before | None) -> Line:
    ids = [each["finding_id"] for each in event]
    several = [each["sentence"] for each in event] if len(event) > 1 else []
    return Line(
        finding_ids=ids,
        kind=row["kind"],
        workspace_id=row["workspace_id"],
        agent_id=row["agent_id"],
        since=row["since"],
        until=row["until"],
        cost_usd=row["cost_usd"],
        cost_high_usd=row["cost_high_usd"],
        urgency=urgency(row),
        sentence=words.sentence(row) if several else row["sentence"],
        text=words.text(row),
        amount=words.amount(row),
        reasons=[*several, *filter(None, [words.why(row)])],
        next_step=row["next_step"],
        note=row["silenced_note"] or "",
        page=page_of(row),
        fold=_fold(row),
        is_new=None if before is None else before.finding_ids.isdisjoint(ids),
    )
