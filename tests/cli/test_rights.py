"""Files of another user, links to nowhere, a full disk: what is in the way is named."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import duckdb
import pytest

from analytics.finance.books.reading import entry_files
from analytics.published import sandbox
from tests.cli.conftest import Command


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


def test_a_published_file_of_another_user_is_not_damaged(
    published: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not read the published file is told whom to ask, and nothing of damage."""

    def denied(file: Path, *_: object) -> None:
        raise duckdb.IOException(f'IO Error: Cannot open file "{file}": Permission denied')

    monkeypatch.setattr(sandbox, "open_confined", denied)
    result = published("status")

    assert result.code == 1
    assert "analytics.duckdb cannot be read: Permission denied.\n  Let its owner" in result.out


@pytest.mark.parametrize(
    ("line", "place"),
    [("nightly", "loop"), ("nightly", "loop/data")],
)
def test_a_link_that_leads_to_itself_is_named(command: Command, line: str, place: str) -> None:
    """A data directory at a circle of links is told like one that is not there."""
    Path("loop").symlink_to("loop")
    result = command(line, "--data-dir", place)

    assert result.code == 1
    assert place in result.err + result.out
