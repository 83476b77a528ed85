"""What is stored of a record: never prompts, messages or what tools were given."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from analytics.levain.transport import Record

ERROR_CHARACTERS = 500

# The fields that the API is known to send and that hold no prose. Of a field that is new to us
# numbers, flags and nulls are kept; a text or an object may hold what somebody wrote.
_KNOWN = frozenset(
    {"id", "run_id", "agent_id", "agent_version_id", "agent_version", "session_id", "kind"}
    | {"parent_run_id", "status", "error", "artifact_count", "artifact_count_truncated"}
    | {"created_at", "updated_at", "started_at", "finished_at", "ended_at", "last_run_at"}
    | {"name", "slug", "draft_version", "agent_name", "agent_slug", "model", "provider"}
    | {"workspace_id", "workspace_name", "key_id", "cron_expr", "timezone", "last_run_id"}
    | {"next_fire_at", "last_fired_at"}
    | {"platform_agent_id", "platform_agent_slug", "platform_agent_name", "targets"}
    | {"hour", "date", "bucket", "cost_usd", "billed_usd", "total_cost", "tokens_in", "tokens_out"}
    | {"total_tokens_in", "total_tokens_out", "request_count", "error_count", "run_count"}
    | {"total_duration_ms", "not_an_object"}
)
# Of a log event these fields and no others are kept.
_EVENT_FIELDS = ("seq", "ts", "level", "logger", "node", "duration_ms", "cost_usd", "tokens")
_EVENT_DETAILS = ("kind", "tool_name", "is_error")

_NULL = msgspec.Raw(b"null")

_decode_object = msgspec.json.Decoder(Record)


def stored(source: str, record: Record, *, keep_errors: bool) -> Record:
    """The fields of a record that are kept, each value as it came."""
    if source == "run_log_events":
        return _log_event(record)
    kept = record.copy()
    for name in _unknown(tuple(record)):
        if memoryview(record[name])[0] in b'"{[':  # not bytes(): that copies what may be long
            del kept[name]
    error = kept.get("error", _NULL)
    if error != _NULL:
        kept["error"] = _shortened(error) if keep_errors else _NULL
    return kept


@lru_cache(maxsize=64)
def _unknown(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are new to us; the records of a list all have the same names."""
    return tuple(name for name in names if name not in _KNOWN)


def _log_event(record: Record) -> Record:
    kept = {name: record[name] for name in _EVENT_FIELDS if name in record}
    try:
        event = _decode_object.decode(record.get("event", b"{}"))
    except msgspec.ValidationError:  # some loggers attach a bare text
        return kept
    details = {name: event[name] for name in _EVENT_DETAILS if name in event}
    if details:
        kept["event"] = msgspec.Raw(msgspec.json.encode(details))
    return kept


def _shortened(error: msgspec.Raw) -> msgspec.Raw:
    text = msgspec.json.decode(error)
    if isinstance(text, str) and len(text) > ERROR_CHARACTERS:
        return msgspec.Raw(msgspec.json.encode(text[:ERROR_CHARACTERS]))
    return error if isinstance(text, str) else msgspec.Raw(b'"(not a text)"')
