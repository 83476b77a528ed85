"""Exports of a closed month: the files of the books, byte for byte."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path
from unittest.mock import patch

import msgspec

from analytics.export.closed import _frozen_entries, _workspace_names
from analytics.files import hash_file
from analytics.finance.books.reading import read_books
from tests.batches import with_pages
from tests.cli.books.conftest import APPROVED, OWNERS, Shop
from tests.report.pages import Page


def test_a_closed_month_is_exported_from_the_books(closed: Shop) -> None:
    """FOCUS and the pack of a closed month are files of the books, however the figures change.

    The statement in them is the page of the month, which has the hash of the close besides.
    """
    (closed.folder / "finance" / "owners.csv").write_text(
        OWNERS.replace("cost_center", "cost_center,valid_from").replace(
            "Ann,C-1", "Bob,C-1,2026-10-01"
        ),
        encoding="utf-8",
    )
    with with_pages():
        closed.publish()
    book = closed.books / "2026-10" / "r1"
    pack = closed.ok("export", "pack", "2026-10", "--output", "data/packs/october")
    focus = closed.ok("export", "focus", "2026-10", "--output", "bill")
    packed = {path.name: path.read_bytes() for path in Path("data/packs/october").iterdir()}

    assert packed == {path.name: path.read_bytes() for path in book.iterdir() if path.is_file()}
    assert len(packed) == 11
    assert pack.err == "wrote data/packs/october, as closed in revision 1\n"
    assert b"Ann" in packed["lines.csv"]
    assert "sign-off.pdf  " in packed["README.txt"].decode()
    assert len(focus.err.splitlines()) == 3
    for file in Path("bill").iterdir():
        assert packed[file.name] == file.read_bytes()
    assert "in the next one" in closed.ok("status").out
    site, alone = Page(Path("data/site/months/2026-10.html")), Page(book / "statement.html")
    assert "closed · revision 1 of " in alone.root.all("p", **{"class": "as-of"})[0].text
    for tag in ("h1", "dl", "table", "figcaption"):
        assert [each.text for each in alone.root.all(tag)] == [
            each.text for each in site.root.all(tag)
        ]
    foot = f"manifest {hash_file(book / 'manifest.json', book)} · {_foot(alone)}"
    assert _foot(site) == foot
    assert not alone.root.all("script")


def _foot(page: Page) -> str:
    """The line at the end of a sheet that says what the close rests on."""
    return page.root.all("footer")[0].all("p")[0].text


def test_a_file_that_was_changed_is_not_exported(closed: Shop) -> None:
    """A file of the books that is not as it was closed is named, and nothing is left behind."""
    file = closed.books / "2026-10" / "r1" / "lines.csv"
    file.chmod(0o640)
    file.write_text("x", encoding="utf-8")

    result = closed.run("export", "pack", "2026-10")

    assert (result.code, f"{file.name} of the books cannot be used: changed" in result.err) == (
        1,
        True,
    )
    assert not Path("levain-2026-10").exists()


def test_the_journal_of_a_closed_month(closed: Shop) -> None:
    """It is that of the pack, and no preview; that of its one workspace is the same."""
    kept = closed.books / "2026-10" / "r1" / "levain-journal-2026-10.csv"
    (workspace,) = closed.rows("select workspace_name as name from dim_workspaces")

    printed = closed.ok("export", "journal", "2026-10", "--output", "-")
    of_one = closed.ok(
        "export", "journal", "2026-10", "--workspace", workspace["name"], "--output", "-"
    )

    assert printed.out.encode() == of_one.out.encode() == kept.read_bytes()
    assert "levain-2026-10-accrual-2026-10-" in printed.out
    assert "PREVIEW" not in printed.out
    assert printed.err == ""
    ledger = closed.ok("export", "journal", "2026-10", "--format", "hledger")
    assert ledger.err == "wrote levain-journal-2026-10.hledger, as closed in revision 1\n"


def test_a_workspace_that_is_gone_keeps_its_name(closed: Shop) -> None:
    """A close that no longer knows the workspace of its lines names it as the one before did."""
    books = read_books(closed.books)
    (october,) = books.closings
    later = msgspec.structs.replace(october.entry, number=2, month="2026-11", workspaces=[])
    november = dataclasses.replace(october, entry=later)

    known = _workspace_names(dataclasses.replace(books, entries=[october, november]), november)
    entries = _frozen_entries(november, None, known)

    names = {entry.workspace_name for entry in entries}
    assert (len(entries), names) == (1, {october.entry.workspaces[0].workspace_name})


def test_a_month_that_books_nothing_has_no_journal(shop: Shop) -> None:
    """Its export says so, and does not send one to figures of today."""
    with patch("analytics.batch.stages.make_and_publish"):
        shop.ok("close", "2026-09", "--early", "-q", *APPROVED)

    result = shop.run("export", "journal", "2026-09")

    assert (result.code, result.err) == (
        2, "error: The close of 2026-09 booked nothing, so that it has no journal.\n"
    )  # fmt: skip


def test_a_reopened_journal_is_taken_back(closed: Shop) -> None:
    """A reopening names the export that takes a revision back: each line of it, as a credit."""
    take_back = ["export", "journal", "2026-10", "--reverse", "1"]
    refused = closed.run(*take_back)
    reopened = closed.ok("close", "2026-10", "--reopen", "A bill was wrong")

    written = closed.ok(*take_back)

    assert (refused.code, "--reverse takes back a revision" in refused.err) == (2, True)
    assert f"import `analytics {' '.join(take_back)}` too" in reopened.err
    assert written.err == (
        "wrote levain-journal-2026-10-r1-reversed.csv, as closed in revision 1\n"
    )
    (kept,) = closed.books.rglob("levain-journal-2026-10.csv")
    ours, theirs = (
        [*csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))]
        for path in (kept, Path("levain-journal-2026-10-r1-reversed.csv"))
    )
    assert {row["STATE"] for row in theirs} == {"reversed"}
    for column, opposite in (("DEBIT", "CREDIT"), ("ACCOUNT", "ACCOUNT"), ("DATE", "DATE")):
        assert [row[column] for row in ours] == [row[opposite] for row in theirs]
    assert [f"{row['PIECE']}-reversed" for row in ours] == [row["PIECE"] for row in theirs]
