"""Stages of a batch in its log: for people a line each, for machines an object a line."""

from __future__ import annotations

import errno
import json
import re
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import duckdb
import pytest

from analytics import errors
from analytics.batch import progress as progress_module
from analytics.batch import transform
from analytics.batch.batch import Batch
from analytics.batch.failures import failure_of
from analytics.batch.progress import Progress
from analytics.settings import load_settings
from analytics.warehouse.layout import Layout
from tests.cli.conftest import Command, FirstBatch, Result
from tests.docs.pages import text_of

FIELDS = {
    *re.findall(r"`(\w+)`", text_of("operations.md").partition("## Logs")[2].partition("\n## ")[0])
}
"""All that the page on logs names."""


def events(result: Result) -> list[dict[str, Any]]:
    """Return the events of a command, all of whose lines are JSON of ASCII with known fields."""
    assert result.err.isascii()
    found = [json.loads(line) for line in result.err.splitlines()]
    assert all({"time", "level", "message"} <= each.keys() <= FIELDS for each in found)
    assert all(
        isinstance(value, int if name.endswith(("_count", "_code")) else float | int)
        for each in found
        for name, value in each.items()
        if name.endswith(("_count", "_code", "seconds"))
    )
    return found


def test_machines_read_an_object_a_line(with_pages: Command) -> None:
    """Each stage ends with its seconds, which add up to no more than the whole, and its counts."""
    started = time.monotonic()
    found = events(with_pages("nightly", "--log-format", "json", "--verbose"))
    seconds = time.monotonic() - started
    done = {each["stage"]: each for each in found if "seconds" in each}

    assert list(done) == ["extract", "transform", "check", "report", "publish"]
    assert all(each["seconds"] >= 0 for each in done.values())
    assert sum(each["seconds"] for each in done.values()) <= seconds
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each["time"]) for each in found
    )
    assert [each["time"] for each in found] == sorted(each["time"] for each in found)
    read = done["extract"]
    assert read["workspace"] == "Blank Slate"
    assert read["request_count"] > 0
    assert read["record_count"] >= read["new_version_count"] > 0
    assert read["quarantined_count"] == 0
    assert read["load_seconds"] <= read["seconds"]
    assert done["transform"]["relation_count"] > 50
    assert done["check"]["check_count"] > done["check"]["failed_count"] == 0
    assert done["report"]["file_count"] > done["report"]["page_count"] > 0
    begun = next(each for each in found if each["message"] == "reading run lists")
    assert (begun["level"], begun["stage"]) == ("info", "extract")
    assert begun["workspace"] == "Blank Slate"


@pytest.mark.parametrize(
    ("error", "kind", "code", "message"),
    [
        (RuntimeError("Query interrupted"), "interrupted", 130, "stopped"),
        (KeyboardInterrupt(), "interrupted", 130, "stopped"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "system", 1, "No space left .*"),
        (
            duckdb.IOException(
                'IO Error: Checkpoint failed.\nCould not write file "a": Disk quota exceeded'
            ),
            "system",
            1,
            "Disk quota exceeded: a.\nMake room there, or have .*",
        ),
        (duckdb.IOException("no such block"), "database", 1, "DuckDB failed: no such block"),
        (RuntimeError("no luck"), "defect", 1, "RuntimeError: no luck\n"),
    ],
)
def test_what_an_error_is_told_as(error: BaseException, kind: str, code: int, message: str) -> None:
    """An error has a kind and an exit code; a defect is told with its traceback."""
    failure = failure_of(error)

    assert (failure.kind, failure.exit_code) == (kind, code)
    assert failure.is_defect == (kind == "defect")
    assert re.fullmatch(message, failure.text, re.DOTALL)


def test_an_error_is_the_last_event(published: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends a command is its last event, with its kind and the exit code."""

    def failing(*_: object, **__: object) -> None:
        raise duckdb.IOException("no such block")

    monkeypatch.setattr("analytics.batch.stages.transform", failing)
    result = published("rebuild", "--log-format", "json")
    (*_, event) = events(result)

    assert (result.code, event["exit_code"]) == (1, 1)
    assert (event["level"], event["kind"]) == ("error", "database")
    assert event["message"] == "DuckDB failed: no such block"


def test_quiet_prints_results_and_errors_alone(published: Command) -> None:
    """The summary is the result; nothing is said besides, until something fails."""
    result = published("nightly", "--quiet")
    failed = published("rebuild", "--quiet", "--config", "none.toml")

    assert (result.code, result.err) == (0, "")
    assert "in 3 runs" in result.out
    assert (failed.code, failed.err.startswith("error: ")) == (2, True)


def test_what_happens_is_documented() -> None:
    """The page on logs names each stage, each kind of error and each count, and no other."""
    batch = Path(progress_module.__file__).parent
    modules = [*batch.glob("*.py"), *(batch.parent / "fleet").glob("*.py")]
    source = "".join(each.read_text(encoding="utf-8") for each in modules)
    ours = [getattr(each, "kind", "failed") for each in vars(errors).values()]
    others = (KeyboardInterrupt(), OSError(), duckdb.Error(), RuntimeError())
    stages = re.findall(r'\.stage\("(\w+)"\)', source)
    counts = re.findall(r"^ {8,}(\w+_(?:count|seconds)|revision)=\S+,$", source, re.MULTILINE)
    known = {"time", "level", "message", "stage", "workspace", "seconds", "exit_code", "kind"}

    assert {*ours, *(failure_of(each).kind for each in others)} | {
        *stages,
        *counts,
    } | known == FIELDS


@pytest.mark.parametrize(("records", "builds"), [(100, True), (101, False)])
def test_few_records_are_built_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, records: int, *, builds: bool
) -> None:
    """Up to so many records a batch builds all, of more what changed."""
    (tmp_path / "build.duckdb").touch()
    monkeypatch.setattr(transform, "SMALL", 100)
    monkeypatch.setattr(transform, "record_count", lambda _: records)
    monkeypatch.setattr(transform, "attached_marts", lambda *_, **__: nullcontext())
    monkeypatch.setattr(transform, "update", lambda *_, **__: ([], "update"))
    monkeypatch.setattr(transform, "compact_marts", lambda *_: None)

    batch = Batch(load_settings(), Layout(tmp_path), Progress())
    batch.con = Mock()
    made = transform._update(batch, even_small=False)
    assert (made is None) == builds


def test_a_log_has_one_line_for_each_stage(published: Command, first_batch: FirstBatch) -> None:
    """Each stage of a batch prints one line with its seconds; the last batch has them by stage."""
    printed = [line.split("  ", 1)[1] for line in first_batch.result.err.splitlines()]
    last = json.loads(Path("data/last-batch.json").read_bytes())

    expected = (
        r"Blank Slate: first batch: about \d+ requests will be made",
        r"Blank Slate: read \d+ new or changed records in \d+ requests \(SECONDS\)",
        r"built the tables \(SECONDS\)",
        r"all \d+ checks passed \(SECONDS\)",
        r"made \d+ pages \(SECONDS\)",
        r"published data/analytics.duckdb and the pages \(SECONDS\)",
    )
    assert len(printed) == len(expected), printed
    for line, pattern in zip(printed, expected, strict=True):
        assert re.fullmatch(pattern.replace("SECONDS", r"\d+\.\d s"), line), line
    stages = ["load", "extract", "transform", "check", "custom", "report", "publish"]
    assert list(last["seconds"]) == stages
    assert all(seconds > 0 for seconds in last["seconds"].values())
    assert json.loads(published("status", "--json").out)["last_batch"]["seconds"] == last["seconds"]
