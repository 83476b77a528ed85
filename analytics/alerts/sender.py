"""Send messages through Apprise, for which each address has so much time and no more.

Addresses hold secrets: nothing that Apprise and its libraries log, warn or raise is shown.
"""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread

from analytics.alerts.messages import Message
from analytics.errors import extra_needed

SECONDS = 30.0
"""Time of all messages to one address."""

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

    UsageError if Apprise is not installed.
    """
    reasons: list[str] = []
    for library in ("apprise", "urllib3"):
        logger = logging.getLogger(library)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    with warnings.catch_warnings(), extra_needed("Sending findings", "alerts"):
        warnings.simplefilter("ignore")
        # Import both before the clock starts: a missing extra is reported, and an import by the
        # thread cannot warn after this block has ended.
        import apprise  # noqa: F401
        import requests  # noqa: F401

        # Apprise bounds each wait for a byte, not how many there are. Its own limit of all of them
        # leaves a thread behind that Python waits for at its end; it does not wait for this one.
        thread = Thread(target=_send, args=(address.url, messages, reasons), daemon=True)
        thread.start()
        thread.join(seconds)
    missing = f"no answer came within {seconds:.0f} s" if thread.is_alive() else "sending broke off"
    return [*reasons, *[missing] * len(messages)][: len(messages)]


def _send(url: str, messages: Sequence[Message], reasons: list[str]) -> None:
    """Send messages, and add for each why it was not taken."""
    from apprise import Apprise, AppriseAsset, NotifyFormat

    with suppress(Exception):  # its text may hold the address
        asset = AppriseAsset(
            app_id="analytics",
            app_desc="analytics",
            app_url="",
            async_mode=False,
            service_timeout=0,
            storage_mode="memory",
        )
        apprise = Apprise(asset=asset)
        is_known = apprise.add(url)
        for message in messages:
            is_taken = is_known and apprise.notify(
                message.body,
                title=message.title,
                notify_type=message.severity,
                body_format=NotifyFormat.TEXT,
            )
            reason = "it did not take the message" if is_known else "Apprise knows no such address"
            reasons.append("" if is_taken else reason)
