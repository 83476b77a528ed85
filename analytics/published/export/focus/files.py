"""The datasets of a month as statements, and as files of a pack."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.errors import UsageError
from analytics.published.export.definitions import Definition, data_of_workspaces
from analytics.published.export.files import Format, write_statement
from analytics.published.export.focus import billing_period, cost_and_usage, invoice_detail
from analytics.published.export.focus.columns import (
    JSON_COLUMNS,
    Column,
    Dataset,
    Edition,
    in_edition,
    printable,
    selected,
)
from analytics.published.export.month import Statement, cut_off, month_called, workspaces_called

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from pathlib import Path

    import duckdb


class _Source(NamedTuple):
    title: str
    query: str
    columns: Sequence[Column]


_SOURCES = {
    Dataset.cost_and_usage: _Source("Cost and Usage", cost_and_usage.QUERY, cost_and_usage.COLUMNS),
    Dataset.billing_period: _Source("Billing Period", billing_period.QUERY, billing_period.COLUMNS),
    Dataset.invoice_detail: _Source("Invoice Detail", invoice_detail.QUERY, invoice_detail.COLUMNS),
}
_READING = {
    Dataset.cost_and_usage: (
        Definition(
            "How it adds up",
            "",
            "There is no line of totals. Of a month, the sums are those of its charges in "
            "fct_charges (of a closed month, as it was closed) and of the corrections in "
            "fct_charge_corrections that it books, to the last digit: BilledCost is billed_usd, "
            "ListCost cost_usd, and EffectiveCost less BilledCost own_key_usd. Nothing is rounded.",
        ),
        Definition(
            "Corrections",
            "",
            "A closed month is never changed. A later change is in the month that books it, with "
            "the day on which the cost was incurred, in ledger style: a row with the opposite sign "
            "of the charge as it was booked, and one of the charge as it is now. Usage of which "
            "nothing was booked, and a change of the bill alone, are one row with the difference.",
        ),
        Definition(
            "Invoices",
            "",
            "Credits and taxes of an invoice are in Invoice Detail alone; rows are those that the "
            "API meters and bills.",
        ),
    ),
    Dataset.billing_period: (),
    Dataset.invoice_detail: (
        Definition(
            "How it adds up",
            "",
            "A line of finance/invoices.csv is a row for the usage, one for credits and one for "
            "tax; their sum is payable. An invoice that comes after its month was closed, or "
            "changes then, is in the month that books it, with what changes.",
        ),
    ),
}
_DRAFT = Definition(
    "Draft",
    "",
    "FOCUS 1.5 is a working draft, not a ratified version: SkuPriceDetails, ConsumerId and "
    "PrincipalId may be named and defined otherwise before it is. All else is as in 1.4.",
)
_DAYS = Definition("Days", "", "All periods are in UTC, whatever the time zone of reports.")
_EMPTY = Definition("An empty cell", "", "Unknown, or not reported by the API.")


def datasets_of(edition: Edition) -> list[Dataset]:
    """Return the datasets of an edition that this module writes."""
    return [Dataset.cost_and_usage] if edition is Edition.v1_2 else list(Dataset)


def chosen(
    dataset: str | None, version: str | None, *, draft: bool, is_one_file: bool
) -> tuple[Edition, list[Dataset]]:
    """Return the edition and the datasets that options name; None is 1.4, and all.

    UsageError for what there is not, or does not go together.
    """
    editions = {None: Edition.v1_4, "1.4": Edition.v1_4, "1.2": Edition.v1_2}
    if version not in editions:
        raise UsageError(f"There is no version {version}: 1.4 or 1.2, or --draft-1.5.")
    edition = editions[version]
    if draft and edition is Edition.v1_2:
        raise UsageError("--draft-1.5 adds columns to 1.4, not to 1.2: leave one of them out.")
    if dataset in (None, "all"):
        datasets = datasets_of(edition)
    elif dataset in list(Dataset):
        datasets = [Dataset(dataset)]
    else:
        raise UsageError(f"There is no dataset {dataset}: {', '.join(Dataset)} or all.")
    if not set(datasets) <= set(datasets_of(edition)):
        raise UsageError(f"FOCUS 1.2 has no dataset {dataset}: leave --dataset or --version out.")
    if is_one_file and len(datasets) > 1:
        raise UsageError("One file holds one dataset: name it with --dataset.")
    return Edition.draft_1_5 if draft else edition, datasets


def columns_of(dataset: Dataset, edition: Edition) -> list[Column]:
    """Return the columns of a dataset in their order."""
    return in_edition(_SOURCES[dataset].columns, edition)


def is_draft(dataset: Dataset, edition: Edition) -> bool:
    """Return True if the edition is a draft, and the dataset has columns of it."""
    return edition is Edition.draft_1_5 and columns_of(dataset, edition) != columns_of(
        dataset, Edition.v1_4
    )


def title_of(dataset: Dataset) -> str:
    """Return the specification's name of a dataset."""
    return _SOURCES[dataset].title


def name_of(dataset: Dataset, edition: Edition, month: str) -> str:
    """Return the name of a file (`levain-focus-2026-10-cost-and-usage`), less its ending.

    Another edition than 1.4 is at its end.
    """
    is_other = edition is Edition.v1_2 or is_draft(dataset, edition)
    return f"levain-focus-{month}-{dataset}" + (f"-{edition}" if is_other else "")


def read_focus(
    con: duckdb.DuckDBPyConnection,
    month: str,
    workspace: str | None = None,
    dataset: Dataset = Dataset.cost_and_usage,
    edition: Edition = Edition.v1_4,
    closed_at: datetime | None = None,
) -> Statement:
    """Read a dataset of a UTC month (`2026-10`), of all workspaces or of one, in US dollars.

    `closed_at` is the instant of the close that reads it, which the published file does not know.
    UsageError for an unknown workspace, and for a month without figures.
    """
    workspace_ids = workspaces_called(con, workspace)
    first = month_called(con, month, workspace_ids)
    return _statement(con, first, workspace_ids, dataset, edition, closed_at)


def write_focus(
    con: duckdb.DuckDBPyConnection,
    month: date,
    folder: Path,
    workspace_ids: list[str],
    closed_at: datetime | None = None,
) -> dict[Path, str]:
    """Write the datasets of 1.4, and that of 1.2, as CSV; return what each file is.

    Each has its definitions beside it. The folder exists; `closed_at` is as in `read_focus`.
    """
    written = {}
    for edition in (Edition.v1_4, Edition.v1_2):
        for dataset in datasets_of(edition):
            statement = _statement(con, month, workspace_ids, dataset, edition, closed_at)
            file = folder / f"{name_of(dataset, edition, f'{month:%Y-%m}')}.csv"
            lines, definitions = write_statement(statement, Format.csv, file)
            written[lines] = f"{title_of(dataset)} of FOCUS {edition}."
            written[definitions] = "The meaning of its columns."
    return written


def _statement(
    con: duckdb.DuckDBPyConnection,
    month: date,
    workspace_ids: list[str],
    dataset: Dataset,
    edition: Edition,
    closed_at: datetime | None,
) -> Statement:
    import polars as pl

    source, columns = _SOURCES[dataset], columns_of(dataset, edition)
    sql = source.query.format(columns=selected(columns))
    given = {"month": month, "workspace_ids": workspace_ids, "closed_at": closed_at}
    parameters = {name: value for name, value in given.items() if f"${name}" in sql}
    lines = pl.DataFrame(con.sql(sql, params=parameters)).with_columns(
        pl.col(each.name).map_elements(printable, pl.String)
        for each in columns
        if each.name in JSON_COLUMNS
    )
    version = "1.4" if edition is Edition.draft_1_5 else edition
    format_note = Definition(
        "FOCUS",
        "",
        f"The dataset {source.title} of the FinOps Open Cost and Usage Specification, version "
        f"{version}. Columns that begin with x_ are our own.",
    )
    return Statement(
        month,
        cut_off(con, workspace_ids),
        lines,
        [
            format_note,
            *([_DRAFT] if is_draft(dataset, edition) else []),
            *_READING[dataset],
            _DAYS,
            _EMPTY,
            *data_of_workspaces(con, month, workspace_ids),
            *(Definition(each.name, "", each.meaning) for each in columns),
        ],
        is_for_people=False,
    )
