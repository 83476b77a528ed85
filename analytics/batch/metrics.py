"""The state of the batch for Prometheus: a file that node_exporter's textfile collector reads.

Times are Unix seconds, shares are ratios, money has every digit. A value that is not known is left
out, since a gauge has no other way to say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from analytics import __version__
from analytics.errors import AnalyticsError
from analytics.files import replace
from analytics.terminal import escaped
from analytics.transform.page_queries import over_queries
from analytics.warehouse.database import open_marts, records

if TYPE_CHECKING:
    from analytics.batch.last_batch import LastBatch
    from analytics.settings import Settings
    from analytics.warehouse.layout import Layout

PREFIX = "levain_analytics_"

_WORKSPACES = """
    select
        health.workspace_id,
        health.workspace_name as workspace,
        health.last_batch_at,
        health.unexplained_usd,
        months.cost_usd,
        (months.unlisted_run_count / nullif(months.run_count, 0))::decimal(18, 10) as unlisted_ratio
    from reports.rpt_workspace_health as health
    left join marts.fct_workspace_months as months
        on
            months.workspace_id = health.workspace_id
            and months.month = (
                select date_trunc('month', max(last_batch_date)) from marts.dim_workspaces
            )
    where health.workspace_id <> '(all)'
    order by health.workspace_id
"""
_BUDGETS = """
    select scope, name, workspace_id, budget_usd, remaining_usd
    from marts.fct_budgets
    where month = (
        select date_trunc('month', max(last_batch_at at time zone 'UTC')) from marts.dim_workspaces
    )
    order by scope, name, workspace_id
"""
_CHECKS = """
    select if(is_ok, 'passed', 'failed') as result, count(*) as count
    from audit.check_results
    group by result
"""
_OF_WORKSPACES = {
    "data_timestamp_seconds": (
        "To when the published figures of a workspace reach.",
        "last_batch_at",
    ),
    "unexplained_usd": (
        "Metered cost that nothing explains, of days that are not open, by agent without its sign.",
        "unexplained_usd",
    ),
    "month_unlisted_run_ratio": (
        "Share of the runs of this month that no list showed.",
        "unlisted_ratio",
    ),
    "month_cost_usd": ("Cost of this month to date, at list price.", "cost_usd"),
}
_OF_BUDGETS = {
    "month_budget_usd": ("Budget of this UTC month.", "budget_usd"),
    "month_budget_remaining_usd": (
        "Budget of this UTC month that is left; negative if it is exceeded.",
        "remaining_usd",
    ),
}

Value = Decimal | float | datetime | None


@dataclass(frozen=True, slots=True)
class _Gauge:
    """A family of samples: each has labels and a value."""

    name: str
    meaning: str
    samples: Sequence[tuple[Mapping[str, str], Value]]

    def lines(self) -> Iterator[str]:
        """Yield the family in the text format; nothing if no value of it is known."""
        known = [(labels, value) for labels, value in self.samples if value is not None]
        if known:
            yield f"# HELP {PREFIX}{self.name} {self.meaning}"
            yield f"# TYPE {PREFIX}{self.name} gauge"
        for labels, value in known:
            yield f"{PREFIX}{self.name}{_labels(labels)} {_number(value)}"


def write_metrics(settings: Settings, layout: Layout, batch: LastBatch) -> None:
    """Replace the file of metrics by the state after a batch; OSError if it cannot be.

    It may be read by those who may read what is published.
    """
    families = [*_of_batch(batch), *_of_published(layout, batch)]
    text = "".join(f"{line}\n" for each in families for line in each.lines())
    replace(layout.metrics, text.encode(), int(settings.publish.mode, 8))


def _of_batch(batch: LastBatch) -> Iterator[_Gauge]:
    def gauge(name: str, meaning: str, value: Value) -> _Gauge:
        return _Gauge(name, meaning, [({}, value)])

    yield _Gauge("info", "Release that wrote this file.", [({"version": __version__}, 1)])
    yield gauge("batch_start_timestamp_seconds", "When the last batch started.", batch.started_at)
    yield gauge("batch_end_timestamp_seconds", "When the last batch ended.", batch.ended_at)
    yield gauge("batch_exit_code", "Exit code of the last batch, 0 if it is good.", batch.exit_code)
    yield gauge(
        "batch_last_success_timestamp_seconds", "When the last good batch ended.", batch.good_at
    )
    yield _Gauge(
        "batch_stage_duration_seconds",
        "Time that a stage of the last batch took; loading is part of the extract too.",
        [({"stage": stage}, seconds) for stage, seconds in batch.seconds.items()],
    )


def _of_published(layout: Layout, batch: LastBatch) -> Iterator[_Gauge]:
    """Yield figures of the published file, and the results of the last checks, published or not."""
    checks, workspaces, budgets = _rows(layout.published, _CHECKS, _WORKSPACES, _BUDGETS)
    if "publish" not in batch.seconds:
        (of_built,) = _rows(layout.marts, _CHECKS)
        checks = of_built or checks
    if counts := {row["result"]: row["count"] for row in checks}:
        yield _Gauge(
            "checks",
            "Checks by their result when they were last run, also if that blocked publishing.",
            [({"result": each}, counts.get(each, 0)) for each in ("passed", "failed")],
        )
    for name, (meaning, column) in _OF_WORKSPACES.items():
        yield _Gauge(
            name,
            meaning,
            [(_named(row, "workspace", "workspace_id"), row[column]) for row in workspaces],
        )
    for name, (meaning, column) in _OF_BUDGETS.items():
        yield _Gauge(
            name,
            meaning,
            [(_named(row, "scope", "name", "workspace_id"), row[column]) for row in budgets],
        )


def _rows(file: Path, *queries: str) -> list[list[dict[str, Any]]]:
    """Return the rows of each query; none of any if the file lacks them, or cannot be read."""
    with suppress(duckdb.Error, AnalyticsError), open_marts(file) as con:
        return [records(con, over_queries(con, sql)) for sql in queries]
    return [[] for _ in queries]


def _named(row: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: str(row[name]) for name in names}


def _labels(labels: Mapping[str, str]) -> str:
    """Return labels in braces; names of others stay on their line."""
    if not labels:
        return ""
    pairs = (
        (name, escaped(text).replace("\\", r"\\").replace('"', r"\""))
        for name, text in labels.items()
    )
    return "{" + ",".join(f'{name}="{text}"' for name, text in pairs) + "}"


def _number(value: Value) -> str:
    """Return a number in plain digits."""
    if isinstance(value, datetime):
        value = value.timestamp()
    return format(value, "f") if isinstance(value, Decimal) else str(value)
