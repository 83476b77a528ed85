"""Downloads are whole or absent, over as many connections and URLs as they need."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from analytics.levain import DownloadFailedError, bounds
from analytics.levain.bounds import MOST_ADDRESSES
from analytics.levain.pace import TRIES
from tests.levain.answering import KEY, Server
from tests.levain.wire import Wire, response

CONTENT = b"".join(f"line {n}\n".encode() for n in range(1000))


class Body(httpx.AsyncByteStream):
    """The file as it comes, or its beginning, after which the connection is lost."""

    def __init__(self, *, is_torn: bool = False) -> None:
        self._is_torn = is_torn

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield CONTENT[:5000]
        if self._is_torn:
            raise httpx.RemoteProtocolError("the peer closed the connection")
        yield CONTENT[5000:]


def address(number: int, url: str = "http://files.test/file") -> httpx.Response:
    """The API's answer that names where the file is."""
    return httpx.Response(200, json={"url": f"{url}?signature={number}"})


def redirect(url: str) -> httpx.Response:
    return httpx.Response(307, headers={"Location": url})


def whole() -> httpx.Response:
    return httpx.Response(200, stream=Body())


def fetch(server: Server, target: Path, api: str = "http://api.test") -> int:
    """Download the file, and return its size."""
    size: int = server.ask(lambda levain: levain.runs.download_log("r", target), api)
    return size


def of_files(server: Server) -> list[httpx.Request]:
    """The requests of the host of files."""
    return [each for each in server.requests if each.url.host == "files.test"]


def test_a_file_comes_whole_without_a_key(tmp_path: Path) -> None:
    """The file has the host's bytes and is private to its owner; no key is sent.

    It is found at the address that its first one leads to.
    """
    server = Server(address(1), redirect("/elsewhere"), whole())

    assert fetch(server, tmp_path / "log") == len(CONTENT)
    assert of_files(server)[1].url.path == "/elsewhere"
    assert (tmp_path / "log").read_bytes() == CONTENT
    assert not any("authorization" in each.headers for each in of_files(server))
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


@pytest.mark.parametrize("status", [401, 403, 410])
def test_an_expired_url_is_asked_for_again(tmp_path: Path, status: int) -> None:
    """A download that breaks, or whose URL has expired, begins anew by a fresh URL."""
    torn = httpx.Response(200, stream=Body(is_torn=True))
    server = Server(
        address(1), torn, address(2), httpx.Response(status), address(3), whole()
    )  # fmt: skip

    fetch(server, tmp_path / "log")

    assert (tmp_path / "log").read_bytes() == CONTENT
    assert [each.url.params["signature"] for each in of_files(server)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("answers", "tries", "told"),
    [
        *(
            ([address(1), httpx.Response(each)] * TRIES, TRIES, f"HTTP {each}")
            for each in (204, 408, 429, 503)
        ),
        ([address(1), httpx.Response(404)], 1, "HTTP 404"),
        ([address(1), httpx.Response(200, content=CONTENT)], 1, "it is larger than 8,889 bytes"),
        ([address(1), whole()], 1, "it is larger than 8,889 bytes"),
        ([address(1), redirect("/elsewhere")], MOST_ADDRESSES, "redirected 5 times"),
    ],
)
def test_a_file_that_is_not_to_be_had_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[httpx.Response],
    tries: int,
    told: str,
) -> None:
    """A failed download leaves no file and raises an error without the URL's secret."""
    monkeypatch.setattr(bounds, "LARGEST_FILE", len(CONTENT) - 1)
    server = Server(*answers)
    (tmp_path / "log").write_text("from yesterday")

    with pytest.raises(DownloadFailedError, match=told) as raised:
        fetch(server, tmp_path / "log")

    assert ("signature" in str(raised.value), len(of_files(server))) == (False, tries)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["from yesterday"]


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "nonsense", "http://[", "", "http://xn--a/", "http://127.0.0.1:99999/"],
)
def test_what_is_no_url_is_an_error(tmp_path: Path, url: str) -> None:
    """A response without a web address raises an error."""

    async def address() -> AsyncIterator[bytes]:
        yield response(json.dumps({"url": url}).encode())

    with pytest.raises(DownloadFailedError):
        Wire(address).ask(lambda levain: levain.runs.download_log("r", tmp_path / "log"))


def test_no_message_of_a_download_shows_a_key(tmp_path: Path) -> None:
    """A file host that was told the key, and says it, is not quoted with it."""

    async def address() -> AsyncIterator[bytes]:
        yield response(b'{"url":"%b/file"}' % wire.url.encode())

    wire = Wire(address, f"HTTP/9.9 {KEY}\r\n\r\n".encode())
    with pytest.raises(DownloadFailedError, match=r"HTTP/9.9 \[key\]"):
        wire.ask(lambda levain: levain.runs.download_log("r", tmp_path / "log"), tries=1)


@pytest.mark.parametrize(
    ("api", "first", "sent"),
    [("http://api.test", "https://files.test/", 1), ("https://api.test", "http://files.test/", 0)],
)
def test_no_file_comes_in_clear_after_https(
    tmp_path: Path, api: str, first: str, sent: int
) -> None:
    """Neither the address that the API names nor a redirect leads from https to http."""
    server = Server(address(1, first), redirect("http://files.test/b"))

    with pytest.raises(DownloadFailedError, match="it leads from https to http"):
        fetch(server, tmp_path / "log", api)
    assert (len(of_files(server)), list(tmp_path.iterdir())) == (sent, [])
