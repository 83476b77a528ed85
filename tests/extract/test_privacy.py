from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from analytics.extract.listing import Row
from analytics.extract.privacy import (
    _KNOWN,
    _LIMITS,
    _RUN_FIELDS,
    ERROR_CHARACTERS,
    stored,
    stored_runs,
)
from analytics.warehouse.sources import AGENTS, RUN_LOG_EVENTS, RUNS, SOURCES, Source


def kept(source: str, record: Any, *, keep_errors: bool = True) -> Any:
    if source == "runs":
        _, (text,) = stored_runs([as_text(record)], keep_errors=keep_errors)
    else:
        (text,) = stored(source, [as_text(record)])
    return msgspec.json.decode(text)


def as_text(record: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(record))


def test_prompts_are_not_stored() -> None:
    """A run keeps its figures, and no text of a person or a model in any field."""
    run = {"id": "a", "cost_usd": 1, "user_prompt": "my password", "messages": [{"content": "x"}]}
    run |= {"config": {"prompt": "secret"}, "system_prompt": "secret", "retries": 2}

    assert kept("runs", run) == {"id": "a", "cost_usd": 1, "retries": 2}


def test_errors_are_cut() -> None:
    """An error keeps its first 500 characters; emoji count as one."""
    record = kept("runs", {"error": "🍞" * 900})

    assert record["error"] == "🍞" * ERROR_CHARACTERS


def test_errors_can_be_left_out() -> None:
    """With `keep_errors = false` no part of an error is stored."""
    record = {"id": "a", "error": "secret"}

    assert kept("runs", record, keep_errors=False) == {"id": "a", "error": None}


def test_an_error_that_is_no_text_is_not_stored() -> None:
    """A value of another type in place of an error is replaced by a note."""
    for keep_errors in (True, False):
        record = kept("runs", {"error": {"prompt": "secret"}}, keep_errors=keep_errors)

        assert record == {"error": "(not a text)"}


def test_log_events_keep_the_listed_fields_alone() -> None:
    """A log event keeps the listed fields, also those inside its `event`."""
    event = {
        "seq": 1,
        "ts": 1.5,
        "level": "INFO",
        "logger": "knead",
        "msg": "secret",
        "surprise": "secret",
        "event": {
            "kind": "tool_result",
            "tool_use_id": "toolu_1",
            "tool_name": "search",
            "is_error": True,
            "preview": "s",
        },
    }

    assert kept("run_log_events", event) == {
        "seq": 1,
        "ts": 1.5,
        "level": "INFO",
        "logger": "knead",
        "event": {
            "kind": "tool_result",
            "tool_use_id": "toolu_1",
            "tool_name": "search",
            "is_error": True,
        },
    }


def test_an_event_that_is_a_text_is_not_stored() -> None:
    """A bare text in place of an event is dropped."""
    assert kept("run_log_events", {"seq": 1, "event": "secret"}) == {"seq": 1}


def test_digits_stay_as_they_came() -> None:
    """Stored values keep every digit, of a regular run and of any other."""
    text = b'"cost_usd":0.1000000000000000055511'
    run = b'{"id":"a",%b,"user_prompt":"x"%b}'
    for more in (b',"agent_id":"b","created_at":null', b""):
        _, (stored_text,) = stored_runs([msgspec.Raw(run % (text, more))], keep_errors=True)
        assert text in stored_text

    assert stored("agents", [msgspec.Raw(b"{%b}" % text)]) == [b"{%b}" % text]


RUN = {"error": "é" * 600, "id": "a\u00e9/", "created_at": "2026-11-20", "user_prompt": "secret"}


@pytest.mark.parametrize("keep_errors", [True, False])
def test_a_new_field_changes_nothing_of_the_others(*, keep_errors: bool) -> None:
    """A record is stored in one order and one spelling, also beside an unknown field."""
    known = RUN | {"agent_id": None}
    new = [{"note": "secret"} | known, {"score": 7} | known, known]
    spelt = [msgspec.Raw(json.dumps(run).encode()) for run in new]
    rows, (text,) = stored_runs([as_text(known)], keep_errors=keep_errors)
    odd_rows, texts = stored_runs(spelt, keep_errors=keep_errors)

    assert texts == [text, text[:-1] + b',"score":7}', text]
    assert odd_rows == rows * 3


@pytest.mark.parametrize("config", ["secret", {"prompt": "secret", "seed": 7}, ["secret"], None, 5])
def test_a_configuration_without_limits_is_not_stored(config: object) -> None:
    """Whatever an agent's configuration holds beside its limits is dropped."""
    assert kept("agents", {"id": "a", "config": config}) == {"id": "a"}


def test_limits_are_stored_digit_for_digit() -> None:
    """Of an agent's configuration its limits are stored, and nothing that is new to us."""
    config = b'{"prompt":"secret","max_budget":0.10,"timeout_minutes":60,"notify_on_run":true}'
    agent = b'{"id":"a","config":%b,"description":"secret"}' % config

    assert stored("agents", [msgspec.Raw(agent)]) == [
        b'{"id":"a","config":{"max_budget":0.10,"timeout_minutes":60}}'
    ]


def test_a_version_is_stored_without_its_description() -> None:
    """Numbers and times of an agent's version are stored, and no prose."""
    version = {"id": "v", "status": "active", "created_at": "2026-11-20", "updated_at": None}
    version |= {"version": 2, "parent_version": 1, "last_commit_at": "2026-11-20"}

    assert kept("agent_versions", version | {"description": "secret", "git_ref": "v2"}) == version


def test_a_new_field_of_anything_else() -> None:
    """An unknown field is stored if it is a number, and never if it is a text, at any position."""
    agent = {"slug": "s", "note": "secret", "id": "a", "score": 7}

    assert stored("agents", [as_text(agent)]) == [b'{"id":"a","slug":"s","score":7}']


@pytest.mark.parametrize("record", [{}, {"id": 7}, {"id": None}, 5, "x", ["id"], None])
def test_a_record_without_an_id_is_no_run(record: object) -> None:
    """A record without a readable id is stored, and has no row."""
    rows, texts = stored_runs([as_text(record), as_text({"id": "x"})], keep_errors=True)

    assert rows == [Row("x", None, None)]
    assert len(texts) == 2


def test_a_run_of_which_something_is_no_text_is_a_run() -> None:
    """A run with an unreadable agent or time has a row."""
    records = [{"id": "x", "agent_id": 7, "created_at": "2026-11-20T01:00:00Z"}, {"id": "y"}]
    rows, _ = stored_runs([as_text(record) for record in records], keep_errors=True)

    assert rows == [Row("x", None, "2026-11-20T01:00:00Z"), Row("y", None, None)]


@pytest.mark.parametrize("field", ["id", "agent_id", "created_at", "error"])
@pytest.mark.parametrize("keep_errors", [True, False])
def test_a_number_out_of_range_is_no_text(field: str, *, keep_errors: bool) -> None:
    """A number out of range in place of a text affects no other record."""
    spoilt = {"id": '"a"', "agent_id": "null", "created_at": "null"} | {field: "1e999"}
    values = {name: msgspec.Raw(value.encode()) for name, value in spoilt.items()}
    records = [as_text(values), as_text({"id": "x"})]
    rows, texts = stored_runs(records, keep_errors=keep_errors)

    assert rows[-1] == Row("x", None, None)
    assert len(texts) == len(records)


@pytest.mark.parametrize(
    "source", [each for each in SOURCES if each is not RUN_LOG_EVENTS], ids=lambda each: each.name
)
def test_what_is_loaded_is_known_to_be_stored(source: Source) -> None:
    """Every field that the warehouse reads is in the list of known fields, which decodes faster."""
    known = _RUN_FIELDS if source is RUNS else _KNOWN
    if source is AGENTS:
        known = (*known, *(f"config.{name}" for name in _LIMITS))
    assert {name for field in source.fields for name in field.paths} <= set(known)


@pytest.mark.parametrize("source", ["runs", "agents", "run_log_events"])
def test_what_is_no_object_is_told_of(source: str) -> None:
    """A record that is not an object is stored as such, without its text."""
    for record in (5, "secret", ["secret"]):
        assert kept(source, record) == "(not an object)"
    assert kept(source, {"not_an_object": "secret"}) == {}
