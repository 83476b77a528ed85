"""FOCUS, the FinOps Foundation's format for cost and usage: a month's bill for FinOps tools.

Each dataset of version 1.4 is a SELECT of `queries/focus/`; https://focus.finops.org
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from analytics.export.files import write_csv
from analytics.files import folder
from analytics.transform.parsing import renamed

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import duckdb

    from analytics.finance.books.entries import ClosingFacts


class Dataset(StrEnum):
    """Datasets of FOCUS 1.4."""

    cost_and_usage = "cost-and-usage"
    billing_period = "billing-period"
    invoice_detail = "invoice-detail"


TITLES = {
    Dataset.cost_and_usage: "Cost and Usage",
    Dataset.billing_period: "Billing Period",
    Dataset.invoice_detail: "Invoice Detail",
}
"""Names of the datasets in the specification."""

_OF_JSON = {"Tags", "SkuPriceDetails", "InvoiceDetailGrain"}


def file_name(dataset: Dataset, month: str) -> str:
    """Return the name of a dataset's file (`levain-focus-2026-10-cost-and-usage.csv`)."""
    return f"levain-focus-{month}-{dataset}.csv"


def write_focus(
    con: duckdb.DuckDBPyConnection, month: date, folder: Path, closing: ClosingFacts | None = None
) -> dict[Path, str]:
    """Write the datasets of a UTC month, named by its first day; return what each file is.

    The folder exists; `closing` is as in `read_focus`.
    """
    written = {}
    for dataset, title in TITLES.items():
        file = folder / file_name(dataset, f"{month:%Y-%m}")
        write_csv(file, read_focus(con, month, dataset, closing), is_for_people=False)
        written[file] = f"{title} of FOCUS 1.4."
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
    sql = renamed(_query(dataset), {"focus.cost_and_usage": f"({_query(Dataset.cost_and_usage)})"})
    given = {
        "month": month,
        "closed_at": closing and closing.closed_at,
        "early_reasons": closing and closing.early_reasons,
    }
    parameters = {name: value for name, value in given.items() if f"${name}" in sql}
    frame = pl.DataFrame(con.sql(sql, params=parameters))
    names = _OF_JSON.intersection(frame.columns)
    return frame.with_columns(pl.col(name).map_elements(_printable, pl.String) for name in names)


def _query(dataset: Dataset) -> str:
    return (folder("queries") / "focus" / f"{dataset.name}.sql").read_text(encoding="utf-8")


def _printable(text: str) -> str:
    """Return JSON without unprintable characters, which files escape otherwise than JSON does."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)
