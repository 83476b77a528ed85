"""The landing folder of one load: each record as the API sent it, and the requests.

    landing/<workspace_id>/<load_id>/requests.ndjson.zst     one line per answered request
                                     <source>.ndjson.zst     {"line", "request", "hash", "record"}
                                     list_snapshots.ndjson.zst   one line per snapshot of a list

A folder appears under its name only when it is complete, and is never changed after. A line's hash
(XXH3, 64 bits) tells one version of a record from another.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypedDict, Unpack
from urllib.parse import urlsplit

import msgspec
import zstandard
from xxhash import xxh3_64_intdigest

from analytics.extract.privacy import stored, stored_runs
from analytics.extract.snapshots import ListSnapshot, Row
from analytics.files import UNFINISHED, sync
from analytics.levain import Answer, LevainError, StatusError
from analytics.levain.answers import Record, Records, fields_of
from analytics.warehouse.json_records import LONGEST_LINE, TOO_LARGE
from analytics.warehouse.landed import LIST_SNAPSHOTS, REQUESTS, SUFFIX

RUNS = "runs"
_SPACES = bytes.maketrans(b"\n\r", b"  ")
_LONGEST_TEXT = LONGEST_LINE - 1000  # bytes of a record: its line has more than the record

_encode = msgspec.json.Encoder().encode


Window = tuple[date, date]
"""Days `[start, end)`."""


class Subject(TypedDict, total=False):
    """The subject of a request: a run, an agent, days."""

    run_id: str | None
    agent_id: str | None
    window: Window | None


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was answered: its subject and its time.

    `status` is None if the response could not be decoded.
    """

    request: int
    source: str
    path: str
    params: str
    run_id: str | None = None
    agent_id: str | None = None
    window_start: date | None = None
    window_end: date | None = None
    status: int | None
    byte_count: int
    record_count: int
    fetched_at: datetime


class Landing:
    """Writes one landing folder, which appears under its name on `commit`.

    It calls `landed` after each request.
    """

    def __init__(
        self,
        root: Path,
        workspace_id: str,
        load_id: str,
        *,
        keep_errors: bool,
        landed: Callable[[], None] = lambda: None,
    ) -> None:
        self._landed = landed
        self._folder = root / workspace_id / load_id
        self._unfinished = self._folder.with_name(load_id + UNFINISHED)
        self._keep_errors = keep_errors
        self._files: dict[str, BinaryIO] = {}
        self._lines: dict[str, int] = {}
        self._closing = ExitStack()
        self.request_count = 0

    def add(
        self, source: str, answer: Answer, records: Records, **about: Unpack[Subject]
    ) -> list[Row]:
        """Land a response: its request, and each of its records as a line of `source`.

        Return the rows of runs.
        """
        rows: list[Row] = []
        if source == RUNS:
            rows, texts = stored_runs(records, keep_errors=self._keep_errors)
        else:
            texts = stored(source, records)
        texts = [text if len(text) < _LONGEST_TEXT else _stub(text) for text in texts]
        line = self._lines.get(source, 0)
        lines = [
            b'{"line":%d,"request":%d,"hash":%d,"record":%b}\n'
            % (number, self.request_count, xxh3_64_intdigest(text), text)
            for number, text in enumerate(_each_on_one_line(texts), line + 1)
        ]
        self._lines[source] = line + len(lines)
        if lines:
            self._file(source).write(b"".join(lines))
        self._add_request(
            about,
            source=source,
            path=answer.path,
            params=_encode(answer.params).decode(),
            status=answer.status,
            byte_count=answer.byte_count,
            record_count=len(lines),
            fetched_at=answer.fetched_at,
        )
        return rows

    def add_missing(
        self, source: str, error: LevainError, asked_at: datetime, **about: Unpack[Subject]
    ) -> None:
        """Land a request that failed, with its status if it had one."""
        self._add_request(
            about,
            source=source,
            path=urlsplit(error.request.rpartition(" ")[2]).path,
            params="{}",
            status=error.status if isinstance(error, StatusError) else None,
            byte_count=0,
            record_count=0,
            fetched_at=asked_at,
        )

    def _add_request(self, about: Subject, **asked: Any) -> None:
        start, end = about.get("window") or (None, None)
        line = RequestLine(
            request=self.request_count,
            run_id=about.get("run_id"),
            agent_id=about.get("agent_id"),
            window_start=start,
            window_end=end,
            **asked,
        )
        self._file(REQUESTS).write(_encode(line) + b"\n")
        self.request_count += 1
        self._landed()

    def add_snapshot(self, snapshot: ListSnapshot) -> None:
        """Land the snapshot of a list."""
        self._file(LIST_SNAPSHOTS).write(_encode(snapshot) + b"\n")

    def commit(self) -> Path:
        """Rename the folder to its final name, complete and synced to disk."""
        self._closing.close()
        sync(self._unfinished)
        self._unfinished.rename(self._folder)
        sync(self._folder.parent)
        return self._folder

    def discard(self) -> None:
        """Delete the unfinished folder."""
        try:
            self._closing.close()
        finally:  # on a full disk, closing fails, and the folder must go all the more
            shutil.rmtree(self._unfinished, ignore_errors=True)

    def _file(self, name: str) -> BinaryIO:
        if name not in self._files:
            if not self._files:
                self._unfinished.mkdir(parents=True)
            raw = self._closing.enter_context((self._unfinished / (name + SUFFIX)).open("xb"))
            self._closing.callback(lambda: os.fsync(raw.fileno()))
            writer = zstandard.ZstdCompressor(level=1, threads=1).stream_writer(raw, closefd=False)
            self._closing.callback(writer.close)
            self._files[name] = writer
        return self._files[name]


def _stub(text: bytes) -> bytes:
    """Return a text that is landed, and quarantined, in place of a record too large to be loaded.

    It has the size of the record, and the start of its id.
    """
    record_id = bytes(fields_of(Record(text)).get("id", b"none"))[:100].decode(errors="replace")
    return _encode(f"({TOO_LARGE}: {len(text):,} bytes, id {record_id})")


def _each_on_one_line(texts: list[bytes]) -> list[bytes]:
    """Replace line breaks by spaces; in JSON they occur between values only."""
    whole = b"".join(texts)  # one search for all: breaks are rare
    if b"\n" in whole or b"\r" in whole:
        return [text.translate(_SPACES) for text in texts]
    return texts
