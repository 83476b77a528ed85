"""The journal of a month in the layouts that ledgers and accounting systems import."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path

from analytics.errors import UsageError
from analytics.format.names import NONE
from analytics.published.export import erp, ledgers
from analytics.published.export.entries import Journal
from analytics.published.export.files import write_rows
from analytics.published.output import replacing_text

_HEAD = (
    "DATE", "JOURNAL", "PIECE", "LINE", "WORKSPACE", "ACCOUNT", "COST_CENTER", "LABEL", "MEMO",
    "USAGE_MONTH", "DEBIT", "CREDIT", "CURRENCY", "STATE",
)  # fmt: skip


class JournalFormat(StrEnum):
    """Layouts of a journal."""

    csv = "csv"
    hledger = "hledger"
    beancount = "beancount"
    netsuite = "netsuite"
    xero = "xero"

    def file_name(self, month: str) -> str:
        """Return the usual name of the file for a month (`2026-10`)."""
        if self in (JournalFormat.netsuite, JournalFormat.xero):
            return f"levain-journal-{month}-{self}.csv"
        return f"levain-journal-{month}.{self}"


def write_journal(journal: Journal, form: JournalFormat, output: Path) -> list[Path]:
    """Write the files of a journal, and return them: of xero, one for each 300 lines."""
    texts = journal_texts(journal, form)
    files = [output, *(part_of(output, number) for number in range(2, len(texts) + 1))]
    with ExitStack() as unfinished:
        for file, text in zip(files, texts, strict=True):
            unfinished.enter_context(replacing_text(file)).write(text)
    return files


def part_of(first: Path, number: int) -> Path:
    """Return the file of a further part, from 2: named like the first, with its number."""
    return first.with_name(f"{first.stem}-{number}{first.suffix}")


def print_journal(journal: Journal, form: JournalFormat) -> None:
    """Write a journal to standard output; UsageError if it takes several files."""
    texts = journal_texts(journal, form)
    if len(texts) > 1:
        name = form.file_name(f"{journal.month:%Y-%m}")
        raise UsageError(f"{name} is of several files: name the first one with --output.")
    print(texts[0], end="")


def journal_texts(journal: Journal, form: JournalFormat) -> list[str]:
    """Return the text of each file of a journal; the same journal has the same texts."""
    if form is JournalFormat.hledger:
        return [_lines(ledgers.hledger(journal))]
    if form is JournalFormat.beancount:
        return [_lines(ledgers.beancount(journal))]
    if form is JournalFormat.netsuite:
        return [_csv(erp.NETSUITE, erp.netsuite(journal))]
    if form is JournalFormat.xero:
        return [_csv(erp.XERO, rows) for rows in erp.xero(journal)]
    return [_csv(_HEAD, _rows(journal))]


def _rows(journal: Journal) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the general layout: dates of ISO 8601, every digit."""
    for entry in journal.exported(journal.entries):
        for number, line in enumerate(entry.lines, start=1):
            yield (
                entry.entry_date,
                "LEVAIN",
                entry.entry_id,
                number,
                entry.workspace_name,
                line.account,
                "" if line.cost_center == NONE else line.cost_center,
                entry.narration,
                line.memo,
                f"{line.usage_month:%Y-%m}",
                line.amount if line.amount > 0 else "",
                -line.amount if line.amount < 0 else "",
                "USD",
                journal.state,
            )


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _csv(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO(newline="")
    write_rows(text, head, rows)
    return text.getvalue()
