"""The fields of a record that are stored: never prompts, messages or tool inputs.

Of a log event's message no more is told than that it is of a retry.

A run is decoded by `_Run`, a log event by `_Event`, any other record by `_Known`. A record that
does not fit is handled field by field (`_kept_of`, `_named`), in several times the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from analytics.extract.listing import Row
from analytics.levain.answers import Fields, Record, Records, fields_of

ERROR_CHARACTERS = 500

# The known fields of all records other than runs and log events, in the order in which they are
# stored. None of them holds prose.
_KNOWN = (
    *("id", "status", "cost_usd", "tokens_in", "tokens_out", "started_at", "finished_at"),
    *("agent_id", "agent_version_id", "created_at", "kind", "run_id", "name", "slug"),
    *("draft_version", "updated_at", "ended_at", "last_run_at", "agent_name", "agent_slug"),
    *("platform_agent_id", "platform_agent_slug", "platform_agent_name", "targets"),
    *("workspace_id", "workspace_name", "key_id", "cron_expr", "timezone", "last_run_id"),
    *("next_fire_at", "last_fired_at", "hour", "date", "count", "bucket", "model", "provider"),
    *("billed_usd", "total_cost", "total_tokens_in", "total_tokens_out", "request_count"),
    *("error_count", "run_count", "total_duration_ms"),
    *("version", "parent_version", "last_commit_at"),
)
# Of an agent's configuration these fields and no others are kept: its limits.
_LIMITS = ("max_budget", "timeout_minutes")
# Of a log event these fields and no others are kept.
_EVENT_FIELDS = ("seq", "ts", "level", "logger", "node", "duration_ms", "cost_usd", "tokens")
_EVENT_DETAILS = ("kind", "tool_use_id", "tool_name", "is_error")

# A retry has no `event`, whose kind could tell it: its message begins with the word.
_RETRY, _RETRY_KIND = b'"RETRY ', msgspec.Raw(b'"retry"')

_NULL = msgspec.Raw(b"null")
_NOT_AN_OBJECT = b'"(not an object)"'
_NO_TEXT = msgspec.Raw(b'"(not a text)"')

_Value = msgspec.Raw | msgspec.UnsetType


class _Run(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The fields of a run; a field that only the warehouse reads stays undecoded."""

    id: str
    status: _Value = msgspec.UNSET
    cost_usd: _Value = msgspec.UNSET
    tokens_in: _Value = msgspec.UNSET
    tokens_out: _Value = msgspec.UNSET
    started_at: _Value = msgspec.UNSET
    finished_at: _Value = msgspec.UNSET
    error: str | msgspec.UnsetType | None = msgspec.UNSET
    agent_id: str | None
    agent_version_id: _Value = msgspec.UNSET
    agent_version: _Value = msgspec.UNSET
    parent_run_id: _Value = msgspec.UNSET
    session_id: _Value = msgspec.UNSET
    user_prompt: _Value = msgspec.UNSET  # known, and never stored
    created_at: str | None
    kind: _Value = msgspec.UNSET
    artifact_count: _Value = msgspec.UNSET
    artifact_count_truncated: _Value = msgspec.UNSET


_RUN_FIELDS = _Run.__struct_encode_fields__
_ROW_FIELDS = ("id", "agent_id", "created_at")

_encode = msgspec.json.Encoder().encode
_read_run = msgspec.json.Decoder(_Run).decode
_Known = msgspec.defstruct(
    "_Known",
    [(name, _Value, msgspec.UNSET) for name in _KNOWN],
    forbid_unknown_fields=True,
    gc=False,
)
_read_known: Callable[[Record], Any] = msgspec.json.Decoder(_Known).decode

_Details = msgspec.defstruct(
    "_Details", [(name, _Value, msgspec.UNSET) for name in _EVENT_DETAILS], gc=False
)
_Event = msgspec.defstruct(
    "_Event",
    [
        *((name, _Value, msgspec.UNSET) for name in _EVENT_FIELDS),
        ("event", _Details | msgspec.UnsetType | None, msgspec.UNSET),
        ("msg", _Value, msgspec.UNSET),  # never stored
    ],
    gc=False,
)
_read_event: Callable[[Record], Any] = msgspec.json.Decoder(_Event).decode
_NO_DETAILS = (msgspec.UNSET, None, _Details())


def stored_runs(records: Records, *, keep_errors: bool) -> tuple[list[Row], list[bytes]]:
    """Return the rows of a page of runs, and the stored text of each record.

    A record without a readable id is stored, to be reported, and has no row. A page of regular runs
    is decoded in one pass, since runs come by the hundred thousand.
    """
    try:
        runs = list(map(_read_run, records))
    except msgspec.ValidationError:
        return _irregular_runs(records, keep_errors=keep_errors)
    for run in runs:
        run.user_prompt = msgspec.UNSET
        if run.error:
            run.error = _cut(run.error, keep_errors=keep_errors)
    rows = [Row(run.id, run.agent_id, run.created_at) for run in runs]
    return rows, list(map(_encode, runs))


def stored(source: str, records: Records) -> list[bytes]:
    """Return the stored fields of each record of any other source, with each value as it came."""
    if source == "run_log_events":
        return list(map(_log_event, records))
    if source == "agents":
        return [_text_of(record, _agent) for record in records]
    try:
        return [_encode(_read_known(record)) for record in records]
    except msgspec.ValidationError:
        return [_text_of(record, lambda fields: _kept_of(fields, _KNOWN)) for record in records]


def _irregular_runs(records: Records, *, keep_errors: bool) -> tuple[list[Row], list[bytes]]:
    """Return rows and texts as `stored_runs` does, of a page with new fields or other types."""
    rows, texts = [], []
    for record in records:
        if (fields := _fields(record)) is None:
            texts.append(_NOT_AN_OBJECT)
            continue
        fields.pop("user_prompt", None)
        if "error" in fields:
            fields["error"] = _error(fields["error"], keep_errors=keep_errors)
        row = {name: _text(fields[name]) for name in _ROW_FIELDS if name in fields}
        fields |= {name: _raw(text) for name, text in row.items() if text is not None}
        texts.append(_encode(_kept_of(fields, _RUN_FIELDS)))
        if (run_id := row.get("id")) is not None:
            rows.append(Row(run_id, row.get("agent_id"), row.get("created_at")))
    return rows, texts


def _fields(record: Record) -> Fields | None:
    """Return the fields of a record; None if it is not an object."""
    try:
        return fields_of(record)
    except msgspec.ValidationError:
        return None


def _text_of(record: Record, kept: Callable[[Fields], Fields]) -> bytes:
    """Return the text of the kept fields; a record that is not an object may hold any text."""
    fields = _fields(record)
    return _NOT_AN_OBJECT if fields is None else _encode(kept(fields))


def _kept_of(fields: Fields, known: Iterable[str]) -> Fields:
    """Return the known fields of a record, and those new ones that cannot hold prose.

    Numbers, booleans and nulls are kept; a string or an object may hold text that somebody wrote.
    """
    kept = {name: fields.pop(name) for name in known if name in fields}
    return kept | {name: value for name, value in fields.items() if bytes(value)[:1] not in b'"{['}


def _agent(fields: Fields) -> Fields:
    kept = _kept_of(fields, (*_KNOWN, "config"))
    return _narrowed(kept, "config", _LIMITS)


def _log_event(record: Record) -> bytes:
    try:
        event = _read_event(record)
    except msgspec.ValidationError:
        return _text_of(record, _event_fields)
    if event.event in _NO_DETAILS:
        event.event = _Details(kind=_RETRY_KIND) if _is_retry(event.msg) else msgspec.UNSET
    event.msg = msgspec.UNSET
    return _encode(event)


def _event_fields(fields: Fields) -> Fields:
    kept = {name: fields[name] for name in (*_EVENT_FIELDS, "event") if name in fields}
    kept = _narrowed(kept, "event", _EVENT_DETAILS)
    if "event" not in kept and _is_retry(fields.get("msg", _NULL)):
        kept["event"] = msgspec.Raw(_encode({"kind": _RETRY_KIND}))
    return kept


def _is_retry(message: _Value) -> bool:
    return message is not msgspec.UNSET and bytes(message).startswith(_RETRY)


def _narrowed(fields: Fields, name: str, kept: Iterable[str]) -> Fields:
    """The fields, with no others than the kept ones in the object of that name."""
    if name in fields and (details := _named(fields.pop(name), kept)):
        fields[name] = msgspec.Raw(_encode(details))
    return fields


def _named(record: Record, names: Iterable[str]) -> Fields:
    """The named fields of an object; anything else, such as a bare text, has none of them."""
    try:
        fields = fields_of(record)
    except msgspec.ValidationError:
        return {}
    return {name: fields[name] for name in names if name in fields}


def _error(error: msgspec.Raw, *, keep_errors: bool) -> msgspec.Raw:
    """Return the stored part of a failed run's error."""
    if error == _NULL:
        return error
    text = _text(error)
    return _NO_TEXT if text is None else _raw(_cut(text, keep_errors=keep_errors))


def _cut(error: str, *, keep_errors: bool) -> str | None:
    """Return the first characters of an error; None for a non-empty one if errors are not kept."""
    return error[:ERROR_CHARACTERS] if keep_errors or not error else None


def _raw(text: str | None) -> msgspec.Raw:
    return msgspec.Raw(_encode(text))


def _text(value: msgspec.Raw) -> str | None:
    """Return the value if it is a string, else None; other values are not decoded."""
    return msgspec.json.decode(value, type=str) if bytes(value)[:1] == b'"' else None
