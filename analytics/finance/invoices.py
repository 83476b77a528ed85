"""Invoices of Levain: `finance/invoices.csv`, read and checked line by line.

    invoice_id,workspace,month,issued_on,amount_usd,credit_usd,tax_usd,accepted
    LEV-2026-10-001,Production,2026-10,2026-11-02,1204.17,,0,

A line is the part of an invoice for a workspace (name or identifier) and the month in which it was
used. `amount_usd` is before credits and tax; a credit is positive. An empty credit or tax is 0. Tax
is negative on a credit note, whose credit is more than its amount.
`accepted` is `yes` where the amount shall stand although it differs from the bill, else empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from analytics.finance.fields import shown
from analytics.finance.lines import Form, Line, Lines, read_lines
from analytics.format.names import folded

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

_REQUIRED = ("invoice_id", "workspace", "month", "issued_on", "amount_usd")
FORM = Form(
    "finance/invoices.csv",
    (*_REQUIRED, "credit_usd", "tax_usd", "accepted"),
    required=tuple((name,) for name in _REQUIRED),
    otherwise="no invoice is known",
)


@dataclass(frozen=True)
class Invoice:
    """A line of the file; `month` is its first day."""

    line: int
    invoice_id: str
    workspace: str
    month: date
    issued_on: date
    amount_usd: Decimal
    credit_usd: Decimal
    tax_usd: Decimal
    is_accepted: bool


def same_as(line: int) -> str:
    """Return the problem of a line that repeats an earlier one."""
    return f"line {line} has the same invoice, workspace and month; add up what belongs together"


def read_invoices(project: Path) -> Lines[Invoice]:
    """Read the invoices of a project folder; there are none without a file.

    A line that is wrong is no invoice, and a problem; nothing raises.
    """
    above: dict[object, int] = {}

    def read(line: Line) -> Invoice:
        invoice = _invoice(line)
        key = invoice.invoice_id, folded(invoice.workspace), invoice.month
        if key in above:
            raise ValueError(same_as(above[key]))
        above[key] = line.number
        return invoice

    return read_lines(project, FORM, read)


def _invoice(line: Line) -> Invoice:
    """Return a line as an invoice; ValueError says what is wrong with it."""
    invoice_id, workspace = line.required("invoice_id"), line.required("workspace")
    month, issued_on = line.month("month"), line.required_day("issued_on")
    amount = line.amount("amount_usd")
    if amount is None:
        raise ValueError("amount_usd is empty")
    credit = line.amount("credit_usd") or Decimal()
    tax = line.amount("tax_usd", may_be_negative=credit > amount) or Decimal()
    accepted = line.text("accepted")
    if accepted not in (None, "yes"):
        raise ValueError(f"accepted `{shown(accepted)}` is not yes; write yes, or leave it empty")
    return Invoice(
        line.number,
        invoice_id,
        workspace,
        month,
        issued_on,
        amount,
        credit,
        tax,
        is_accepted=accepted is not None,
    )
