"""The journal of a month as text for hledger and beancount, with every digit.

Both have the same accounts: `Expenses:6200:CC-110`, `Assets:1400`, `Liabilities:2150`. The first
month of the books ends with an assertion of what is accrued; later ones cannot know what the ledger
held before.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from analytics.published.export.entries import NO_COST_CENTER, Journal, Line
from analytics.terminal import visible

_KINDS = {"tax": "Assets"} | dict.fromkeys(
    ("accrued", "payable", "provider_payable"), "Liabilities"
)


def account_of(line: Line) -> str:
    """Return the account of a line: its kind, its number or name, and the cost center if any."""
    parts = [_KINDS.get(line.role, "Expenses"), _component(line.account)]
    if line.cost_center != NO_COST_CENTER:
        parts.append(_component(line.cost_center))
    return ":".join(parts)


def hledger(journal: Journal) -> Iterator[str]:
    """Yield the lines of a journal for hledger."""
    yield from (f"; {line}" for line in _head(journal))
    yield "decimal-mark ."
    accrued = _accrued_at_end(journal)
    last = {account_of(line): id(line) for entry in journal.entries for line in entry.lines}
    for entry in journal.entries:
        yield ""
        text = _plain(journal.narration(entry)).replace(";", ",")
        yield f"{entry.entry_date} {_flag(journal)} ({entry.entry_id}) {text}"
        for line in entry.lines:
            account = account_of(line)
            is_last = account in accrued and last[account] == id(line)
            assertion = f" = USD {accrued[account]:f}" if is_last else ""
            yield f"    {account}  USD {line.amount:f}{assertion}  ; {_plain(line.memo)}"


def beancount(journal: Journal) -> Iterator[str]:
    """Yield the lines of a journal for beancount; a reversal is linked to its entry."""
    yield from (f"; {line}" for line in _head(journal))
    yield "; A ledger that includes this file opens the accounts itself; alone, the plugin does."
    yield 'plugin "beancount.plugins.auto_accounts"'
    for entry in journal.entries:
        yield ""
        text = _quoted(journal.narration(entry))
        links = f"^{entry.reverses_entry_id or entry.entry_id}"
        yield f"{entry.entry_date} {_flag(journal)} {text} {links}"
        yield f"  id: {_quoted(entry.entry_id)}"
        for line in entry.lines:
            yield f"  {account_of(line)}  {line.amount:f} USD"
            yield f"    memo: {_quoted(line.memo)}"
    next_month = date(
        journal.month.year + journal.month.month // 12, journal.month.month % 12 + 1, 1
    )
    for account, amount in sorted(_accrued_at_end(journal).items()):
        yield ""
        yield f"{next_month} balance {account}  {amount:f} USD"


def _head(journal: Journal) -> Iterator[str]:
    """Yield remarks at the top of the file."""
    yield f"Levain, journal of {journal.month:%Y-%m}, US dollars"
    if not journal.is_booked:
        yield "PREVIEW: the month is not closed, and every entry may still change."
    names = {
        account_of(line): (line.account, line.cost_center)
        for entry in journal.entries
        for line in entry.lines
    }
    for name, (account, cost_center) in sorted(names.items()):
        of = "" if cost_center == NO_COST_CENTER else f", cost center {_plain(cost_center)}"
        yield f"{name}: account {_plain(account)}{of}"


def _accrued_at_end(journal: Journal) -> dict[str, Decimal]:
    """Return what is accrued after the first month, by account; nothing after a later one."""
    balances: defaultdict[str, Decimal] = defaultdict(Decimal)
    if not journal.earlier:
        for entry in journal.entries:
            for line in entry.lines:
                if line.role == "accrued":
                    balances[account_of(line)] += line.amount
    return balances


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
    return " ".join(visible(text).split())


def _quoted(text: str) -> str:
    escaped = visible(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
