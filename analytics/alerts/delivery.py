"""Deliver the findings of a published file: to each address what `alerts.json` has not as sent.

Those of `fct_findings` that are new are sent as one alert, beside the alerts of the user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from analytics.alerts.messages import Message, message_of
from analytics.alerts.sender import Address
from analytics.custom.findings import Finding
from analytics.disk import replace
from analytics.format import names
from analytics.format.numbers import plural

if TYPE_CHECKING:
    import duckdb

Send = Callable[[Address, Sequence[Message]], list[str]]

_ALERTS = """
    select name, row_count = (
            select count(*) from audit.alert_findings where alert_name = name
        ) as is_whole
    from audit.project_files
    where kind = 'alert' and status = 'asked'
    order by name
"""
_FINDINGS = """
    select alert_name, title, severity, finding_number, finding_count, finding_id, finding
    from audit.alert_findings
    order by alert_name, finding_number
"""
FINDINGS = "needs you"
"""The name of the alert of `fct_findings`; one of the user has no space in its name."""

_NEW = f"""
    select '{FINDINGS}', 'Needs you', 'warning', row_number() over (order by rank),
        count(*) over (), finding_id, sentence
    from marts.fct_findings
    where not is_silenced and not is_chronic
    order by rank
"""
_DATA_TO = "select max(last_batch_at) from marts.dim_workspaces"


@dataclass(frozen=True)
class Found:
    """Findings by identity, with the start of the batch that read their figures.

    `alerts` has those that were asked, true if all of their findings are here; others prove of no
    finding that it is gone.
    """

    findings: Mapping[str, Finding] = field(default_factory=dict)
    alerts: Mapping[str, bool] = field(default_factory=dict)
    data_to: datetime | None = None

    def of(self, alert: str) -> list[Finding]:
        """The findings of an alert."""
        return [each for each in self.findings.values() if each.alert == alert]


def read_found(con: duckdb.DuckDBPyConnection) -> Found:
    """Read the findings of a published file."""
    ((data_to,),) = con.execute(_DATA_TO).fetchall()
    alerts = {FINDINGS: True} | dict(con.execute(_ALERTS).fetchall())
    rows = [row for sql in (_NEW, _FINDINGS) for row in con.execute(sql).fetchall()]
    findings = [Finding(*(*row[:-1], names.visible(row[-1]))) for row in rows]
    return Found({each.id: each for each in findings}, alerts, data_to)


class Entry(msgspec.Struct):
    """A finding that was there in the last batch that asked its alert, and who has it."""

    alert: str
    sent_to: list[str] = []


def read_sent(file: Path, warn: Callable[[str], None] | None = None) -> dict[str, Entry]:
    """Read which findings were sent; none where the file is not there, or is damaged."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Entry])
    except FileNotFoundError:
        return {}
    except (UnicodeDecodeError, msgspec.DecodeError):
        if warn:
            warn(f"{file} is damaged; all findings are sent once more")
        return {}


def deliver(
    file: Path,
    found: Found,
    addresses: Sequence[Address],
    send: Send,
    warn: Callable[[str], None],
) -> int:
    """Send to each address what it has not got, and return how many findings were sent.

    A finding that its alert no longer finds is forgotten, so that it can be found anew. What an
    address did not take is left to the next batch, and a warning says so.
    """
    entries = {
        identity: entry
        for identity, entry in read_sent(file, warn).items()
        if identity in found.findings or not found.alerts.get(entry.alert)
    }
    for each in found.findings.values():
        entries.setdefault(each.id, Entry(each.alert))
    replace(file, msgspec.json.encode(entries))  # nothing is sent that cannot be kept as sent
    sent: set[str] = set()
    for address in addresses:
        due = [
            (alert, findings)
            for alert in found.alerts
            if (
                findings := [
                    each for each in found.of(alert) if address.id not in entries[each.id].sent_to
                ]
            )
        ]
        if not due:
            continue
        reasons = send(address, [message_of(each, found.data_to) for _, each in due])
        for (alert, findings), reason in zip(due, reasons, strict=True):
            if reason:
                warn(
                    f"alert {alert}: {plural(len(findings), 'finding')} could not be sent; the next"
                    f" batch tries again ({address.name}: {reason})"
                )
                continue
            for each in findings:
                entries[each.id].sent_to.append(address.id)
                sent.add(each.id)
        replace(file, msgspec.json.encode(entries))
    return len(sent)
