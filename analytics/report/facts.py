"""The figures of the morning summary, exact: the fields of `summary.json`, of page queries.

Fields that a day or month table has too are named as there, and mean the same.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analytics.transform.findings.lines import Line, lines_of, news, read_rows
from analytics.warehouse.database import records

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from analytics.warehouse.publications import Before


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All runs of some days, listed and unlisted; an amount is None where nothing of it is known.

    `cost_usd` includes the platform's own. `failed_cost_usd` is the low end of a range up to
    `failed_cost_high_usd`, which is None where nothing bounds the cost.
    """

    run_count: int = 0
    succeeded_count: int = 0
    failed_count: int = 0
    cost_usd: Decimal | None = None
    platform_cost_usd: Decimal | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    listed_run_count: int = 0
    unlisted_run_count: int | None = None
    unlisted_cost_usd: Decimal | None = None
    failed_cost_usd: Decimal | None = None
    failed_cost_high_usd: Decimal | None = None
    unlisted_failed_count: int | None = None
    unknown_cost_count: int = 0
    unknown_outcome_count: int = 0

    @property
    def finished_count(self) -> int | None:
        """The runs of which a share may have failed: cancelled ones stand apart.

        None where the outcome of some is unknown.
        """
        return None if self.unknown_outcome_count else self.succeeded_count + self.failed_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace(Measures):
    """A workspace since its first date."""

    workspace_id: str
    workspace_name: str
    last_batch_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Days(Measures):
    """Some days of all workspaces, both ends included."""

    first_date: date
    last_date: date


@dataclass(frozen=True, slots=True)
class Controls:
    """The checks that failed, and the days whose metered cost is unexplained."""

    check_count: int
    failed_checks: list[str]
    unreconciled_day_count: int
    unexplained_usd: Decimal


@dataclass(frozen=True, slots=True)
class Summary:
    """The batch in figures. Days are those of `timezone`, the first one read is `first_date`.

    `findings` are the lines of those that are not silenced, in their order; `news` says how many
    of them are new. `is_month_whole` is true if every workspace's month was read from its first UTC
    day on. `previous_28_days` and `usual_cost_usd` are None where the days to compare were read
    only in part.
    """

    as_of: datetime
    timezone: str
    first_date: date | None
    workspaces: list[Workspace]
    yesterday: Days
    last_complete_date: date | None
    usual_cost_usd: Decimal | None
    last_28_days: Days
    previous_28_days: Days | None
    month: Days
    is_month_whole: bool
    findings: list[Line]
    news: str
    open_count: int
    provisional_count: int
    controls: Controls

    @property
    def is_complete(self) -> bool:
        """True if yesterday is complete in every workspace."""
        return (
            self.last_complete_date is not None
            and self.last_complete_date >= self.yesterday.first_date
        )


_HEADLINE = "from rpt_headlines where workspace_id = '(all)'"
_WORKSPACES = """
    select periods.*, health.workspace_id, health.workspace_name, health.last_batch_at
    from rpt_workspace_health as health
    left join rpt_periods as periods
        on periods.workspace_id = health.workspace_id and agent_id = '(all)' and period = 'all'
    where health.workspace_id <> '(all)'
    order by workspace_name, health.workspace_id
"""
_PERIODS = """
    select *, period_first as first_date, period_last as last_date
    from rpt_periods
    where workspace_id = '(all)'
"""
_INCOMPLETE = "from rpt_months where workspace_id = '(all)' and month = ? and state = 'incomplete'"
_HEALTH = "from rpt_workspace_health where workspace_id = '(all)'"
_CHECKS = "select check_name, is_ok from audit.check_results order by check_name"


def read_summary(con: duckdb.DuckDBPyConnection, before: Before | None = None) -> Summary:
    """Read the summary from a connection that has the page queries.

    `before` are the findings that were published on an earlier day.
    """
    head = next(iter(records(con, _HEADLINE)), {})
    as_of = (head.get("as_of") or datetime.now(UTC)).astimezone(UTC)
    today = head.get("today") or as_of.date()
    yesterday = head.get("yesterday") or today - timedelta(days=1)
    periods = {row["period"]: row for row in records(con, _PERIODS)}
    checks = records(con, _CHECKS)
    (health,) = records(con, _HEALTH)
    findings = read_findings(con, before)

    def days(period: str, first: date, last: date) -> Any:
        return _made(Days, periods.get(period, {"first_date": first, "last_date": last}))

    return Summary(
        as_of=as_of,
        timezone=head.get("timezone") or "UTC",
        first_date=periods.get("all", {}).get("period_first"),
        workspaces=[_made(Workspace, row) for row in records(con, _WORKSPACES)],
        yesterday=days("yesterday", yesterday, yesterday),
        last_complete_date=head.get("last_complete_date"),
        usual_cost_usd=head.get("usual_cost_usd"),
        last_28_days=days("recent", yesterday - timedelta(days=27), yesterday),
        previous_28_days=(
            None if head.get("previous_cost_usd") is None else _made(Days, periods["previous"])
        ),
        month=days("month", today, today),
        is_month_whole=not records(con, _INCOMPLETE, [today.replace(day=1)]),
        findings=findings,
        news=news(findings, before),
        open_count=health["open_count"],
        provisional_count=health["provisional_count"],
        controls=Controls(
            check_count=len(checks),
            failed_checks=[row["check_name"] for row in checks if not row["is_ok"]],
            unreconciled_day_count=health["unreconciled_day_count"],
            unexplained_usd=health["unreconciled_usd"],
        ),
    )


def read_findings(con: duckdb.DuckDBPyConnection, before: Before | None) -> list[Line]:
    """Read what needs a person, most urgent first; what is silenced needs nobody."""
    return [each for each in lines_of(read_rows(con), before) if each.fold != "silenced"]


def _made(kind: Any, row: Mapping[str, Any]) -> Any:
    """Make a fact of what a row knows; of what it has no count, nothing was counted."""
    known = {each.name: row.get(each.name) for each in fields(kind)}
    return kind(**{name: value for name, value in known.items() if value is not None})
