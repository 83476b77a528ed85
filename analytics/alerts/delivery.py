"""Deliver findings: to each address what `alerts.json` does not keep as sent to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from analytics.alerts.found import Found
from analytics.alerts.messages import Message, message_of
from analytics.alerts.sender import Address
from analytics.disk import replace
from analytics.format.numbers import plural

Send = Callable[[Address, Sequence[Message]], list[str]]


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
