"""The statement of a month as one HTML file: the page of the month, to read and to print on A4."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import localcontext
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from analytics import __version__
from analytics.export.month import cut_off
from analytics.files import folder
from analytics.format import days
from analytics.format.names import ALL
from analytics.report.entities import QUERIES, Entities, Entity
from analytics.report.pages import Pages
from analytics.report.rendering import About
from analytics.report.site import DIGITS
from analytics.report.spec import read_pages
from analytics.transform.page_queries import create_queries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import duckdb

    from analytics.finance.books.entries import ClosingFacts


def statement_page(
    con: duckdb.DuckDBPyConnection,
    month: date,
    closing: ClosingFacts | None,
    readiness: Mapping[str, Any],
) -> str:
    """Return the page of a month of all workspaces, which needs no other file and runs no script.

    With a close, it says so: the published tables are from before. `readiness` is what it says of a
    month that is not closed.
    """
    page = read_pages()["month"]
    relations = {*page.data, *(part.data for part in page.parts)}
    con.execute("set variable is_closing = ?", [closing is not None])  # the books may begin with it
    create_queries(con, [*QUERIES, *(f"reports.{name}" for name in sorted(relations))])
    entities = Entities(con)
    known = entities.months.get((ALL, month)) or _without_runs(month)
    ((timezone,),) = con.execute(
        "select coalesce(max(reporting_timezone), 'UTC') from marts.dim_workspaces"
    ).fetchall()
    said = _closed(con, closing) if closing else readiness
    as_of = cut_off(con) or datetime.combine(month, time(), UTC)
    about = About(as_of, __version__, timezone, of_months={(ALL, month): dict(said)})
    style = (folder("reports") / "assets" / "style.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'"
    with localcontext(prec=DIGITS):
        return Pages(con, page, {}, entities, about).html(
            replace(known, path=""),
            style=Markup(style),  # noqa: S704 - our own file
            policy=Markup(f"{policy}; form-action 'none'"),  # noqa: S704 - its quotes are single ones
            scripts=[],
            definitions_href="",
        )


def _without_runs(month: date) -> Entity:
    """Return a month of which the books have adjustments alone."""
    row = {"month": month, "workspace_name": "All workspaces", "last_date": None}
    return Entity("month", ALL, ALL, days.month_in_words(month), "", row, month)


def _closed(con: duckdb.DuckDBPyConnection, closing: ClosingFacts) -> dict[str, Any]:
    """Return what the published page will say of the close, but for the hash of its manifest."""
    loads = (folder("queries") / "books" / "loads.sql").read_text(encoding="utf-8")
    ((last_load_id, file_count),) = con.execute(
        f"select max(load_id), count(file_name) from ({loads})", {"month": closing.first_day}
    ).fetchall()
    return {
        "book_state": "closed early" if closing.is_early else "closed",
        "revision": closing.revision,
        "closed_on": closing.closed_at.date(),
        "prepared_by": closing.prepared_by,
        "approved_by": closing.approved_by,
        "early_reasons": "; ".join(closing.early_reasons) or None,
        "last_load_id": last_load_id,
        "file_count": file_count,
    }
