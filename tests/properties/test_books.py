"""For any history, closed months and their adjustments are the ledger's figures, for ever."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TypeAlias
from unittest import mock

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.batch import closing
from analytics.batch.closing import Signatures
from analytics.batch.healing import load_all
from analytics.batch.progress import Progress
from analytics.errors import UsageError
from analytics.files import folder
from analytics.finance.books import frozen
from analytics.finance.books.frozen import load_books
from analytics.finance.books.reading import read_books
from analytics.finance.books.verifying import verify
from analytics.machine_clock import machine_time
from analytics.transform.models import references
from analytics.warehouse.database import attached_marts, open_warehouse
from analytics.warehouse.publications import next_moment, record_publication
from tests.batches import Batch, Killed, Row, killed_before, read, read_marts
from tests.properties.oracle import Oracle
from tests.properties.story import (
    TIMEZONES,
    Chapter,
    Event,
    Life,
    chapters_of_books,
    lasting,
    living,
)
from tests.transform.given import MODELS, build_some
from tests.worlds import NOW

Bills: TypeAlias = Counter[tuple[date, str, str]]

AMOUNTS = ("metered_cost_usd", "billed_usd")
OWNERS = ("Ann", "Bob", "Cleo")
OF_THE_BOOKS = (
    "fct_charges", "fct_charge_adjustments", "fct_month_lines", "fct_period_adjustments",
    "dim_months", "closings",
)  # fmt: skip
FROZEN = {relation for name, sql in frozen.selects().items() for relation in references(name, sql)}
CHECKS = ("and_adjustments_are_todays_figures", "are_what_their_loads_gave")

_begins = st.sampled_from([NOW.replace(day=30), NOW.replace(month=3, day=29, hour=22)])


class BookTale:
    """A history whose months are closed, at any time, and reopened."""

    def __init__(self, life: Life, batch: Batch) -> None:
        self.life, self.batch = life, batch
        self.causes: set[str] = set()
        self._last: dict[str, list[Row]] = {}
        self._bytes: dict[Path, bytes] = {}
        self._owner = 0

    def live(self, entry: Chapter) -> None:
        self.life.live(entry)
        read(self.batch)
        self._last = build_books(self.batch, self.batch.layout.published_file)
        self.prove()
        match entry.act:
            case "close":
                self.close()
            case "killed":
                with suppress(Killed), killed_before(entry.number):
                    self.close()
            case "reopen":
                self.reopen()
            case "rebuild":
                self.rebuild()
            case "owner":
                self.change_owner()
        assert verify(self.batch.layout.books)[1] == []
        for path in self.batch.layout.books.rglob("*"):
            if path.is_file() and ".unfinished" not in str(path):
                self._bytes.setdefault(path, path.read_bytes())

    def close(self) -> None:
        """Close the next month, if it has charges and has ended."""
        last = read_books(self.batch.layout.books).last_month
        now = machine_time().date().replace(day=1)
        months = {row["utc_date"].replace(day=1) for row in self._last["fct_charges"]}
        months = {month for month in months if month < now}
        month = min((each for each in months if last is None or each > last), default=None)
        if month is not None:
            closing.close(
                self.batch.settings,
                f"{month:%Y-%m}",
                Progress(quiet=True),
                signatures=Signatures(prepared_by="Ann", approved_by="Bob"),
                write_files=lambda *_: None,
                early=True,
            )

    def reopen(self) -> None:
        last = read_books(self.batch.layout.books).last_month
        name = f"{last:%Y-%m}" if last else "2026-01"
        try:
            closing.reopen(
                self.batch.settings, name, Progress(quiet=True), reason="wrong", by="Ann"
            )
        except UsageError:
            assert last is None

    def change_owner(self) -> None:
        self._owner += 1
        with open_warehouse(self.batch.layout) as con:
            _own(con, OWNERS[self._owner % 3])

    def rebuild(self) -> None:
        """Make a warehouse anew from landing and books, and compare its tables."""
        now = build_books(self.batch, self.batch.layout.published_file)
        making = self.batch.layout.rebuilding
        making.root.mkdir()
        settings_ = self.batch.settings.model_copy(update={"data_dir": making.root})
        anew = Batch(settings_, self.batch.api)
        loads = self.batch.rows("select load_id, published_at from ledger.loads")
        with open_warehouse(making) as con:
            load_all(con, self.batch.layout, Progress(quiet=True))
            for load_id, published_at in loads:
                con.execute(
                    "update ledger.loads set published_at = ? where load_id = ?",
                    [published_at, load_id],
                )
            _own(con, OWNERS[self._owner % 3])
        with mock.patch.object(Batch, "layout", making):
            rebuilt = build_books(anew, Path(":memory:"))
        shutil.rmtree(making.root)
        for table in OF_THE_BOOKS:
            assert rebuilt[table] == now[table], table

    def prove(self) -> None:
        """Closed lines and adjustments are the ledger's, and all that was closed is as it was."""
        prove_books(self._last, billed(self.life))
        self.causes |= {row["cause"] for row in self._last["fct_period_adjustments"]}
        for path, content in self._bytes.items():
            assert path.read_bytes() == content


def build_books(batch: Batch, file: Path) -> dict[str, list[Row]]:
    """Build the relations of month end into a file that is replaced, and check them."""
    file.unlink(missing_ok=True)
    with open_warehouse(batch.layout) as con, attached_marts(con, file):
        load_books(con, batch.layout.books)
        names = {*OF_THE_BOOKS, *FROZEN}
        wanted = {each for each, model in MODELS.items() if names & {each, model.name}}
        build_some(con, wanted, batch.settings.reporting.timezone, set())
        for name in CHECKS:
            check = folder("queries") / "checks" / f"closed_lines_{name}.sql"
            assert con.execute(check.read_text(encoding="utf-8")).fetchall() == []
        record_publication(con, next_moment(con, batch.layout))
        return read_marts(con)


def prove_books(marts: dict[str, list[Row]], true: Bills) -> None:
    """By month and line, what was closed and every adjustment of it are the ledger's sums."""
    closed = {row["month"] for row in marts["closings"] if row["status"] == "closed"}
    sums: Bills = Counter()
    for row in marts["fct_month_lines"]:
        if row["revision"]:
            line = row["usage_month"], row["agent_id"]
            sums.update({(*line, name): row[name] for name in AMOUNTS})
    for row in marts["fct_period_adjustments"]:
        line = row["usage_month"], row["agent_id"]
        sums.update({(*line, name): row[f"difference_{name}"] for name in AMOUNTS})
        assert row["booked_month"] > row["usage_month"]
        assert row["is_booked"] == (row["booked_month"] in closed)
    assert {key: value for key, value in sums.items() if value} == {
        key: value for key, value in true.items() if value and key[0] in closed
    }


def billed(life: Life) -> Bills:
    """Return cost and bill by month and line, from the ledger."""
    sums: Bills = Counter()
    for (day, line), figures in Oracle(life, [], "UTC").booked("agent_id").items():
        sums.update({(day.replace(day=1), line, name): figures[name] for name in AMOUNTS})
    return sums


def _own(con: duckdb.DuckDBPyConnection, owner: str) -> None:
    con.execute("delete from finance.owner_rules")
    con.execute(
        "insert into finance.owner_rules (precedence, line, workspace, agent, owner, valid_from)"
        " values (1, 2, '*', '*', ?, date '2000-01-01')",
        [owner],
    )


def tell(story: list[Chapter], timezone: str, begins_at: datetime) -> set[str]:
    """Live a history to its end, close once more, and rebuild; return the causes of changes."""
    with (
        living(timezone, begins_at) as (life, batch),
        mock.patch("analytics.batch.stages.make_and_publish"),
    ):
        tale = BookTale(life, batch)
        tale.change_owner()
        for entry in story:
            tale.live(entry)
        tale.live(Chapter([], 24, "rebuild", 0))
    return tale.causes


STORY = [
    Chapter([Event("burst", 1, 4), Event("late", 0, 20)], 18, "killed", 20),
    Chapter([Event("late", 0, 20), Event("amend", 1, 1)], 1, "close", 0),
    Chapter([Event("late", 1, 30), Event("amend", 0, 1), Event("platform", 0, 3)], 24, "owner", 0),
    Chapter([Event("amend", 2, 2), Event("agentless", 0, 5)], 24, "rebuild", 0),
    Chapter([Event("amend", 3, 1), Event("hide", 1), Event("late", 0, 9)], 1, "reopen", 0),
    Chapter([Event("late", 0, 3)], 1, "close", 0),
]


def test_closed_months_are_the_ledgers() -> None:
    """Closed months and adjustments are the ledger's; a rebuild, a kill and time change nothing."""
    causes = tell(STORY, "Europe/Berlin", NOW.replace(day=30))

    assert causes >= {"late_run", "cost_corrected", "owner_changed"}


@pytest.mark.long
@settings(lasting, max_examples=1000)
@given(chapters_of_books(), TIMEZONES, _begins)
def test_books_of_many_lives(story: list[Chapter], timezone: str, begins_at: datetime) -> None:
    """The same of other lives each time; a failure prints how to repeat it."""
    tell(story, timezone, begins_at)
