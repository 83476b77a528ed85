"""`analytics export`: the files for finance of a month that is not closed."""

from __future__ import annotations

import csv
import hashlib
import json
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import pytest

from analytics.export.files import without_formula
from tests.cli.books.conftest import APPROVED, Shop

MONTH = "2026-11"
OPEN = f"warning: {MONTH} is not closed: these are today's figures, and its journal is a preview\n"


def test_only_text_that_a_spreadsheet_would_run_gets_a_mark() -> None:
    """It stands before a sign at the begin of the text, or of a part of it; breaks are visible.

    A semicolon ends a cell in some languages, where quotes around it are taken off.
    """
    inert = {"=1": "'=1", "  @x": "  '@x", "\uff1d1": "'\uff1d1", "a;-1": "a;'-1"}
    inert |= {"a-b=c": "a-b=c", "\t=1\r\n": "\\t=1\\r\\n", "": "", '"-1': "\"'-1"}
    inert |= {'x;"=1+1;y': "x;\"'=1+1;y", "x;'=1": "x;''=1", "x; \"'@a": "x; \"''@a"}

    assert {text: without_formula(text) for text in inert} == inert


def test_a_pack_is_one_folder(shop: Shop) -> None:
    """The pack of an open month says what it is of, and its manifest has the hash of each file."""
    result = shop.ok("export", "pack", MONTH)
    folder = Path(f"levain-{MONTH}")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    del files["manifest.json"]

    assert result.err == f"{OPEN}wrote {folder.name}\n"
    assert len(files) == 9
    assert manifest["state"] == "not closed: provisional"
    assert manifest["files"] == {
        name: {"byte_count": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }
    assert files["lines.csv"].startswith(b"\xef\xbb\xbfusage_month,workspace_name,agent_name,")
    assert not list(Path().glob(".levain-*"))


def test_a_pack_never_mixes_with_another(shop: Shop) -> None:
    """A folder that is there already is refused; so is one that cannot be made."""
    Path("there").mkdir()
    Path("file").touch()
    refused = shop.run("export", "pack", MONTH, "--output", "there")
    nowhere = shop.run("export", "pack", MONTH, "--output", "file/where")
    journal = shop.run("export", "journal", MONTH, "--output", "no/where.csv")

    assert (refused.code, list(Path("there").iterdir())) == (2, [])
    assert "there is there already, and nothing was written" in refused.err
    assert (nowhere.code, f"File exists: {Path('file').resolve()}.\n" in nowhere.err) == (1, True)
    assert (journal.code, "No such file or directory: no/where.csv" in journal.err) == (1, True)


def test_a_journal_of_an_open_month_is_a_preview(shop: Shop) -> None:
    """The journal of a month that is not closed is written, with a warning."""
    result = shop.ok("export", "journal", MONTH)

    text = Path(f"levain-journal-{MONTH}.csv").read_text(encoding="utf-8-sig")
    lines = [*csv.DictReader(text.splitlines())]
    assert result.err == f"{OPEN}wrote levain-journal-{MONTH}.csv\n"
    assert {line["STATE"] for line in lines} == {"preview"}
    sides = [sum(Decimal(line[side] or 0) for line in lines) for side in ("DEBIT", "CREDIT")]
    assert sides[0] == sides[1] > 0


def test_figures_of_before_a_reopening_are_not_final(closed: Shop) -> None:
    """Until a batch has published it, a month that is open again is neither exported nor closed."""
    with patch("analytics.batch.stages.make_and_publish", side_effect=KeyboardInterrupt):
        closed.run("close", "2026-10", "--reopen", "x")
    exports = [
        ("export", kind, month)
        for kind in ("pack", "focus", "journal")
        for month in ("2026-10", MONTH)
    ]
    refused = [closed.run(*each) for each in (*exports, ("close", "2026-10", *APPROVED))]
    left = [path.name for path in Path().glob("levain-*")]
    closed.publish()
    closed.ok("export", "journal", "2026-10")

    assert {each.code for each in refused} == {2}
    assert all(
        "closed or reopened since the figures were published" in each.err for each in refused
    )
    assert all("Run `analytics nightly`, look at the figures" in each.err for each in refused)
    assert left == []
    assert [path.name for path in (closed.books / "2026-10").glob("r?")] == ["r1"]
    assert "-preview," in Path("levain-journal-2026-10.csv").read_text(encoding="utf-8")


def test_a_close_is_exported_before_it_is_published(shop: Shop) -> None:
    """What the books have is final; a later month waits for figures of after the close."""
    with patch("analytics.batch.stages.make_and_publish", side_effect=KeyboardInterrupt):
        shop.run("close", "2026-10", *APPROVED)

    journal = shop.ok("export", "journal", "2026-10", "--output", "-")
    refused = shop.run("export", "journal", MONTH)

    assert (journal.err, "preview" in journal.out) == ("", False)
    assert (refused.code, "closed or reopened since the figures" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("kind", "month", "message"),
    [
        ("pack", "2026-13", "2026-13 is no month: write it as 2026-10"),
        ("focus", "\u0662026-10", "is no month"),
        ("pack", "1999-01", "first month with figures is 2026-09, the last 2026-11"),
        ("focus", "2031-01", "There are no figures of 2031-01."),
        ("journal", "2031-01", "There are no figures of 2031-01."),
        ("journal", "2026-09", "There is no journal of 2026-09: the first one is that of 2026-10."),
    ],
)
def test_a_month_without_figures(shop: Shop, kind: str, month: str, message: str) -> None:
    """A wrong month exits with 2, and the message names those that there are."""
    result = shop.run("export", kind, month)

    assert (result.code, result.out) == (2, "")
    assert message in result.err
