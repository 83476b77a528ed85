"""Deliver the findings of a published file: to each address what `alerts.json` has not as sent.

Those of `fct_findings` that are new are sent as one alert, beside the alerts of the user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from analytics.alerts.messages import Message, message_of
from analytics.alerts.sender import Address
from analytics.files import replace
from analytics.format import names
from analytics.format.numbers import plural
from analytics.project.build import Finding
from analytics.transform.findings.lines import page_of, read_rows

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

_DATA_TO = "select max(last_batch_at) from marts.dim_workspaces"
_QUIET_DAYS = timedelta(days=3)  # after which a finding that is found again is another one


@dataclass(frozen=True)
class Found:
    """Findings by identity, with the start of the batch that read their figures.

    `alerts` has those that were asked, true if all of their findings are here; others prove of no
    finding that it is gone. `kept_to` has the last day on which one that is found again is the same
    as before, also of those of which nothing is sent; `links` the pages that show them.
    """

    findings: Mapping[str, Finding] = field(default_factory=dict)
    alerts: Mapping[str, bool] = field(default_factory=dict)
    data_to: datetime | None = None
    kept_to: Mapping[str, date] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    def of(self, alert: str) -> list[Finding]:
        """The findings of an alert."""
        return [each for each in self.findings.values() if each.alert == alert]


def read_found(con: duckdb.DuckDBPyConnection, url: str = "") -> Found:
    """Read the findings of a published file, with links to its pages at `url`."""
    ((data_to,),) = con.execute(_DATA_TO).fetchall()
    alerts = {FINDINGS: True} | dict(con.execute(_ALERTS).fetchall())
    rows = read_rows(con)
    new = [row for row in rows if not row["is_silenced"] and not row["is_chronic"]]
    of_users = con.execute(_FINDINGS).fetchall()
    findings = [
        *(
            Finding(
                FINDINGS,
                "Needs you",
                "warning",
                number,
                len(new),
                row["finding_id"],
                f"{row['urgency'].capitalize()}: {names.visible(row['sentence'])}",
            )
            for number, row in enumerate(new, start=1)
        ),
        *(Finding(*(*row[:-1], names.visible(row[-1]))) for row in of_users),
    ]
    kept_to = {
        row["finding_id"]: data_to.date() + _QUIET_DAYS
        for row in rows
        if row["kind"] != "budget"  # that of the next month is another one
    }
    links = {row["finding_id"]: f"{url.rstrip('/')}/{page_of(row)}" for row in new if url}
    return Found({each.id: each for each in findings}, alerts, data_to, kept_to, links)


class Entry(msgspec.Struct):
    """A finding that was there in the last batch that asked its alert, and who has it.

    Until `kept_to` it is the same if it is found again.
    """

    alert: str
    sent_to: list[str] = []
    kept_to: date | None = None


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

    A finding that its alert no longer finds is forgotten, so that it can be found anew: one of ours
    after three days, since a figure at the edge of what is found comes and goes. What an address
    did not take is left to the next batch, and a warning says so.
    """
    today = found.data_to and found.data_to.date()
    entries = {
        identity: entry
        for identity, entry in read_sent(file, warn).items()
        if identity in found.findings.keys() | found.kept_to.keys()
        or not found.alerts.get(entry.alert)
        or (today and entry.kept_to and today <= entry.kept_to)
    }
    for each in found.findings.values():
        entries.setdefault(each.id, Entry(each.alert))
    for identity, day in found.kept_to.items():
        if identity in entries:
            entries[identity].kept_to = day
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
        reasons = send(address, [message_of(each, found.data_to, found.links) for _, each in due])
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
