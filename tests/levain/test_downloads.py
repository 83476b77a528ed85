"""Downloads are whole or absent, over as many connections and URLs as they need."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from analytics.emulator.server import Emulator
from analytics.levain import DownloadFailedError, Levain, NotFoundError, downloads
from analytics.levain.connections import file_client
from analytics.levain.downloads import MOST_ADDRESSES, UrlOf, download
from analytics.levain.records import FileUrl
from analytics.levain.transport import TRIES
from tests.conftest import StartRun

CONTENT = b"".join(f"line {n}\n".encode() for n in range(1000))

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Host:
    """A file host that answers requests as the test sets, and afterwards normally."""

    url: str = ""
    content: bytes = CONTENT
    answers: list[Answer] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    urls_given: int = 0

    async def url_of(self) -> FileUrl:
        self.urls_given += 1
        return FileUrl(url=f"{self.url}/file?signature={self.urls_given}", expires_in_seconds=300)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.headers.append({name.lower(): value for name, value in handler.headers.items()})
        self.paths.append(handler.path)
        (self.answers.pop(0) if self.answers else self.properly)(handler)

    def properly(self, handler: BaseHTTPRequestHandler) -> None:
        self.head(handler)
        handler.wfile.write(self.content)

    def head(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(self.content)))
        handler.end_headers()

    def break_after(self, size: int) -> Answer:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            self.head(handler)
            handler.wfile.write(self.content[:size])
            handler.close_connection = True

        return answer


def status(number: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(number)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    with serving(made):
        yield made


@contextmanager
def serving(host: Host) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # the base class calls it so
            host.answer(self)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    host.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetch(host: Host, target: Path, *, is_new: bool = False) -> int:
    return asyncio.run(fetched(host.url_of, target, is_new=is_new))


async def fetched(url_of: UrlOf, target: Path, *, is_new: bool = False) -> int:
    async with httpx.AsyncClient() as client:
        return await download(client, url_of, target, is_new=is_new)


def test_a_file_comes_whole_without_a_key(host: Host, tmp_path: Path) -> None:
    """The file has the host's bytes and is private to its owner; no key is sent.

    Size is returned.
    """
    target = tmp_path / "log"

    assert fetch(host, target) == len(CONTENT)
    assert target.read_bytes() == CONTENT
    assert "authorization" not in host.headers[0]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [401, 403, 410])
def test_an_expired_url_is_asked_for_again(host: Host, tmp_path: Path, number: int) -> None:
    """A download that breaks, or whose URL has expired, begins anew by a fresh URL."""
    host.answers += [host.break_after(5000), status(number)]

    fetch(host, tmp_path / "log")

    assert (tmp_path / "log").read_bytes() == CONTENT
    assert [path.partition("=")[2] for path in host.paths] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("number", "tries"), [(404, 1), (204, TRIES), (408, TRIES), (429, TRIES), (503, TRIES)]
)
def test_a_file_that_is_not_to_be_had_leaves_nothing(
    host: Host, tmp_path: Path, number: int, tries: int
) -> None:
    """A failed download leaves no file and raises an error without the URL's secret."""
    host.answers += [status(number)] * TRIES
    (tmp_path / "log").write_text("from yesterday")

    with pytest.raises(DownloadFailedError, match=f"HTTP {number}") as raised:
        fetch(host, tmp_path / "log")

    assert ("signature" in str(raised.value), len(host.paths)) == (False, tries)
    assert [file.name for file in tmp_path.iterdir()] == ["log"]
    assert (tmp_path / "log").read_text() == "from yesterday"


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "nonsense", "http://[", "", "http://xn--a/", "http://127.0.0.1:99999/"],
)
def test_what_is_no_url_is_an_error(tmp_path: Path, url: str) -> None:
    """A response without a web address raises an error."""

    async def url_of() -> FileUrl:
        return FileUrl(url=url)

    with pytest.raises(DownloadFailedError):
        asyncio.run(fetched(url_of, tmp_path / "log"))


@pytest.mark.parametrize("is_told", [True, False])
def test_a_file_has_a_largest_size(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    """A file that is too large, as its head says or as it comes, is an error and leaves nothing."""

    def send_on(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if is_told:
            handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT)
        handler.close_connection = True

    monkeypatch.setattr(downloads, "LARGEST_FILE", len(CONTENT) - 1)
    host.answers.append(send_on)

    with pytest.raises(DownloadFailedError, match="it is larger than 8,889 bytes"):
        fetch(host, tmp_path / "log")
    assert (len(host.paths), list(tmp_path.iterdir())) == (1, [])


def test_redirects_end(host: Host, tmp_path: Path) -> None:
    """A file is found after a redirect; a host that names address after address is given up."""

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(307)
        handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    host.answers += [redirect]
    fetch(host, tmp_path / "log")
    host.answers += [redirect] * MOST_ADDRESSES

    with pytest.raises(DownloadFailedError, match="redirected 5 times"):
        fetch(host, tmp_path / "log")
    assert host.paths[1] == "/elsewhere"


@pytest.mark.parametrize(
    ("api", "first", "sent"),
    [
        ("http://api.test", "https://files.test/a", ["https://files.test/a"]),
        ("https://api.test", "http://files.test/a", []),
    ],
)
def test_no_file_comes_in_clear_after_https(
    tmp_path: Path, api: str, first: str, sent: list[str]
) -> None:
    """Neither the address that the API names nor a redirect leads from https to http."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "http://files.test/b"})

    async def url_of() -> FileUrl:
        return FileUrl(url=first)

    async def fetch() -> None:
        transport = httpx.MockTransport(answer)
        async with file_client(api, httpx.create_ssl_context(), transport) as client:
            await download(client, url_of, tmp_path / "log")

    with pytest.raises(DownloadFailedError, match="it leads from https to http"):
        asyncio.run(fetch())
    assert (asked, list(tmp_path.iterdir())) == (sent, [])


def test_what_should_be_new_replaces_nothing(host: Host, tmp_path: Path) -> None:
    """A download with `is_new` leaves an existing file unchanged."""
    (tmp_path / "report.md").write_text("mine")

    with pytest.raises(FileExistsError):
        fetch(host, tmp_path / "report.md", is_new=True)

    assert [file.read_text() for file in tmp_path.iterdir()] == ["mine"]


def test_a_log_is_had_through_expired_urls(
    api: Emulator, start_run: StartRun, tmp_path: Path
) -> None:
    """The emulator verifies its URLs, and the log is JSON lines."""
    run = start_run()
    with Levain(api.world.workspaces[0].api_key, api.url) as levain:
        size = levain.runs.download_log(run.id, tmp_path / "log")
        assert (tmp_path / "log").stat().st_size == size > 0

        api.world.variants = api.world.variants.changed({"url_ttl_seconds": 0})
        with pytest.raises(DownloadFailedError, match="HTTP 403"):
            levain.runs.download_log(run.id, tmp_path / "log")

    asked = [request.path for request in api.requests if request.path.startswith("/api")]
    assert len(asked) == 1 + TRIES


def test_a_run_at_work_has_no_log(api: Emulator, start_run: StartRun, tmp_path: Path) -> None:
    """A run that has not ended has no log: NotFoundError."""
    run = start_run(status="running")
    with Levain(api.world.workspaces[0].api_key, api.url) as levain, pytest.raises(NotFoundError):
        levain.runs.download_log(run.id, tmp_path / "log")

    assert not list(tmp_path.iterdir())
