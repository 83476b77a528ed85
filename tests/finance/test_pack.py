"""The pack of a month: every file, exact and twice the same, and a statement that adds up."""

from __future__ import annotations

import csv
import re
import shutil
from dataclasses import replace
from decimal import Decimal
from html import escape, unescape
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from analytics.finance.books.entries import ClosingFacts
from analytics.published.export.pack import write_pack
from analytics.published.export.statement_page import statement_page
from tests.finance.conftest import CLOSE, DECEMBER, NOVEMBER, OTHER, month_end_of
from tests.queries.closing import close
from tests.queries.invoiced import ACCOUNTS, owned
from tests.queries.metered import asked, metered
from tests.report.browser import CHROMIUM, PHONE, Reader, browser
from tests.report.browser import WHY_NOT as NO_CHROMIUM
from tests.spreadsheets import page_sizes, read_cells, rows_of
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

Cells = list[list[str]]
_SECTION = re.compile(r'<section[^>]* aria-labelledby="([^"]*)"(.*?)</section>', re.DOTALL)
_CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)
EARLY = ["=Cakes & <Co>: 2 open days, 1 open run", "Bakery: 2 open days"]


def read_csv(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def total(rows: list[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


def tables_of(page: str) -> dict[str, Cells]:
    """Return the tables of a page by the section that they stand in: rows of texts."""
    return {
        name: [
            [unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(_CELL, row)]
            for row in section.split("<tr")[1:]
        ]
        for name, section in re.findall(_SECTION, page)
    }


def cents(text: str) -> Decimal:
    """A printed amount; nothing, and less than a cent, is 0."""
    plain = text.replace("\u2212", "-").replace("$", "").replace(",", "").replace("+", "")
    return Decimal("0.00") if not plain or "<" in plain else Decimal(plain)


def test_every_file_is_named(pack: Path) -> None:
    """README.txt names every file of the folder, and the manifest that is added last; no other."""
    files = {path.relative_to(pack).as_posix() for path in pack.rglob("*") if path.is_file()}
    text = (pack / "README.txt").read_text(encoding="utf-8")
    named = {line.split("  ")[0] for line in text.split("\n\n")[2].splitlines()}

    assert named | {"README.txt"} == files | {"manifest.json"}
    assert files == {
        "README.txt", "levain-2026-11.xlsx", "levain-focus-2026-11-billing-period.csv",
        "levain-focus-2026-11-cost-and-usage.csv", "levain-focus-2026-11-invoice-detail.csv",
        "levain-journal-2026-11.csv", "lines.csv", "reconciliation.csv", "statement.html",
    }  # fmt: skip
    assert "How it adds up\n  The books are kept in UTC months of the meter" in text
    assert "Workspace Bakery\n  closed: booked; " in text


def test_files_add_up_to_the_marts(pack: Path, november: Warehouse) -> None:
    """Lines and FOCUS are the closed lines, to the last digit."""
    (ours,) = november.rows(
        "select sum(billed_usd), sum(surcharge_usd), sum(own_key_usd), sum(metered_cost_usd)"
        " from finance.closed_lines where usage_month = ?",
        NOVEMBER,
    )
    columns = ("billed_usd", "surcharge_usd", "own_key_usd", "metered_cost_usd")
    lines = read_csv(pack / "lines.csv")

    assert tuple(total(lines, name) for name in columns) == ours
    assert list(lines[0])[5] == "billed_usd"
    focus = read_csv(pack / "levain-focus-2026-11-cost-and-usage.csv")
    assert total(focus, "BilledCost") == ours[0]


def test_the_same_file_makes_the_same_bytes(
    pack: Path, november: Warehouse, tmp_path: Path
) -> None:
    """Packs of the same published figures and close differ in no byte."""
    write_pack(november.con, NOVEMBER, tmp_path, CLOSE)

    assert [(path.name, path.read_bytes()) for path in sorted(tmp_path.iterdir())] == [
        (path.name, path.read_bytes()) for path in sorted(pack.iterdir())
    ]


def test_what_to_book_is_the_journal(pack: Path, november: Warehouse) -> None:
    """Debits and credits of the page are those of the file; own-key cost may be in no entry."""
    rows = read_csv(pack / "levain-journal-2026-11.csv")
    page = (pack / "statement.html").read_text(encoding="utf-8")
    tables = tables_of(page)
    (whole,) = (row for row in tables["bookings"] if row[0] == "Total")

    assert whole[3] == whole[4]
    debit, credit = (sum(Decimal(each[name] or 0) for each in rows) for name in ("DEBIT", "CREDIT"))
    assert cents(whole[3]) == debit == credit > 0
    assert {each["STATE"] for each in rows} == {"closed"}
    assert page.count("not in the journal") == 2
    expense, *carried, to_book = tables["bookings"][tables["bookings"].index(whole) + 1 :]
    assert cents(expense[3]) == sum(
        Decimal(row["DEBIT"] or 0) - Decimal(row["CREDIT"] or 0)
        for row in rows
        if row["ACCOUNT"] == ACCOUNTS["expense"]
    )
    assert [row[0] for row in carried] in ([], ["Carried forward"])
    assert cents(to_book[3]) == sum(cents(row[3]) for row in (expense, *carried))
    assert to_book[3] == next(row[3] for row in tables["lines"] if row[0] == "Total to book")

    month_end = month_end_of(november, NOVEMBER)
    assert month_end.journal
    (first, *others) = month_end.journal.entries
    entries = [replace(first, kind="own_key"), *others]
    with_own_key = replace(month_end, journal=replace(month_end.journal, entries=entries))
    assert "not in the journal" not in statement_page(with_own_key)


def test_what_rounding_leaves_is_said(tmp_path: Path) -> None:
    """Where journal or headlines do not add up to the total to book, a line has the difference."""
    with empty_warehouse(tmp_path) as warehouse:
        warehouse.insert("ledger.workspaces", workspace_id=OTHER, workspace_name="Other")
        warehouse._con.execute("update ledger.workspaces set last_batch_at = '2026-12-12 05:00Z'")
        owned(warehouse)
        for workspace_id in (WORKSPACE, OTHER):
            asked(warehouse, "2026-10-31", "2026-12-12", workspace_id)
            metered(warehouse, date="2026-11-10", cost_usd="1.004", workspace_id=workspace_id)
        close(warehouse, NOVEMBER)
        warehouse._con.execute("update raw.agent_billing_days set billed_usd = billed_usd + 0.0022")
        metered(warehouse, date="2026-12-10", cost_usd="1.0049")
        warehouse.build_all()
        november, december = (
            statement_page(month_end_of(warehouse, month)) for month in (NOVEMBER, DECEMBER)
        )

    assert [row[::3] for row in tables_of(november)["bookings"][-3:]] == [
        ["Of it expense, debit less credit", "$2.00"], ["Carried forward", "$0.01"],
        ["Total to book", "$2.01"],
    ]  # fmt: skip
    facts = re.findall(r"<dd[^>]*>(.*?)</dd>", december, re.DOTALL)
    assert "rounding +$0.01" in [unescape(re.sub("<[^>]*>|\u2060", "", each)) for each in facts]


@pytest.mark.parametrize(
    ("close_of", "state", "said"),
    [
        (None, "not closed: provisional", "Not closed: provisional (open: may still change)"),
        (CLOSE, "closed", "Closed (revision 1, 2026-12-05 08:30 UTC)"),
        (
            changed(CLOSE, revision=2, early_reasons=EARLY),
            "closed early",
            "Closed early (revision 2, 2026-12-05 08:30 UTC)",
        ),
    ],
)
def test_every_file_for_people_says_the_state(
    november: Warehouse, close_of: ClosingFacts | None, state: str, said: str, tmp_path: Path
) -> None:
    """Statement, workbook and README say whether the month is closed, by whom, and why early."""
    write_pack(november.con, DECEMBER, tmp_path, close_of)
    page = (tmp_path / "statement.html").read_text(encoding="utf-8")
    book = read_cells(tmp_path / "levain-2026-12.xlsx")["Statement"]

    journal = (tmp_path / "levain-journal-2026-12.csv").read_text(encoding="utf-8")

    assert said in page
    assert f'content: "{state}"' in page
    assert said in book.values()
    assert ("PREVIEW" in journal) == (close_of is None)
    readme = (tmp_path / "README.txt").read_text(encoding="utf-8")
    assert f"State: {said}\n" in readme
    reasons = "; ".join(EARLY)
    is_early = state == "closed early"
    assert (f"Why early: {reasons}\n" in readme) == is_early
    assert (book.get("B5") == reasons) == is_early
    assert (f"<bdi>{escape(reasons)}</bdi>" in page) == is_early
    assert ("M. Baker &amp; &lt;b&gt;Co&lt;/b&gt;" in page) == bool(close_of)


def test_an_adjustment_is_booked_in_the_next_month(november: Warehouse, tmp_path: Path) -> None:
    """A correction of a closed month leaves its pack as it was, and stands in that of the next."""
    before, after = (month_end_of(november, month) for month in (NOVEMBER, DECEMBER))
    write_pack(november.con, DECEMBER, tmp_path, None)
    sheet = read_cells(tmp_path / "levain-2026-12.xlsx")["Adjustments and accruals"]
    line, _ = rows_of(sheet, head=2)

    assert before.adjustments["billed_usd"] == 0
    assert after.adjustments["billed_usd"] == Decimal("-0.0000000015")
    assert after.to_book["billed_usd"] == Decimal("-0.0000000015")
    assert (line["Usage month"], line["Cause"]) == ("2026-11", "bill_corrected")
    assert line["Difference billed"] == -1.5e-9
    assert "No cost and no run in this month." in statement_page(after)


def test_printed_amounts_add_up(pack: Path) -> None:
    """In every printed table with a total, the lines and their rounding add up to it."""
    tables = tables_of((pack / "statement.html").read_text(encoding="utf-8"))
    head, *rows = tables["lines"]
    amounts = [place for place, label in enumerate(head) if label in {
        "Billed", "Surcharge", "Own-key cost", "Metered cost"
    }]  # fmt: skip

    def add(rows: Cells, place: int) -> Decimal:
        return sum((cents(row[place]) for row in rows), Decimal(0))

    assert len(amounts) == 4
    assert any(row[0] == "Rounding" for row in rows)
    parts: Cells = []
    subtotals: Cells = []
    for row in rows:
        if row[0].startswith("Total "):
            of = [*subtotals, *parts] if row[0] == "Total November 2026" else parts
            for place in amounts:
                assert add(of, place) == cents(row[place]), (row[0], head[place])
            subtotals.append(row)
            parts = [row] if row[0] == "Total November 2026" else []
        elif len(row) > 1:
            parts.append(row)
    _, *centers, whole = tables["cost-centers"]
    for place in range(1, 5):
        assert add(centers, place) == cents(whole[place])


def test_the_equation_adds_up(pack: Path) -> None:
    """What the totals lead to is the bill, rounding included."""
    page = (pack / "statement.html").read_text(encoding="utf-8")
    equation = page[page.index("Metered cost $") : page.index(" = billed $")]
    first, *others = re.findall(r"([+\u2212]?)[^$+\u2212]*\$([0-9,.]+)", equation)
    assert first[0] == ""
    signed = [cents(f"{sign}{amount}") for sign, amount in (first, *others)]
    assert sum(signed) == cents(page.split(" = billed ")[1].split(".</p>")[0])


def test_names_are_text(pack: Path) -> None:
    """No name of the API is markup in the statement, or a formula in a CSV file."""
    page = (pack / "statement.html").read_text(encoding="utf-8")
    names = {line["workspace_name"] for line in read_csv(pack / "lines.csv")}

    assert "<script" not in page
    assert "=cmd()|&#39;/c calc&#39;!A0 &lt;script&gt;" in page
    assert names == {"'=Cakes & <Co>", "Bakery"}


@pytest.mark.skipif(not CHROMIUM, reason=NO_CHROMIUM)
def test_the_statement_in_a_browser(pack: Path, tmp_path: Path) -> None:
    """The statement needs no other file, fits a phone, has no fault for axe, and prints on A4."""
    page = shutil.copy(pack / "statement.html", tmp_path / "alone.html")
    with browser() as opened:
        for context in ({}, {"viewport": PHONE, "color_scheme": "dark"}):
            reader = Reader(opened, **context)
            reader.page.goto(Path(page).as_uri())
            width = reader.page.evaluate("document.documentElement.scrollWidth")
            assert width <= reader.page.viewport_size["width"]  # type: ignore[index]
            assert reader.faults() == []
            reader.page.pdf(path=tmp_path / "printed.pdf", prefer_css_page_size=True)
            assert reader.complaints == []
            reader.close()

    assert {*page_sizes(tmp_path / "printed.pdf")} == {(595, 842)}
