"""`analytics close` and `books` on a small world whose October is over."""

from __future__ import annotations

import csv
import io
import json
import os
import pwd
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest

from analytics.emulator.world import World
from analytics.finance.books.entries import Amounts
from analytics.finance.books.reading import read_books
from analytics.format import numbers
from analytics.machine_clock import machine_clock
from analytics.query.books import print_closings
from analytics.warehouse.database import open_marts
from tests.cli.books.conftest import APPROVED, NOW, OWNERS, SETTINGS, Shop
from tests.cli.conftest import SETTINGS as SHORT
from tests.cli.conftest import shell_in
from tests.worlds import book_run, hire_baker


def test_books_that_are_not_there(shop: Shop) -> None:
    """Where nothing is closed or published, nothing is said to be as it was, and none is closed."""
    wrong = shop.run("books", "--data-dir", "elsewhere")
    assert (wrong.code, "neither books nor published figures in elsewhere" in wrong.err) == (
        1,
        True,
    )

    assert "No month is closed in data." in shop.ok("books").out
    (shop.folder / "data" / "analytics.duckdb").unlink()
    assert "Nothing has been published" in shop.run("close", "2026-10", *APPROVED).err


def test_a_closed_month(closed: Shop) -> None:
    """A closed month lies in the books whole, with exact totals, for readers of the figures."""
    found = json.loads(closed.ok("books", "--json").out)
    (listed,) = found["closings"]
    files = {*read_books(closed.books).closings[0].entry.files}
    status = json.loads(closed.ok("status", "--json").out)

    assert (listed["status"], listed["revision"], listed["approved_by"]) == (
        "closed", 1, "Head of finance",
    )  # fmt: skip
    assert listed["totals"]["metered_cost_usd"] == "1.1000000000"
    assert found["findings"] == []
    assert closed.ok("books").out.endswith(f"newest entry is {listed['hash']}.\n")
    assert {
        "sign-off.pdf", "evidence/settings.toml", "evidence/checks.csv", "data/charges.parquet",
        "data/loads.parquet",
    } <= files  # fmt: skip
    folder = closed.books / "2026-10" / "r1"
    assert (folder / "finance" / "owners.csv").read_text(encoding="utf-8") == OWNERS
    assert (folder / "evidence" / "settings.toml").read_text(encoding="utf-8") == SETTINGS
    assert (folder / "sign-off.pdf").read_bytes() == b"signed"
    assert closed.rows("select status, revision from dim_months where month = '2026-10-01'") == [
        {"status": "closed", "revision": 1}
    ]
    assert closed.rows(
        "select owner, metered_cost_usd, run_count from fct_month_lines where revision is not null"
    ) == [{"owner": "Ann", "metered_cost_usd": "1.1000000000", "run_count": 1}]
    assert status["books"]["last_closed"]["month"] == "2026-10"
    assert "Books: closed to 2026-10; no adjustment of a closed month." in closed.ok("status").out
    totals, billed = read_books(closed.books).closings[0].entry.totals, "select billed_usd"
    rows = closed.rows(f"{billed} from fct_month_lines where revision is not null")
    assert totals.billed_usd == sum(Decimal(row["billed_usd"]) for row in rows)
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in closed.books.rglob("*")}
    assert modes == {True: 0o750, False: 0o640}


@pytest.mark.parametrize("columns", [40, 80])
def test_amounts_are_whole_on_a_narrow_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """However long names are, no digit of an amount is cut off."""
    monkeypatch.setenv("COLUMNS", str(columns))
    amount = Decimal("1234567.89")
    totals = dict.fromkeys(Amounts.__struct_fields__, amount)
    print_closings([
        {
            "month": "2026-10", "revision": 1, "status": "reopened", "is_early": True,
            "closed_at": NOW, "approved_by": "Head of finance " * 6, "totals": Amounts(**totals),
        }
    ])  # fmt: skip

    assert capsys.readouterr().out.count(numbers.usd(amount)) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["2026-10"], 2, "October 2026 is closed already, as revision 1."),
        (["2026-09"], 2, "September 2026 is earlier than a closed month"),
        (["2026-11", "--early"], 2, "November 2026 has not ended: this machine's clock says"),
        (["2026-12"], 2, "There are no figures of 2026-12."),
        (["2026-1"], 2, "2026-1 is no month: write it as 2026-10."),
        (["2026-11", "--approved-by", " "], 2, "--approved-by is empty."),
        (["2026-11", "--approved-by", "a\u202eb"], 2, "--approved-by holds an invisible"),
        (["2026-11", "--prepared-by", "a" * 101], 2, "--prepared-by is longer than 100"),
        (["2026-11", "--sign-off", "none.pdf"], 2, "There is no file none.pdf"),
        (["2026-10", "--reopen", " "], 2, "--reopen is empty."),
        (["2026-10", "--reopen", "x", "--early"], 2, "--reopen stands alone"),
    ],
)
def test_a_month_that_is_not_closed(
    closed: Shop, arguments: list[str], code: int, message: str
) -> None:
    """A close that is refused says why in a line or two, and changes nothing."""
    approved = () if "--reopen" in arguments else APPROVED
    result = closed.run("close", *approved, *arguments)

    assert result.code == code
    assert message in result.err
    assert len(result.err.splitlines()) <= 2
    assert [path.name for path in closed.books.iterdir()] == ["2026-10"]


def test_who_approves_a_close(shop: Shop) -> None:
    """Nothing is closed unless somebody approves it who does not prepare it."""
    account = pwd.getpwuid(os.getuid()).pw_name
    unapproved = shop.run("close", "2026-10")
    own = [
        shop.run("close", "2026-10", *prepared, "--approved-by", name)
        for prepared, name in (
            ([], account.upper()),
            (["--prepared-by", "Ann Lee"], "Ann Lee"),
            (["--prepared-by", "Ann Lee"], " ann  LEE"),
        )
    ]

    assert (unapproved.code, [each.code for each in own]) == (2, [2, 2, 2])
    assert 'Name them: --approved-by "Head of finance"' in unapproved.err
    assert all("prepares the close, and so cannot approve it" in each.err for each in own)
    assert not shop.books.exists()


def test_changed_owners(shop: Shop) -> None:
    """A file of `finance/` that was changed since figures were published is refused."""
    owners = shop.folder / "finance" / "owners.csv"
    owners.write_text(OWNERS + "*,baker,,\n", encoding="utf-8")
    changed = shop.run("close", "2026-10", *APPROVED)

    assert changed.code == 2
    assert "finance/owners.csv is not the file that the published figures were" in changed.err


def test_an_owner_of_a_closed_month(closed: Shop) -> None:
    """Only a rule with a first day changes whose a closed month is, and the next close says it."""
    owners = closed.folder / "finance" / "owners.csv"
    head, changes = "workspace,agent,owner,cost_center,valid_from\n", "from fct_period_adjustments"
    owners.write_text(f"{head}*,*,Bob,C-2,\n", encoding="utf-8")
    closed.publish()
    undated = closed.rows(changes)
    owners.write_text(f"{head}*,*,Bob,C-2,2026-10-01\n", encoding="utf-8")
    closed.publish()
    with machine_clock(lambda: datetime(2026, 12, 1, tzinfo=UTC)):
        result = closed.ok("close", "2026-11", "--early", *APPROVED)

    assert undated == []
    assert (
        "2026-11 books a change of 2026-10, which is closed: owner_changed, moved: cost $1.10,"
        " billed $1.21, runs 1" in result.err
    )
    assert {row["owner"] for row in closed.rows(f"{changes} where is_booked")} == {"Ann", "Bob"}


def test_days_of_grace(shop: Shop) -> None:
    """Within `grace_days` of its end a month is closed only early, and all of it says so."""
    (shop.folder / "analytics.toml").write_text(
        SETTINGS + "[finance]\ngrace_days = 9\n", encoding="utf-8"
    )
    refused = shop.run("close", "2026-10", *APPROVED)
    shop.ok("close", "2026-10", "--early", "-q", *APPROVED)

    assert refused.code == 3
    assert "data reach to 2026-11-05, before 2026-11-10" in refused.err
    assert "closed, early" in shop.ok("books").out
    reason = "Blank Slate: data reach to 2026-11-05, before 2026-11-10"
    assert shop.rows("select is_early, early_reasons from audit.closings") == [
        {"is_early": True, "early_reasons": reason}
    ]
    kept = shop.books / "2026-10" / "r1"
    assert f"Why early: {reason}\n" in (kept / "README.txt").read_text(encoding="utf-8")
    assert reason in (kept / "statement.html").read_text(encoding="utf-8")
    with (kept / "levain-focus-2026-10-billing-period.csv").open(encoding="utf-8") as file:
        (period,) = csv.DictReader(file)
    assert (period["BillingPeriodStatus"], period["x_EarlyReasons"]) == ("Closed", reason)
    journal = shop.ok("export", "journal", "2026-10", "--output", "-").out
    assert {row["STATE"] for row in csv.DictReader(io.StringIO(journal))} == {"closed early"}
    assert journal.encode() == (kept / "levain-journal-2026-10.csv").read_bytes()
    ledger = shop.ok("export", "journal", "2026-10", "--format", "hledger", "--output", "-")
    assert f"; CLOSED EARLY: {reason}\n" in ledger.out
    exported = shop.ok("export", "focus", "2026-10")
    assert ", as closed early in revision 1\n" in exported.err


def test_what_is_material(shop: Shop) -> None:
    """An invoice that differs from the bill by less than the settings allow is matched."""
    (shop.folder / "finance" / "invoices.csv").write_text(
        "invoice_id,workspace,month,issued_on,amount_usd\nL-1,Blank Slate,2026-10,2026-11-02,3\n",
        encoding="utf-8",
    )
    (shop.folder / "analytics.toml").write_text(
        f'{SETTINGS}[finance]\nmateriality_usd = "5"\n', encoding="utf-8"
    )
    shop.transform()

    with open_marts(shop.books.parent / "build.duckdb") as con:
        invoices = con.execute("select status from fct_invoices where invoice_id = 'L-1'")
        assert invoices.fetchall() == [("matched",)]


def test_a_changed_time_zone(closed: Shop) -> None:
    """No month is closed in another than that of its figures; the batch that changes it says so."""
    settings = SETTINGS + '[reporting]\ntimezone = "America/Los_Angeles"\n'
    Path("analytics.toml").write_text(settings, encoding="utf-8")
    refused = closed.run("close", "2026-11", "--early", *APPROVED)
    told = [closed.transform(), closed.transform()]

    assert refused.code == 2
    assert "are of the time zone UTC, not of America/Los_Angeles" in refused.err
    assert not (closed.books / "2026-11").exists()
    warning = (
        "time zone of reports was UTC, and is America/Los_Angeles: runs of closed months, to"
        " 2026-10, may count in another month or for another owner now"
    )
    assert [warning in each for each in told] == [True, False]


def test_a_month_closed_anew(reopened: Shop) -> None:
    """A reopened month keeps its first revision, and the next close makes another one."""
    first = (reopened.books / "2026-10" / "r1" / "manifest.json").read_bytes()
    status = reopened.rows("select status from dim_months where month = '2026-10-01'")
    earlier = reopened.run("close", "2026-09", *APPROVED)
    reopened.ok("close", "2026-10", "-q", *APPROVED)

    assert status == [{"status": "final"}]
    assert (earlier.code, "begin with October 2026, which was closed once" in earlier.err) == (
        2,
        True,
    )
    assert reopened.rows("select revision, status, reason from audit.closings") == [
        {"revision": 1, "status": "reopened", "reason": "An invoice was wrong"},
        {"revision": 2, "status": "closed", "reason": None},
    ]
    assert (reopened.books / "2026-10" / "r1" / "manifest.json").read_bytes() == first
    assert reopened.rows("select revision from fct_month_lines where revision is not null") == [
        {"revision": 2}
    ]
    assert "books are as they were closed; " in reopened.ok("books").out
    refused = reopened.run("close", "2026-09", "--reopen", "x")
    assert (refused.code, "only the last closed month can" in refused.err) == (2, True)


def test_a_month_whose_bill_is_unknown(shop: Shop) -> None:
    """Its totals in the books say so, and are not zero."""
    with duckdb.connect(shop.books.parent / "analytics.duckdb") as con:
        con.execute("update marts.fct_charges set billed_usd = null")
        con.execute("update marts.fct_month_lines set billed_usd = null")
    with patch("analytics.batch.stages.make_and_publish"):
        shop.ok("close", "2026-10", "--early", "-q", *APPROVED)

    (closing,) = read_books(shop.books).closings
    assert closing.entry.totals.billed_usd is None
    assert shop.ok("books").out.splitlines()[1].endswith(numbers.UNKNOWN)


@pytest.mark.long
def test_a_month_in_which_nothing_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed in its turn, early, and its journal takes back what the one before accrued."""
    world = World.empty(1, NOW)
    book_run(world, hire_baker(world))
    monkeypatch.setenv("OTHER_KEY", world.add_workspace("Other").api_key)
    with shell_in(tmp_path, world, SHORT) as run:
        shop = Shop(tmp_path, run)
        shop.ok("nightly", "-q")
        world.pass_time(timedelta(days=26))
        shop.ok("close", "2026-11", "--early", "-q", *APPROVED)
        world.pass_time(timedelta(days=35))
        (tmp_path / "analytics.toml").write_text(
            f'{SHORT}[[workspaces]]\napi_key_env = "OTHER_KEY"\n', encoding="utf-8"
        )
        shop.ok("nightly", "-q")
        later, refused = (shop.run("close", month, *APPROVED) for month in ("2027-01", "2026-12"))
        shop.ok("close", "2026-12", "--early", "-q", *APPROVED)

        assert (later.code, "December 2026 is open: months close in order" in later.err) == (
            2,
            True,
        )
        assert refused.code == 3
        assert "Slate: data reach to 2026-11-05, before 2027-01-04." in refused.err
        assert shop.rows(
            "select entry_date, debit_usd - credit_usd as amount_usd, reverses_entry_id[:22] as of"
            " from fct_journal_lines where booked_month = '2026-12-01' and kind = 'reversal'"
            " and role = 'expense'"
        ) == [
            {"entry_date": "2026-12-01", "amount_usd": "-0.2750000000",
             "of": "levain-2026-11-accrual"}
        ]  # fmt: skip
