"""The ledger of findings: a file of its own, which no rebuild replaces, synced at each change."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from analytics.disk import replace
from analytics.errors import AnalyticsError


class State(StrEnum):
    """The state of a finding at an address."""

    waiting = "waiting"
    sending = "sending"
    sent = "sent"
    failed = "failed"
    """Certainly not delivered."""
    uncertain = "uncertain"
    """Perhaps delivered, and not sent again."""


UNSENT = (State.waiting, State.failed)


class Entry(msgspec.Struct):
    """A finding that was there in the last batch that asked its alert."""

    alert: str
    addresses: dict[str, State] = {}

    @property
    def is_unsent(self) -> bool:
        """True if it certainly arrived nowhere."""
        return all(state in UNSENT for state in self.addresses.values())

    @property
    def state(self) -> State:
        """The state to show: of all addresses the most urgent one."""
        states = set(self.addresses.values())
        if states & {State.uncertain, State.sending}:
            return State.uncertain
        return State.sent if states == {State.sent} else State.waiting


class Ledger:
    """The entries of all findings by their identity, as read from a file."""

    def __init__(self, file: Path | str) -> None:
        """Read the file, if it is there; AnalyticsError if it is not as we wrote it."""
        self.file = file
        try:
            self._saved = self.read() or b"{}"
            self.entries = msgspec.json.decode(self._saved, type=dict[str, Entry])
        except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
            raise AnalyticsError(
                f"{file} cannot be read: {error}.\n"
                "No finding is sent, as some were sent before. Put the file back from a backup; or,"
                " to have all findings sent once more, move it away."
            ) from None

    def read(self) -> bytes | None:
        """Return the content of the file; None if there is none."""
        try:
            return Path(self.file).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, content: bytes) -> None:
        """Replace the file, and return when it is on the disk."""
        replace(Path(self.file), content)

    def save(self) -> None:
        """Write what changed, and return when that will last."""
        content = msgspec.json.encode(self.entries)
        if content == self._saved:
            return
        self.write(content)
        self._saved = content
