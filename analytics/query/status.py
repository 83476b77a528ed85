"""Freshness and completeness of the published figures, and what needs a hand."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analytics.alerts.delivery import FINDINGS, read_found, read_sent
from analytics.batch.last_batch import read_last_batch
from analytics.errors import AnalyticsError
from analytics.format import names, numbers
from analytics.format.days import Period
from analytics.levain.runs import LONGEST_COUNT_DAYS
from analytics.query.published import open_published
from analytics.report.facts import read_findings
from analytics.report.summary import needs_head
from analytics.terminal import add_figures, console, escaped, escaped_json, linked
from analytics.transform.findings.lines import folded, news
from analytics.transform.page_queries import over_queries
from analytics.warehouse.database import records
from analytics.warehouse.landed import ASIDE
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import probed
from analytics.warehouse.publications import findings_before

if TYPE_CHECKING:
    import duckdb
    from rich.table import Table

_WORKSPACES = """
    select workspace_name, workspace_id, last_batch_at, last_complete_date, newest_run_at,
        open_count, provisional_count, quarantined_count as quarantined_record_count, run_count,
        listed_run_count, counted_run_count, unlisted_run_count, unlisted_cost_usd,
        marts.detail_coverage(listed_run_count, counted_run_count) as detail_coverage,
        reconciled_day_count, pending_day_count, open_day_count, unreconciled_day_count,
        unexplained_usd, fastest_agent_name, shortest_span_seconds, required_batches_per_day,
        collection_interval_seconds
    from reports.rpt_workspace_health
    where workspace_id <> '(all)'
    order by workspace_name, workspace_id
"""
_CHECKS = """
    select check_name, control, sources, is_ok, violation_count
    from audit.check_results
    order by check_name
"""
_PROJECT_FILES = """
    select kind, file, name, status, row_count, seconds, error, sha256
    from audit.project_files
    order by file
"""
_BOOKS = """
    select
        (
            select {month: strftime(month, '%Y-%m'), revision: revision, closed_at: closed_at}
            from audit.closings
            where status = 'closed'
            order by month desc
            limit 1
        ) as last_closed,
        count(*) as open_adjustment_count,
        coalesce(sum(difference_metered_cost_usd), 0)::decimal(38, 10) as open_adjustment_cost_usd,
        coalesce(sum(difference_billed_usd), 0)::decimal(38, 10) as open_adjustment_billed_usd
    from marts.fct_period_adjustments
    where not is_booked
"""
# Of other days, the next batch asks for the counts again.
_NEVER_COUNTED = f"""
    select
        coalesce(workspaces.workspace_name, workspace_id) as name,
        count(distinct days.date) as day_count,
        min(days.date) as first_date,
        max(days.date) as last_date
    from marts.fct_agent_days as days
    join marts.dim_workspaces as workspaces using (workspace_id)
    where days.unlisted_run_count > 0
        and days.unlisted_failed_count is null
        and days.date <= (workspaces.last_batch_at at time zone 'UTC')::date - {LONGEST_COUNT_DAYS}
    group by all
    order by all
"""
# A batch publishes at once when its checks have passed: the file itself has the time, so that a
# copy of it has the same.
_NEWEST = "select max(last_batch_at), max(reporting_timezone) from marts.dim_workspaces"
_PUBLISHED_AT = "select max(checked_at) from audit.check_results"


def status(layout: Layout) -> dict[str, Any]:
    """Return the last batch's result, and freshness, run detail and checks of what is published.

    `problems` has why the published file cannot be read, if it is there.
    """
    batch = read_last_batch(layout)
    with probed(layout) as holder:
        is_running = holder is not None and not holder.is_collection
    found: dict[str, Any] = {
        "published_at": None,
        "data_to": None,
        "batch_is_running": is_running,
        "last_batch": batch and {name: getattr(batch, name) for name in batch.__struct_fields__},
        "problems": [],
        "hints": [*_set_aside(layout)],
    }
    try:
        if os.path.lexists(layout.published_file):
            with open_published(layout.published_file) as con:
                found |= _figures(con, layout)
                found["hints"] += _never_counted(con)
    except AnalyticsError as error:
        found["problems"] = [str(error)]
    return found


def _figures(con: duckdb.DuckDBPyConnection, layout: Layout) -> dict[str, Any]:
    ((published_at,),) = con.execute(_PUBLISHED_AT).fetchall()
    workspaces = records(con, over_queries(con, _WORKSPACES))
    (books,) = records(con, _BOOKS)
    return {
        "published_at": published_at,
        "data_to": max(
            (each["last_batch_at"] for each in workspaces if each["last_batch_at"]), default=None
        ),
        "workspaces": workspaces,
        "checks": records(con, _CHECKS),
        "project_files": records(con, _PROJECT_FILES),
        "books": books,
        **_findings_of(con, layout),
    }


def _set_aside(layout: Layout) -> Iterator[str]:
    """Yield a hint for each folder of loads that were set aside."""
    loads = Counter(each.parent for each in sorted(layout.landing.glob(f"*/{ASIDE}*/*")))
    for folder, count in loads.items():
        lie = "1 load lies" if count == 1 else f"{count:,} loads lie"
        yield (
            f"{lie} aside in {folder}, and no figure has any of {'it' if count == 1 else 'them'}.\n"
            "Remove the folder once the figures are right without it."
        )


def _never_counted(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield a hint for each workspace with days whose runs nothing counts by outcome any more."""
    for name, count, first, last in con.execute(_NEVER_COUNTED).fetchall():
        days = "1 day" if count == 1 else f"{count:,} days"
        yield (
            f"{name}: the runs of {days} were never counted by outcome ({Period(first, last)}), and"
            f" the API counts those of {LONGEST_COUNT_DAYS} days only.\n"
            "Their failure rates stay unknown; their cost is known."
        )


def _findings_of(con: duckdb.DuckDBPyConnection, layout: Layout) -> dict[str, Any]:
    """Return what needs a person, and the findings of alerts; `is_sent` if an address has it."""
    sent = {identity for identity, entry in read_sent(layout.alerts).items() if entry.sent_to}
    ((as_of, timezone),) = con.execute(_NEWEST).fetchall()
    before = findings_before(layout, as_of, timezone)
    lines = read_findings(con, before)
    return {
        "news": news(lines, before),
        "findings": [
            asdict(each) | {"is_sent": not sent.isdisjoint(each.finding_ids)} for each in lines
        ],
        "alerts": [
            {
                "alert_name": each.alert,
                "title": each.title,
                "severity": each.severity,
                "finding_id": each.id,
                "finding": each.text,
                "is_sent": each.id in sent,
            }
            for each in read_found(con).findings.values()
            if each.alert != FINDINGS
        ],
    }


def print_json(found: dict[str, Any]) -> None:
    """Print the status as one JSON object."""
    text = json.dumps(found, indent=2, ensure_ascii=False, default=_plain)
    print(escaped_json(text, sys.stdout.encoding))


def print_text(found: dict[str, Any], site: str = "") -> None:
    """Print the status as text, with links to the pages at `site`."""
    out = console(soft_wrap=True)
    listed = (*_listed("problem", found["problems"]), *_listed("hint", found["hints"]))
    for line in (*_above(found), *listed):
        out.print(line)
    if "workspaces" not in found:
        return
    out.print()
    for line in _needs(found["findings"], found["news"], site):
        out.print(line)
    out.print()
    out.print(_table(found["workspaces"]))
    out.print(_IN_WORDS)
    out.print()
    for line in _below(found):
        out.print(line)


def _above(found: dict[str, Any]) -> Iterator[str]:
    """Yield how fresh the figures are, how the last batch ended, and what was tried."""
    if "workspaces" in found:
        data_to = _instant(found["data_to"]) or "nowhere: no batch has read a workspace"
        yield f"Published {_instant(found['published_at'])}, data to {data_to}"
    elif not found["problems"]:
        yield "Nothing has been published yet: `analytics nightly` reads and publishes."
    if found["batch_is_running"]:
        yield "A batch is at work now."
    batch = found["last_batch"]
    if batch and batch["exit_code"] == 0:
        yield f"The last batch ended well at {_instant(batch['ended_at'])}"
        told = [each for each in batch["messages"] if each not in found["problems"]]
        yield from (f"  {escaped(message)}" for message in told)
    yield from (escaped(f"{name}: {result}") for name, result in found.get("tried", {}).items())


def _needs(findings: Sequence[dict[str, Any]], news: str, site: str = "") -> Iterator[str]:
    """Yield each finding in words, and the command that helps; others in one line."""
    first = [each for each in findings if not each["fold"]]
    yield needs_head(len(first), news)
    for each in first:
        sentence = f"{each['urgency'].capitalize()}: {escaped(names.visible(each['sentence']))}"
        page = site and f"{site}/{each['page']}"
        yield f"- {linked(sentence, page)}"
        if each["next_step"]:
            yield f"  {escaped(names.visible(each['next_step']))}"
    if rest := folded(each["fold"] for each in findings):
        yield f"and {rest}; --json has each"


def _listed(kind: str, texts: Sequence[str]) -> Iterator[str]:
    """Yield the lines of problems or hints below how many there are."""
    if texts:
        yield f"\n{numbers.plural(len(texts), kind)}:"
    for text in texts:
        first, *more = text.replace(numbers.NO_BREAK, " ").split("\n")
        yield f"- {escaped(first)}"
        yield from (f"  {escaped(line)}" for line in more)


def _below(found: dict[str, Any]) -> Iterator[str]:
    """Yield a line for all that is no figure of a workspace."""
    checks, books, alerts = found["checks"], found["books"], found["alerts"]
    failed = [check["check_name"] for check in checks if not check["is_ok"]]
    if failed:
        yield f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}"
    else:
        yield f"All {len(checks)} checks passed."
    for file in found["project_files"]:
        if file["kind"] != "rules" and file["error"] and file["error"] not in found["problems"]:
            yield f"Not used: {escaped(file['error'])}"
    if books["last_closed"]:
        count = books["open_adjustment_count"]
        later = (
            f"{numbers.plural(count, 'adjustment')} of closed months in the next one: cost"
            f" {numbers.usd(books['open_adjustment_cost_usd'])}, billed"
            f" {numbers.usd(books['open_adjustment_billed_usd'])}"
            if count
            else "no adjustment of a closed month"
        )
        yield f"Books: closed to {books['last_closed']['month']}; {later}."
    if alerts:
        sent = sum(each["is_sent"] for each in alerts)
        yield f"Alerts: {numbers.plural(len(alerts), 'finding')}, {sent} sent; --json has each."


_IN_WORDS = """\
Detail is the share of runs with a row in fct_runs; no run list showed the
others to a batch. On a day that is off, metered cost differs from the API's
other figures, by what is unexplained in all: reconciliation_days has each."""


def _table(workspaces: list[dict[str, Any]]) -> Table:
    """Return a line for each workspace, under a label that tells it from all others."""
    from rich.table import Table
    from rich.text import Text

    labels = names.told_apart(
        {each["workspace_id"]: escaped(each["workspace_name"]) for each in workspaces}
    )
    rows: list[list[str | Text]] = [
        [
            Text(labels[each["workspace_id"]]),
            _instant(each["last_batch_at"]).removesuffix(" UTC"),
            numbers.count(each["run_count"]),
            numbers.percent(each["listed_run_count"], each["counted_run_count"]),
            numbers.count(each["unreconciled_day_count"]),
            numbers.usd(each["unexplained_usd"]),
        ]
        for each in workspaces
    ]
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("Workspace", overflow="fold")
    add_figures(table, ("Data to (UTC)", "Runs", "Detail", "Days off", "Unexplained"), rows)
    for row in rows:
        table.add_row(*row)
    return table


def _plain(value: date | Decimal) -> str:
    if isinstance(value, Decimal):
        return numbers.usd_exact(value)
    return _instant(value) if isinstance(value, datetime) else value.isoformat()


def _instant(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if moment else ""
