"""Send messages through Apprise, in a process of its own that can be ended at any time.

Addresses hold secrets. They are passed to that process alone, and none of its output is used but
the words below: all that Apprise and its libraries print or log is lost.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Self

from analytics.alerts.ledger import State
from analytics.alerts.messages import Message
from analytics.custom.process import Process
from analytics.errors import AnalyticsError, how_to_add

SECONDS = 10.0
"""Time of one message to one address."""

_CHILD = "analytics.alerts.child"
_SCHEME = re.compile(r"[a-z]{2,11}(?=://)")  # whatever else stands there may be a secret


@dataclass(frozen=True)
class Address:
    """An address to send to: a short hash that stands for it, and words that name no secret.

    The hash is too short to find a password by trying.
    """

    id: str
    name: str
    url: str


@dataclass(frozen=True)
class Outcome:
    """The state of a message after it was sent, and the reason in words; empty if it was taken.

    `is_answered` if a server said no to this message, so that it may take another one.
    """

    state: State
    reason: str
    is_answered: bool = False


def addresses(urls: Sequence[str]) -> list[Address]:
    """Return each address once."""
    return [
        Address(
            hashlib.sha256(url.encode()).hexdigest()[:6],
            f"address {number} ({scheme[0] if (scheme := _SCHEME.match(url)) else 'unknown'})",
            url,
        )
        for number, url in enumerate(dict.fromkeys(urls), 1)
    ]


class Sender:
    """Sends messages, one after the other; a context that starts a process for the first."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Take the variables of the network, such as those of a proxy."""
        self._variables = variables
        self._process: Process | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.close()

    def start(self) -> None:
        """Start the process; AnalyticsError if it cannot be."""
        if importlib.util.find_spec("apprise") is None:
            raise AnalyticsError(
                "Findings are sent by Apprise, which is not installed.\n" + how_to_add("alerts")
            )
        if self._process is None:
            self._process = Process(_CHILD, "sends findings", self._variables)

    def send(self, address: Address, message: Message, seconds: float = SECONDS) -> Outcome:
        """Send a message, and wait so many seconds for the outcome; AnalyticsError as `start`."""
        self.start()
        assert self._process  # noqa: S101 - it was started
        deadline = time.monotonic() + seconds
        self._process.ask({"url": address.url, **asdict(message)})
        has_begun = False
        while line := self._process.answer(deadline - time.monotonic()):
            if line == b"begun":
                has_begun = True
                continue
            answer = json.loads(line)
            return Outcome(State(answer["state"]), answer["reason"], answer["is_answered"])
        self._process.close()
        self._process = None
        reason = f"no answer came within {seconds:.0f} s" if line is None else "sending broke off"
        return Outcome(State.uncertain if has_begun else State.failed, reason)
