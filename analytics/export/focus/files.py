"""The datasets of a month as CSV files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.export.files import write_csv
from analytics.export.focus import billing_period, cost_and_usage, invoice_detail
from analytics.export.focus.columns import (
    JSON_COLUMNS,
    Column,
    Dataset,
    printable,
    selected,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    import duckdb
    import polars as pl

    from analytics.finance.books.entries import ClosingFacts


class Source(NamedTuple):
    """A dataset: its name in the specification, the query of its rows, and its columns."""

    title: str
    query: str
    columns: Sequence[Column]


SOURCES = {
    Dataset.cost_and_usage: Source("Cost and Usage", cost_and_usage.QUERY, cost_and_usage.COLUMNS),
    Dataset.billing_period: Source("Billing Period", billing_period.QUERY, billing_period.COLUMNS),
    Dataset.invoice_detail: Source("Invoice Detail", invoice_detail.QUERY, invoice_detail.COLUMNS),
}


def file_name(dataset: Dataset, month: str) -> str:
    """Return the name of a dataset's file (`levain-focus-2026-10-cost-and-usage.csv`)."""
    return f"levain-focus-{month}-{dataset}.csv"


def write_focus(
    con: duckdb.DuckDBPyConnection,
    month: date,
    folder: Path,
    closing: ClosingFacts | None = None,
) -> dict[Path, str]:
    """Write the datasets of a UTC month, named by its first day; return what each file is.

    The folder exists; `closing` is as in `read_focus`.
    """
    written = {}
    for dataset, source in SOURCES.items():
        file = folder / file_name(dataset, f"{month:%Y-%m}")
        write_csv(file, read_focus(con, month, dataset, closing), is_for_people=False)
        written[file] = f"{source.title} of FOCUS 1.4."
    return written


def read_focus(
    con: duckdb.DuckDBPyConnection,
    month: date,
    dataset: Dataset,
    closing: ClosingFacts | None = None,
) -> pl.DataFrame:
    """Read a dataset of a UTC month, named by its first day, in US dollars.

    `closing` is the close that reads it, which the published file does not know.
    """
    import polars as pl

    source = SOURCES[dataset]
    sql = source.query.format(columns=selected(source.columns))
    given = {
        "month": month,
        "closed_at": closing and closing.closed_at,
        "early_reasons": closing and closing.early_reasons,
    }
    parameters = {name: value for name, value in given.items() if f"${name}" in sql}
    return pl.DataFrame(con.sql(sql, params=parameters)).with_columns(
        pl.col(each.name).map_elements(printable, pl.String)
        for each in source.columns
        if each.name in JSON_COLUMNS
    )
