"""Downloads are whole or absent, over as many connections and URLs as they need."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from analytics.levain import AsyncLevain, DownloadFailedError, downloads
from analytics.levain.downloads import MOST_ADDRESSES
from analytics.levain.transport import TRIES
from tests.levain.answering import KEY
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


@dataclass
class Host:
    """A file host that answers as the test sets, and afterwards normally."""

    answers: list[httpx.Response] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    url: str = "http://files.test/file?signature={}"
    urls_given: int = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "api.test":
            self.urls_given += 1
            return httpx.Response(200, json={"url": self.url.format(self.urls_given)})
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else httpx.Response(200, stream=Body())

    def fetch(self, target: Path, *, api: str = "http://api.test") -> int:
        """Download the file, and return its size."""

        async def fetch() -> int:
            transport = httpx.MockTransport(self.answer)
            async with AsyncLevain(KEY, api, transport=transport) as levain:
                return await levain.runs.download_log("r", target)

        return asyncio.run(fetch())


def redirect(url: str) -> httpx.Response:
    return httpx.Response(307, headers={"Location": url})


@pytest.fixture
def host() -> Host:
    return Host()


def test_a_file_comes_whole_without_a_key(host: Host, tmp_path: Path) -> None:
    """The file has the host's bytes and is private to its owner; no key is sent.

    It is found at the address that its first one leads to.
    """
    host.answers += [redirect("/elsewhere")]

    assert host.fetch(tmp_path / "log") == len(CONTENT)
    assert host.requests[1].url.path == "/elsewhere"
    assert (tmp_path / "log").read_bytes() == CONTENT
    assert not any("authorization" in each.headers for each in host.requests)
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


@pytest.mark.parametrize("status", [401, 403, 410])
def test_an_expired_url_is_asked_for_again(host: Host, tmp_path: Path, status: int) -> None:
    """A download that breaks, or whose URL has expired, begins anew by a fresh URL."""
    host.answers += [httpx.Response(200, stream=Body(is_torn=True)), httpx.Response(status)]

    host.fetch(tmp_path / "log")

    assert (tmp_path / "log").read_bytes() == CONTENT
    assert [request.url.params["signature"] for request in host.requests] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("answer", "tries", "told"),
    [
        *((httpx.Response(each), TRIES, f"HTTP {each}") for each in (204, 408, 429, 503)),
        (httpx.Response(404), 1, "HTTP 404"),
        (httpx.Response(200, content=CONTENT), 1, "it is larger than 8,889 bytes"),
        (httpx.Response(200, stream=Body()), 1, "it is larger than 8,889 bytes"),
        (redirect("/elsewhere"), MOST_ADDRESSES, "redirected 5 times"),
    ],
)
def test_a_file_that_is_not_to_be_had_leaves_nothing(
    host: Host,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: httpx.Response,
    tries: int,
    told: str,
) -> None:
    """A failed download leaves no file and raises an error without the URL's secret."""
    monkeypatch.setattr(downloads, "LARGEST_FILE", len(CONTENT) - 1)
    host.answers += [answer] * TRIES
    (tmp_path / "log").write_text("from yesterday")

    with pytest.raises(DownloadFailedError, match=told) as raised:
        host.fetch(tmp_path / "log")

    assert ("signature" in str(raised.value), len(host.requests)) == (False, tries)
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


@pytest.mark.parametrize(
    ("api", "first", "sent"),
    [("http://api.test", "https://files.test/", 1), ("https://api.test", "http://files.test/", 0)],
)
def test_no_file_comes_in_clear_after_https(
    host: Host, tmp_path: Path, api: str, first: str, sent: int
) -> None:
    """Neither the address that the API names nor a redirect leads from https to http."""
    host.url = first
    host.answers += [redirect("http://files.test/b")] * TRIES

    with pytest.raises(DownloadFailedError, match="it leads from https to http"):
        host.fetch(tmp_path / "log", api=api)
    assert (len(host.requests), list(tmp_path.iterdir())) == (sent, [])
