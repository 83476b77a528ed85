from __future__ import annotations

from typing import Any

import msgspec
import pytest

from analytics.extract.privacy import _KNOWN, ERROR_CHARACTERS, stored
from analytics.warehouse.sources import RUN_LOG_EVENTS, SOURCES, Source


def kept(source: str, record: Any, *, keep_errors: bool = True) -> Any:
    (text,) = stored(source, [as_text(record)], keep_errors=keep_errors)
    return msgspec.json.decode(text)


def as_text(record: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(record))


def test_prompts_are_not_stored() -> None:
    """A run keeps its figures, and nothing that a person or a model wrote, wherever it stands."""
    run = {"id": "a", "cost_usd": 1, "user_prompt": "my password", "messages": [{"content": "x"}]}
    run |= {"config": {"prompt": "secret"}, "system_prompt": "secret", "retries": 2}

    assert kept("runs", run) == {"id": "a", "cost_usd": 1, "retries": 2}


def test_errors_are_cut() -> None:
    """An error keeps its first 500 characters; emoji count as one."""
    record = kept("runs", {"error": "🍞" * 900})

    assert record["error"] == "🍞" * ERROR_CHARACTERS


def test_errors_can_be_left_out() -> None:
    """With `keep_errors = false` not even their first words are stored."""
    record = {"id": "a", "error": "secret"}

    assert kept("runs", record, keep_errors=False) == {"id": "a", "error": None}


def test_an_error_that_is_no_text_is_not_stored() -> None:
    """What stands where a text belongs may hold anything, so it is named and dropped."""
    assert kept("runs", {"error": {"prompt": "secret"}}) == {"error": "(not a text)"}


def test_log_events_keep_the_listed_fields_alone() -> None:
    """Of a log event the listed fields are stored, also those that come in its `event`."""
    event = {
        "seq": 1,
        "ts": 1.5,
        "level": "INFO",
        "logger": "knead",
        "msg": "secret",
        "surprise": "secret",
        "event": {"kind": "tool_result", "tool_name": "search", "is_error": True, "preview": "s"},
    }

    assert kept("run_log_events", event) == {
        "seq": 1,
        "ts": 1.5,
        "level": "INFO",
        "logger": "knead",
        "event": {"kind": "tool_result", "tool_name": "search", "is_error": True},
    }


def test_an_event_that_is_a_text_is_not_stored() -> None:
    """A logger that attaches a bare text loses it."""
    assert kept("run_log_events", {"seq": 1, "event": "secret"}) == {"seq": 1}


def test_digits_stay_as_they_came() -> None:
    """What is kept is kept digit for digit."""
    record = msgspec.Raw(b'{"cost_usd": 0.1000000000000000055511, "user_prompt": "x"}')

    assert stored("runs", [record], keep_errors=True) == [b'{"cost_usd":0.1000000000000000055511}']


def test_a_new_field_changes_nothing_of_the_others() -> None:
    """A record is stored in one order of fields, also beside a field that is new to us."""
    known = {"error": "x" * 600, "id": "a", "date": "2026-11-20", "user_prompt": "secret"}

    for keep_errors in (True, False):
        (text,) = stored("runs", [as_text(known)], keep_errors=keep_errors)
        new = [{"note": "secret"} | known, {"score": 7} | known, known]

        assert stored("runs", list(map(as_text, new)), keep_errors=keep_errors) == [
            text,
            text[:-1] + b',"score":7}',
            text,
        ]


@pytest.mark.parametrize(
    "source", [each for each in SOURCES if each is not RUN_LOG_EVENTS], ids=lambda each: each.name
)
def test_what_is_loaded_is_known_to_be_stored(source: Source) -> None:
    """No field that the warehouse reads goes by the rule for new ones, which is slow and wary."""
    assert {name for field in source.fields for name in field.paths} <= set(_KNOWN)


def test_what_is_no_object_is_kept_to_be_told_of() -> None:
    """It becomes a record of which nothing can be understood; a log event keeps nothing."""
    assert kept("runs", 5) == {"not_an_object": 5}
    assert kept("run_log_events", "secret") == {}
