"""The fields of a record that are stored: never prompts, messages or tool inputs.

Each value is stored as it came, in one order of the fields. Of a field that this release does not
know, a number, a boolean or a null is stored, and no text or object, which somebody may have
written. Of a log event's message no more is told than that it is of a retry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from analytics.extract.snapshots import Row
from analytics.levain.answers import Fields, Record, Records, fields_of

ERROR_CHARACTERS = 500

# None of these fields holds prose, but `error`, which is cut.
OF_RUNS = (
    *("id", "status", "cost_usd", "tokens_in", "tokens_out", "started_at", "finished_at", "error"),
    *("agent_id", "agent_version_id", "agent_version", "parent_run_id", "session_id"),
    *("created_at", "kind", "artifact_count", "artifact_count_truncated"),
)
OF_OTHERS = (
    *("id", "status", "cost_usd", "tokens_in", "tokens_out", "started_at", "finished_at"),
    *("agent_id", "agent_version_id", "created_at", "kind", "run_id", "name", "slug"),
    *("draft_version", "updated_at", "ended_at", "last_run_at", "agent_name", "agent_slug"),
    *("platform_agent_id", "platform_agent_slug", "platform_agent_name", "targets"),
    *("workspace_id", "workspace_name", "key_id", "cron_expr", "timezone", "enabled"),
    "last_run_id",
    *("next_fire_at", "last_fired_at", "hour", "date", "count", "bucket", "model", "provider"),
    *("billed_usd", "total_cost", "total_tokens_in", "total_tokens_out", "request_count"),
    *("error_count", "run_count", "total_duration_ms"),
    *("version", "parent_version", "last_commit_at", "config"),
)
# Of a log event, of what is nested in it and of an agent's configuration these fields and no
# others are stored.
_OF_EVENTS = ("seq", "ts", "level", "logger", "node", "duration_ms", "cost_usd", "tokens", "event")
_OF_DETAILS = ("kind", "tool_use_id", "tool_name", "is_error")
LIMITS = ("max_budget", "timeout_minutes")

# A retry has no `event`, whose kind could tell it: its message begins with the word.
_RETRY, _RETRY_KIND = b'"RETRY ', msgspec.Raw(b'{"kind":"retry"}')

_NULL = msgspec.Raw(b"null")
_NOT_AN_OBJECT = b'"(not an object)"'
_NO_TEXT = "(not a text)"

_encode = msgspec.json.Encoder().encode
_text_of = msgspec.json.Decoder(str).decode
Read = Callable[[Record], Any]


def _reader(names: tuple[str, ...], *, is_strict: bool = False) -> Read:
    """Return a decoder of these fields, which leaves their values undecoded.

    It skips all others; if it `is_strict`, msgspec.ValidationError for a record that has one.
    """
    kept = [(name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in names]
    kind = msgspec.defstruct("Kept", kept, forbid_unknown_fields=is_strict, gc=False)
    return msgspec.json.Decoder(kind).decode


_RUN = (*OF_RUNS, "user_prompt")  # known, and never stored
_read_run = _reader(_RUN, is_strict=True)
_read_other = _reader(OF_OTHERS, is_strict=True)
_read_event = _reader((*_OF_EVENTS, "msg"))
_read_details = _reader(_OF_DETAILS)
_read_limits = _reader(LIMITS)


def stored_runs(records: Records, *, keep_errors: bool) -> tuple[list[Row], list[bytes]]:
    """Return the rows of a page of runs, and the stored text of each record.

    A record without a readable id is stored, to be reported, and has no row.
    """
    rows, texts = [], []
    for record in records:
        try:
            run, new = _split(record, _read_run, _RUN)
        except msgspec.ValidationError:
            texts.append(_NOT_AN_OBJECT)
            continue
        run.user_prompt = msgspec.UNSET
        if run.error is not msgspec.UNSET and run.error != _NULL:
            run.error = _error(_text(run.error), keep_errors=keep_errors)
        if (run_id := _text(run.id)) is not None:
            rows.append(Row(run_id, _text(run.agent_id), _text(run.created_at)))
        texts.append(_joined(run, new))
    return rows, texts


def stored(source: str, records: Records) -> list[bytes]:
    """Return the stored text of each record of any other source."""
    stored_text = _log_event if source == "run_log_events" else _other
    texts = []
    for record in records:
        try:
            texts.append(stored_text(record))
        except msgspec.ValidationError:  # it is no object, and may hold any text
            texts.append(_NOT_AN_OBJECT)
    return texts


def _other(record: Record) -> bytes:
    kept, new = _split(record, _read_other, OF_OTHERS)
    if kept.config is not msgspec.UNSET:
        kept.config = _narrowed(kept.config, _read_limits)
    return _joined(kept, new)


def _log_event(record: Record) -> bytes:
    event = _read_event(record)
    if event.event is not msgspec.UNSET:
        event.event = _narrowed(event.event, _read_details)
    if event.event is msgspec.UNSET and event.msg is not msgspec.UNSET:
        event.event = _RETRY_KIND if bytes(event.msg).startswith(_RETRY) else msgspec.UNSET
    event.msg = msgspec.UNSET
    return _encode(event)


def _split(record: Record, read: Read, known: tuple[str, ...]) -> tuple[Any, Fields]:
    """Return the known fields of a record, and those new ones that cannot hold prose.

    msgspec.ValidationError if it is no object.
    """
    try:
        return read(record), {}
    except msgspec.ValidationError:
        fields = fields_of(record)
        kept = {name: fields.pop(name) for name in known if name in fields}
        new = {name: value for name, value in fields.items() if bytes(value)[:1] not in b'"{['}
        return read(msgspec.Raw(_encode(kept))), new


def _joined(kept: Any, new: Fields) -> bytes:
    """Return the text of the known and the new fields."""
    text = _encode(kept)
    if not new:
        return text
    return b"{%b}" % b",".join(filter(None, (text[1:-1], _encode(new)[1:-1])))


def _narrowed(value: msgspec.Raw, read: Read) -> msgspec.Raw | msgspec.UnsetType:
    """Return an object with its stored fields; unset if it has none, as a bare text."""
    try:
        text = _encode(read(value))
    except msgspec.ValidationError:
        return msgspec.UNSET
    return msgspec.UNSET if text == b"{}" else msgspec.Raw(text)


def _error(text: str | None, *, keep_errors: bool) -> msgspec.Raw:
    """Return the first characters of an error; null for a non-empty one if errors are not kept."""
    if text is None:
        text = _NO_TEXT
    elif text and not keep_errors:
        return _NULL
    return msgspec.Raw(_encode(text[:ERROR_CHARACTERS]))


def _text(value: msgspec.Raw | msgspec.UnsetType) -> str | None:
    """Return the value if it is a string, else None."""
    try:
        return None if value is msgspec.UNSET else _text_of(value)
    except msgspec.ValidationError:
        return None
