"""A night in a few lines: per workspace what runs cost, how many tokens, how often they fail."""

from __future__ import annotations

from pathlib import Path

from analytics.published.sandbox import open_published
from analytics.report import numbers
from analytics.terminal import visible

_PER_WORKSPACE = """
    select
        w.workspace_name,
        coalesce(sum(d.run_count), 0)::bigint, coalesce(sum(d.failed_count), 0)::bigint,
        coalesce(sum(d.succeeded_count + d.failed_count), 0)::bigint,
        sum(d.cost_usd), sum(d.tokens_in)::bigint, sum(d.tokens_out)::bigint
    from marts.dim_workspaces as w
    left join marts.fct_workspace_days as d using (workspace_id)
    group by w.workspace_id, w.workspace_name
    order by w.workspace_name, w.workspace_id
"""


def print_summary(published: Path, site: Path) -> None:
    """Print the table, and where the reports lie, to standard output."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("Workspace")
    for name in ("Runs", "Failed", "Cost", "Tokens in", "Tokens out"):
        table.add_column(name, justify="right", no_wrap=True)
    with open_published(published) as con:
        rows = con.execute(_PER_WORKSPACE).fetchall()
    for name, runs, failed, finished, cost, tokens_in, tokens_out in rows:
        table.add_row(
            Text(visible(name)),
            numbers.count(runs) if runs else "no runs",
            numbers.failure_rate(failed, finished) if runs else "",
            numbers.usd(cost) if runs else "",
            numbers.tokens(tokens_in) if runs else "",
            numbers.tokens(tokens_out) if runs else "",
        )
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print(f"\nReports: {(site / 'index.html').resolve().as_uri()}", markup=False)
