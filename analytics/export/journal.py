"""The journal of a month in whole cents, as CSV and for hledger.

Both have the same entries. hledger's accounts are like `Expenses:6200:CC-110`, `Assets:1400` and
`Liabilities:2150`; no balance is asserted, as a ledger may hold more than these journals.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import polars as pl

from analytics.export.entries import Journal
from analytics.export.files import write_frame
from analytics.format.names import NONE
from analytics.query.output import replacing_text
from analytics.terminal import escaped
from analytics.transform.cents import CENT, Entry, Line

USD = pl.Decimal(38, 2)
LINES = {
    "DATE": ("entry_date", pl.Date()),
    "JOURNAL": ("journal", pl.String()),
    "PIECE": ("entry_id", pl.String()),
    "LINE": ("line_number", pl.Int64()),
    "WORKSPACE": ("workspace_name", pl.String()),
    "ACCOUNT": ("account", pl.String()),
    "COST_CENTER": ("cost_center", pl.String()),
    "LABEL": ("narration", pl.String()),
    "MEMO": ("memo", pl.String()),
    "USAGE_MONTH": ("usage_month", pl.String()),
    "DEBIT": ("debit_usd", USD),
    "CREDIT": ("credit_usd", USD),
    "CURRENCY": ("currency", pl.String()),
    "STATE": ("state", pl.String()),
}
"""The columns of the CSV file: the name and the type of each."""

_KINDS = {"tax": "Assets"} | dict.fromkeys(
    ("accrued", "payable", "provider_payable"), "Liabilities"
)


class JournalFormat(StrEnum):
    """Layouts of a journal."""

    csv = "csv"
    hledger = "hledger"

    def file_name(self, month: str) -> str:
        """Return the usual name of the file for a month (`2026-10`)."""
        return f"levain-journal-{month}.{self}"


def write_journal(journal: Journal, form: JournalFormat, output: Path) -> None:
    """Write the file of a journal."""
    with replacing_text(output) as file:
        file.write(journal_text(journal, form))


def journal_text(journal: Journal, form: JournalFormat) -> str:
    """Return the text of a journal; the same journal has the same text."""
    if form is JournalFormat.hledger:
        return "".join(f"{line}\n" for line in _hledger(journal))
    names = {name: heading for heading, (name, _) in LINES.items()}
    text = io.StringIO(newline="")
    write_frame(text, journal_lines(journal).rename(names))
    return text.getvalue()


def journal_lines(journal: Journal | None) -> pl.DataFrame:
    """Return the lines of a month's entries; without a journal there are none."""
    rows = (
        [
            (
                entry.entry_date,
                "LEVAIN",
                entry.entry_id,
                number,
                entry.workspace_name,
                line.account,
                None if line.cost_center == NONE else line.cost_center,
                entry.narration,
                line.memo,
                f"{line.usage_month:%Y-%m}",
                line.amount if line.amount > 0 else None,
                -line.amount if line.amount < 0 else None,
                "USD",
                journal.state,
            )
            for entry in exported(journal)
            for number, line in enumerate(entry.lines, start=1)
        ]
        if journal
        else []
    )
    return pl.DataFrame(rows, dict(LINES.values()), orient="row")


def exported(journal: Journal) -> Iterator[Entry]:
    """Yield the entries of a month in whole cents, as files have them.

    Lines of zero cents are left out, and entries that have only such lines. A preview says so in
    its identifier and text, so that no import takes it for the final one.
    """
    for whole in journal.entries:
        lines = [
            replace(line, amount=line.booked.quantize(CENT)) for line in whole.lines if line.booked
        ]
        if not lines:
            continue
        entry = replace(whole, lines=lines)
        if journal.is_reversed:
            yield _taken_back(entry)
        elif journal.is_booked:
            yield entry
        else:
            yield replace(
                entry,
                entry_id=f"{entry.entry_id}-preview",
                narration=f"PREVIEW: {entry.narration}",
            )


def account_of(line: Line) -> str:
    """Return the account of a line: its kind, its number or name, and the cost center if any."""
    parts = [_KINDS.get(line.role, "Expenses"), _component(line.account)]
    if line.cost_center != NONE:
        parts.append(_component(line.cost_center))
    return ":".join(parts)


def _taken_back(entry: Entry) -> Entry:
    """Return the exact opposite of an entry, of the same day."""
    return replace(
        entry,
        entry_id=f"{entry.entry_id}-reversed",
        narration=f"Taken back: {entry.narration}",
        reverses_entry_id=entry.entry_id,
        lines=[replace(line, amount=-line.amount) for line in entry.lines],
    )


def _hledger(journal: Journal) -> Iterator[str]:
    """Yield the lines of a journal for hledger."""
    entries = [*exported(journal)]
    accounts = _accounts(entries)
    yield f"; Levain, journal of {journal.month:%Y-%m}, US dollars"
    if not journal.is_booked:
        yield "; PREVIEW: the month is not closed, and every entry may still change."
    if journal.early_reasons:
        yield f"; CLOSED EARLY: {_plain('; '.join(journal.early_reasons))}"
    if journal.is_reversed:
        yield "; REVERSED: it takes back what was booked before the month was reopened."
    for name, (account, cost_center) in accounts.items():
        of = "" if cost_center == NONE else f", cost center {_plain(cost_center)}"
        yield f"; {name}: account {_plain(account)}{of}"
    yield "decimal-mark ."
    yield "commodity USD"
    yield from (f"account {name}" for name in accounts)
    flag = "*" if journal.is_booked else "!"
    for entry in entries:
        yield ""
        text = _plain(entry.narration).replace(";", ",")
        yield f"{entry.entry_date} {flag} ({entry.entry_id}) {text}"
        yield f"    ; workspace: {_plain(entry.workspace_name).replace(',', ' ')}"
        for line in entry.lines:
            yield f"    {account_of(line)}  USD {line.amount:f}  ; {_plain(line.memo)}"


def _accounts(entries: Sequence[Entry]) -> dict[str, tuple[str, str]]:
    """Return the account and cost center behind the name of each account, in their order."""
    names = {
        account_of(line): (line.account, line.cost_center)
        for entry in entries
        for line in entry.lines
    }
    return dict(sorted(names.items()))


def _component(name: str) -> str:
    """Return a part of an account that hledger can read, another one for each name."""
    if re.fullmatch("[A-Z0-9][A-Za-z0-9-]*", name):
        return name
    readable = re.sub("[^A-Za-z0-9]+", "-", name).strip("-")[:30]
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"X-{readable}-{digest}".replace("--", "-")


def _plain(text: str) -> str:
    return " ".join(escaped(text).split())
