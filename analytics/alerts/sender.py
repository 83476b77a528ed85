"""Send messages through Apprise, in a process that is ended when its time is over.

Addresses hold secrets. They are passed to that process alone, and all that Apprise and its
libraries print is lost.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from analytics.alerts.messages import Message
from analytics.errors import AnalyticsError, how_to_add
from analytics.settings import network_variables

SECONDS = 30.0
"""Time of all messages to one address."""

_CHILD = "analytics.alerts.child"
_PATH = str(Path(__file__).resolve().parents[2])
_SCHEME = re.compile(r"[a-z]{2,11}(?=://)")  # whatever else stands there may be a secret


@dataclass(frozen=True)
class Address:
    """An address to send to: a short hash that stands for it, and words that name no secret.

    The hash is too short to find a password by trying.
    """

    id: str
    name: str
    url: str


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


def send(address: Address, messages: Sequence[Message], seconds: float = SECONDS) -> list[str]:
    """Send messages; return for each why it was not taken, empty if it was.

    AnalyticsError if Apprise is not installed.
    """
    if importlib.util.find_spec("apprise") is None:
        raise AnalyticsError(
            "Findings are sent by Apprise, which is not installed.\n" + how_to_add("alerts")
        )
    request = {"url": address.url, "messages": [asdict(each) for each in messages]}
    try:
        answers = subprocess.run(
            [sys.executable, "-P", "-m", _CHILD],
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**network_variables(), "PYTHONPATH": _PATH},
            timeout=seconds,
            check=False,
        ).stdout
        missing = "sending broke off"
    except subprocess.TimeoutExpired as error:
        answers, missing = error.stdout or b"", f"no answer came within {seconds:.0f} s"
    reasons: list[str] = [json.loads(line) for line in answers.splitlines()]
    return reasons + [missing] * (len(messages) - len(reasons))
