"""Books that are damaged, gone or half made: nothing is lost, and every fault is named."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import date
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest

from analytics.batch import stages
from analytics.errors import AnalyticsError
from analytics.files import UNFINISHED
from analytics.finance.books import frozen
from analytics.finance.books.entries import Reopening, encode
from analytics.finance.books.reading import entry_files, read_books
from analytics.finance.books.verifying import verify
from analytics.query.books import published_closings
from analytics.warehouse.layout import Layout
from tests.batches import Killed, killed_before
from tests.cli.books.conftest import APPROVED, Shop
from tests.worlds import NOW


def test_a_rebuild_has_the_books(closed: Shop) -> None:
    """A rebuild from landing and books has the same closed months."""
    before = closed.rows("from fct_month_lines where revision is not null")
    closed.ok("rebuild", "-q")

    assert closed.rows("from fct_month_lines where revision is not null") == before != []


@pytest.mark.parametrize("name", ["data/charges.parquet", "evidence/checks.csv", "manifest.json"])
def test_damaged_books_stop_what_builds_on_them(closed: Shop, name: str) -> None:
    """A batch, a rebuild, a close and a reopening stop at a damaged file, and name it."""
    damaged = closed.books / "2026-10" / "r1" / name
    damaged.write_bytes(damaged.read_bytes().replace(b"a", b"b", 1))
    before = sorted(closed.books.rglob("*"))
    with pytest.raises(AnalyticsError) as stopped:
        closed.publish()
    refused = [
        closed.run("rebuild"),
        closed.run("close", "2026-10", *APPROVED),
        closed.run("close", "2026-10", "--reopen", "x"),
    ]
    status = closed.run("status")

    assert [each.code for each in refused] == [1, 1, 1]
    for text in (str(stopped.value), *(each.err for each in refused), status.out):
        assert f"2026-10/r1/{name}: changed" in text
    assert sorted(closed.books.rglob("*")) == before


def test_books_that_are_gone(closed: Shop) -> None:
    """A batch, a rebuild and a close stop where a closed month is no longer in the books."""
    closed.books.rename(closed.folder / "elsewhere")
    with pytest.raises(AnalyticsError) as stopped:
        closed.publish()
    refused = [
        closed.run("rebuild"),
        closed.run("books"),
        closed.run("close", "2026-10", *APPROVED),
    ]

    assert [each.code for each in refused] == [1, 1, 1]
    for text in (str(stopped.value), *(each.err for each in refused)):
        assert "2026-10/r1/manifest.json: missing" in text
    assert not [*closed.books.glob("*/r*")]


def test_no_file_from_elsewhere_gets_into_the_books(shop: Shop) -> None:
    """A link out of the project in `finance/` is named, and nothing is closed."""
    link = shop.folder / "finance" / "link.csv"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to("/etc/hostname")
    refused = shop.run("close", "2026-10", *APPROVED)

    assert refused.code == 2
    assert "finance/link.csv is no ordinary file of the project" in refused.err


def test_publishing_that_fails_after_a_close(shop: Shop) -> None:
    """A month is closed though it could not be published so, and the message says it."""
    failing = patch.object(stages, "transform", side_effect=AnalyticsError("no room"))
    with failing:
        result = shop.run("close", "2026-10", *APPROVED)

    assert result.code == 1
    assert "2026-10 is closed, but could not be published so: no room" in result.err
    assert read_books(shop.books).last_month == date(2026, 10, 1)
    assert verify(shop.books)[1] == []


@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.long)])
def test_a_close_that_is_killed(shop: Shop, stride: int) -> None:
    """Killed before any of its calls, a close leaves the month open or closed, nothing between."""
    few = {name: frozen.selects()[name] for name in ("charges", "lines")}
    with (
        patch("analytics.batch.stages.make_and_publish"),
        patch.object(frozen, "selects", return_value=few),
        patch("analytics.export.pack.write_pack"),
    ):
        for command in (
            ["close", "2026-10", "-q", *APPROVED],
            ["close", "2026-10", "--reopen", "x", "-q"],
        ):
            number = 0
            before = read_books(shop.books).head
            while not _done_despite_a_kill(shop, command, number):
                assert verify(shop.books)[1] == []
                if read_books(shop.books).head != before:
                    _take_back(shop)
                number += stride
            assert verify(shop.books)[1] == []
            assert not [*shop.books.rglob(f"*{UNFINISHED}")]
            assert number > 5


def _done_despite_a_kill(shop: Shop, command: list[str], number: int) -> bool:
    """Run a command that is killed before a call; True if it had fewer calls."""
    try:
        with killed_before(number):
            return shop.run(*command).code == 0
    except Killed:
        return False


def _take_back(shop: Shop) -> None:
    """Remove the newest entry, so that the same command can be killed at its next call."""
    newest = read_books(shop.books).entries[-1].file
    if newest.name == "manifest.json":
        shutil.rmtree(newest.parent)
    else:
        newest.unlink()


def test_any_changed_byte_is_found(reopened: Shop) -> None:
    """A byte that changes, a file that goes or comes: `verify` names it and what is wrong."""
    known = published_closings(Layout(reopened.books.parent))
    assert verify(reopened.books, known)[1] == []
    files = [path for path in reopened.books.rglob("*") if path.is_file()]
    for file in files:
        path, content = file.relative_to(reopened.books).as_posix(), file.read_bytes()
        for place in {0, len(content) // 3, len(content) // 2, len(content) - 1}:
            changed = bytes([*content[:place], content[place] ^ 1, *content[place + 1 :]])
            file.write_bytes(changed)
            assert path in {finding.path for finding in verify(reopened.books)[1]}, place
        file.write_bytes(content + b"\n")
        assert path in {finding.path for finding in verify(reopened.books)[1]}
        file.unlink()
        assert path in {finding.path for finding in verify(reopened.books, known)[1]}
        file.write_bytes(content)
    for extra in ("note.txt", "2026-10/note.txt", "2026-10/r1/note.txt", "2026-10/r1/data/x"):
        (reopened.books / extra).write_text("new", encoding="utf-8")
        assert [str(each) for each in verify(reopened.books)[1]] == [f"{extra}: additional"]
        (reopened.books / extra).unlink()
    named = reopened.run("books")
    assert named.code == 0


def test_an_entry_that_another_takes_the_place_of_is_found(tmp_path: Path) -> None:
    """An entry that is whole, but not the one that the next one names, is an error."""
    books, previous = tmp_path / "2026-10", None
    books.mkdir()
    for number in (1, 2):
        entry = Reopening(
            number=number, previous_sha256=previous, month="2026-10", revision=number,
            reopened_at=NOW, reopened_by="a", reason="late invoice",
        )  # fmt: skip
        (books / f"r{number}.reopened.json").write_bytes(encode(entry))
        previous = read_books(tmp_path).head
    first = read_books(tmp_path).entries[0]
    first.file.write_bytes(encode(msgspec.structs.replace(first.entry, reason="another")))

    with pytest.raises(AnalyticsError, match=r"r2\.reopened\.json: does not follow"):
        read_books(tmp_path)


def test_books_that_cannot_be_read_are_not_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Books of another user are an error of rights, not books that a backup must put back."""
    (tmp_path / "books" / "2026-10" / "r1").mkdir(parents=True)

    books, names = tmp_path / "books", os.listdir

    def denied(folder: Path) -> list[str]:
        if Path(folder) == books:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return names(folder)

    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", denied)  # for `iterdir`
        patch.setattr(os, "scandir", denied)  # for `glob`, which says nothing of it
        with pytest.raises(PermissionError, match="books"):
            entry_files(books)
