"""What is stored of a record: never prompts, messages or what tools were given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from analytics.levain.transport import Fields, Record, Records, fields_of

ERROR_CHARACTERS = 500

# The fields that the API is known to send, in the order in which they are stored; a run's come
# first, for runs come by the hundred thousand. All but a run's prompt hold no prose.
_KNOWN = (
    *("id", "status", "cost_usd", "tokens_in", "tokens_out", "started_at", "finished_at", "error"),
    *("agent_id", "agent_version_id", "agent_version", "parent_run_id", "session_id"),
    *("user_prompt", "created_at", "kind", "artifact_count", "artifact_count_truncated"),
    *("run_id", "name", "slug", "draft_version", "updated_at", "ended_at", "last_run_at"),
    *("agent_name", "agent_slug", "platform_agent_id", "platform_agent_slug"),
    *("platform_agent_name", "targets", "workspace_id", "workspace_name", "key_id"),
    *("cron_expr", "timezone", "last_run_id", "next_fire_at", "last_fired_at"),
    *("hour", "date", "count", "bucket", "model", "provider", "billed_usd", "total_cost"),
    *("total_tokens_in", "total_tokens_out", "request_count", "error_count", "run_count"),
    *("total_duration_ms", "not_an_object"),
)
# Of a log event these fields and no others are kept.
_EVENT_FIELDS = ("seq", "ts", "level", "logger", "node", "duration_ms", "cost_usd", "tokens")
_EVENT_DETAILS = ("kind", "tool_name", "is_error")

_NULL = msgspec.Raw(b"null")
_NO_TEXT = msgspec.Raw(b'"(not a text)"')

_encode = msgspec.json.Encoder().encode
_Known = msgspec.defstruct(
    "_Known",
    [(name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in _KNOWN],
    forbid_unknown_fields=True,
    gc=False,
)
_read_known: Callable[[Record], Any] = msgspec.json.Decoder(_Known).decode


def stored(source: str, records: Records, *, keep_errors: bool) -> list[bytes]:
    """The text of the fields of each record that are kept, each value as it came."""
    if source == "run_log_events":
        return [_encode(_log_event(record)) for record in records]
    try:
        known = list(map(_read_known, records))
    except msgspec.ValidationError:
        return [_encode(_taken_apart(record, keep_errors=keep_errors)) for record in records]
    for each in known:
        each.user_prompt = msgspec.UNSET
        if each.error is not msgspec.UNSET:
            each.error = _error(each.error, keep_errors=keep_errors)
    return list(map(_encode, known))


def _taken_apart(record: Record, *, keep_errors: bool) -> Fields:
    """What is kept of a record that may have fields which are new to us, or be no object.

    Of a new field numbers, flags and nulls are kept; a text or an object may hold what somebody
    wrote.
    """
    try:
        fields = fields_of(record)
    except msgspec.ValidationError:
        return {"not_an_object": record}
    kept = {name: fields.pop(name) for name in _KNOWN if name in fields}
    kept.pop("user_prompt", None)
    if "error" in kept:
        kept["error"] = _error(kept["error"], keep_errors=keep_errors)
    return kept | {name: value for name, value in fields.items() if bytes(value)[:1] not in b'"{['}


def _log_event(record: Record) -> Fields:
    try:
        fields = fields_of(record)
    except msgspec.ValidationError:  # whatever it is, it has none of the fields
        return {}
    kept = {name: fields[name] for name in _EVENT_FIELDS if name in fields}
    try:
        event = fields_of(fields.get("event", b"{}"))
    except msgspec.ValidationError:  # some loggers attach a bare text
        return kept
    details = {name: event[name] for name in _EVENT_DETAILS if name in event}
    if details:
        kept["event"] = msgspec.Raw(_encode(details))
    return kept


def _error(error: msgspec.Raw, *, keep_errors: bool) -> msgspec.Raw:
    """A failed run's error, cut to its first characters."""
    if error == _NULL:
        return error
    if not keep_errors:
        return _NULL
    text = msgspec.json.decode(error)
    if not isinstance(text, str):
        return _NO_TEXT
    return msgspec.Raw(_encode(text[:ERROR_CHARACTERS])) if len(text) > ERROR_CHARACTERS else error
