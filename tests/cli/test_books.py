"""`analytics close`, `reopen` and `books` on a small world whose October is over."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from analytics.batch import closing, stages
from analytics.emulator.world import World
from analytics.errors import AnalyticsError
from analytics.finance.books import frozen
from analytics.finance.books.reading import UNFINISHED, read_books
from analytics.finance.books.verifying import verify
from analytics.published.books import published_closings
from analytics.published.export.journal import JournalFormat
from analytics.warehouse.layout import Layout
from tests.batches import Killed, killed_before
from tests.cli.conftest import Command, Result, shell_in
from tests.conftest import book_run, hire_baker

NOW = datetime(2026, 11, 5, 6, tzinfo=UTC)
SETTINGS = '[extract]\nhistory_days = 40\n[publish]\nsite = false\nmode = "0640"\n'
OWNERS = "workspace,agent,owner,cost_center\n*,*,Ann,C-1\n"


class Shop:
    """A project folder, its world, and the command that runs in it."""

    def __init__(self, folder: Path, world: World, run: Command) -> None:
        self.folder, self.world, self.run = folder, world, run

    @property
    def books(self) -> Path:
        return self.folder / "data" / "books"

    def ok(self, *arguments: str) -> Result:
        result = self.run(*arguments)
        assert result.code == 0, result.err
        return result

    def rows(self, sql: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.ok("sql", sql, "--format", "json").out)
        return found

    def publish(self) -> None:
        for stage in ("transform", "check", "report", "publish"):
            self.ok(stage, "-q")


@pytest.fixture(scope="module")
def world() -> World:
    """A run on 14 October, one on 3 November."""
    world = World.empty(1, NOW)
    baker = hire_baker(world)
    book_run(world, baker, hours_ago=24 * 22, cost="1.10")
    book_run(world, baker, hours_ago=24 * 2, cost="0.25")
    world.pass_time(timedelta(hours=1))
    return world


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, world: World) -> Iterator[Shop]:
    """The first batch, with owners; tests have a copy of it."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "finance").mkdir()
    (folder / "finance" / "owners.csv").write_text(OWNERS, encoding="utf-8")
    with shell_in(folder, world, SETTINGS) as run:
        shop = Shop(folder, world, run)
        shop.ok("nightly", "-q")
        yield shop


@pytest.fixture(scope="module")
def closed_origin(origin: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after October was closed."""
    folder = tmp_path_factory.mktemp("closed")
    with copied(origin, folder) as shop:
        shop.ok(
            "close", "2026-10", "--approved-by", "Head of finance", "--sign-off", "ok.PDF", "-q"
        )
    return folder


@contextmanager
def copied(origin: Shop, folder: Path, source: Path | None = None) -> Iterator[Shop]:
    """A copy of a shop in another folder, where the command runs."""
    shutil.copytree(source or origin.folder, folder, dirs_exist_ok=True)
    (folder / "ok.PDF").write_bytes(b"signed")
    with pytest.MonkeyPatch.context() as there:
        there.chdir(folder)
        yield Shop(folder, origin.world, origin.run)


@pytest.fixture
def shop(origin: Shop, tmp_path: Path) -> Iterator[Shop]:
    """A shop with nothing closed."""
    with copied(origin, tmp_path) as shop:
        yield shop


@pytest.fixture
def closed(origin: Shop, closed_origin: Path, tmp_path: Path) -> Iterator[Shop]:
    """A shop whose October is closed."""
    with copied(origin, tmp_path, closed_origin) as shop:
        yield shop


def test_a_closed_month(closed: Shop) -> None:
    """A closed month lies in the books whole, and file and pages say that it is closed."""
    (listed,) = json.loads(closed.ok("books", "list", "--json").out)
    shown = json.loads(closed.ok("books", "show", "2026-10", "--json").out)
    status = json.loads(closed.ok("status", "--json").out)

    assert (listed["state"], listed["revision"], listed["approved_by"]) == (
        "closed", 1, "Head of finance",
    )  # fmt: skip
    assert listed["totals"]["cost_usd"] == "1.1000000000"
    assert shown["hash"] == listed["hash"]
    assert {"sign-off.pdf", "settings.toml", "checks.csv", "data/charges.parquet"} <= {
        *shown["files"]
    }
    folder = closed.books / "2026-10" / "r1"
    assert (folder / "finance" / "owners.csv").read_text(encoding="utf-8") == OWNERS
    assert (folder / "settings.toml").read_text(encoding="utf-8") == SETTINGS
    assert (folder / "sign-off.pdf").read_bytes() == b"signed"
    assert closed.rows("select status, revision from dim_months where month = '2026-10-01'") == [
        {"status": "closed", "revision": 1}
    ]
    assert closed.rows("select owner, cost_usd, run_count from fct_closed_lines") == [
        {"owner": "Ann", "cost_usd": "1.1000000000", "run_count": 1}
    ]
    assert status["books"]["last_closed"]["month"] == "2026-10"
    assert "Books: closed to 2026-10; nothing closed has changed since." in closed.ok("status").out


def test_the_books_are_for_the_readers_of_the_published_file(closed: Shop) -> None:
    """All that a close makes has the mode of `[publish]`, and folders may be entered."""
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in closed.books.rglob("*")}

    assert modes == {True: 0o750, False: 0o640}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["2026-10"], 2, "2026-10 is closed already, as revision 1."),
        (["2026-09"], 2, "2026-09 is earlier than a closed month"),
        (["2026-11"], 3, "2026-11 may still change: "),
        (["2026-12"], 2, "There are no figures of 2026-12."),
        (["2026-1"], 2, "2026-1 is no month: write it as 2026-10."),
        (["2026-11", "--approved-by", " "], 2, "--approved-by is empty."),
        (["2026-11", "--approved-by", "a\u202eb"], 2, "--approved-by holds an invisible"),
        (["2026-11", "--prepared-by", "a" * 101], 2, "--prepared-by is longer than 100"),
        (["2026-11", "--sign-off", "none.pdf"], 2, "There is no file none.pdf"),
    ],
)
def test_a_month_that_is_not_closed(
    closed: Shop, arguments: list[str], code: int, message: str
) -> None:
    """A close that is refused says why in a line or two, and changes nothing."""
    result = closed.run("close", *arguments)

    assert result.code == code
    assert message in result.err
    assert len(result.err.splitlines()) <= 2
    assert [path.name for path in closed.books.iterdir()] == ["2026-10"]


def test_nothing_published(shop: Shop) -> None:
    """Without published figures there is nothing to close."""
    (shop.folder / "data" / "analytics.duckdb").unlink()

    assert "Nothing has been published" in shop.run("close", "2026-10").err


def test_changed_owners(shop: Shop) -> None:
    """A file of `finance/` that is wrong, or changed since figures were published, is refused."""
    owners = shop.folder / "finance" / "owners.csv"
    owners.write_text(OWNERS + "*,baker,,\n", encoding="utf-8")
    changed = shop.run("close", "2026-10")
    shop.publish()
    wrong = shop.run("close", "2026-10")

    assert (changed.code, wrong.code) == (2, 2)
    assert "finance/owners.csv is not the file that the published figures were" in changed.err
    assert "finance/owners.csv holds lines that are not right" in wrong.err


def test_days_of_grace(shop: Shop) -> None:
    """Within `grace_days` of its end a month is closed only early, and the books say so."""
    (shop.folder / "analytics.toml").write_text(
        SETTINGS + "[finance]\ngrace_days = 9\n", encoding="utf-8"
    )
    refused = shop.run("close", "2026-10")
    shop.ok("close", "2026-10", "--early", "-q")

    assert refused.code == 3
    assert "data reach to 2026-11-05, before 2026-11-10" in refused.err
    assert "closed, early" in shop.ok("books", "list").out
    assert shop.rows("select is_early from audit.closings") == [{"is_early": True}]
    stated = next(shop.books.rglob("levain-2026-10-definitions.csv")).read_text(encoding="utf-8")
    assert "closed early, as " in stated


def test_a_month_closed_anew(closed: Shop) -> None:
    """A reopened month keeps its first revision, and the next close makes another one."""
    first = (closed.books / "2026-10" / "r1" / "manifest.json").read_bytes()
    closed.ok("reopen", "2026-10", "--reason", "An invoice was wrong", "-q")
    status = closed.rows("select status from dim_months where month = '2026-10-01'")
    closed.ok("close", "2026-10", "-q")

    assert status == [{"status": "final"}]
    assert closed.rows("select revision, state, reason from audit.closings") == [
        {"revision": 1, "state": "reopened", "reason": "An invoice was wrong"},
        {"revision": 2, "state": "closed", "reason": None},
    ]
    assert (closed.books / "2026-10" / "r1" / "manifest.json").read_bytes() == first
    assert closed.rows("select revision from fct_closed_lines") == [{"revision": 2}]
    assert closed.ok("books", "verify").out.endswith("are as they were closed.\n")
    refused = closed.run("reopen", "2026-09", "--reason", "x")
    assert (refused.code, "only the last closed month can" in refused.err) == (2, True)


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


def test_a_reopened_journal_is_taken_back(closed: Shop) -> None:
    """A reopening names the export that takes a revision back: each line of it, as a credit."""
    take_back = ["export", "journal", "2026-10", "--revision", "1", "--reverse"]
    refused = closed.run(*take_back)
    reopened = closed.ok("reopen", "2026-10", "--reason", "A bill was wrong")

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


def test_a_rebuild_has_the_books(closed: Shop) -> None:
    """A rebuild from landing and books has the same closed months, and refuses damaged ones."""
    before = closed.rows("from fct_closed_lines")
    charges = closed.books / "2026-10" / "r1" / "data" / "charges.parquet"
    good = charges.read_bytes()
    charges.write_bytes(good[:-1])
    refused = closed.run("rebuild", "-q")
    charges.write_bytes(good)
    closed.ok("rebuild", "-q")

    assert (refused.code, "charges.parquet of the books cannot be used" in refused.err) == (1, True)
    assert closed.rows("from fct_closed_lines") == before != []


def test_books_that_are_gone(closed: Shop) -> None:
    """A batch and a rebuild stop where a closed month is no longer in the books."""
    closed.books.rename(closed.folder / "elsewhere")
    stopped, rebuilt = closed.run("transform"), closed.run("rebuild")
    verified = closed.run("books", "verify")

    assert "2026-10/r1/manifest.json: missing" in stopped.err
    assert "2026-10/r1/manifest.json: missing" in rebuilt.err
    assert "2026-10/r1/manifest.json: missing" in verified.err
    assert (stopped.code, rebuilt.code, verified.code) == (1, 1, 1)


def test_no_close_where_the_books_are_gone(closed: Shop) -> None:
    """A month whose close is lost is not closed once more, so that a backup still fits."""
    closed.books.rename(closed.folder / "elsewhere")
    refused = closed.run("close", "2026-10")

    assert refused.code == 1
    assert "2026-10/r1/manifest.json: missing" in refused.err
    assert not [*closed.books.glob("*/r*")]


def test_a_close_after_a_reopening_that_was_killed(closed: Shop) -> None:
    """It waits for figures that were published since, and freezes these."""
    with patch.object(closing, "_publish", side_effect=KeyboardInterrupt):
        closed.run("reopen", "2026-10", "--reason", "x")
    refused = closed.run("close", "2026-10")
    closed.publish()
    closed.ok("close", "2026-10", "-q")

    assert refused.code == 2
    assert "closed or reopened since the figures were published" in refused.err
    assert closed.rows("select revision from fct_closed_lines") == [{"revision": 2}]
    closed.ok("books", "verify")


def test_books_are_read_without_waiting(closed: Shop) -> None:
    """What is no ordinary file is named, and read by nobody."""
    for name in ("lines.csv", "manifest.json"):
        file = closed.books / "2026-10" / "r1" / name
        file.unlink()
        os.mkfifo(file)
        verified = closed.run("books", "verify")

        assert verified.code == 1
        assert f"2026-10/r1/{name}: changed: it is no ordinary file" in verified.err


def test_no_file_from_elsewhere_gets_into_the_books(shop: Shop) -> None:
    """A link out of the project in `finance/` is named, and nothing is closed."""
    link = shop.folder / "finance" / "link.csv"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to("/etc/hostname")
    shop.publish()
    refused = shop.run("close", "2026-10")

    assert refused.code == 2
    assert "finance/link.csv is no ordinary file of the project" in refused.err


def test_publishing_that_fails_after_a_close(shop: Shop) -> None:
    """A month is closed though it could not be published so, and the message says it."""
    failing = patch.object(stages, "transform", side_effect=AnalyticsError("no room"))
    with failing:
        result = shop.run("close", "2026-10")
    shop.publish()

    assert result.code == 1
    assert "2026-10 is closed, but could not be published so: no room" in result.err
    assert shop.rows("select state from audit.closings") == [{"state": "closed"}]


def test_a_close_that_is_killed(shop: Shop) -> None:
    """Killed before any of its calls, a close leaves the month open or closed, nothing between."""
    with (
        patch.object(closing, "_publish"),
        patch.object(frozen, "names", return_value=["charges", "lines"]),
        patch("analytics.cli.books._write_files"),
    ):
        for command in (
            ["close", "2026-10", "-q"],
            ["reopen", "2026-10", "--reason", "x", "-q"],
        ):
            number = 0
            before = read_books(shop.books).head
            while not _done_despite_a_kill(shop, command, number):
                assert verify(shop.books) == []
                if read_books(shop.books).head != before:
                    _take_back(shop)
                number += 1
            assert verify(shop.books) == []
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


def test_any_changed_byte_is_found(closed: Shop) -> None:
    """A byte that changes, a file that goes or comes: `verify` names it and what is wrong."""
    closed.ok("reopen", "2026-10", "--reason", "x", "-q")
    known = published_closings(Layout(closed.books.parent))
    assert verify(closed.books, known) == []
    files = [path for path in closed.books.rglob("*") if path.is_file()]
    for file in files:
        path, content = file.relative_to(closed.books).as_posix(), file.read_bytes()
        for place in {0, len(content) // 3, len(content) // 2, len(content) - 1}:
            changed = bytes([*content[:place], content[place] ^ 1, *content[place + 1 :]])
            file.write_bytes(changed)
            assert path in {finding.path for finding in verify(closed.books)}, place
        file.write_bytes(content + b"\n")
        assert path in {finding.path for finding in verify(closed.books)}
        file.unlink()
        assert path in {finding.path for finding in verify(closed.books, known)}
        file.write_bytes(content)
    for extra in ("note.txt", "2026-10/note.txt", "2026-10/r1/note.txt", "2026-10/r1/data/x"):
        (closed.books / extra).write_text("new", encoding="utf-8")
        assert [str(each) for each in verify(closed.books)] == [f"{extra}: additional"]
        (closed.books / extra).unlink()
    named = closed.run("books", "verify")
    assert named.code == 0


def test_totals_are_exact(closed: Shop) -> None:
    """The totals of a manifest are the sums of its lines, to the last digit."""
    (recorded,) = read_books(closed.books).closings

    assert recorded.entry.totals.cost_usd == Decimal("1.1")
    assert recorded.entry.totals.billed_usd == sum(
        Decimal(row["billed_usd"]) for row in closed.rows("select billed_usd from fct_closed_lines")
    )
