"""Messages through Apprise: taken, certainly not delivered, or perhaps; and no secret is told."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import pytest

from analytics.alerts.ledger import State
from analytics.alerts.messages import TEST
from analytics.alerts.sender import Outcome, Sender, addresses
from analytics.custom.process import Process
from tests.alerts.webhook import Webhook


def sent(sender: Sender, url: str, seconds: float = 60) -> Outcome:
    (address,) = addresses([url])
    return sender.send(address, TEST, seconds)


@contextmanager
def server(*lines: bytes) -> Iterator[int]:
    """Say one line for each that comes, then close the connection; yield the port."""

    def serve() -> None:
        with listening.accept()[0] as connection, connection.makefile("rb") as theirs:
            for line in lines:
                connection.sendall(line)
                theirs.readline()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_a_message_arrives_as_it_is(sender: Sender, hook: Webhook) -> None:
    """Title, text and severity arrive."""
    assert sent(sender, hook.address()) == Outcome(State.sent, "")

    ((path, message),) = hook.received
    assert (path, message["title"], message["message"], message["type"]) == (
        "hook", TEST.title, TEST.body, "info",
    )  # fmt: skip


@pytest.mark.parametrize(("status", "state"), [(404, "failed"), (503, "failed"), (302, "failed")])
def test_an_answer_that_says_no_is_a_failure(
    sender: Sender, hook: Webhook, status: int, state: str
) -> None:
    """What a server refuses did not arrive, though the page it redirects to is fine."""
    hook.status = status

    outcome = sent(sender, hook.address())

    assert outcome == Outcome(State(state), f"it answered with HTTP {status}", is_answered=True)


def test_an_answer_to_another_place_is_a_yes(sender: Sender, hook: Webhook) -> None:
    """A server that answers with a place to look at has taken the message."""
    hook.status = 303

    assert sent(sender, hook.address()) == Outcome(State.sent, "")


@pytest.mark.parametrize(
    ("answers", "state", "reason"),
    [
        ([401], State.failed, "HTTP 401"),
        ([200, 429, 200], State.failed, "HTTP 429"),
        ([200, 202, 200], State.uncertain, "HTTP 202, but did not confirm the message"),
    ],
)
def test_the_answer_to_the_message_counts(
    sender: Sender, hook: Webhook, answers: list[int], state: State, reason: str
) -> None:
    """What a server says to a login or a logout says nothing of the message between them."""
    hook.first = answers

    outcome = sent(sender, f"rocket://me:secret@127.0.0.1:{hook.port}/%23general")

    assert (outcome.state, outcome.reason) == (state, f"it answered with {reason}")


def test_a_message_that_one_of_two_took_is_uncertain(sender: Sender, hook: Webhook) -> None:
    """An address of two places, of which one refused the message, does not get it again."""
    hook.first = [200, 500]

    outcome = sent(sender, f"evolution://key@127.0.0.1:{hook.port}/i/15551230001/15551230002")

    assert (outcome.state, len(hook.received)) == (State.uncertain, 2)


@pytest.mark.parametrize(("verify", "state"), [("no", State.uncertain), ("yes", State.failed)])
def test_what_was_encrypted_may_have_arrived(
    sender: Sender, certificate: Path, verify: str, state: State
) -> None:
    """An error of TLS is certain while the connection is made, and no longer after it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve() -> None:
        with suppress(ssl.SSLError):  # of a client that does not trust us
            connection = context.wrap_socket(listening.accept()[0], server_side=True)
            connection.recv(1 << 16)
            with socket.socket(fileno=connection.detach()) as plain:
                plain.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        port = listening.getsockname()[1]
        outcome = sent(sender, f"jsons://127.0.0.1:{port}/?verify={verify}")
        thread.join()

    assert outcome.state is state


def test_what_cannot_be_reached_has_no_message(sender: Sender) -> None:
    """Without a connection, nothing arrives: over HTTP, by mail, or at no address at all."""
    port = closed_port()
    unreached = Outcome(State.failed, "it cannot be reached")

    assert sent(sender, f"json://127.0.0.1:{port}/") == unreached
    assert sent(sender, f"mailto://me:secret@127.0.0.1:{port}?from=me@a.example") == unreached
    assert sent(sender, "nonsense") == Outcome(State.failed, "Apprise knows no such address")


def test_no_answer_is_uncertain(sender: Sender, hook: Webhook) -> None:
    """A request without an answer may have arrived: too late, broken off, or beyond our time."""
    hook.status = 0
    late = sent(sender, hook.address(rto=0.1))
    with server(b"") as port:
        broken = sent(sender, f"json://127.0.0.1:{port}/")
    hook.has_received.clear()
    said = [b"begun"]

    def answer(_: Process, __: float) -> bytes | None:
        """Return what was said until the message arrived, and then that our time is over."""
        if said:
            return said.pop()
        hook.has_received.wait()
        return None

    with patch.object(Process, "answer", answer):
        beyond = sent(sender, hook.address())

    assert {each.state for each in (late, broken, beyond)} == {State.uncertain}
    assert len(hook.received) == 2
    hook.status = 200
    assert sent(sender, hook.address()).state is State.sent


TALK = (b"220 a\r\n", b"250 a\r\n", b"250 a\r\n", b"250 a\r\n")
"""A mail server says yes to a greeting, a sender and a receiver."""


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        (
            (*TALK[:2], b"550 never\r\n", TALK[1]),
            Outcome(State.failed, "it answered with SMTP 550"),
        ),
        (
            (*TALK, b"552 big\r\n"),
            Outcome(State.failed, "it answered with SMTP 552", is_answered=True),
        ),
        ((*TALK, b"354 a\r\n"), Outcome(State.uncertain, "no answer came")),
    ],
    ids=["sender refused", "text refused", "broken off"],
)
def test_a_mail_is_uncertain_after_its_text(
    sender: Sender, lines: tuple[bytes, ...], outcome: Outcome
) -> None:
    """A mail that is refused did not arrive, with a code; one whose text got no answer may have."""
    with server(*lines) as port:
        found = sent(sender, f"mailto://127.0.0.1:{port}?from=a@a.example&to=b@b.example")

    assert found == outcome


def test_a_mail_server_that_never_greets_has_no_mail(sender: Sender) -> None:
    """A mail whose text has not left when our time is over did certainly not arrive."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        outcome = sent(sender, f"mailto://127.0.0.1:{port}?from=a@a.example&to=b@b.example", 0.3)

    assert outcome == Outcome(State.failed, "no answer came within 0 s")


def test_addresses_are_named_without_secrets() -> None:
    """An address is named by its number and service; each counts once."""
    urls = ["slack://token", "json://a/secret", "slack://token", "TOKEN5://a"]
    first, second, third = addresses(urls)

    assert (first.name, second.name) == ("address 1 (slack)", "address 2 (json)")
    assert third.name == "address 3 (unknown)"
    assert len(first.id) == 6


def test_nothing_is_printed_by_apprise() -> None:
    """All that the sending process prints is for us."""
    script = (
        "from analytics.alerts.messages import TEST\n"
        "from analytics.alerts.sender import Sender, addresses\n"
        "import logging; logging.basicConfig(level=0)\n"
        f"urls = ['json://127.0.0.1:{closed_port()}/s3cret', 'slack://s3cret', 's3cret']\n"
        "with Sender({}) as sender:\n"
        "    print([sender.send(each, TEST).reason for each in addresses(urls)])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.returncode == 0
    assert "cannot be reached" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr
