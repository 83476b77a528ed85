"""Texts above the tables of Reconciliation and Data quality, held to SQL on real batches."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from analytics.format import numbers
from tests.report.asking import identity
from tests.report.pages import Page, Site
from tests.report.published import Asked

_LIMITS = """
    select
        (select sum(run_count)::bigint from {m}.fct_agent_days as t where {o}) as runs,
        (select sum(listed_run_count)::bigint from {m}.fct_agent_days as t where {o}) as listed,
        (select sum(unlisted_run_count)::bigint from {m}.fct_agent_days as t where {o})
            as unlisted,
        (select sum(unlisted_cost_usd) from {m}.fct_agent_days as t where {o}) as unlisted_usd,
        (select count(*) from {m}.fct_runs as t where {o} and not is_terminal) as open,
        (select min(created_at) at time zone 'UTC' from {m}.fct_runs as t
            where {o} and not is_terminal) as oldest,
        (select count(*) from {m}.fct_runs as t
            where {o} and is_terminal and not is_final) as provisional,
        (select count(*) from {m}.fct_adjustments as t where {o}) as adjusted,
        (select sum(current_cost_usd - previous_cost_usd) from {m}.fct_adjustments as t
            where {o}) as changed_usd,
        (select count(*) from {m}.fct_runs as t where {o} and status = 'succeeded'
            and cost_usd = 0 and tokens_in = 0 and tokens_out = 0) as no_usage,
        (select sum(unknown_cost_count)::bigint from {m}.fct_agent_days as t where {o})
            as unknown,
        (select count(*) from {a}.quarantined_records as t where {o}) as quarantined"""
_BY_STATUS = """
    select status, count(*) as days, sum(metered_cost_usd) as metered,
        sum(unexplained_usd) as unexplained, sum(abs(unexplained_usd)) as amount
    from {a}.reconciliation_days as t where {o} group by status"""
_CONTROLS = """
    select count(*) as compared, count(distinct f.control) as failed,
        coalesce(sum(finding_count) filter (finding_number = 1), 0)::bigint as findings
    from {a}.controls as t
    left join {a}.control_findings as f using (workspace_id, control)
    where {o} and (finding_number = 1 or finding_number is null)"""
_CHECKS = """
    select count(*) filter (control is null) as ours, count(*) filter (control is not null) as api,
        count(*) filter (sources like '% | %') as independent, count(*) filter (not is_ok) as failed
    from {a}.check_results"""
_LAST_MONTH = """
    select step, amount_usd from {a}.month_bridge as t
    where {o} qualify rank() over (order by month desc) = 1 order by step_number"""


def test_limits_of_the_data_are_those_of_sql(batches: Site, sql: Asked) -> None:
    """The headline figures of Data quality are those of the published runs and adjustments."""
    for page in _named(batches, "quality"):
        has = _asked(sql, page, _LIMITS)[0]
        coverage = numbers.percent(has["listed"], has["runs"])

        shown = page.kpis

        unlisted = numbers.count(has["unlisted"])
        assert shown["Unlisted runs"] == [
            unlisted,
            f"{numbers.usd(has['unlisted_usd'])} of cost"
            if has["unlisted"]
            else "every run is listed",
        ]
        assert shown["Detail coverage"] == [
            coverage,
            f"{numbers.count(has['listed'])} of {numbers.count(has['runs'])} runs",
        ]
        title = page.root.all("h1")[0].text
        assert title == f"Run detail for {coverage} of runs; {unlisted} unlisted runs"
        assert shown["Open runs"] == [
            numbers.count(has["open"]),
            f"the oldest since {_minute(has['oldest'])} UTC" if has["open"] else "none",
            f"{numbers.count(has['provisional'])} more are provisional",
        ]
        assert shown["Adjustments"] == [
            numbers.count(has["adjusted"]),
            f"{numbers.usd_signed(has['changed_usd'])} in all" if has["adjusted"] else "none",
        ]
        assert shown["No usage reported"][0] == numbers.count(has["no_usage"])
        assert shown["Unknown costs"][0] == numbers.count(has["unknown"])
        assert shown["Quarantined records"][0] == numbers.count(has["quarantined"])


def test_the_title_has_the_controls_and_the_unexplained_cost(batches: Site, sql: Asked) -> None:
    """The title of Reconciliation counts controls that failed, and has the residual's amount."""
    for page in _named(batches, "reconciliation"):
        days = {row["status"]: row for row in _asked(sql, page, _BY_STATUS)}
        controls = _asked(sql, page, _CONTROLS)[0]

        text, title = page.root.text, page.root.all("h1")[0].text

        over = [row for status, row in days.items() if status != "open"]
        amount = numbers.usd(sum(row["amount"] for row in over))
        metered = numbers.usd_headline(sum(row["metered"] for row in over))
        count = numbers.plural(sum(row["days"] for row in over), "closed day")
        verdict = f"All {controls['compared']} controls passed"
        if controls["failed"]:
            findings = numbers.plural(controls["findings"], "finding")
            verdict = (
                f"{controls['failed']} of {controls['compared']} controls failed with {findings}"
            )
        assert title == f"{verdict}; {amount} of {metered} metered on {count} is unexplained"
        still, metered = days["open"]["days"], numbers.usd(days["open"]["metered"])
        rest = days["open"]["unexplained"]
        left = f", of which {numbers.usd(rest)} is unexplained" if rest else ""
        assert f"{numbers.plural(still, 'day')} still open: metered {metered}{left}." in text


def test_checks_are_counted_by_what_they_compare(batches: Site, sql: Asked) -> None:
    """Both pages count checks of our own apart from those of two independent sources."""
    for page in batches.controls:
        has = _asked(sql, page, _CHECKS)[0]

        failed = f"{has['failed']} failed" if has["failed"] else "all passed"
        assert (
            f"{has['ours']} checks of keys and sums of our own, {has['api']} against the API, all"
            f" {has['independent']} with two independent sources: {failed}"
        ) in page.root.text


def test_totals_of_the_page_are_steps_of_the_bridge(batches: Site, sql: Asked) -> None:
    """The days of the newest month add up to the steps that have the names of their columns."""
    for page in _named(batches, "reconciliation"):
        steps = {row["step"]: row["amount_usd"] for row in _asked(sql, page, _LAST_MONTH)}
        newest = next(
            each for each in page.root.all("table") if each.attributes["id"].startswith("days-")
        )
        foot = [each.attributes.get("data-v", "") for each in newest.all("tr")[-1].children]
        heads = [each.text.lower() for each in newest.all("th", scope="col")]

        for name in ("metered", "timing difference", "unexplained", "billed"):
            assert foot[heads.index(name)] == f"{steps[name]:f}"
        parts = ("listed runs", "open runs", "platform", "unlisted runs")
        whole = sum(type(steps["billed"])(foot[heads.index(part)]) for part in parts)
        assert whole == steps["cost of runs"]


def test_a_time_zone_of_its_own_is_named_beside_the_bridge(batches: Site) -> None:
    """The bridge is in UTC months, which a page of another time zone has to state."""
    for page in _named(batches, "reconciliation"):
        assert "The bridge is in UTC months" in page.root.text
        assert "Europe/Berlin" in page.root.text


def _named(batches: Site, name: str) -> list[Page]:
    found = [page for page in batches.controls if page.path.stem == name]
    assert found
    return found


def _asked(sql: Asked, page: Page, question: str) -> list[dict[str, Any]]:
    ours = "list_contains(getvariable('workspaces')::varchar[], workspace_id)"
    of = sql.of([identity(page.path.parent.name)])
    return of.rows(question.format(m="published.marts", a="published.audit", o=ours))


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
