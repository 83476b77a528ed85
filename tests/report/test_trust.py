"""What the pages Reconciliation and Data quality of real batches say above their tables, by SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from analytics.report.writing import numbers
from tests.report.asking import identity
from tests.report.pages import Page, Site
from tests.report.published import Asked

_LACKING = """
    select
        (select coalesce(sum(missing_run_count), 0)::bigint from {m}.fct_listing_gaps as t
            where {o}) as hidden,
        (select sum(missing_cost_usd) from {m}.fct_listing_gaps as t where {o}) as hidden_usd,
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
        (select count(*) from {m}.fct_runs as t where {o} and cost_usd is null) as unknown,
        (select count(*) from {a}.quarantined_records as t where {o}) as left_out"""
_BY_STATUS = """
    select status, count(*) as days, sum(metered_cost_usd) as metered,
        sum(unexplained_usd) as unexplained, sum(abs(unexplained_usd)) as amount
    from {a}.reconciliation_days as t where {o} group by status"""


def test_what_the_data_lack_is_what_sql_says(batches: Site, sql: Asked) -> None:
    """The headline figures of Data quality are those of the runs, gaps and changes published."""
    for page in _named(batches, "quality"):
        has = _asked(sql, page, _LACKING)[0]

        shown = page.kpis

        hidden = [numbers.count(has["hidden"]), numbers.usd(has["hidden_usd"])]
        assert shown["Hidden runs"] == hidden
        assert page.root.all("h1")[0].text == f"{hidden[0]} hidden runs, which cost {hidden[1]}"
        assert shown["Open runs"] == [
            numbers.count(has["open"]),
            f"the oldest since {_minute(has['oldest'])} UTC" if has["open"] else "none",
            f"{numbers.count(has['provisional'])} more are provisional",
        ]
        assert shown["Adjusted agent days"] == [
            numbers.count(has["adjusted"]),
            f"{numbers.usd_signed(has['changed_usd'])} in all" if has["adjusted"] else "none",
        ]
        assert shown["Runs without reported usage"][0] == numbers.count(has["no_usage"])
        assert shown["Runs of unknown cost"][0] == numbers.count(has["unknown"])
        assert shown["Records left out"][0] == numbers.count(has["left_out"])


def test_what_is_explained_is_what_sql_says(batches: Site, sql: Asked) -> None:
    """The title of Reconciliation, and its line on open days, have the amounts of those days."""
    for page in _named(batches, "reconciliation"):
        days = {row["status"]: row for row in _asked(sql, page, _BY_STATUS)}

        text, title = page.root.text, page.root.all("h1")[0].text

        worst = days.get("unreconciled") or days.get("pending")
        if worst:
            amount, count = numbers.usd(worst["amount"]), numbers.plural(worst["days"], "day")
            assert title.startswith(f"{amount} of {count} is not explained")
        elif days["open"]["amount"]:
            metered = numbers.usd_headline(days["reconciled"]["metered"])
            assert title.startswith(
                f"Metered {metered} of {days['reconciled']['days']} closed days is "
            )
        else:
            metered = numbers.usd_headline(sum(row["metered"] for row in days.values()))
            assert title == f"Metered {metered} is explained to the last cent"
        still, metered = days["open"]["days"], numbers.usd(days["open"]["metered"])
        rest = days["open"]["unexplained"]
        left = f", of which {numbers.usd(rest)} is not explained so far" if rest else ""
        assert f"{numbers.plural(still, 'day')} still open: metered {metered}{left}." in text


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
