"""What is stored of a record: never prompts, messages or what tools were given."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from analytics.levain.transport import Fields, Record, Records, fields_of

ERROR_CHARACTERS = 500

# The fields that the API is known to send of anything but runs, in the order in which they are
# stored. None of them holds prose.
_KNOWN = (
    *("id", "status", "cost_usd", "tokens_in", "tokens_out", "started_at", "finished_at"),
    *("agent_id", "agent_version_id", "agent_version", "parent_run_id", "session_id"),
    *("created_at", "kind", "artifact_count", "artifact_count_truncated"),
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

_LOOKED_AT = ("id", "agent_id", "created_at")

_NULL = msgspec.Raw(b"null")
_NO_TEXT = msgspec.Raw(b'"(not a text)"')

_Value = msgspec.Raw | msgspec.UnsetType


class KeptRun(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What is kept of a run. What nobody looks at before the warehouse does stays as it came."""

    run_id: str = msgspec.field(name="id")
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
    user_prompt: _Value = msgspec.UNSET  # known, and taken away
    created_at: str | None
    kind: _Value = msgspec.UNSET
    artifact_count: _Value = msgspec.UNSET
    artifact_count_truncated: _Value = msgspec.UNSET


_encode = msgspec.json.Encoder().encode
_read_run = msgspec.json.Decoder(KeptRun).decode
_Known = msgspec.defstruct(
    "_Known",
    [(name, _Value, msgspec.UNSET) for name in _KNOWN],
    forbid_unknown_fields=True,
    gc=False,
)
_read_known: Callable[[Record], Any] = msgspec.json.Decoder(_Known).decode


def stored_runs(records: Records, *, keep_errors: bool) -> tuple[list[KeptRun], list[bytes]]:
    """The runs of a page, and the text of each record that is kept.

    A record that has no id to be read is kept to be told of, but is no run. Runs come by the
    hundred thousand: a page in which nothing is odd is read in one go.
    """
    try:
        runs = list(map(_read_run, records))
    except msgspec.ValidationError:
        return _odd_runs(records, keep_errors=keep_errors)
    for run in runs:
        run.user_prompt = msgspec.UNSET
        if run.error:
            run.error = run.error[:ERROR_CHARACTERS] if keep_errors else None
    return runs, list(map(_encode, runs))


def stored(source: str, records: Records) -> list[bytes]:
    """The text of the fields of each record that are kept, each value as it came; not for runs."""
    if source == "run_log_events":
        return [_encode(_log_event(record)) for record in records]
    try:
        return [_encode(_read_known(record)) for record in records]
    except msgspec.ValidationError:
        return [_encode(_kept_of(_fields(record), _KNOWN)) for record in records]


def _odd_runs(records: Records, *, keep_errors: bool) -> tuple[list[KeptRun], list[bytes]]:
    """The same of runs with fields that are new to us, or with something else than a text."""
    runs, texts = [], []
    for record in records:
        fields = _fields(record)
        fields.pop("user_prompt", None)
        if "error" in fields:
            fields["error"] = _error(fields["error"], keep_errors=keep_errors)
        looked_at = {name: _text(fields[name]) for name in _LOOKED_AT if name in fields}
        fields |= {
            name: msgspec.Raw(_encode(text)) for name, text in looked_at.items() if text is not None
        }
        texts.append(_encode(_kept_of(fields, KeptRun.__struct_encode_fields__)))
        if (run_id := looked_at.get("id")) is not None:
            agent_id, created_at = looked_at.get("agent_id"), looked_at.get("created_at")
            runs.append(KeptRun(run_id=run_id, agent_id=agent_id, created_at=created_at))
    return runs, texts


def _fields(record: Record) -> Fields:
    """A record taken apart; one that is no object is all there is to tell of it."""
    try:
        return fields_of(record)
    except msgspec.ValidationError:
        return {"not_an_object": record}


def _kept_of(fields: Fields, known: Iterable[str]) -> Fields:
    """What is kept of a record that may have fields which are new to us.

    Of these numbers, flags and nulls are kept; a text or an object may hold what somebody wrote.
    """
    kept = {name: fields.pop(name) for name in known if name in fields}
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
    text = _text(error)
    if text and not keep_errors:
        return _NULL
    return _NO_TEXT if text is None else msgspec.Raw(_encode(text[:ERROR_CHARACTERS]))


def _text(value: msgspec.Raw) -> str | None:
    text = msgspec.json.decode(value)
    return text if isinstance(text, str) else None
