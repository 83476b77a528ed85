"""Changes to answers of the API, by the structure of what they say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from analytics.warehouse.sources import SOURCES, Field, Kind

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Send
    from starlette.types import Scope as Asked

PATHS = {
    "provider_keys": "byok",
    "agents": "agents/",
    "agent_versions": "agents/[^/]+/versions",
    "schedules": "agents/[^/]+/schedules",
    "run_counts": "runs/daily",
    "runs": "runs/",
    "run_costs": "analytics/runs/[^/]+/costs",
    "run_log_events": "runs/[^/]+/log/events",
    "usage_hours": "analytics/hourly",
    "billing_days": "analytics/billing",
    "agent_billing_days": "analytics/timeseries/by-agent",
    "agent_rollups": "analytics/agents",
    "platform_rollups": "analytics/platform-agents",
}
MUTATED = [source for source in SOURCES if source.name in PATHS]

NUMBERS = {Kind.MONEY, Kind.COST, Kind.COUNT, Kind.NUMBER, Kind.EPOCH}
DEEP = b"[" * 10_000 + b"]" * 10_000
VALUES: dict[bytes, set[Kind]] = {
    b"-1": {Kind.MONEY, Kind.NUMBER},
    b"0.5": NUMBERS - {Kind.COUNT},
    b"12": NUMBERS,
    b'"12"': NUMBERS | {Kind.TEXT},
    b"1e20": {Kind.NUMBER},
    b"100000000000000000000": {Kind.NUMBER},
    b"1e400": set(),
    b"NaN": {Kind.TEXT},
    b"true": {Kind.FLAG},
    b'"three"': {Kind.TEXT},
    b'""': {Kind.TEXT},
    b'"\\ud800\\u0000 =cmd()"': {Kind.TEXT},
    b'"' + b"long " * 50_000 + b'"': {Kind.TEXT},
    b'"2026-11-19T10:00:00Z"': {Kind.TEXT, Kind.DAY, Kind.INSTANT},
    b'"9999-12-31T23:59:59Z"': {Kind.TEXT},
    b"[]": set(),
    b'{"usd": 1}': set(),
    DEEP: set(),
    b'{"x":' * 5_000 + b"1" + b"}" * 5_000: set(),
}
"""Values of JSON, and the kinds of fields that take them."""

NULL, MISSING, TWICE, CUT = b"null", b"missing", b"twice", b"cut"
UNKNOWN = Field("surprise", Kind.TEXT)


class Change(NamedTuple):
    """A change of the record at a place in each response of a source.

    A value replaces that of a field; `missing` removes it. Without a field, a value replaces the
    record, `twice` repeats it, and `cut` sends half of the response, once.
    """

    place: int
    field: Field | None
    value: bytes


class At(NamedTuple):
    """The place of a record: its source, its request, and its place in the response."""

    source: str
    path: str
    place: int


@dataclass
class Tampering:
    """Changes responses of the application on their way out, and notes what it changed."""

    app: ASGIApp
    changes: dict[str, list[Change]] = field(default_factory=dict)
    made: dict[At, Change] = field(default_factory=dict)
    answer_count: int = 0
    _cut: set[str] = field(default_factory=set)

    def begin(self, changes: dict[str, list[Change]]) -> None:
        self.changes, self.made, self._cut = changes, {}, set()

    async def __call__(self, scope: Asked, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        start, body = messages[0], b"".join(each.get("body", b"") for each in messages[1:])
        if start["status"] == 200:
            body = self._changed(f"{scope['path']}?{scope['query_string'].decode()}", body)
        others = [item for item in start["headers"] if item[0] != b"content-length"]
        start["headers"] = [*others, (b"content-length", b"%d" % len(body))]
        await send(start)
        await send({"type": "http.response.body", "body": body})

    def _changed(self, request: str, body: bytes) -> bytes:
        for source, changes in self.changes.items():
            if not re.fullmatch(rf"/api/v1/{PATHS[source]}\?.*", request) or not changes:
                continue
            if source == "agent_rollups" and _days(request) > 1:
                return body  # read to say how many requests there will be, and not landed
            self.answer_count += 1
            return self._mutated(source, request, body, changes)
        return body

    def _mutated(self, source: str, request: str, body: bytes, changes: list[Change]) -> bytes:
        wrapper, records = _split(body)
        texts = [bytes(record) for record in records]
        for change in changes:
            at = At(source, request, change.place % len(texts) if texts else 0)
            if change.value == CUT and change.field is None:
                if request not in self._cut:
                    self._cut.add(request)
                    return body[: len(body) // 2]
            elif texts and at not in self.made:
                self.made[at] = change
        mine = {at.place: c for at, c in self.made.items() if at[:2] == (source, request)}
        for place, change in mine.items():
            texts[place] = _record(texts[place], change)
        texts += [texts[place] for place, change in mine.items() if change.value == TWICE]
        return wrapper % b",".join(texts)


def _days(request: str) -> int:
    start, end = (date.fromisoformat(day) for day in re.findall(r"(\d{4}-\d\d-\d\d)T", request))
    return (end - start).days


def _split(body: bytes) -> tuple[bytes, list[msgspec.Raw]]:
    if body.startswith(b"["):
        return b"[%b]", msgspec.json.decode(body, type=list[msgspec.Raw])
    ((name, records),) = msgspec.json.decode(body, type=dict[str, list[msgspec.Raw]]).items()
    return b'{"' + name.encode() + b'":[%b]}', records


def _record(text: bytes, change: Change) -> bytes:
    """Return the record with its change."""
    if change.field is None:
        return text if change.value == TWICE else change.value
    record = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    names = [path for path in change.field.paths if path.partition(".")[0] in record]
    name, _, inner = (names or change.field.paths)[0].partition(".")
    if inner:
        nested = _record(
            bytes(record.get(name, NULL)).replace(b"null", b"{}", 1)
            if bytes(record.get(name, NULL)) == NULL
            else bytes(record[name]),
            change._replace(field=Field(inner, Kind.TEXT)),
        )
        record[name] = msgspec.Raw(nested)
    elif change.value == MISSING:
        record.pop(name, None)
    else:
        record[name] = msgspec.Raw(change.value)
    return msgspec.json.encode(record)


def accepts(field: Field, value: bytes) -> bool:
    """Return True if a field takes a value, null included."""
    if value in (NULL, MISSING):
        return not field.required
    is_text = field.kind is Kind.TEXT
    if field.column == "error" or (is_text and not field.required and value[:1] not in b'"[{'):
        return True
    return field.kind in VALUES[value]


def left_out(change: Change) -> str | None:
    """Return the name that the quarantine should have of a change; None if there is nothing."""
    if change.field is None:
        return None if change.value == TWICE else "(record)"
    if change.field is UNKNOWN or accepts(change.field, change.value):
        return None
    return "(record)" if change.field.is_essential else change.field.paths[0]


Row = dict[str, Any]
