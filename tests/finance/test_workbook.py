"""The workbook of a month: its sums are formulas, equal to ours, and print on a page."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from analytics.export.month import TABLES
from analytics.export.workbook import write_workbook
from tests.finance.conftest import HOSTILE, NOVEMBER, OTHER, month_end_of
from tests.spreadsheets import (
    OFFICE,
    WHY_NOT,
    calculated,
    converted,
    only_first_sheet,
    page_sizes,
    read_cells,
    rows_of,
)
from tests.transform.given import WORKSPACE, Warehouse

office = pytest.mark.skipif(not OFFICE, reason=WHY_NOT)
SUMS = {
    "E": "billed_usd", "F": "surcharge_usd", "G": "own_key_usd", "H": "metered_cost_usd",
    "I": "run_count", "J": "succeeded_count", "K": "failed_count",
}  # fmt: skip


@pytest.fixture(scope="module")
def workbook(pack: Path) -> Path:
    return pack / "levain-2026-11.xlsx"


@pytest.fixture(scope="module")
def statement(workbook: Path) -> dict[str, Any]:
    return read_cells(workbook)["Statement"]


def row_called(statement: dict[str, Any], name: str) -> int:
    """The row of the statement whose first cell is this text."""
    (found,) = [cell for cell, value in statement.items() if value == name]
    return int(found.removeprefix("A"))


def test_the_first_sheet_is_the_statement(statement: dict[str, Any]) -> None:
    """Its head has entity, period, state, who prepared and approved it; billed is the first sum."""
    heads = [statement[f"{column}6"] for column in "ABCDEFGH"]

    assert statement["A1"] == "Statement of cost, November 2026"
    assert {"Entity", "Period", "State", "Prepared by", "Approved by", "Data cut-off"} <= {
        *statement.values()
    }
    assert "Closed (revision 1, 2026-12-05 08:30 UTC)" in statement.values()
    assert "M. Baker & <b>Co</b>" in statement.values()
    assert heads[:5] == ["Workspace", "Agent", "Owner", "Cost center", "Billed"]
    assert "payable to the provider" in heads[6]


def test_every_sum_is_a_formula_of_our_value(
    workbook: Path, statement: dict[str, Any], november: Warehouse
) -> None:
    """Subtotals and totals are SUM formulas, and their values those of the marts."""
    formulas = read_cells(workbook, "f")["Statement"]
    total = row_called(statement, "Total November 2026")
    for name, workspace_id in (("Bakery", WORKSPACE), ("=Cakes & <Co>", OTHER)):
        row = row_called(statement, f"Total {name}")
        for column, measure in SUMS.items():
            (ours,) = november.row(
                f"select sum({measure}) from marts.fct_month_lines"
                " where usage_month = ? and workspace_id = ?", NOVEMBER, workspace_id,
            )  # fmt: skip
            assert formulas[f"{column}{row}"].startswith("SUM(")
            assert statement[f"{column}{row}"] == pytest.approx(float(ours), abs=1e-9)
    (bill,) = november.row("select sum(billed_usd) from marts.fct_billing_days")
    assert statement[f"E{total}"] == float(bill)
    assert formulas[f"E{total}"].startswith("SUM(")
    assert statement[f"E{row_called(statement, 'Total to book')}"] == float(bill)


def test_lines_add_up_to_their_subtotal(statement: dict[str, Any]) -> None:
    """Each agent with an amount is a line; the others are one, so that nothing is missing."""
    first, end = 7, row_called(statement, "Total =Cakes & <Co>")
    names = [statement[f"B{row}"] for row in range(first, end)]

    assert sum(statement[f"I{row}"] for row in range(first, end)) == statement[f"I{end}"] == 20
    assert names[-1] == "2 agents without cost"
    assert [statement[f"E{row}"] for row in range(first, end - 1)] == sorted(
        (statement[f"E{row}"] for row in range(first, end - 1)), reverse=True
    )


def test_agents_of_one_name_are_told_apart(statement: dict[str, Any]) -> None:
    """A name that several agents of a workspace have is followed by its slug."""
    names = [value for cell, value in statement.items() if cell.startswith("B")]

    assert {"Agent 1 (agent-4)", "Agent 1 (agent-6)"} <= {*names}
    assert HOSTILE in names


def test_no_name_is_a_formula(workbook: Path) -> None:
    """A text that looks like a formula is a text, and only sums and rates are formulas."""
    sheets, formulas = read_cells(workbook), read_cells(workbook, "f")
    texts = {value for cells in sheets.values() for value in cells.values()}

    assert {HOSTILE, "=Owner()", "Total =Cakes & <Co>"} <= texts
    assert {formula.split("(")[0] for cells in formulas.values() for formula in cells.values()} <= {
        "SUM",
        "IF",
        "0",
    }


def test_every_table_is_on_its_sheet(workbook: Path, november: Warehouse) -> None:
    """There are six sheets: each has the rows of its tables and their sums, or says none."""
    sheets, month_end = read_cells(workbook), month_end_of(november, NOVEMBER)

    assert [*sheets] == [
        "Statement", "Lines", "Cost centers", "Adjustments and accruals", "Journal", "Checks",
    ]  # fmt: skip
    for name in [*sheets][1:]:
        tables = {each: table for each, table in TABLES.items() if table.sheet == name}
        top = 1 if len(tables) == 1 else 2
        for each, table in tables.items():
            frame = month_end.tables[each]
            if frame.is_empty():
                assert table.empty in sheets[name].values()
            else:
                rows = rows_of(sheets[name], head=top)
                assert len(rows) == frame.height + bool(table.sums), table.title
                for column in table.sums:
                    ours = float(sum(each or 0 for each in frame[column]))
                    assert rows[-1][table.label(column)] == ours, (table.title, column)
            top += frame.height + 4


def test_long_texts_have_several_lines(workbook: Path) -> None:
    """A text that is longer than its column is wide is wrapped, so that paper shows all of it."""
    cells = read_cells(workbook)
    with zipfile.ZipFile(workbook) as book:
        styles = ElementTree.fromstring(book.read("xl/styles.xml"))
        last = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{len(cells)}.xml"))
    wraps = [
        style.find("{*}alignment[@wrapText='1']") is not None
        for style in styles.iterfind("{*}cellXfs/{*}xf")
    ]
    wrapped = {str(cell.get("r")) for cell in last.iter() if wraps[int(cell.get("s", 0))]}
    long = {cell for cell, text in cells["Checks"].items() if len(str(text)) > 64}

    assert long
    assert long <= wrapped


@office
def test_another_program_calculates_our_sums(workbook: Path, tmp_path: Path) -> None:
    """LibreOffice calculates every formula from nothing, and finds our value in each cell."""
    ours, formulas = read_cells(workbook), read_cells(workbook, "f")
    theirs = read_cells(calculated(workbook, tmp_path))
    cells = [(sheet, cell) for sheet, of_sheet in formulas.items() for cell in of_sheet]

    assert len(cells) > 50
    for sheet, cell in cells:
        expected = (
            ours[sheet][cell]
            if isinstance(ours[sheet][cell], str)
            else pytest.approx(ours[sheet][cell], abs=1e-9)
        )
        assert theirs[sheet].get(cell, "") == expected, (sheet, cell)


@office
def test_the_statement_prints_on_a_page(workbook: Path, tmp_path: Path) -> None:
    """LibreOffice prints the first sheet, of forty agents, on one page of A4 in landscape."""
    pdf = converted(only_first_sheet(workbook, tmp_path), "pdf", tmp_path / "printed")

    assert page_sizes(pdf) == [(842, 595)]


def test_a_full_disk_is_an_error_of_the_system(november: Warehouse) -> None:
    """A workbook that cannot be written raises OSError, of which commands say what to do next."""
    with pytest.raises(OSError, match="No space left"):
        write_workbook(month_end_of(november, NOVEMBER), Path("/dev/full"))
