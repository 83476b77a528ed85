"""Messages through Apprise: taken or not, in limited time; and no secret is told."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from analytics.alerts.messages import TEST, Message
from analytics.alerts.sender import addresses, send
from tests.alerts.webhook import Webhook, webhook

REFUSED = "it did not take the message"


@pytest.fixture
def hook() -> Iterator[Webhook]:
    """A webhook that takes every message."""
    with webhook() as served:
        yield served


def sent(url: str, *messages: Message) -> list[str]:
    (address,) = addresses([url])
    return send(address, messages or [TEST])


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_a_message_arrives_as_it_is(hook: Webhook) -> None:
    """Title, text and severity arrive."""
    assert sent(hook.address()) == [""]

    ((path, message),) = hook.received
    assert (path, message["title"], message["message"], message["type"]) == (
        "hook", TEST.title, TEST.body, "info",
    )  # fmt: skip


def test_a_message_that_is_refused_stands_alone(hook: Webhook) -> None:
    """An answer that says no is of one message; the next one is sent."""
    hook.first = [503]

    assert sent(hook.address(), TEST, TEST) == [REFUSED, ""]
    assert len(hook.received) == 2


def test_an_address_that_never_answers_holds_up_no_exit(hook: Webhook) -> None:
    """It costs no more than its time, and the process ends although a message is under way."""
    hook.status = 0
    script = (
        "from analytics.alerts.messages import TEST\n"
        "from analytics.alerts.sender import addresses, send\n"
        f"print(send(*addresses(['{hook.address(rto=900)}']), [TEST], 0.1))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("['no answer came within 0 s']\n", "")


def test_addresses_are_named_without_secrets() -> None:
    """An address is named by its number and service; each counts once."""
    urls = ["slack://token", "json://a/secret", "slack://token", "TOKEN5://a"]
    first, second, third = addresses(urls)

    assert (first.name, second.name) == ("address 1 (slack)", "address 2 (json)")
    assert third.name == "address 3 (unknown)"
    assert len(first.id) == 6


def test_nothing_is_printed_by_apprise() -> None:
    """Without a connection, or at no address that Apprise knows, nothing is sent, or printed.

    Nor is it where the program logs what its libraries say.
    """
    script = (
        "import logging\nlogging.basicConfig(level=logging.DEBUG)\n"
        "from analytics.alerts.messages import TEST\n"
        "from analytics.alerts.sender import addresses, send\n"
        f"urls = ['json://127.0.0.1:{closed_port()}/s3cret', 'slack://s3cret', 's3cret']\n"
        "print([send(each, [TEST]) for each in addresses(urls)])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.returncode == 0
    assert REFUSED in done.stdout
    assert done.stdout.count("Apprise knows no such address") == 2
    assert "s3cret" not in done.stdout + done.stderr
