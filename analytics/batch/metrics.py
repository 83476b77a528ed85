"""The state of the batch for Prometheus: a file that node_exporter's textfile collector reads.

Times are Unix seconds, shares are ratios, money has every digit. A value that is not known is left
out, since a gauge has no other way to say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb

from analytics import __version__
from analytics.errors import AnalyticsError
from analytics.files import replace
from analytics.terminal import escaped
from analytics.transform.page_queries import over_queries
from analytics.warehouse.database import open_marts, records

if TYPE_CHECKING:
    from analytics.batch.last_batch import LastBatch
    from analytics.warehouse.layout import Layout

PREFIX = "levain_analytics_"

# A column is a label, or the value of the gauge with its name.
_WORKSPACES = """
    select
        health.workspace_id,
        health.workspace_name as workspace,
        health.last_batch_at as data_timestamp_seconds,
        health.unexplained_usd,
        months.cost_usd as month_cost_usd,
        (months.unlisted_run_count / nullif(months.run_count, 0))::decimal(18, 10)
            as month_unlisted_run_ratio
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
    select
        scope, name, workspace_id, budget_usd as month_budget_usd,
        remaining_usd as month_budget_remaining_usd
    from marts.fct_budgets
    where month = (
        select date_trunc('month', max(last_batch_at at time zone 'UTC')) from marts.dim_workspaces
    )
    order by scope, name, workspace_id
"""
_CHECKS = """
    select unnest(['passed', 'failed']) as result,
        unnest([count(*) filter (is_ok), count(*) filter (not is_ok)]) as checks
    from audit.check_results
    having count(*) > 0
"""
_MEANINGS = {
    "info": "Release that wrote this file.",
    "batch_start_timestamp_seconds": "When the last batch started.",
    "batch_end_timestamp_seconds": "When the last batch ended.",
    "batch_exit_code": "Exit code of the last batch, 0 if it is good.",
    "batch_last_success_timestamp_seconds": "When the last good batch ended.",
    "batch_stage_duration_seconds": "Time that a stage of the last batch took; loading is part of"
    " the extract too.",
    "checks": "Checks by their result when they were last run, also if that blocked publishing.",
    "data_timestamp_seconds": "To when the published figures of a workspace reach.",
    "unexplained_usd": "Metered cost that nothing explains, of days that are not open, by agent"
    " without its sign.",
    "month_unlisted_run_ratio": "Share of the runs of this month that no list showed.",
    "month_cost_usd": "Cost of this month to date, at list price.",
    "month_budget_usd": "Budget of this UTC month.",
    "month_budget_remaining_usd": "Budget of this UTC month that is left; negative if it is"
    " exceeded.",
}
"""Each gauge, in order."""

Row: TypeAlias = Mapping[str, Any]


def write_metrics(layout: Layout, batch: LastBatch, mode: int) -> None:
    """Replace the file of metrics by the state after a batch; OSError if it cannot be.

    It may be read by those who may read what is published.
    """
    rows = [*_of_batch(batch), *_of_published(layout, batch)]
    lines = (line for name in _MEANINGS for line in _family(name, rows))
    replace(layout.metrics, "".join(lines).encode(), mode)


def _of_batch(batch: LastBatch) -> Iterator[Row]:
    yield {"info": 1, "version": __version__}
    yield {
        "batch_start_timestamp_seconds": batch.started_at,
        "batch_end_timestamp_seconds": batch.ended_at,
        "batch_exit_code": batch.exit_code,
        "batch_last_success_timestamp_seconds": batch.good_at,
    }
    for stage, seconds in batch.seconds.items():
        yield {"batch_stage_duration_seconds": seconds, "stage": stage}


def _of_published(layout: Layout, batch: LastBatch) -> Iterator[Row]:
    """Yield figures of the published file, and the results of the last checks, published or not."""
    checks, workspaces, budgets = _rows(layout.published_file, _CHECKS, _WORKSPACES, _BUDGETS)
    if "publish" not in batch.seconds:
        (of_built,) = _rows(layout.marts, _CHECKS)
        checks = of_built or checks
    yield from (*checks, *workspaces, *budgets)


def _rows(file: Path, *queries: str) -> list[list[dict[str, Any]]]:
    """Return the rows of each query; none of any if the file lacks them, or cannot be read."""
    with suppress(duckdb.Error, AnalyticsError), open_marts(file) as con:
        return [records(con, over_queries(con, sql)) for sql in queries]
    return [[] for _ in queries]


def _family(name: str, rows: list[Row]) -> Iterator[str]:
    """Yield the lines of a gauge in the text format; none if no value of it is known."""
    known = [row for row in rows if row.get(name) is not None]
    if known:
        yield f"# HELP {PREFIX}{name} {_MEANINGS[name]}\n# TYPE {PREFIX}{name} gauge\n"
    for row in known:
        labels = ",".join(
            f'{label}="{_label(row[label])}"' for label in row if label not in _MEANINGS
        )
        yield f"{PREFIX}{name}{f'{{{labels}}}' if labels else ''} {_number(row[name])}\n"


def _label(value: str) -> str:
    """Return a text within quotes; names of others stay on their line."""
    return escaped(value).replace("\\", r"\\").replace('"', r"\"")


def _number(value: Decimal | float | datetime) -> str:
    """Return a number in plain digits."""
    if isinstance(value, datetime):
        value = value.timestamp()
    return format(value, "f") if isinstance(value, Decimal) else str(value)
