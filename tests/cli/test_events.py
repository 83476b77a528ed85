"""Events of a batch in a log: for machines an object a line, quiet, and verbose."""

from __future__ import annotations

import errno
import json
import re
import time
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics import errors
from analytics.batch import events as events_module
from analytics.batch.events import FIELDS, json_line
from analytics.batch.progress import LogFormat, Progress
from analytics.cli.failures import failure_of
from analytics.emulator.world import World
from tests.cli.conftest import Command, Result

HOSTILE = "Oven\x1b[2J\x07\u202e\u2028\nerror: no"


def events(result: Result) -> list[dict[str, Any]]:
    """Return the events of a command, all of whose lines are JSON of ASCII with known fields."""
    assert result.err.isascii()
    found = [json.loads(line) for line in result.err.splitlines()]
    assert all({"time", "level", "message"} <= each.keys() <= FIELDS.keys() for each in found)
    assert all(list(each) == [name for name in FIELDS if name in each] for each in found)
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
    assert done["transform"]["relation_count"] > 100
    assert done["check"]["check_count"] > done["check"]["failed_count"] == 0
    assert done["report"]["file_count"] > done["report"]["page_count"] > 0
    begun = next(each for each in found if each["message"] == "reading run lists")
    assert (begun["level"], begun["stage"]) == ("info", "extract")
    assert begun["workspace"] == "Blank Slate"


def test_verbose_adds_requests_loads_relations_and_checks(command: Command) -> None:
    """With --verbose they are events of the level `debug`, in which no key stands."""
    result = command("nightly", "--log-format", "json", "--verbose")
    details = [each["message"] for each in events(result) if each["level"] == "debug"]

    for words in (
        r"GET http://\S+/api/v1/runs/\?limit=200: HTTP 200, \d+ bytes in \d+\.\d+ s",
        r"loaded data/landing/\S+-lists: \d+ records",
        r"built marts.fct_runs: 3 rows in \d+\.\d+ s",
        "passed: fct_runs_key_is_unique",
    ):
        assert any(re.fullmatch(words, text) for text in details), words
    assert "levain_" not in result.err


@pytest.mark.parametrize("name", ["nightly", "rebuild"])
@pytest.mark.parametrize(
    ("error", "kind", "code", "message"),
    [
        (RuntimeError("Query interrupted"), "interrupted", 130, "stopped"),
        (KeyboardInterrupt(), "interrupted", 130, "stopped"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "system", 1, "No space left .*"),
        (duckdb.IOException("no such block"), "database", 1, "DuckDB failed: no such block"),
    ],
)
def test_an_error_is_an_event_too(
    published: Command,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    error: BaseException,
    kind: str,
    code: int,
    message: str,
) -> None:
    """Whatever ends a command is the last event, with its kind and the exit code."""

    def failing(*_: object, **__: object) -> None:
        raise error

    for module in ("transforming", "stages"):
        monkeypatch.setattr(f"analytics.batch.{module}.transform", failing)
    result = published(name, "--log-format", "json")
    (*_, event) = events(result)

    assert result.code == event["exit_code"] == code
    assert (event["level"], event["kind"]) == ("error", kind)
    assert re.fullmatch(message, event["message"], re.DOTALL)


@pytest.mark.parametrize(
    ("arguments", "kind", "code"),
    [
        (("nightly", "--config", "none.toml"), "usage", 2),
        (("collect", "--config", "none.toml"), "usage", 2),
        (("rebuild",), "failed", 1),
    ],
)
def test_each_command_that_logs_tells_machines_its_error(
    command: Command,
    arguments: tuple[str, ...],
    kind: str,
    code: int,
) -> None:
    """With --quiet nothing is left but the error, as an event or in words."""
    result = command(*arguments, "--quiet", "--log-format", "json")
    (event,) = events(result)

    assert (result.code, event["exit_code"], event["kind"]) == (code, code, kind)
    assert command(*arguments, "--log-format", "text").err.startswith("error: ")


def test_a_defect_is_told_with_its_traceback() -> None:
    """For machines, the message of an error of this program is what helps to mend it."""
    failure = failure_of(RuntimeError("no luck"))

    assert (failure.kind, failure.exit_code, failure.is_defect) == ("defect", 1, True)
    assert failure.text == "RuntimeError: no luck\n"


def test_quiet_prints_results_and_errors_alone(command: Command) -> None:
    """The summary is the result; nothing is said besides, until something fails."""
    result = command("nightly", "--quiet")
    failed = command("rebuild", "--quiet", "--config", "none.toml")

    assert (result.code, result.err) == (0, "")
    assert "Blank Slate" in result.out
    assert (failed.code, failed.err.startswith("error: ")) == (2, True)


@pytest.mark.usefixtures("command")
def test_an_unknown_format_is_told(analytics: Command) -> None:
    """The error lists the formats, and nothing is read."""
    result = analytics("nightly", "--log-format", "xml")

    assert (result.code, result.err) == (2, "error: There is no format xml: text or json.\n")


def test_names_of_others_are_data(command: Command, world: World) -> None:
    """A name with control characters is the same name in JSON, and no line of its own."""
    world.workspaces[0].name = HOSTILE
    found = events(command("collect", "--log-format", "json"))

    assert any(each.get("workspace") == HOSTILE for each in found)


def test_a_stage_within_another_has_its_own_seconds() -> None:
    """An event has the stage that it ends, else the one that is under way, else none."""
    stream = StringIO()
    progress = Progress(stream, log_format=LogFormat.json)
    with progress.stage("extract") as extracted:
        with progress.stage("load") as loaded:
            loaded("loaded", record_count=3)
        progress.say("waiting")
        extracted("read", "Bakery")
    progress.warn("late")
    found = [json.loads(line) for line in stream.getvalue().splitlines()]

    assert [each.get("stage") for each in found] == ["load", "extract", "extract", None]
    assert found[0]["seconds"] <= found[2]["seconds"]
    assert progress.seconds.keys() == {"extract", "load"}


def test_an_event_has_documented_fields_only() -> None:
    """A field that the documentation does not have is an error of ours."""
    with pytest.raises(KeyError, match="run_count"):
        json_line({"level": "info", "message": "read", "run_count": 3})


def test_what_is_documented_happens() -> None:
    """The documentation has each stage, each kind of error and each count, and no other."""
    batch = Path(events_module.__file__).parent
    modules = [*batch.glob("*.py"), *(batch.parent / "fleet").glob("*.py")]
    source = "".join(each.read_text(encoding="utf-8") for each in modules)
    ours = [getattr(each, "kind", "failed") for each in vars(errors).values()]
    others = (KeyboardInterrupt(), OSError(), duckdb.Error(), RuntimeError())

    def named(field: str) -> set[str]:
        return set(re.findall(r"`(\w+)`", FIELDS[field]))

    assert named("stage") == set(re.findall(r'\.stage\("(\w+)"\)', source))
    assert named("kind") == {*ours, *(failure_of(each).kind for each in others)}
    assert {name for name in FIELDS if name.endswith(("_count", "_seconds"))} == set(
        re.findall(r"^ {12,}(\w+_(?:count|seconds))=\S+,$", source, re.MULTILINE)
    )
