"""`--as-of`: the figures as they were published then, to the last byte."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest

from analytics.emulator.world import World
from analytics.errors import BusyError
from analytics.published.as_of import _last_moment, past_figures
from analytics.settings import load_settings
from analytics.warehouse.database import open_warehouse
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock, reading_lock
from analytics.warehouse.publications import moments_on_record
from tests.batches import gone_from
from tests.cli.books.conftest import NOW, OWNERS, SETTINGS, Shop, copied
from tests.cli.conftest import shell_in
from tests.conftest import book_run, hire_baker, uncommented

PRINTED = (
    ("sql", "select * from fct_agent_days order by all", "--format", "csv"),
    ("sql", "with fct_runs as (from marts.fct_runs) from fct_runs order by all"),
    ("sql", "cost_by_owner"),
    ("sql", "from audit.loads order by all", "--format", "json"),
    ("sql", "from check_results order by all", "--format", "json"),
    ("sql", "from rpt_checks order by all"),
    ("export", "month", "2026-11", "--output", "-"),
    ("export", "focus", "2026-11", "--dataset", "cost-and-usage", "--output", "-"),
    ("trace", "--agent", "baker", "--date", "2026-11-03"),
)
WRITTEN = (
    ("export", "pack", "2026-11", "--output", "out"),
    ("export", "month", "2026-11", "--format", "xlsx", "--output", "out/month.xlsx"),
    ("export", "journal", "2026-10", "--format", "hledger", "--output", "out/journal.hledger"),
)
OF_CLOSED = (
    ("export", "pack", "2026-10", "--output", "out"),
    ("export", "month", "2026-10", "--output", "out/month.csv"),
    ("export", "focus", "2026-10", "--dataset", "billing-period", "--output", "out/focus.csv"),
    ("export", "focus", "2026-10", "--dataset", "billing-period", "--output", "out/focus.csv",
     "--live"),
    ("export", "journal", "2026-10", "--output", "out/journal.csv"),
)  # fmt: skip
Answers = dict[tuple[str, ...], object]


@dataclass
class Saved:
    """A publication: its moment, its file, and what commands printed and wrote."""

    moment: datetime
    file: Path
    answers: Answers = field(default_factory=dict)

    @property
    def as_of(self) -> tuple[str, str]:
        return "--as-of", self.moment.isoformat()


@dataclass
class Life:
    """A shop, and its publications one after the other."""

    shop: Shop
    saved: list[Saved] = field(default_factory=list)

    def save(self, *commands: tuple[str, ...]) -> None:
        """Save what was published last, and what commands tell of it."""
        *_, moment = moments_on_record(Layout(self.shop.folder / "data"))
        file = self.shop.folder / f"saved-{len(self.saved)}.duckdb"
        shutil.copyfile(self.shop.folder / "data" / "analytics.duckdb", file)
        answers = {each: answer(self.shop, each) for each in commands}
        self.saved.append(Saved(moment, file, answers))


def answer(shop: Shop, command: tuple[str, ...], *more: str) -> object:
    """Return what a command prints, or the hashes of the files that it writes."""
    out = shop.folder / "out"
    if "--output" in command and command[1] != "pack":
        out.mkdir()
    printed = shop.ok(*command, *more).out
    files = sorted(path for path in out.rglob("*") if path.is_file())
    hashes = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    shutil.rmtree(out, ignore_errors=True)
    return hashes or printed


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Batches with changes, owners and budgets that change, a close, and a reopening."""
    folder, world = tmp_path_factory.mktemp("life"), World.empty(2, NOW)
    baker = hire_baker(world)
    late = book_run(world, baker, hours_ago=24 * 22, cost="1.10")
    book_run(world, baker, hours_ago=24 * 2, cost="0.25")
    ending = book_run(world, baker, hours_ago=3, status="running", cost="0.10")
    finance = folder / "finance"
    finance.mkdir()
    (finance / "owners.csv").write_text(OWNERS, encoding="utf-8")
    with uncommented(), shell_in(folder, world, SETTINGS) as run:
        life = Life(Shop(folder, run))
        shop = life.shop
        shop.ok("nightly", "-q")
        life.save()
        world.pass_time(timedelta(hours=50))
        world.finish_run(ending, "failed", error="ToolError: no flour")
        world.rename_agent(baker, "Master baker")
        book_run(world, baker, hours_ago=1, cost="4", status="failed", error="x")
        (finance / "owners.csv").write_text(OWNERS.replace("Ann", "Ben"), encoding="utf-8")
        (finance / "budgets.csv").write_text(
            "scope,name,month,amount_usd\nall,,2026-11,90\n", encoding="utf-8"
        )
        shop.ok("nightly", "-q")
        life.save(*PRINTED, *WRITTEN)
        shop.ok("close", "2026-10", "--approved-by", "Head of finance", "-q")
        life.save(*OF_CLOSED)
        world.pass_time(timedelta(hours=30))
        world.correct_cost(late, Decimal("0.7"))
        book_run(world, baker, hours_ago=1, cost="2")
        with gone_from("log/events"):
            assert run("nightly", "-q").code == 1
        (finance / "budgets.csv").unlink()
        shop.ok("nightly", "-q")
        life.save()
        shop.ok("reopen", "2026-10", "--reason", "late cost", "-q")
        life.save()
        world.pass_time(timedelta(hours=80))
        shop.ok("nightly", "-q")
        yield life


def tables(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of all published tables."""
    names = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where schema_name in ('marts', 'audit', 'reports')"
    ).fetchall()
    return {name: con.execute(f"from {name} order by all").fetchall() for (name,) in names}


def require_as_published(saved_ones: list[Saved], folder: Path, besides: str = "") -> None:
    """Compare every table of earlier publications but one with the file that was published."""
    settings = load_settings(folder / "data", folder / "analytics.toml")
    warnings: list[str] = []
    for saved in saved_ones:
        with duckdb.connect(saved.file, read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            published = tables(con)
        with (
            past_figures(settings, saved.moment.isoformat(), warnings.append) as figures,
            figures.open(None) as con,
        ):
            made = tables(con)
        assert made.keys() == published.keys()
        assert {name for name in made if made[name] != published[name]} <= {besides}
    assert not warnings


def test_every_table_is_as_it_was_published(life: Life) -> None:
    """All tables of each earlier publication are made again, to the last row."""
    assert len({saved.moment for saved in life.saved}) == 5
    require_as_published(life.saved, life.shop.folder)


def test_a_rebuild_keeps_the_past(life: Life, tmp_path: Path) -> None:
    """After a rebuild, all tables of earlier publications are made again as well."""
    with copied(life.shop, tmp_path) as shop:
        shop.ok("rebuild", "-q")
        require_as_published(life.saved[1::2], tmp_path)


def test_a_clock_that_went_back_changes_nothing(life: Life, tmp_path: Path) -> None:
    """Which loads figures were made of is known by the record, not by the machine's clock."""
    with copied(life.shop, tmp_path):
        first, *later = sorted({saved.moment for saved in life.saved})
        with open_warehouse(Layout(tmp_path / "data")) as con:
            con.execute(
                "update ledger.loads set published_at = published_at + interval 1 day"
                " where published_at > ? and published_at <= ?",
                [first, later[0]],
            )
        require_as_published(life.saved[2:], tmp_path, besides="audit.loads")


@pytest.mark.parametrize("number", [1, 2], ids=["open", "closed"])
def test_commands_print_and_write_the_same_bytes(
    life: Life, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQL, trace and exports of then are byte for byte those of that day."""
    monkeypatch.chdir(life.shop.folder)
    saved = life.saved[number]

    assert {each: answer(life.shop, each, *saved.as_of) for each in saved.answers} == saved.answers


@pytest.mark.parametrize(
    ("as_of", "zone", "last"),
    [
        ("2026-10-25", "Europe/Berlin", "2026-10-25 22:59"),
        ("2026-11-19T06:30Z", "Europe/Berlin", "2026-11-19 06:30"),
        ("2026-11-19 06:30", "Europe/Berlin", "2026-11-19 05:30"),
        ("2026-04-04", "America/Santiago", "2026-04-05 03:59"),  # the hour before midnight, twice
        ("2025-10-25", "Atlantic/Azores", "2025-10-25 23:59"),  # the hour after midnight, twice
        ("2026-11-19", "Africa/Casablanca", None),  # which release of the zones says what differs
    ],
)
def test_a_day_ends_as_in_all_figures(as_of: str, zone: str, last: str | None) -> None:
    """A day stands for its last instant by the clock of all figures, an instant for itself."""
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        first = datetime.fromisoformat(f"{as_of[:10]} 00:00Z") - timedelta(days=1)
        minutes = [first + timedelta(minutes=each) for each in range(4 * 24 * 60)]
        if last is None:
            ((expected,),) = con.execute(
                "select max(minute) from (select unnest(?) as minute)"
                " where (minute at time zone ?)::date = ?",
                [minutes, zone, as_of],
            ).fetchall()
        else:
            expected = datetime.fromisoformat(f"{last}Z")

        assert _last_moment(con, minutes, as_of, zone) == expected


def test_a_later_day_has_the_last_figures(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a day that is not over, figures are those that are published."""
    monkeypatch.chdir(life.shop.folder)
    query = ("sql", "select cost_usd, is_complete from fct_workspace_days order by all")

    assert life.shop.ok(*query, "--as-of", "9999-12-31").out == life.shop.ok(*query).out


@pytest.mark.parametrize(
    ("query", "as_of", "told"),
    [
        ("select 1", "2026-01-31", "Nothing was published by 2026-01-31.\nThe first figures were"),
        ("select 1", "2026-02-30", "--as-of 2026-02-30 is no day and no instant: write "),
        ("select 1", "yesterday", "--as-of yesterday is no day and no instant: write "),
        ("from custom.owners", "2099-12-31", "owners is a table of your own, and --as-of knows"),
        ("from Owners", "2099-12-31", "owners is a table of your own, and --as-of knows none"),
        ("from fct_rums", "2099-12-31", "The query cannot be answered. Catalog Error: Table with"),
        ("drop table fct_runs", "2099-12-31", "DROP is refused: the published file can only be"),
    ],
)
def test_wrong_usage_is_told(
    life: Life, monkeypatch: pytest.MonkeyPatch, query: str, as_of: str, told: str
) -> None:
    """A time before the first figures, no time at all, and a table that is not there: exit 2."""
    monkeypatch.chdir(life.shop.folder)
    result = life.shop.run("sql", query, "--as-of", as_of)

    assert (result.code, result.out) == (2, "")
    assert told in result.err


def test_data_that_were_never_published(life: Life, tmp_path: Path) -> None:
    """Without data, and without a publication, there is nothing to go back to."""
    assert life.shop.run("sql", "select 1", "--as-of", "2026-01-31").code == 1
    with open_warehouse(Layout(tmp_path)):
        (tmp_path / ".lock").touch()
    result = life.shop.run("sql", "select 1", "--as-of", "2026-01-31", "--data-dir", ".")

    assert result.code == 2
    assert "Nothing was published yet: leave --as-of out." in result.err


def test_a_batch_at_work_is_told(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a batch writes the warehouse, figures of an earlier time are refused with exit 4."""
    monkeypatch.chdir(life.shop.folder)
    with batch_lock(Layout(Path("data"))):
        result = life.shop.run("sql", "select 1", *life.saved[0].as_of)

    assert result.code == 4
    assert "A batch is at work in data, and the figures of an earlier time are made" in result.err


def test_a_batch_waits_for_a_reader(tmp_path: Path) -> None:
    """A batch that begins while the warehouse is read waits until that has ended."""
    layout = Layout(tmp_path)
    with batch_lock(layout):
        pass
    began = threading.Event()

    def begin() -> None:
        with batch_lock(layout):
            began.set()

    with patch("analytics.warehouse.lock.PROBE_SECONDS", 0):
        with reading_lock(layout), reading_lock(layout):
            batch = threading.Thread(target=begin)
            batch.start()
            assert not began.wait(0.1)
        batch.join()
        assert began.is_set()
        with (
            reading_lock(layout),
            patch("analytics.warehouse.lock.READER_SECONDS", 0),
            pytest.raises(BusyError),
            batch_lock(layout),
        ):
            pass


def test_other_settings_and_lost_records_are_told(life: Life, tmp_path: Path) -> None:
    """Days are those of then; another time zone or release, and what is lost, is a warning."""
    saved, query = life.saved[1], ("sql", "select date, owner, cost_usd from fct_owner_days")
    with copied(life.shop, tmp_path) as shop:
        then = shop.ok(*query, *saved.as_of)
        assert not then.err

        settings = tmp_path / "analytics.toml"
        settings.write_text(SETTINGS + '[reporting]\ntimezone = "Asia/Tokyo"\n', encoding="utf-8")
        record = next((tmp_path / "data" / "publications").glob("*Z/publication.json"))
        *_, record = sorted(record.parent.parent.glob("*Z/publication.json"))[:2]
        text = record.read_text(encoding="utf-8")
        record.write_text(text.replace('"code_version": "', '"code_version": "0'), encoding="utf-8")
        elsewhere = shop.ok(*query, *saved.as_of)
        assert elsewhere.out == then.out
        assert "warning: the days are those of UTC, as [reporting] had it then" in elsewhere.err
        assert "warning: published by release 0" in elsewhere.err

        for kept in (tmp_path / "data" / "publications" / "files").iterdir():
            kept.write_text("agent\n", encoding="utf-8")
        lost = shop.ok(*query, *saved.as_of)
        assert "warning: finance/owners.csv of then is not kept any more" in lost.err
        assert "Ben" in then.out
        assert "Ben" not in lost.out

        for content in (b"{", b'{"published_at": "\xff"}'):
            record.write_bytes(content)
            damaged = shop.run(*query, *saved.as_of)
            assert damaged.code == 1
            assert f"{record.relative_to(tmp_path)} cannot be read: " in damaged.err
        shutil.rmtree(record.parent)
        unrecorded = shop.ok(*query, *saved.as_of)
        assert "warning: that publication kept no record" in unrecorded.err
