"""Answers with wrong values in each field of each source, on their way to the warehouse.

Every expectation is of a record: where it stood in its response, and what was changed of it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from analytics.extract.landing import Landing
from analytics.levain import Answer
from analytics.levain.answers import body_of
from analytics.warehouse.database import open_warehouse
from analytics.warehouse.load import load_folder
from analytics.warehouse.sources import SOURCES, Field, Kind, Scope, Source
from tests.transform.given import InMemory

TRUE: dict[Kind, bytes] = {
    Kind.TEXT: b'"x"', Kind.MONEY: b"0.25", Kind.COST: b"0.25", Kind.COUNT: b"7",
    Kind.NUMBER: b"1.5", Kind.FLAG: b"true", Kind.DAY: b'"2026-11-19"',
    Kind.INSTANT: b'"2026-11-19T10:00:00Z"', Kind.EPOCH: b"1763546400",
}  # fmt: skip
NUMBERS = {Kind.MONEY, Kind.COST, Kind.COUNT, Kind.NUMBER, Kind.EPOCH}
DEEP = b"[" * 10_000 + b"]" * 10_000
VALUES: dict[bytes, set[Kind]] = {
    b"-1": {Kind.MONEY},
    b"0.5": NUMBERS - {Kind.COUNT},
    b"12": NUMBERS,
    b'"12"': NUMBERS | {Kind.TEXT},
    b"1e20": set(),
    b"100000000000000000000": set(),
    b"1e400": set(),
    b"NaN": {Kind.TEXT},
    b"true": {Kind.FLAG},
    b'"three"': {Kind.TEXT},
    b'""': {Kind.TEXT},
    b'"\\ud800\\u0000 =cmd()"': {Kind.TEXT},
    b'"' + b"long " * 5_000 + b'"': {Kind.TEXT},
    b'"2026-11-19T10:00:00Z"': {Kind.TEXT, Kind.DAY, Kind.INSTANT},
    b'"9999-12-31T23:59:59Z"': {Kind.TEXT},
    b'"294246-12-31T00:00:00Z"': {Kind.TEXT},
    b'"2026-13-45T00:00:00Z"': {Kind.TEXT},
    b'"4000-01-01 (BC) 00:00:00"': {Kind.TEXT},
    b'"infinity"': {Kind.TEXT},
    b"[]": set(),
    b'{"usd": 1}': set(),
    DEEP: set(),
    b'{"x":' * 500 + b"1" + b"}" * 500: set(),
}
"""Values of JSON, and the kinds of fields that take them."""

NULL, MISSING = b"null", b"missing"
UNKNOWN = Field("surprise", Kind.TEXT)
WHOLE = (b"5", b'"a text"', b"[]", NULL, DEEP, b"NaN")


class Change(NamedTuple):
    """A value in place of that of a field, or without a field in place of the whole record."""

    field: Field | None = None
    value: bytes = b""


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
        return "(record)" if change.value else None
    if change.field is UNKNOWN or accepts(change.field, change.value):
        return None
    return "(record)" if change.field.is_essential else change.field.paths[0]


def changes_of(source: Source) -> list[Change]:
    """Each value in each field, and in place of a record; a record is made no other one's twin."""
    identity = source.keys[0] if source.scope in (Scope.LIST, Scope.RECORD) else None
    changes = [
        Change(field, value)
        for field in (*source.fields, UNKNOWN)
        for value in (*VALUES, NULL, MISSING)
        if field.column != identity or not accepts(field, value)
    ]
    return [Change(), *changes, *(Change(None, value) for value in WHOLE)]


def record(source: Source, number: int, change: Change) -> bytes:
    """Return a record of a source with its change."""
    if change.field is None and change.value:
        return change.value
    values = {field: TRUE[field.kind] for field in source.fields}
    for field in source.fields:
        if field.column == source.keys[0] and field.kind is Kind.TEXT:
            values[field] = b'"id-%d"' % number
    if change.field is not None:
        values[change.field] = change.value
    found: dict[str, Any] = {}
    for field, value in values.items():
        if value != MISSING:
            name, _, inner = field.paths[0].partition(".")
            of = found.setdefault(name, {}) if inner else found
            of[inner or name] = msgspec.Raw(value)
    return msgspec.json.encode(found)


@pytest.mark.parametrize(
    "source", [each for each in SOURCES if each.name != "workspaces"], ids=lambda each: each.name
)
def test_a_wrong_value_costs_no_more_than_its_record(source: Source, tmp_path: Path) -> None:
    """Whatever an answer holds, all other records are exact, and what is left out is named."""
    changes = changes_of(source)
    records = [record(source, number, change) for number, change in enumerate(changes)]
    answer = Answer("/x", {}, 200, datetime(2026, 11, 20, 6, tzinfo=UTC), 2, [])
    landing = Landing(tmp_path / "landing", "w1", "20261120T060000Z-001-x", keep_errors=True)
    window = (date(2026, 11, 19), date(2026, 11, 20))
    asked: dict[str, Any] = {
        Scope.RUN: {"run_id": "r"},
        Scope.AGENT: {"agent_id": "a"},
        Scope.DAY: {"window": window},
        Scope.AGENT_DAY: {"agent_id": "a", "window": window},
    }.get(source.scope, {})
    landing.add(source.name, answer, body_of("request", b"[%b]" % b",".join(records)), **asked)
    with open_warehouse(InMemory(tmp_path)) as con:
        load_folder(con, landing.commit())
        found = con.execute(f"select line, {', '.join(source.columns)} from raw.{source.name}")
        lines = {line: row for line, *row in found.fetchall()}
        quarantined = con.execute("select line, field from ledger.quarantine").fetchall()

    rows = {line: dict(zip(source.columns, row, strict=True)) for line, row in lines.items()}
    expected = {(line, name) for line, each in enumerate(changes, 1) if (name := left_out(each))}
    assert {*quarantined} == expected
    assert rows.keys() == {line for line, _ in enumerate(changes, 1)} - {
        line for line, name in expected if name == "(record)"
    }
    true = rows[1]
    for line, row in rows.items():
        field, value = changes[line - 1]
        column = field.column if field else None
        if column and ((line, column) in expected or value in (NULL, MISSING)) and column in row:
            assert row[column] is None, (field, value)
        others = true.keys() - {column, source.keys[0]} - ({"date"} if column == "hour" else set())
        assert {each: row[each] for each in others} == {each: true[each] for each in others}, (
            field, value,
        )  # fmt: skip
