"""Files of a journal: what each system takes, whatever the names in it are."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.errors import UsageError
from analytics.published.export.entries import Entry, Journal, Line
from analytics.published.export.journal import (
    JournalFormat,
    journal_texts,
    print_journal,
    write_journal,
)
from analytics.published.export.ledgers import account_of

OCTOBER = date(2026, 10, 1)
LAST = date(2026, 10, 31)
HOSTILE = [
    '=cmd()|"x"',
    "a;b  c",
    'quote " and \\',
    "[2026-99-99]",
    "date:x",
    "🍞\n\x1b[2J",
    "-1",
    "é",
]


def entry(entry_id: str, *amounts: tuple[str, str], narration: str = "Accrual") -> Entry:
    """An entry of expenses by cost center, accrued."""
    lines = [
        Line("expense", "6200", cost_center, OCTOBER, Decimal(usd), "Usage of 2026-10")
        for cost_center, usd in amounts
    ]
    total = sum(line.amount for line in lines)
    lines.append(Line("accrued", "2150", "(none)", OCTOBER, -total, "Usage of 2026-10"))
    return Entry(OCTOBER, entry_id, 1, "w-1", "Bakery", LAST, "accrual", narration, None, lines)


def journal(*entries: Entry, is_booked: bool = True) -> Journal:
    return Journal(OCTOBER, is_booked, entries, [])


@pytest.fixture
def hostile() -> Journal:
    """A journal in which every name is foreign text."""
    entries = [
        entry(f"levain-{number}", (name, "0.0000000001"), ("CC-1", "2"), narration=name)
        for number, name in enumerate(HOSTILE)
    ]
    first = entries[0]
    lines = [replace(line, account="=6200;") for line in first.lines]
    named = [
        replace(each, workspace_name=name) for each, name in zip(entries, HOSTILE, strict=True)
    ]
    return journal(replace(named[0], lines=lines), *named[1:])


def rows(journal: Journal, form: JournalFormat) -> list[list[dict[str, str]]]:
    return [[*csv.DictReader(io.StringIO(text))] for text in journal_texts(journal, form)]


def test_the_general_layout() -> None:
    """It has a line for each account and cost center, dates of ISO 8601 and every digit."""
    ((first, last),) = rows(
        journal(entry("levain-1", ("CC-1", "12.3456789012"))), JournalFormat.csv
    )

    assert first == {
        "DATE": "2026-10-31", "JOURNAL": "LEVAIN", "PIECE": "levain-1", "LINE": "1",
        "WORKSPACE": "Bakery", "ACCOUNT": "6200", "COST_CENTER": "CC-1", "LABEL": "Accrual",
        "MEMO": "Usage of 2026-10", "USAGE_MONTH": "2026-10", "DEBIT": "12.3456789012",
        "CREDIT": "", "CURRENCY": "USD", "STATE": "closed",
    }  # fmt: skip
    assert (last["ACCOUNT"], last["CREDIT"], last["COST_CENTER"]) == ("2150", "12.3456789012", "")


def test_netsuite() -> None:
    """Header values are in each line, amounts of two decimals in debit or in credit."""
    ((first, second, last),) = rows(
        journal(entry("levain-1", ("CC-1", "12.345"), ("CC-2", "0.015"))), JournalFormat.netsuite
    )

    assert first == {
        "External ID": "levain-1", "Date": "10/31/2026", "Posting Period": "Oct 2026",
        "Currency": "USD", "Memo": "Accrual", "Journal Entry - Line: Account": "6200",
        "Journal Entry - Line: Debit": "12.35", "Journal Entry - Line: Credit": "",
        "Journal Entry - Line: Department": "CC-1",
        "Journal Entry - Line: Memo": "Usage of 2026-10",
    }  # fmt: skip
    assert (last["Journal Entry - Line: Credit"], last["External ID"]) == ("12.36", "levain-1")
    assert second["Journal Entry - Line: Debit"] == "0.01"


def test_netsuite_takes_ten_digits() -> None:
    """An amount of more digits before the point is refused, by its entry."""
    with pytest.raises(UsageError, match="levain-1 has an amount of 10000000000"):
        journal_texts(journal(entry("levain-1", ("CC-1", "1e10"))), JournalFormat.netsuite)


def test_xero() -> None:
    """A debit is above zero, a credit below; the narration begins with the identifier."""
    ((first, last),) = rows(journal(entry("levain-1", ("CC-1", "12.34"))), JournalFormat.xero)

    assert first == {
        "*Narration": "levain-1 Accrual", "*Date": "31/10/2026", "Description": "Usage of 2026-10",
        "*AccountCode": "6200", "*TaxRate": "Tax Exempt", "*Amount": "12.34",
        "TrackingName1": "Cost center", "TrackingOption1": "CC-1",
        "TrackingName2": "", "TrackingOption2": "",
    }  # fmt: skip
    assert (last["*Amount"], last["TrackingName1"], last["TrackingOption1"]) == ("-12.34", "", "")


def test_xero_takes_300_lines_a_file(tmp_path: Path) -> None:
    """An entry is in one file of at most 300 lines; a longer one is several that balance."""
    long = entry("levain-long", *((f"CC-{number}", "1.01") for number in range(700)))
    short = [entry(f"levain-{number}", ("CC-1", "1"), ("CC-2", "-3")) for number in range(150)]
    whole = journal(*short, long)

    files = rows(whole, JournalFormat.xero)

    assert all(len(file) <= 300 for file in files)
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    narrations: defaultdict[str, set[int]] = defaultdict(set)
    accounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for number, file in enumerate(files):
        for row in file:
            sums[row["*Narration"]] += Decimal(row["*Amount"])
            narrations[row["*Narration"]].add(number)
            accounts[row["*AccountCode"]] += Decimal(row["*Amount"])
    assert set(sums.values()) == {0}
    assert all(len(places) == 1 for places in narrations.values())
    assert accounts["6200"] == 150 * -2 + 700 * Decimal("1.01")
    assert [path.name for path in write_journal(whole, JournalFormat.xero, tmp_path / "x.csv")] == [
        "x.csv",
        *(f"x-{number}.csv" for number in range(2, len(files) + 1)),
    ]


def test_several_files_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A journal of several files is not for standard output; one of a single file is."""
    long = entry("levain-long", *((f"CC-{number}", "1.01") for number in range(300)))

    with pytest.raises(UsageError, match="is of several files"):
        print_journal(journal(long), JournalFormat.xero)
    print_journal(journal(long), JournalFormat.csv)

    assert len(capsys.readouterr().out.splitlines()) == 302


@pytest.mark.parametrize("form", list(JournalFormat))
def test_a_preview_says_so(form: JournalFormat) -> None:
    """Every entry of a month that is not closed says so in its text and in its identifier."""
    entries = [entry("levain-1", ("CC-1", "1")), entry("levain-2", ("CC-1", "1"))]

    (text,) = journal_texts(journal(*entries, is_booked=False), form)

    assert text.count("PREVIEW: Accrual") >= 2
    assert {"levain-1-preview", "levain-2-preview"} <= set(re.findall(r"levain-[\w-]+", text))
    assert "preview" not in journal_texts(journal(*entries), form)[0].lower()


@pytest.mark.parametrize("form", list(JournalFormat))
def test_a_journal_is_taken_back(form: JournalFormat) -> None:
    """The reverse of a journal has the opposite of each line, under identifiers of its own."""
    whole = journal(entry("levain-1", ("CC-1", "1.004"), ("CC-2", "-3.3333333333")))

    ours, theirs = (
        "".join(journal_texts(each, form)) for each in (whole, replace(whole, is_reversed=True))
    )

    assert {"levain-1-reversed"} <= set(re.findall(r"levain-[\w-]+", theirs))
    amount = r"(?:,|USD |  )-?\d+\.\d+"
    assert len(re.findall(amount, theirs)) == len(re.findall(amount, ours)) == 3
    if form in (JournalFormat.hledger, JournalFormat.xero):
        amounts = [re.findall(r"-?\d+\.\d\d+", text) for text in (ours, theirs)]
        assert [Decimal(usd) for usd in amounts[0]] == [-Decimal(usd) for usd in amounts[1]]


@pytest.mark.parametrize("form", [JournalFormat.csv, JournalFormat.netsuite, JournalFormat.xero])
def test_no_text_is_a_formula(hostile: Journal, form: JournalFormat) -> None:
    """No field that is not an amount can be run as a formula, and no line is broken."""
    for file in rows(hostile, form):
        for row in file:
            for name, value in row.items():
                if "amount" not in name.lower():
                    assert value[:1] not in ("=", "+", "-", "@")
                assert value.isprintable()


def test_accounts_are_told_apart() -> None:
    """Each account and cost center has a name of its own that both programs can read."""
    line = Line("expense", "6200", "CC-1", OCTOBER, Decimal(1), "")
    names = ["CC 1", "CC_1", "CC-1", "cc-1", "", "(x)", "(none)", *HOSTILE]

    accounts = [account_of(replace(line, cost_center=name)) for name in names]

    assert len(set(accounts)) == len(names)
    assert accounts[2] == "Expenses:6200:CC-1"
    assert accounts[6] == "Expenses:6200"


@pytest.mark.skipif(not shutil.which("hledger"), reason="hledger is not installed")
def test_hledger_reads_any_name(hostile: Journal, tmp_path: Path) -> None:
    """hledger accepts names of any kind, in its strict mode too, and opening balances."""
    (file,) = write_journal(hostile, JournalFormat.hledger, tmp_path / "a.hledger")
    subprocess.run(["hledger", "check", "-s", "-f", file], check=True)

    opening = tmp_path / "opening.hledger"
    opening.write_text(
        "account Equity\n2026-01-01 Opening\n    Liabilities:2150  USD -5.00\n    Equity\n"
    )
    subprocess.run(["hledger", "check", "-s", "-f", opening, "-f", file], check=True)


@pytest.mark.skipif(not shutil.which("bean-check"), reason="beancount is not installed")
def test_beancount_reads_any_name(hostile: Journal, tmp_path: Path) -> None:
    """bean-check accepts names of any kind."""
    (file,) = write_journal(hostile, JournalFormat.beancount, tmp_path / "a.beancount")
    subprocess.run(["bean-check", file], check=True)
