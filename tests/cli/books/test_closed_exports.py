"""Exports of a closed month: the files of the books, byte for byte."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

import msgspec
import pytest

from analytics.finance.books.reading import read_books
from analytics.published.export.closed import read_booked
from analytics.published.export.journal import JournalFormat
from tests.cli.books.conftest import OWNERS, Shop


def test_exports_of_a_closed_month(closed: Shop) -> None:
    """An export of a closed month is the file of the books, however the figures change."""
    usage = ["--dataset", "cost-and-usage"]
    files = (
        (["month"], "levain-2026-10.csv"),
        (["month"], "levain-2026-10.xlsx"),
        (["month"], "levain-2026-10.parquet"),
        (["focus", *usage], "levain-focus-2026-10-cost-and-usage.csv"),
        (["focus", *usage], "levain-focus-2026-10-cost-and-usage.parquet"),
        (["focus", *usage, "--version", "1.2"], "levain-focus-2026-10-cost-and-usage-1.2.csv"),
    )
    (closed.folder / "finance" / "owners.csv").write_text(
        OWNERS.replace("Ann", "Bob"), encoding="utf-8"
    )
    closed.publish()
    for kind, name in files:
        result = closed.ok("export", *kind, "2026-10", "--output", name)
        (stored,) = closed.books.rglob(name)
        assert Path(name).read_bytes() == stored.read_bytes()
        assert "as closed in revision 1" in result.err
    closed.ok("export", "month", "2026-10", "--live", "--output", "live.csv")
    printed = closed.ok("export", "month", "2026-10", "--output", "-").out

    live = Path("live.csv").read_text(encoding="utf-8")
    assert "Bob" in live
    assert "Ann" not in live
    assert live.count(',"closed; today\'s figures, not approved",') == live.count("2026-10")
    meanings = Path("live-definitions.csv").read_text(encoding="utf-8")
    assert "Not the figures of the books" in meanings
    assert "Ann" in printed
    assert ",closed," in printed
    assert "in the next one" in closed.ok("status").out
    of_one = closed.run("export", "month", "2026-10", "--workspace", "x")
    none = closed.run("export", "focus", "2026-10", "--revision", "2")
    assert (of_one.code, "its file is of all workspaces" in of_one.err) == (2, True)
    assert (none.code, "The books hold no revision 2 of 2026-10." in none.err) == (2, True)


@pytest.mark.parametrize("form", list(JournalFormat))
def test_the_journal_of_a_closed_month(closed: Shop, form: JournalFormat) -> None:
    """It is the file of the books, and no preview; today's lines give the same."""
    (kept,) = closed.books.rglob(form.file_name("2026-10"))

    printed = closed.ok("export", "journal", "2026-10", "--format", form, "--output", "-")
    closed.ok("export", "journal", "2026-10", "--format", form, "--live", "--output", "live")

    assert printed.out.encode() == kept.read_bytes() == Path("live").read_bytes()
    assert "levain-2026-10-accrual-2026-10-" in printed.out
    assert "PREVIEW" not in printed.out


@pytest.mark.parametrize("form", list(JournalFormat))
def test_the_journal_of_a_workspace(closed: Shop, form: JournalFormat) -> None:
    """Of a closed month it is made from the lines of the books: here it is their file."""
    (kept,) = closed.books.rglob(form.file_name("2026-10"))
    (workspace,) = closed.rows("select workspace_name as name from dim_workspaces")

    closed.ok(
        "export", "journal", "2026-10", "--workspace", workspace["name"], "--format", form,
        "--output", "one",
    )  # fmt: skip

    assert Path("one").read_bytes() == kept.read_bytes()


def test_a_workspace_that_is_gone_keeps_its_name(closed: Shop) -> None:
    """A close that no longer knows the workspace of its lines names it as the one before did."""
    books = read_books(closed.books)
    (october,) = books.closings
    later = msgspec.structs.replace(october.entry, number=2, month="2026-11", workspaces=[])
    november = dataclasses.replace(october, entry=later)

    journal = read_booked(dataclasses.replace(books, entries=[october, november]), november, None)

    names = {entry.workspace_name for entry in journal.earlier}
    assert (len(journal.earlier), names) == (2, {october.entry.workspaces[0].workspace_name})


def test_a_month_that_books_nothing_has_no_journal(shop: Shop) -> None:
    """Its export says so, and does not send one to figures of today."""
    shop.ok("close", "2026-09", "--early", "-q")

    result = shop.run("export", "journal", "2026-09")

    assert (result.code, result.err) == (
        2, "error: The close of 2026-09 booked nothing, so that it has no journal.\n"
    )  # fmt: skip


def test_a_reopened_journal_is_taken_back(closed: Shop) -> None:
    """A reopening names the export that takes a revision back: each line of it, as a credit."""
    take_back = ["export", "journal", "2026-10", "--revision", "1", "--reverse"]
    refused = closed.run(*take_back)
    reopened = closed.ok("close", "2026-10", "--reopen", "A bill was wrong")

    written = closed.ok(*take_back)

    assert (refused.code, "--reverse takes back a revision" in refused.err) == (2, True)
    assert f"import `analytics {' '.join(take_back)}` too" in reopened.err
    assert written.err == "wrote levain-journal-2026-10-r1-reversed.csv\n"
    (kept,) = closed.books.rglob("levain-journal-2026-10.csv")
    ours, theirs = (
        [*csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))]
        for path in (kept, Path("levain-journal-2026-10-r1-reversed.csv"))
    )
    assert {row["STATE"] for row in theirs} == {"reversed"}
    for column, opposite in (("DEBIT", "CREDIT"), ("ACCOUNT", "ACCOUNT"), ("DATE", "DATE")):
        assert [row[column] for row in ours] == [row[opposite] for row in theirs]
    assert [f"{row['PIECE']}-reversed" for row in ours] == [row["PIECE"] for row in theirs]


def test_the_pack_of_a_closed_month(closed: Shop) -> None:
    """The pack of a closed month is the folder of the books, byte for byte, and says so."""
    result = closed.ok("export", "pack", "2026-10")
    book = closed.books / "2026-10" / "r1"
    files = {path.relative_to(book): path.read_bytes() for path in book.rglob("*.*")}
    folder = Path("levain-2026-10")
    statement = (folder / "statement.html").read_text(encoding="utf-8")

    assert {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")} == files
    assert "levain-2026-10.zip, as closed in revision 1" in result.err
    assert "Closed (revision 1, " in statement
    for terms in folder.rglob("*definitions.csv"):
        assert "not closed in the books" not in terms.read_text(encoding="utf-8"), terms


@pytest.mark.parametrize(
    "arguments",
    [
        ("pack", "2026-10", "--live"),
        ("pack", "2026-10", "--workspace", "Bakery"),
        ("month", "2026-10", "--live", "--format", "xlsx"),
    ],
)
def test_frozen_tables_make_no_pack_of_today(closed: Shop, arguments: tuple[str, ...]) -> None:
    """A workbook or pack of a closed month is that of the books, and no other is made."""
    refused = closed.run("export", *arguments)

    assert refused.code == 2
    assert f"its {'workbook' if 'xlsx' in arguments else 'pack'} is that of the" in refused.err
    assert not [*Path().glob("levain-2026-10*")]
