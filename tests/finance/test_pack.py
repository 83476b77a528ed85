"""The pack of a month: every file, exact and twice the same; its statement has their figures."""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from html import escape
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from analytics.export.pack import write_pack
from analytics.export.workbook import write_workbook
from analytics.finance.books.entries import ClosingFacts
from analytics.format import numbers
from tests.finance.conftest import CLOSE, DECEMBER, NOVEMBER, month_end_of
from tests.queries.invoiced import ACCOUNTS
from tests.report.browser import CHROMIUM, PHONE, Reader, browser
from tests.report.browser import WHY_NOT as NO_CHROMIUM
from tests.report.pages import Page
from tests.spreadsheets import page_sizes, read_cells, rows_of
from tests.transform.given import Warehouse

Cells = list[list[str]]
EARLY = ["=Cakes & <Co>: 2 open days, 1 open run", "Bakery: 2 open days"]


def read_csv(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def total(rows: list[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


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


def test_what_the_journal_lacks_of_the_bill_is_carried(pack: Path, november: Warehouse) -> None:
    """README and statement have its expenses with every digit, in cents, and what is carried on."""
    exact, accounts = november.row(
        "select sum(debit_usd - credit_usd), list(distinct account) from marts.fct_journal_lines"
        " where booked_month = ? and role = 'expense'", NOVEMBER,
    )  # fmt: skip
    lines = read_csv(pack / "levain-journal-2026-11.csv")
    mine = [row for row in lines if row["ACCOUNT"] in accounts]
    booked = sum(Decimal(row["DEBIT"] or 0) - Decimal(row["CREDIT"] or 0) for row in mine)
    said = (
        f"{exact:f} with every digit, {booked:f} in whole cents. Rounding carries 0.0000000000 in"
        f" from earlier months, and {exact - booked:f} on to later ones."
    )
    readme = " ".join((pack / "README.txt").read_text(encoding="utf-8").split())
    statement = read_cells(pack / "levain-2026-11.xlsx")["Statement"].values()

    assert exact != booked
    assert said in readme
    assert any(said in str(value) for value in statement)


def test_the_same_file_makes_the_same_bytes(
    pack: Path, november: Warehouse, tmp_path: Path
) -> None:
    """Packs of the same published figures and close differ in no byte."""
    write_pack(november.con, NOVEMBER, tmp_path, CLOSE)

    assert [(path.name, path.read_bytes()) for path in sorted(tmp_path.iterdir())] == [
        (path.name, path.read_bytes()) for path in sorted(pack.iterdir())
    ]


def test_the_statement_has_the_figures_of_every_file(pack: Path) -> None:
    """To book is the sum of lines and FOCUS, and each cost center has the bill of its lines."""
    page = Page(pack / "statement.html")
    lines = read_csv(pack / "lines.csv")
    focus = read_csv(pack / "levain-focus-2026-11-cost-and-usage.csv")
    own_key = total(lines, "own_key_usd")
    _, *centers, whole = page.table("month-cost-centers-table")

    assert page.headlines["To book"] == [
        numbers.usd(total(lines, "billed_usd")),
        f"and {numbers.usd(own_key)} of own-key cost, payable to providers",
    ]
    assert page.headlines["To book"][0] == numbers.usd(total(focus, "BilledCost")) == whole[-2]
    for name, *_, billed, _ in (each for each in centers if each[0] != "Rounding"):
        of = [
            each
            for each in lines
            if each["cost_center"].replace("(none)", "no cost center") == name
        ]
        assert billed == numbers.usd(total(of, "billed_usd")), name


def test_booked_is_the_journals_expense(pack: Path) -> None:
    """Statement and workbook have, by cost center and to the cent, the expense of the journal."""
    expected: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in read_csv(pack / "levain-journal-2026-11.csv"):
        if row["ACCOUNT"] == ACCOUNTS["expense"]:
            usd = Decimal(row["DEBIT"] or 0) - Decimal(row["CREDIT"] or 0)
            expected[row["COST_CENTER"] or "(none)"] += usd
    rows = rows_of(read_cells(pack / "levain-2026-11.xlsx")["Cost centers"])
    in_workbook = {row["Cost center"]: cents(f"{row['Booked']:.2f}") for row in rows}
    head, *shown = Page(pack / "statement.html").table("month-cost-centers-table")
    on_page = {row[0].replace("no cost center", "(none)"): cents(row[-1]) for row in shown}

    assert head[-1] == "Booked"
    for found in (in_workbook, on_page):
        assert found.pop("Total") == sum(expected.values())
        assert {name: usd for name, usd in found.items() if usd} == expected


def test_the_workbook_says_of_own_key_cost_whether_it_is_booked(
    november: Warehouse, tmp_path: Path
) -> None:
    """Without an account for it, own-key cost is in no entry, and the statement's sheet says so."""
    month_end = month_end_of(november, NOVEMBER)
    assert month_end.journal
    (first, *others) = month_end.journal.entries
    entries = [replace(first, kind="own_key"), *others]
    booked = replace(month_end, journal=replace(month_end.journal, entries=entries))
    for each, is_said in ((month_end, True), (booked, False)):
        write_workbook(each, tmp_path / "month.xlsx")
        texts = read_cells(tmp_path / "month.xlsx")["Statement"].values()
        assert any("not in the journal" in str(text) for text in texts) == is_said


@pytest.mark.parametrize(
    ("close_of", "state", "said"),
    [
        (None, "open · 1 open run", "Not closed: provisional (open: may still change)"),
        (
            CLOSE,
            "closed · revision 1 of 5 December 2026",
            "Closed (revision 1, 2026-12-05 08:30 UTC)",
        ),
        (
            changed(CLOSE, revision=2, early_reasons=EARLY),
            "closed early · revision 2 of 5 December 2026",
            "Closed early (revision 2, 2026-12-05 08:30 UTC)",
        ),
    ],
)
def test_every_file_for_people_says_the_state(
    november: Warehouse, close_of: ClosingFacts | None, state: str, said: str, tmp_path: Path
) -> None:
    """Statement, workbook and README say whether the month is closed, by whom, and why early."""
    write_pack(november.con, DECEMBER, tmp_path, close_of, {"readiness": "1 open run"})
    page = (tmp_path / "statement.html").read_text(encoding="utf-8")
    book = read_cells(tmp_path / "levain-2026-12.xlsx")["Statement"]

    journal = (tmp_path / "levain-journal-2026-12.csv").read_text(encoding="utf-8")

    assert f'<p class="as-of">{state}' in page
    assert ('<dl class="sign">' in page) == bool(close_of)
    assert said in book.values()
    assert ("PREVIEW" in journal) == (close_of is None)
    readme = (tmp_path / "README.txt").read_text(encoding="utf-8")
    assert f"State: {said}\n" in readme
    reasons = "; ".join(EARLY)
    is_early = state.startswith("closed early")
    assert (f"Why early: {reasons}\n" in readme) == is_early
    assert (book.get("B5") == reasons) == is_early
    assert (f"when it was closed: {escape(reasons)}." in page) == is_early
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
    statement = Page(tmp_path / "statement.html")
    assert statement.headlines["Of it adjustments of earlier months"] == ["\u2212<$0.01"]
    assert "month-adjustments" not in statement.source  # none is a cent


def test_names_are_text(pack: Path) -> None:
    """No name of the API is markup in the statement, or a formula in a CSV file."""
    page = (pack / "statement.html").read_text(encoding="utf-8")
    names = {line["workspace_name"] for line in read_csv(pack / "lines.csv")}

    assert "<script" not in page
    assert "=Cakes &amp; &lt;Co&gt;" in page
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
