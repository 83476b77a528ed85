"""Whatever a server sends, an answer, a list and a transfer end, and take little."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from analytics.levain import (
    AnswerBrokenError,
    AnswerTooLargeError,
    AsyncLevain,
    ConnectionFailedError,
    DownloadFailedError,
    LevainError,
    OutcomeUnknownError,
    bounds,
    pace,
)
from analytics.levain.pace import TRIES
from tests.jumping import run
from tests.levain.answering import Server
from tests.levain.wire import Wire, response

PACKED = "Content-Encoding: {}\r\n"
SECOND = 1.0
SIZE = 4_000_000
"""Bytes of a body that is too long where LARGEST_ANSWER is half of them."""


async def runs(levain: AsyncLevain) -> list[bytes]:
    return [bytes(run) async for page in levain.runs.pages() for run in page.records]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("identity", bytes), ("gzip", gzip.compress)],
)
def test_an_answer_that_is_too_long_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    """It is given up while it comes and is unpacked, and named; a shorter one is read."""
    monkeypatch.setattr(bounds, "LARGEST_ANSWER", SIZE // 2)
    headers = PACKED.format(encoding)
    wire = Wire(response(pack(b"[%b]" % bytes(SIZE)), headers=headers))

    with pytest.raises(AnswerTooLargeError, match=r"/api/v1/runs/: it is longer than 2,000,000 b"):
        wire.ask(runs)
    assert len(wire.requests) == 1
    assert Wire(response(pack(b"[{}]"), headers=headers)).ask(runs) == [b"{}"]


def test_an_answer_that_says_it_is_too_long_is_not_waited_for() -> None:
    """The length that it says it has is enough; none of its body is sent here."""
    wire = Wire(response(b"", length=bounds.LARGEST_ANSWER + 1))

    with pytest.raises(AnswerTooLargeError, match="longer than 64,000,000 bytes"):
        wire.ask(runs)


def test_an_answer_of_unknown_length_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body without an end is read up to the limit."""
    monkeypatch.setattr(bounds, "LARGEST_ANSWER", 1_000_000)

    async def endless() -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"10000\r\n" + b"[" * 0x10000 + b"\r\n"

    with pytest.raises(AnswerTooLargeError):
        Wire(endless).ask(runs)


def test_what_came_of_an_answer_is_freed_before_the_next_try() -> None:
    """Errors are kept over all tries, and hold nothing of the bodies that broke off."""
    torn = gzip.compress(bytes(SIZE))[:-4]
    wire = Wire(response(torn, headers=PACKED.format("gzip")))
    tracemalloc.start()
    try:
        with pytest.raises(ConnectionFailedError, match="it cannot be unpacked"):
            wire.ask(runs)
        assert tracemalloc.get_traced_memory()[1] < 4 * SIZE
    finally:
        tracemalloc.stop()
    assert len(wire.requests) == TRIES


def test_what_comes_after_the_end_of_a_packed_answer_is_not_read() -> None:
    """The answer is broken at the first part after its end; no further one is waited for."""
    parts = [gzip.compress(b"[]"), b"more", b"still more", b"and more"]

    class Parts(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while parts:
                yield parts.pop(0)

    server = Server(httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Parts()))

    with pytest.raises(ConnectionFailedError, match="it does not end where its data do"):
        server.ask(runs, tries=1)
    assert parts == [b"still more", b"and more"]


@pytest.mark.parametrize("length", [None, 1 << 40])
def test_of_an_error_that_is_too_long_the_status_counts(length: int | None) -> None:
    """An error is as its status says, whatever its body is: it is retried, or not."""
    body = b'{"detail":"%b"}' % bytes(bounds.LARGEST_ERROR)
    wire = Wire(response(body, status=503, length=length), response(b"[]"))

    assert wire.ask(runs) == []
    assert len(wire.requests) == 2


def test_a_change_whose_answer_is_too_long_may_have_been_made() -> None:
    """What it came to is not known."""
    wire = Wire(response(b"", length=1 << 40))

    with pytest.raises(OutcomeUnknownError):
        wire.ask(lambda levain: levain.runs.trigger("a", prompt="Go"))
    assert len(wire.requests) == 1


FEW = {"MOST_MARKS": 50_000, "MOST_REPAIRS": 5_000, "MOST_RECORDS": 5_000}
MANY = "it has more than 50,000 values"
ODD = "more than 5,000 of its values are nested too deeply, or are no JSON"
BROKEN = "not whole JSON"


@pytest.mark.parametrize(
    ("begin", "unit", "end", "error", "told"),
    [
        (b"[", b"0,", b"0]", AnswerTooLargeError, MANY),
        (b"[", b"[],", b"0]", AnswerTooLargeError, MANY),
        (b"", b"[", b"", AnswerTooLargeError, MANY),
        (b"", b"]", b"", AnswerTooLargeError, MANY),
        (b"", b'{"a":', b"", AnswerTooLargeError, MANY),
        (b"[", b'"",', b'""]', AnswerTooLargeError, MANY),
        (b'{"runs":[', b"0,", b"0]}", AnswerTooLargeError, MANY),
        (b"[", b"-Infinity,", b"0]", AnswerTooLargeError, ODD),
        (b'["', rb"\uD800", b'"]', AnswerTooLargeError, ODD),
        (b"[" * 100, b'[],"                     "', b"[[", AnswerTooLargeError, ODD),
        (b"[[" * 100, b'""', b"", AnswerBrokenError, BROKEN),
        (b"[NaN", b'""', b"", AnswerBrokenError, BROKEN),
        (b'[NaN"', rb"\\", b'"', AnswerBrokenError, BROKEN),
        (b"[", b"NaNInfinity", b"]", AnswerTooLargeError, ODD),
    ],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_is_in_an_answer_is_judged_before_it_is_split(
    monkeypatch: pytest.MonkeyPatch,
    begin: bytes,
    unit: bytes,
    end: bytes,
    error: type[LevainError],
    told: str,
    encoding: str,
) -> None:
    """Values, levels and texts without number cost a few times the memory that the body has."""
    for name, most in FEW.items():
        monkeypatch.setattr(bounds, name, most)
    body = begin + unit * (400_000 // len(unit)) + end
    packed = gzip.compress(body, 1) if encoding == "gzip" else body
    wire = Wire(response(packed, headers=PACKED.format(encoding)))

    tracemalloc.start()
    try:
        with pytest.raises(error, match=told):
            wire.ask(runs, tries=1)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(body)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("wrapped", [b"%b", b'{"runs":%b}'])
def test_an_answer_has_so_many_records_at_most(
    monkeypatch: pytest.MonkeyPatch, wrapped: bytes
) -> None:
    """A list of more records is refused, bare or in a wrapper."""
    monkeypatch.setattr(bounds, "MOST_RECORDS", 3)

    assert len(Wire(response(wrapped % b"[{},{},{}]")).ask(runs)) == 3
    with pytest.raises(AnswerTooLargeError, match="it has more than 3 records"):
        Wire(response(wrapped % b"[{},{},{},{}]")).ask(runs)


def test_commas_and_brackets_of_texts_are_none_of_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A table or code in a prompt is no list, however long it is."""
    for name, most in FEW.items():
        monkeypatch.setattr(bounds, name, most)
    record = b'{"user_prompt":"%b"}' % (rb"1,2,[{\"" * 20_000)

    assert Wire(response(b"[%b]" % record)).ask(runs) == [record]


def linked(link: str) -> bytes:
    """A page of two runs that names a next one."""
    return response(b"[{},{}]", headers=f'Link: <https://evil.test/?{link}>; rel="next"\r\n')


async def events(levain: AsyncLevain) -> object:
    return await levain.runs.log_events("a")


@pytest.mark.parametrize(
    ("answer", "request_count"),
    [
        (linked("cursor=1"), 2),
        (linked("limit=200"), 1),
        (linked(""), 1),
        (response(b'{"runs":[],"next_cursor":7}'), 2),
    ],
)
@pytest.mark.parametrize(("use", "path"), [(runs, "runs/"), (events, "runs/a/log/events")])
def test_a_list_that_leads_in_a_circle_is_given_up(
    answer: bytes, request_count: int, use: Any, path: str
) -> None:
    """A page that was read is not read again; the error names the list."""
    wire = Wire(answer)

    with pytest.raises(LevainError, match=f"^GET /api/v1/{path}: the list does not end: a page"):
        wire.ask(use)
    assert len(wire.requests) in (request_count, request_count + 1)


@pytest.mark.parametrize(
    ("bound", "most", "request_count"), [("MOST_PAGES", 5, 5), ("MOST_LISTED", 7, 4)]
)
def test_a_list_with_ever_new_pages_is_given_up(
    monkeypatch: pytest.MonkeyPatch, bound: str, most: int, request_count: int
) -> None:
    """A list has so many pages and records at most; one that ends there is read."""
    monkeypatch.setattr(bounds, bound, most)
    pages = [linked(f"cursor={number}") for number in range(request_count)]

    assert len(Wire(*pages[1:], response(b"[]")).ask(runs)) == 2 * (request_count - 1)
    wire = Wire(*pages, response(b"[]"))
    with pytest.raises(LevainError, match=r"runs/: the list does not end: it has more than .*"):
        wire.ask(runs)
    assert len(wire.requests) == request_count


@pytest.mark.parametrize(("bound", "most"), [("MOST_RECORDS", 3), ("LARGEST_ANSWER", 20)])
def test_pages_that_are_joined_are_one_answer(
    monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    """Together they are no longer than one may be."""
    pages = [linked(f"cursor={number}") for number in range(3)]
    assert len(Wire(*pages, response(b"[]")).ask(events)) == 6

    monkeypatch.setattr(bounds, bound, most)
    with pytest.raises(AnswerTooLargeError, match="log/events: its pages have more in them"):
        Wire(*pages, response(b"[]")).ask(events)


@pytest.mark.parametrize(
    "begin",
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"],
    ids=["headers", "body"],
)
def test_an_answer_that_drips_is_given_up_once(
    monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    """A try whose bytes come too slowly ends, however often one comes, and is the only one."""
    monkeypatch.setattr(bounds, "PATIENCE", 0.05)
    monkeypatch.setattr(pace, "GIVE_UP_AFTER", 0.05)

    async def drip() -> AsyncIterator[bytes]:
        yield begin
        while True:
            await asyncio.sleep(0.001)
            yield b"x: y\r\n" if begin.endswith(b"OK\r\n") else b" "

    wire = Wire(drip)
    with pytest.raises(
        ConnectionFailedError, match=r"less than 250,000 bytes a second for 0\.05 s"
    ):
        wire.ask(runs)
    assert len(wire.requests) <= 1  # on a busy machine, the time may be over before it is read


class Drip(httpx.AsyncByteStream):
    """A file that comes by one byte a second, without an end."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(SECOND)
            yield b"x"


def test_a_download_that_drips_is_given_up_once(tmp_path: Path) -> None:
    """So is a try of a file: nothing is left of it, and its error tells why."""
    address = httpx.Response(200, json={"url": "https://files.test/file"})
    server = Server(address, httpx.Response(200, stream=Drip()))

    with pytest.raises(DownloadFailedError, match="/file: it brought less than 25,000 bytes a sec"):
        server.ask(lambda levain: levain.runs.download_log("a", tmp_path / "log"))
    assert (len(server.requests), list(tmp_path.iterdir())) == (2, [])


@pytest.mark.parametrize(
    ("first", "each", "ends_after"),
    [
        (0, 0, bounds.PATIENCE),
        (0, 1, bounds.PATIENCE / 0.99),
        (0, 90, bounds.PATIENCE / 0.1),
        (10**9, 0, SECOND + bounds.PATIENCE),
        (0, 100, None),
        (0, 1000, None),
    ],
)
def test_a_transfer_goes_on_while_it_is_fast_enough(
    first: int, each: int, ends_after: float | None
) -> None:
    """One of 100 bytes a second takes any time; a slower one ends, also after a fast start."""

    async def take() -> float | None:
        now = asyncio.get_running_loop().time
        try:
            async with bounds.in_time(100) as came:
                came(first)
                for number in range(10_000):
                    await asyncio.sleep(SECOND)
                    came(each if number else first or each)
        except TimeoutError:
            return now()
        return None

    assert run(take()) == (ends_after and pytest.approx(ends_after, abs=10 * SECOND))
