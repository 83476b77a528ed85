"""Landing lines become typed columns or are quarantined."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from analytics.warehouse.json_records import LONGEST_LINE, MACROS
from tests.warehouse.conftest import DAY, Load, current, run_record

WINDOW = (DAY, DAY + timedelta(days=1))
MONEY = {
    b"0": "0",
    b"0.25": "0.25",
    b"1e-9": "0.000000001",
    b"12345678.1234567891": "12345678.1234567891",
    b"0.30000000000000004": "0.3",
    b"0.00000000005": "0",
    b"0.00000000015": "0.0000000002",
    b"0.00000000025": "0.0000000002",
    b"0.000000000050000000000000001": "0.0000000001",
    b"-0": "0",
    b"-0.00000000004": "0",
    b'"0.5"': "0.5",
}


def test_money_is_read_from_its_digits(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """An amount keeps its digits; beyond ten decimals it is rounded half-even, once, and counted.

    An hour and a bill may have less than nothing: a refund is metered when it is made.
    """
    load("runs", [run_record(f"{n:02}", cost_usd=text) for n, text in enumerate(MONEY)])
    (rounded,) = con.execute("select rounded_count from ledger.loads").fetchall()
    days = [
        {"date": str(DAY), "provider": f"{n:02}", "billed_usd": text}
        for n, text in enumerate((*MONEY, b"-1.5"))
    ]
    load("billing_days", days, window=WINDOW)
    hour = {"hour": f"{DAY}T10:00:00Z", "cost_usd": b"-0.00000000015"}
    load("usage_hours", [hour], window=WINDOW)

    amounts = [Decimal(each) for each in MONEY.values()]
    assert [cost for _, cost in current(con, "runs", "run_id, cost_usd")] == amounts
    billed = [each for _, each in current(con, "billing_days", "provider, billed_usd")]
    assert billed == [*amounts, Decimal("-1.5")]
    assert current(con, "usage_hours", "cost_usd") == [(Decimal("-0.0000000002"),)]
    assert rounded == (6,)


def test_half_even_agrees_with_decimal() -> None:
    """Rounding in SQL equals rounding in Python's decimal, ties included."""
    digits = ("5", "15", "25", "35", "49", "51", "95", "105")
    texts = [
        f"{sign}7.{each.rjust(places, '0')}"
        for places in range(11, 28)
        for each in digits
        for sign in ("", "-")
    ]
    with duckdb.connect() as con:
        con.execute(MACROS)
        rounded = con.execute(
            "select half_even(text::decimal(38, 28)) from (select unnest(?) as text)", [texts]
        ).fetchall()

    assert rounded == [(Decimal(text).quantize(Decimal("1e-10")),) for text in texts]


AMOUNT = "is not an amount from 0 to 100 million dollars"
COUNT = "is not a whole number from 0 to 10^15"
ESSENTIAL: list[tuple[str, Any, str]] = [
    *(("cost_usd", text, AMOUNT) for text in (b"-1", b"1e9", b"9999999999.99999999999", b"1e300")),
    *(("tokens_in", value, COUNT) for value in (12.5, -1, 10**18, b"1e40")),
    ("agent_id", {"x": 1}, "is not a text"),
    ("status", None, "is missing"),
    ("created_at", 1763618400, "is not a time"),
]


def test_what_cannot_be_understood_is_set_aside(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """A record with an invalid essential value is quarantined whole; the others are loaded."""
    bad = [run_record(f"{n:02}", **{name: value}) for n, (name, value, _) in enumerate(ESSENTIAL)]
    both = run_record("both", agent_version="three", tokens_in=-1)
    nobody = [run_record(id=None), run_record(id={"x": 1}), 5, both]
    loaded = load("runs", [*bad, *nobody, run_record("good")])

    assert current(con, "runs", "run_id") == [("good",)]
    quarantined = con.execute("select field, reason from ledger.quarantine order by line")
    assert quarantined.fetchall() == [
        *(("(record)", f"{name} {reason}") for name, _, reason in ESSENTIAL),
        ("(record)", "id is missing"),
        ("(record)", "id is not a text"),
        ("(record)", "not an object"),
        ("(record)", f"tokens_in {COUNT}"),
    ]
    assert loaded.quarantined_count == len(bad) + len(nobody)


IMPOSSIBLE: dict[str, tuple[dict[str, str], tuple[bool, bool], str | None]] = {
    "zero": ({"started_at": "10:00:00", "finished_at": "10:00:00"}, (True, True), None),
    "end": ({"finished_at": "10:00:04"}, (True, False), "finished_at is before started_at"),
    "unstarted": ({"finished_at": "09:59:59"}, (True, False), "finished_at is before created_at"),
    "start": ({"started_at": "09:59:59"}, (False, True), "started_at is before created_at"),
}


def test_a_run_starts_after_its_creation_and_ends_after_its_start(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """An impossible start or end is unknown and quarantined; its run and its cost are loaded."""
    records = [
        run_record(name, **{column: f"2026-11-19T{time}Z" for column, time in times.items()})
        for name, (times, _, _) in IMPOSSIBLE.items()
    ]
    loaded = load("runs", records)

    known = "run_id, cost_usd, started_at is not null, finished_at is not null"
    assert {name: kept for name, _, *kept in current(con, "runs", known)} == {
        name: [*kept] for name, (_, kept, _) in IMPOSSIBLE.items()
    }
    quarantined = con.execute("select field, reason from ledger.quarantine order by line")
    reasons = [reason for *_, reason in IMPOSSIBLE.values() if reason]
    assert quarantined.fetchall() == [(each.split()[0], each) for each in reasons]
    assert loaded.quarantined_count == 3


def test_a_record_that_no_line_can_hold_is_set_aside(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """A stub of a record over 16 MiB lands: its workspace is loaded, and says which one it is."""
    loaded = load("runs", [run_record("huge", kind="x" * LONGEST_LINE), run_record("good")])

    assert current(con, "runs", "run_id") == [("good",)]
    ((reason, record),) = con.execute("select reason, record from ledger.quarantine").fetchall()
    assert reason == "larger than 16 MiB"
    assert re.fullmatch(r'"\(larger than 16 MiB: 16,777,\d{3} bytes, id \\"huge\\"\)"', record)
    assert loaded.quarantined_count == 1


TEN = datetime(2026, 11, 19, 10, tzinfo=UTC)
HOSTILE = "<script>alert('🍞')</script>\n\u2028\u0000 =cmd()"
TAKEN: list[tuple[str, Any, Any]] = [
    ("tokens_in", "7", 7),
    ("tokens_in", 7.0, 7),
    ("tokens_in", 10**15, 10**15),
    *((name, None, None) for name in ("tokens_in", "cost_usd", "agent_id")),
    ("status", "dreaming", "dreaming"),
    ("session_id", 7, "7"),
    ("error", HOSTILE, HOSTILE),
    ("created_at", "2026-11-19T10:00:00Z", TEN),
    ("created_at", "2026-11-19T10:00:00.123456", TEN.replace(microsecond=123456)),
    ("created_at", "2026-11-19T12:00:00+02:00", TEN),
]


def test_what_can_be_understood_is_kept(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """Nulls, numbers as text, unknown statuses, unusual texts and new fields are loaded."""
    records = [run_record(f"{n}", **{name: value}) for n, (name, value, _) in enumerate(TAKEN)]
    loaded = load("runs", [*records, run_record("new", surprise={"deep": [1, 2]})])

    assert loaded.quarantined_count == 0
    for n, (name, _, expected) in enumerate(TAKEN):
        found = con.execute(f"select {name} from raw.runs where run_id = '{n}'").fetchone()
        assert found == (expected,), TAKEN[n]
    assert len(current(con, "runs", "run_id")) == len(TAKEN) + 1


def test_nested_and_epoch_fields_are_read(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """A log event's kind is read from its `event`, its time from seconds since 1970."""
    event = {
        "seq": 3,
        "ts": 1763546400.25,
        "level": "INFO",
        "duration_ms": 12.5,
        "event": {"kind": "tool_result", "tool_use_id": "t", "tool_name": "oven", "is_error": True},
    }
    load("run_log_events", [event], run_id="r1")

    time = datetime(2025, 11, 19, 10, tzinfo=UTC)
    columns = "seq, occurred_at, event_kind, tool_use_id, tool_name, is_error, duration_ms"
    assert current(con, "run_log_events", columns) == [
        (3, time.replace(microsecond=250000), "tool_result", "t", "oven", True, 12.5)
    ]
