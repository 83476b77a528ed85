"""Deliver findings: what is new to each address, in an order that a kill at any time bears."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from analytics.alerts.found import Found
from analytics.alerts.ledger import UNSENT, Entry, Ledger, State
from analytics.alerts.messages import Message, message_of
from analytics.alerts.sender import SECONDS, Address, Outcome
from analytics.custom.findings import Finding
from analytics.errors import AnalyticsError
from analytics.format.numbers import plural

ALL_SECONDS = 30.0
"""Time of all messages of a batch."""

Send = Callable[[Address, Message], Outcome]


def deliver(
    ledger: Ledger,
    found: Found,
    addresses: Sequence[Address],
    send: Send,
    warn: Callable[[str], None],
) -> int:
    """Send to each address what it has not got, and return how many findings were delivered.

    What certainly arrived nowhere is left to the next batch, and what may not have arrived is not
    sent again: of both, and of what an earlier batch left so, a warning says it.
    """
    interrupted = [each for each in ledger.entries.values() if State.sending in _states(each)]
    for alert, count in Counter(each.alert for each in interrupted).items():
        warn(
            f"alert {alert}: {plural(count, 'finding')} may not have been delivered, as a batch was"
            " stopped while sending; not sent again"
        )
    _forget_gone(ledger, found, warn)
    _enter_new(ledger, found, addresses)
    ledger.save()
    sent: set[str] = set()
    deadline = time.monotonic() + ALL_SECONDS
    for address in addresses:
        sent |= _deliver_to(address, ledger, found, send, warn, deadline)
    for entry in interrupted:
        _replace(entry, State.sending, State.uncertain)
    ledger.save()
    return len(sent)


def _states(entry: Entry) -> set[State]:
    return set(entry.addresses.values())


def _forget_gone(ledger: Ledger, found: Found, warn: Callable[[str], None]) -> None:
    """Remove the findings that their alert does not find any more, so that it can find them anew.

    A warning names those that were never sent.
    """
    gone = {
        identity: entry
        for identity, entry in ledger.entries.items()
        if identity not in found.findings and found.alerts.get(entry.alert)
    }
    unsent = Counter(each.alert for each in gone.values() if each.addresses and each.is_unsent)
    for identity in gone:
        del ledger.entries[identity]
    for alert, count in unsent.items():
        warn(f"alert {alert}: it no longer finds {plural(count, 'finding')} that could not be sent")


def _enter_new(ledger: Ledger, found: Found, addresses: Sequence[Address]) -> None:
    """Let each finding that has arrived nowhere wait for all present addresses.

    Of addresses that are no more, only what they may have got counts.
    """
    present = {each.id for each in addresses}
    for finding in found.findings.values():
        entry = ledger.entries.setdefault(finding.id, Entry(finding.alert))
        if not addresses:
            continue
        for old, state in list(entry.addresses.items()):
            if old not in present and state in UNSENT:
                del entry.addresses[old]
        if entry.is_unsent:
            for each in addresses:
                entry.addresses.setdefault(each.id, State.waiting)


def _deliver_to(
    address: Address,
    ledger: Ledger,
    found: Found,
    send: Send,
    warn: Callable[[str], None],
    deadline: float,
) -> set[str]:
    """Send to one address, an alert after the other; return what was sent.

    Where no server answers, the rest is left to the next batch.
    """
    sent: set[str] = set()
    for alert in found.alerts:
        due = [
            each
            for each in found.of(alert)
            if ledger.entries[each.id].addresses.get(address.id) in UNSENT
        ]
        if not due:
            continue
        if deadline - time.monotonic() < SECONDS:  # a message cut off is uncertain for ever
            warn(f"no time was left to send findings to {address.name}; the next batch sends them")
            break
        _mark(ledger, due, address, State.sending)
        try:
            outcome = send(address, message_of(due, found.data_to))
        except AnalyticsError:  # there is nothing to send with
            _mark(ledger, due, address, State.failed)
            raise
        _mark(ledger, due, address, outcome.state)
        if outcome.state is State.sent:
            sent |= {each.id for each in due}
            continue
        if outcome.state is State.uncertain:
            result = "may not have been delivered; not sent again"
        else:
            result = "could not be sent; the next batch tries again"
        findings = plural(len(due), "finding")
        warn(f"alert {alert}: {findings} {result} ({address.name}: {outcome.reason})")
        if not outcome.is_answered:
            break
    return sent


def _mark(ledger: Ledger, due: Sequence[Finding], address: Address, state: State) -> None:
    """Set the state of findings at an address, on the disk too."""
    for each in due:
        ledger.entries[each.id].addresses[address.id] = state
    ledger.save()


def _replace(entry: Entry, old: State, new: State) -> None:
    for address, state in entry.addresses.items():
        if state is old:
            entry.addresses[address] = new
