"""The process that sends: it says if a message was taken, certainly was not, or may have been.

Apprise tells only that sending failed. What the network did on the way tells if anything can have
arrived: a connection was made or not, and each HTTP and SMTP server said yes, no or nothing.

It reads requests from standard input and answers them on standard output, one JSON object a line;
a line `begun` before it says that the message may be on its way: a connection was made, or the text
of a mail is next.
"""

from __future__ import annotations

import json
import os
import re
import smtplib
import socket
import ssl
import sys
from collections.abc import Callable
from typing import Any, TextIO

from apprise import Apprise, AppriseAsset, NotifyFormat
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, ProxyError, RequestException, SSLError
from urllib3.exceptions import NewConnectionError

_YES, _NO, _NOTHING = "yes", "no", "nothing"
_OK, _REFUSED, _REDIRECT, _SEE_OTHER = 250, 400, 300, 303
"""Codes: an SMTP server has taken a message, or says no, from this one on; an HTTP server has not
taken it, from this one on but one."""
_LOSING = (301, 302)
_WORD = re.compile("[A-Za-z]{4,}")


class _Network:
    """Watches what the network does with the present message."""

    def __init__(self, answers: TextIO) -> None:
        self._answers = answers
        self.begin("")
        _watch(socket.socket, "connect", self._connect)
        _watch(ssl.SSLSocket, "do_handshake", self._shake_hands)
        _watch(HTTPAdapter, "send", self._request)
        _watch(smtplib.SMTP, "connect", self._connect_mail)
        _watch(smtplib.SMTP, "getreply", self._reply)
        _watch(smtplib.SMTP, "data", self._mail)

    def begin(self, body: str) -> None:
        """Forget what it did with the message before; know this one by its first word."""
        self._word = word[0] if (word := _WORD.search(body)) else ""
        self._has_left = False
        self.is_connected = False
        self.is_mail = False
        self._forget_answers()

    def _forget_answers(self) -> None:
        self.said: list[str] = []
        self.answer = ""
        self.is_lost = False

    @property
    def may_have_it(self) -> bool:
        """True if a server may have taken a message that Apprise did not see arrive."""
        if self.said:
            return any(each != _NO for each in self.said)
        return self.is_connected and not self.is_mail

    @property
    def is_answered(self) -> bool:
        """True if a server answered to the message with a code."""
        return _NO in self.said if self.is_mail else bool(self.answer)

    def _begin(self) -> None:
        print("begun", file=self._answers, flush=True)

    def _connect(self, connect: Any, sock: socket.socket, address: Any) -> None:
        connect(sock, address)
        if sock.type == socket.SOCK_STREAM and not self.is_connected:
            self.is_connected = True
            if not self.is_mail:
                self._begin()

    def _shake_hands(self, handshake: Any, *args: Any) -> None:
        self._is_shaking = True
        handshake(*args)
        self._is_shaking = False

    def _request(
        self, send: Any, adapter: HTTPAdapter, request: PreparedRequest, **options: Any
    ) -> Response:
        has_message = self._word in f"{request.url} {request.body!r}"
        if has_message and not self._has_left:
            self._has_left = True
            self._forget_answers()  # they were about a login
        if not (has_message or request.body) and (self._has_left or self.is_lost):
            response: Response = send(adapter, request, **options)
            return response  # to a logout, or the page that a redirect leads to
        self._is_shaking = False
        try:
            response = send(adapter, request, **options)
        except RequestException as error:
            self.said.append(_NO if self._came_nowhere(error) else _NOTHING)
            raise
        code = response.status_code
        self.answer = f"HTTP {code}"
        self.said.append(_YES if code < _REDIRECT or code == _SEE_OTHER else _NO)
        # Requests follows these by a GET, which leaves the message behind.
        self.is_lost = code in _LOSING and request.method != "GET"
        return response

    def _came_nowhere(self, error: RequestException) -> bool:
        """Return True if no request can have left."""
        if isinstance(error, SSLError):
            return self._is_shaking
        if isinstance(error, ConnectTimeout | ProxyError):
            return True
        cause = error.args[0] if error.args else None
        return isinstance(getattr(cause, "reason", None), NewConnectionError)

    def _connect_mail(self, connect: Any, *args: Any, **options: Any) -> Any:
        self.is_mail = True
        return connect(*args, **options)

    def _reply(self, getreply: Any, *args: Any) -> Any:
        code, reply = getreply(*args)
        if code >= _REFUSED:
            self.answer = f"SMTP {code}"
        return code, reply

    def _mail(self, data: Any, *args: Any) -> Any:
        self._begin()
        self.said.append(_NOTHING)
        try:
            code, reply = data(*args)
        except smtplib.SMTPDataError:  # the server said no before the text left
            self.said[-1] = _NO
            raise
        self.said[-1] = _YES if code == _OK else _NO
        return code, reply


def _watch(owner: type, name: str, watched: Callable[..., Any]) -> None:
    """Replace a method by one that gets the original before its arguments."""
    original = getattr(owner, name)
    setattr(owner, name, lambda *args, **options: watched(original, *args, **options))


def main() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    network = _Network(answers)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        network.begin(request["body"])
        state, reason = _send(request, network)
        answer = {
            "state": state,
            "reason": reason,
            "is_answered": state == "failed" and network.is_answered,
        }
        print(json.dumps(answer), file=answers, flush=True)


def _send(request: dict[str, str], network: _Network) -> tuple[str, str]:
    """Return the state of a message, and a reason that holds nothing of the address."""
    asset = AppriseAsset(app_id="analytics", app_desc="analytics", app_url="", async_mode=False)
    apprise = Apprise(asset=asset)
    try:
        if not apprise.add(request["url"]):
            return "failed", "Apprise knows no such address"
        is_taken = bool(
            apprise.notify(
                request["body"],
                title=request["title"],
                notify_type=request["severity"],
                body_format=NotifyFormat.TEXT,
            )
        )
    except Exception:  # noqa: BLE001 - a service of Apprise fails in any way it likes
        is_taken = False
    if is_taken and not network.is_lost:
        return "sent", ""
    if network.may_have_it:
        if not network.answer or _NOTHING in network.said:
            return "uncertain", "no answer came"
        return "uncertain", f"it answered with {network.answer}, but did not confirm the message"
    if network.answer:
        return "failed", f"it answered with {network.answer}"
    return "failed", "it refused the message" if network.is_connected else "it cannot be reached"


if __name__ == "__main__":
    main()
