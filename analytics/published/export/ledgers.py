"""The journal of a month as text for hledger and beancount, with every digit.

Both have the same accounts: `Expenses:6200:CC-110`, `Assets:1400`, `Liabilities:2150`. No balance
is asserted: a ledger may hold more than these journals.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from analytics.format.names import NONE
from analytics.published.export.entries import Journal, Line
from analytics.terminal import escaped

_KINDS = {"tax": "Assets"} | dict.fromkeys(
    ("accrued", "payable", "provider_payable"), "Liabilities"
)


def account_of(line: Line) -> str:
    """Return the account of a line: its kind, its number or name, and the cost center if any."""
    parts = [_KINDS.get(line.role, "Expenses"), _component(line.account)]
    if line.cost_center != NONE:
        parts.append(_component(line.cost_center))
    return ":".join(parts)


def hledger(journal: Journal) -> Iterator[str]:
    """Yield the lines of a journal for hledger."""
    yield from (f"; {line}" for line in _head(journal))
    yield "decimal-mark ."
    yield "commodity USD"
    yield from (f"account {name}" for name in _accounts(journal))
    for entry in journal.exported(journal.entries):
        yield ""
        text = _plain(entry.narration).replace(";", ",")
        yield f"{entry.entry_date} {_flag(journal)} ({entry.entry_id}) {text}"
        yield f"    ; workspace: {_plain(entry.workspace_name).replace(',', ' ')}"
        for line in entry.lines:
            yield f"    {account_of(line)}  USD {line.amount:f}  ; {_plain(line.memo)}"


def beancount(journal: Journal) -> Iterator[str]:
    """Yield the lines of a journal for beancount; a reversal is linked to its entry."""
    yield from (f"; {line}" for line in _head(journal))
    yield "; A ledger that includes this file opens the accounts itself; alone, the plugin does."
    yield 'plugin "beancount.plugins.auto_accounts"'
    for entry in journal.exported(journal.entries):
        yield ""
        text = _quoted(entry.narration)
        links = f"^{entry.reverses_entry_id or entry.entry_id}"
        yield f"{entry.entry_date} {_flag(journal)} {text} {links}"
        yield f"  id: {_quoted(entry.entry_id)}"
        yield f"  workspace: {_quoted(entry.workspace_name)}"
        for line in entry.lines:
            yield f"  {account_of(line)}  {line.amount:f} USD"
            yield f"    memo: {_quoted(line.memo)}"


def _head(journal: Journal) -> Iterator[str]:
    """Yield remarks at the top of the file."""
    yield f"Levain, journal of {journal.month:%Y-%m}, US dollars"
    if not journal.is_booked:
        yield "PREVIEW: the month is not closed, and every entry may still change."
    if journal.is_reversed:
        yield "REVERSED: it takes back what was booked before the month was reopened."
    for name, (account, cost_center) in _accounts(journal).items():
        of = "" if cost_center == NONE else f", cost center {_plain(cost_center)}"
        yield f"{name}: account {_plain(account)}{of}"


def _accounts(journal: Journal) -> dict[str, tuple[str, str]]:
    """Return the account and cost center behind the name of each account, in their order."""
    names = {
        account_of(line): (line.account, line.cost_center)
        for entry in journal.entries
        for line in entry.lines
    }
    return dict(sorted(names.items()))


def _flag(journal: Journal) -> str:
    return "*" if journal.is_booked else "!"


def _component(name: str) -> str:
    """Return a part of an account that both programs can read, another one for each name."""
    if re.fullmatch("[A-Z0-9][A-Za-z0-9-]*", name):
        return name
    readable = re.sub("[^A-Za-z0-9]+", "-", name).strip("-")[:30]
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"X-{readable}-{digest}".replace("--", "-")


def _plain(text: str) -> str:
    return " ".join(escaped(text).split())


def _quoted(text: str) -> str:
    content = escaped(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{content}"'
