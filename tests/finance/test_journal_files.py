"""Files of a journal: what each system takes, whatever the names in it are."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.export.entries import Journal
from analytics.export.journal import JournalFormat, account_of, journal_text, write_journal
from analytics.transform.cents import Entry, Line, in_cents

OCTOBER = date(2026, 10, 1)
LAST = date(2026, 10, 31)
HOSTILE = [
    '=cmd()|"x"', "a;b  c", 'quote " and \\', "[2026-99-99]", "date:x", "🍞\n\x1b[2J", "-1", "é",
]  # fmt: skip


def entry(entry_id: str, *amounts: tuple[str, str], narration: str = "Accrual") -> Entry:
    """An entry of expenses by cost center, accrued."""
    lines = [
        Line("expense", "6200", cost_center, OCTOBER, Decimal(usd), None, "Usage of 2026-10")
        for cost_center, usd in amounts
    ]
    total = sum(line.amount for line in lines)
    lines.append(Line("accrued", "2150", "(none)", OCTOBER, -total, None, "Usage of 2026-10"))
    return Entry(
        OCTOBER, entry_id, 1, True, "w-1", "Bakery", LAST, "accrual", narration, None, lines
    )


def journal(*entries: Entry) -> Journal:
    return Journal(OCTOBER, True, [*in_cents(entries)])


@pytest.fixture
def hostile() -> Journal:
    """A journal in which every name is foreign text."""
    entries = [
        entry(f"levain-{number}", (name, "0.01"), ("CC-1", "2"), narration=name)
        for number, name in enumerate(HOSTILE)
    ]
    first = entries[0]
    lines = [replace(line, account="=6200;") for line in first.lines]
    named = [
        replace(each, workspace_name=name) for each, name in zip(entries, HOSTILE, strict=True)
    ]
    return journal(replace(named[0], lines=lines), *named[1:])


def rows(journal: Journal) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(journal_text(journal, JournalFormat.csv)))]


def test_the_general_layout() -> None:
    """It has a line for each account and cost center, dates of ISO 8601 and whole cents."""
    first, second, last = rows(journal(entry("levain-1", ("CC-1", "12.345"), ("CC-2", "0.015"))))

    assert first == {
        "DATE": "2026-10-31", "JOURNAL": "LEVAIN", "PIECE": "levain-1", "LINE": "1",
        "WORKSPACE": "Bakery", "ACCOUNT": "6200", "COST_CENTER": "CC-1", "LABEL": "Accrual",
        "MEMO": "Usage of 2026-10", "USAGE_MONTH": "2026-10", "DEBIT": "12.35",
        "CREDIT": "", "CURRENCY": "USD", "STATE": "closed",
    }  # fmt: skip
    assert (second["DEBIT"], second["LINE"]) == ("0.01", "2")
    assert (last["ACCOUNT"], last["CREDIT"], last["COST_CENTER"]) == ("2150", "12.36", "")


def test_every_account_is_declared() -> None:
    """hledger's file names each account of its entries, those of carried cents among them."""
    first = entry("levain-1", ("CC-1", "0.006"), ("CC-2", "-0.006"))
    second = entry("levain-2", ("CC-1", "0.006"), ("CC-3", "5"))

    text = journal_text(journal(first, second), JournalFormat.hledger)

    used = set(re.findall(r"^    (\S+)  USD", text, re.MULTILINE))
    assert used == set(re.findall(r"^account (\S+)$", text, re.MULTILINE))


@pytest.mark.parametrize("form", list(JournalFormat))
def test_a_preview_and_a_reverse_say_so(form: JournalFormat) -> None:
    """Every entry of a month that is not closed says so in its text and in its identifier.

    The reverse of a journal has the opposite of each line, under identifiers of its own.
    """
    entries = [entry("levain-1", ("CC-1", "1.004"), ("CC-2", "-3.3333333333"))]
    entries.append(entry("levain-2", ("CC-1", "1")))
    whole = journal(*entries)
    ours, theirs, preview = (
        journal_text(each, form)
        for each in (whole, replace(whole, is_reversed=True), replace(whole, is_booked=False))
    )

    def ids(text: str) -> set[str]:
        return set(re.findall(r"levain-[\w-]+", text))

    assert preview.count("PREVIEW: Accrual") >= 2
    assert {"levain-1-preview", "levain-2-preview"} <= ids(preview)
    assert "preview" not in ours.lower()
    assert {"levain-1-reversed", "levain-2-reversed"} <= ids(theirs)
    found = [re.findall(r"(?:,|USD |  )-?\d+\.\d+", text) for text in (ours, theirs)]
    assert len(found[0]) == len(found[1]) == 5
    if form is JournalFormat.hledger:
        amounts = [re.findall(r"-?\d+\.\d\d+", text) for text in (ours, theirs)]
        assert [Decimal(usd) for usd in amounts[0]] == [-Decimal(usd) for usd in amounts[1]]


def test_no_text_is_a_formula(hostile: Journal) -> None:
    """No field can be run as a formula, and no line is broken."""
    for row in rows(hostile):
        for value in row.values():
            assert value[:1] not in ("=", "+", "-", "@")
            assert value.isprintable()


def test_accounts_are_told_apart() -> None:
    """Each account and cost center has a name of its own that hledger can read."""
    line = Line("expense", "6200", "CC-1", OCTOBER, Decimal(1), None, "")
    names = ["CC 1", "CC_1", "CC-1", "cc-1", "", "(x)", "(none)", *HOSTILE]

    accounts = [account_of(replace(line, cost_center=name)) for name in names]

    assert len(set(accounts)) == len(names)
    assert accounts[2] == "Expenses:6200:CC-1"
    assert accounts[6] == "Expenses:6200"


@pytest.mark.skipif(not shutil.which("hledger"), reason="hledger is not installed")
def test_hledger_reads_any_name(hostile: Journal, tmp_path: Path) -> None:
    """hledger accepts names of any kind, in its strict mode too, and opening balances."""
    file = tmp_path / "a.hledger"
    write_journal(hostile, JournalFormat.hledger, file)
    subprocess.run(["hledger", "check", "-s", "-f", file], check=True)

    opening = tmp_path / "opening.hledger"
    opening.write_text(
        "account Equity\n2026-01-01 Opening\n    Liabilities:2150  USD -5.00\n    Equity\n"
    )
    subprocess.run(["hledger", "check", "-s", "-f", opening, "-f", file], check=True)
