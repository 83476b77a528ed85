"""Which parts of a record are stored: figures and identifiers, and no text of a person or model."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from analytics.extract.privacy import (
    ERROR_CHARACTERS,
    LIMITS,
    OF_OTHERS,
    OF_RUNS,
    stored,
    stored_runs,
)
from analytics.extract.snapshots import Row
from analytics.warehouse.sources import RUNS, SOURCES, Source


def kept(source: str, record: Any, *, keep_errors: bool = True) -> Any:
    if source == "runs":
        _, (text,) = stored_runs([as_text(record)], keep_errors=keep_errors)
    else:
        (text,) = stored(source, [as_text(record)])
    return msgspec.json.decode(text)


def as_text(record: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(record))


VERSION = {
    "id": "v", "status": "active", "created_at": "2026-11-20", "updated_at": None, "version": 2,
    "parent_version": 1, "last_commit_at": "2026-11-20",
}  # fmt: skip
RESULT = {"kind": "tool_result", "tool_use_id": "toolu_1", "tool_name": "search", "is_error": True}
EVENT = {"seq": 1, "ts": 1.5, "level": "INFO", "logger": "knead"}


@pytest.mark.parametrize(
    ("source", "figures", "secrets"),
    [
        ("runs", {"id": "a", "cost_usd": 1, "retries": 2},
         {"user_prompt": "secret", "messages": [{"content": "x"}], "config": {"prompt": "secret"},
          "system_prompt": "secret"}),
        ("runs", {}, {"not_an_object": "secret"}),
        ("run_log_events", EVENT, {"msg": "secret", "surprise": "secret", "event": "secret"}),
        ("agents", {"id": "a", "slug": "s", "score": 7}, {"note": "secret", "description": "x"}),
        *(("agents", {"id": "a"}, {"config": config})
          for config in ("secret", {"prompt": "secret", "seed": 7}, ["secret"], None, 5)),
        ("agent_versions", VERSION, {"description": "secret", "git_ref": "v2"}),
    ],
)  # fmt: skip
def test_no_text_of_a_person_is_stored(
    source: str, figures: dict[str, Any], secrets: dict[str, Any]
) -> None:
    """Known fields and new numbers are stored, a new text never is, at any position."""
    assert kept(source, secrets | figures) == figures
    assert kept(source, figures | secrets) == figures


def test_of_what_is_nested_the_listed_fields_are_stored() -> None:
    """A log event keeps the listed fields inside its `event`, an agent the limits in its `config`.

    Digits stay as they came.
    """
    event = EVENT | {"event": RESULT | {"preview": "secret"}}
    config = b'{"prompt":"secret","max_budget":0.10,"timeout_minutes":60,"notify_on_run":true}'

    assert kept("run_log_events", event) == EVENT | {"event": RESULT}
    assert stored("agents", [msgspec.Raw(b'{"id":"a","config":%b}' % config)]) == [
        b'{"id":"a","config":{"max_budget":0.10,"timeout_minutes":60}}'
    ]


@pytest.mark.parametrize(
    ("keep_errors", "error", "expected"),
    [
        (True, "🍞" * 900, "🍞" * ERROR_CHARACTERS),
        (False, "secret", None),
        (True, {"prompt": "secret"}, "(not a text)"),
        (False, {"prompt": "secret"}, "(not a text)"),
    ],
)
def test_errors_are_cut_or_left_out(*, keep_errors: bool, error: object, expected: object) -> None:
    """An error keeps 500 characters, of which an emoji is one, or none; and it is a text."""
    assert kept("runs", {"error": error}, keep_errors=keep_errors) == {"error": expected}


@pytest.mark.parametrize("odd", [{}, {"event": None}, {"event": "secret"}])
@pytest.mark.parametrize(
    ("message", "kinds"),
    [
        ("RETRY  step 2 in 1s: ToolError: secret", {"event": {"kind": "retry"}}),
        ("RETRYING is a secret", {}),
        ("a RETRY  of a secret", {}),
        (["RETRY "], {}),
    ],
)
def test_a_retry_is_told_by_its_message(
    odd: dict[str, Any], message: object, kinds: dict[str, Any]
) -> None:
    """An event without a kind is a retry if its message begins so; nothing else of it is stored."""
    assert kept("run_log_events", EVENT | odd | {"msg": message}) == EVENT | kinds
    assert kept("run_log_events", EVENT | {"event": RESULT, "msg": message})["event"] == RESULT


def test_digits_stay_as_they_came() -> None:
    """Stored values keep every digit, of a regular run and of any other."""
    text = b'"cost_usd":0.1000000000000000055511'
    run = b'{"id":"a",%b,"user_prompt":"x"%b}'
    for more in (b',"agent_id":"b","created_at":null', b""):
        _, (stored_text,) = stored_runs([msgspec.Raw(run % (text, more))], keep_errors=True)
        assert text in stored_text


RUN = {"error": "é" * 600, "id": "a\u00e9/", "created_at": "2026-11-20", "user_prompt": "secret"}


@pytest.mark.parametrize("keep_errors", [True, False])
def test_a_new_field_changes_nothing_of_the_others(*, keep_errors: bool) -> None:
    """A record is stored in one order, also beside an unknown field; an error in one spelling."""
    known = RUN | {"agent_id": None}
    new = [{"note": "secret"} | known, {"score": 7} | known, known]
    rows, (text,) = stored_runs([as_text(known)], keep_errors=keep_errors)
    odd_rows, texts = stored_runs(list(map(as_text, new)), keep_errors=keep_errors)
    escaped = msgspec.Raw(json.dumps({"error": known["error"]}).encode())
    _, (error,) = stored_runs([escaped], keep_errors=keep_errors)

    assert texts == [text, text[:-1] + b',"score":7}', text]
    assert odd_rows == rows * 3
    assert error[1:-1] in text


AT = "2026-11-20T01:00:00Z"


@pytest.mark.parametrize(
    ("record", "row"),
    [
        *((each, None) for each in ({}, {"id": 7}, {"id": None}, 5, "x", ["id"], None)),
        ({"id": "y", "agent_id": 7, "created_at": AT}, Row("y", None, AT)),
        ({"id": "y"}, Row("y", None, None)),
    ],
)
def test_a_record_with_an_id_is_a_run(record: object, row: Row | None) -> None:
    """A record without a readable id is stored, and has no row; others may be unreadable."""
    rows, texts = stored_runs([as_text(record), as_text({"id": "x"})], keep_errors=True)

    assert rows == [*filter(None, [row]), Row("x", None, None)]
    assert len(texts) == 2


@pytest.mark.parametrize(
    "source",
    [each for each in SOURCES if each.name != "run_log_events"],
    ids=lambda each: each.name,
)
def test_what_is_loaded_is_known_to_be_stored(source: Source) -> None:
    """Every field that the warehouse reads is in the list of known fields."""
    known = OF_RUNS if source is RUNS else OF_OTHERS
    if source.name == "agents":
        known = (*known, *(f"config.{name}" for name in LIMITS))
    assert {name for field in source.fields for name in field.paths} <= set(known)


@pytest.mark.parametrize("source", ["runs", "agents", "run_log_events"])
def test_what_is_no_object_is_told_of(source: str) -> None:
    """A record that is not an object is stored as such, without its text."""
    for record in (5, "secret", ["secret"]):
        assert kept(source, record) == "(not an object)"
