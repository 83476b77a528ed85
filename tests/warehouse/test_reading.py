"""Landing lines become typed columns or are quarantined."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from analytics.warehouse.reading import MACROS
from tests.warehouse.conftest import Load, current, run_record


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"0", "0"),
        (b"0.25", "0.25"),
        (b"1e-9", "0.000000001"),
        (b"12345678.1234567891", "12345678.1234567891"),
        (b"0.30000000000000004", "0.3"),
        (b"0.00000000005", "0"),
        (b"0.00000000015", "0.0000000002"),
        (b"0.00000000025", "0.0000000002"),
        (b"0.000000000050000000000000001", "0.0000000001"),
        (b"-0", "0"),
        (b"-0.00000000004", "0"),
        (b'"0.5"', "0.5"),
    ],
)
def test_money_is_read_from_its_digits(
    load: Load, con: duckdb.DuckDBPyConnection, text: bytes, expected: str
) -> None:
    """An amount keeps its digits; beyond ten decimals it is rounded half-even, once."""
    load("runs", [run_record(cost_usd=text)])
    day = {"date": "2026-11-19", "billed_usd": text}
    load("billing_days", [day], window=(date(2026, 11, 19), date(2026, 11, 20)))

    assert [(Decimal(expected),)] == current(con, "runs", "cost_usd")
    assert [(Decimal(expected),)] == current(con, "billing_days", "billed_usd")


def test_rounding_is_counted(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """The ledger counts records with more decimals than are kept."""
    load("runs", [run_record("a", cost_usd=b"0.30000000000000004"), run_record("b")])

    assert con.execute("select rounded_count from ledger.loads").fetchone() == (1,)


@pytest.mark.parametrize("places", range(11, 28))
def test_half_even_agrees_with_decimal(con: duckdb.DuckDBPyConnection, places: int) -> None:
    """Rounding in SQL equals rounding in Python's decimal, ties included."""
    con.execute(MACROS)
    for digits in ("5", "15", "25", "35", "49", "51", "95", "105"):
        for sign in ("", "-"):
            text = f"{sign}7.{digits.rjust(places, '0')}"
            row = con.execute(f"select half_even('{text}'::decimal(38, 28))").fetchone()
            assert row == (Decimal(text).quantize(Decimal("1e-10")),), text


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cost_usd": "free"}, "cost_usd is not an amount from 0 to 100 million dollars"),
        ({"cost_usd": True}, "cost_usd is not an amount from 0 to 100 million dollars"),
        ({"cost_usd": {"usd": 1}}, "cost_usd is not an amount from 0 to 100 million dollars"),
        ({"cost_usd": b"1e9"}, "cost_usd is not an amount from 0 to 100 million dollars"),
        (
            {"cost_usd": b"9999999999.99999999999"},
            "cost_usd is not an amount from 0 to 100 million dollars",
        ),
        ({"cost_usd": -1}, "cost_usd is not an amount from 0 to 100 million dollars"),
        ({"agent_id": {"x": 1}}, "agent_id is not a text"),
        ({"created_at": "4000-01-01 (BC) 00:00:00"}, "created_at is not a time"),
        ({"cost_usd": b"1e300"}, "cost_usd is not an amount from 0 to 100 million dollars"),
        ({"tokens_in": "twelve"}, "tokens_in is not a whole number from 0 to 10^15"),
        ({"tokens_in": 12.5}, "tokens_in is not a whole number from 0 to 10^15"),
        ({"tokens_in": -1}, "tokens_in is not a whole number from 0 to 10^15"),
        ({"tokens_in": 10**18}, "tokens_in is not a whole number from 0 to 10^15"),
        ({"tokens_in": b"1e40"}, "tokens_in is not a whole number from 0 to 10^15"),
        ({"tokens_out": [1]}, "tokens_out is not a whole number from 0 to 10^15"),
        ({"tokens_out": False}, "tokens_out is not a whole number from 0 to 10^15"),
        ({"status": None}, "status is missing"),
        ({"status": 7}, "status is not a text"),
        ({"id": None}, "id is missing"),
        ({"id": {"x": 1}}, "id is not a text"),
        ({"created_at": None}, "created_at is missing"),
        ({"created_at": "soon"}, "created_at is not a time"),
        ({"created_at": "infinity"}, "created_at is not a time"),
        (
            {"created_at": 1763618400},
            "created_at is not a time",
        ),
        (
            {"agent_version": "three", "tokens_in": -1},
            "tokens_in is not a whole number from 0 to 10^15",
        ),
    ],
)
def test_what_cannot_be_understood_is_set_aside(
    load: Load, con: duckdb.DuckDBPyConnection, fields: dict[str, Any], reason: str
) -> None:
    """A record with an invalid essential value is quarantined whole; the others are loaded."""
    loaded = load("runs", [run_record("bad", **fields) | fields, run_record("good")])

    assert current(con, "runs", "run_id") == [("good",)]
    assert [("(record)", reason)] == con.execute(
        "select field, reason from ledger.quarantine"
    ).fetchall()
    assert loaded.quarantined_count == 1


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("agent_version", "three", "a whole number from 0 to 10^15"),
        ("agent_version", 10**20, "a whole number from 0 to 10^15"),
        ("agent_version", [[3]], "a whole number from 0 to 10^15"),
        ("finished_at", "294246-12-31T00:00:00Z", "a time"),
        ("finished_at", "2026-13-45T00:00:00Z", "a time"),
        ("started_at", True, "a time"),
        ("session_id", {"id": "s"}, "a text"),
        ("kind", ["agent"], "a text"),
    ],
)
def test_an_odd_field_beside_the_figures_is_left_out_alone(
    load: Load, con: duckdb.DuckDBPyConnection, name: str, value: Any, expected: str
) -> None:
    """An invalid value that no figure needs is null, and in quarantine; the record is loaded."""
    loaded = load("runs", [run_record("odd", **{name: value}), run_record("good")])

    assert current(con, "runs", "run_id, cost_usd, tokens_in") == [
        ("good", Decimal("0.25"), 1000),
        ("odd", Decimal("0.25"), 1000),
    ]
    assert current(con, "runs", f"max({name}) filter (run_id = 'odd')") == [(None,)]
    assert con.execute("select field, reason from ledger.quarantine").fetchall() == [
        (name, f"{name} is not {expected}")
    ]
    assert loaded.quarantined_count == 1


def test_each_odd_field_of_a_record_has_its_reason(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """Of a model cost, an odd model and an odd time are left out; its cost is kept."""
    record = {"model": {"name": "m"}, "provider": "p", "total_cost": 1, "started_at": "soon"}
    load("run_costs", [record], run_id="r1")

    assert current(con, "run_costs", "model, provider, cost_usd, started_at") == [
        (None, "p", Decimal(1), None)
    ]
    assert con.execute("select field, reason from ledger.quarantine order by all").fetchall() == [
        ("model", "model is not a text"),
        ("started_at", "started_at is not a time"),
    ]


def test_a_number_in_place_of_a_text_is_taken_as_it_is(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """A session's number is its text, whatever else is unusual about the record."""
    load("runs", [run_record(session_id=7, cost_usd=b"0")])

    assert current(con, "runs", "session_id, cost_usd") == [("7", 0)]


def test_a_refund_may_be_metered(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """An hour and a bill may have less than nothing: a refund is metered when it is made."""
    window = (date(2026, 11, 19), date(2026, 11, 20))
    hour = {"hour": "2026-11-19T10:00:00Z", "cost_usd": b"-0.00000000015"}
    load("usage_hours", [hour], window=window)
    load("billing_days", [{"date": "2026-11-19", "billed_usd": b"-1.5"}], window=window)

    assert current(con, "usage_hours", "cost_usd") == [(Decimal("-0.0000000002"),)]
    assert current(con, "billing_days", "billed_usd") == [(Decimal("-1.5"),)]


def test_a_record_that_is_no_object_is_set_aside(
    load: Load, con: duckdb.DuckDBPyConnection
) -> None:
    """A bare number in a list of runs is quarantined; the others are loaded."""
    load("runs", [5, run_record("good")])

    assert current(con, "runs", "run_id") == [("good",)]
    assert con.execute("select source, line from ledger.quarantine").fetchall() == [("runs", 1)]


def test_the_last_good_version_stays(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """A run with an invalid newest response keeps its stored version."""
    load("runs", [run_record()])
    load("runs", [run_record(tokens_in="many")])

    assert current(con, "runs", "run_id, tokens_in") == [("r1", 1000)]


@pytest.mark.parametrize(
    ("fields", "column", "expected"),
    [
        ({"tokens_in": "7"}, "tokens_in", 7),
        ({"tokens_in": 7.0}, "tokens_in", 7),
        ({"tokens_in": 10**15}, "tokens_in", 10**15),
        ({"tokens_in": None}, "tokens_in", None),
        ({"cost_usd": None}, "cost_usd", None),
        ({"agent_id": None}, "agent_id", None),
        ({"status": "dreaming"}, "status", "dreaming"),
        ({"error": "<script>alert('🍞')</script>\n\u2028\u0000 =cmd()"}, "error", ...),
        ({"created_at": "2026-11-19T10:00:00Z"}, "created_at", ...),
        ({"created_at": "2026-11-19T10:00:00.123456"}, "created_at", ...),
        ({"created_at": "2026-11-19T12:00:00+02:00"}, "created_at", ...),
        ({"surprise": {"deep": [1, 2]}}, "run_id", "r1"),
    ],
)
def test_what_can_be_understood_is_kept(
    load: Load,
    con: duckdb.DuckDBPyConnection,
    fields: dict[str, Any],
    column: str,
    expected: Any,
) -> None:
    """Nulls, numbers as text, unknown statuses, unusual texts and new fields are loaded."""
    load("runs", [run_record(**fields)])

    if column == "created_at":
        micros = 123456 if "." in fields["created_at"] else 0
        expected = datetime(2026, 11, 19, 10, 0, 0, micros, tzinfo=UTC)
    elif expected is ...:
        expected = fields[column]
    assert [(expected,)] == current(con, "runs", column)


def test_nested_and_epoch_fields_are_read(load: Load, con: duckdb.DuckDBPyConnection) -> None:
    """A log event's kind is read from its `event`, its time from seconds since 1970."""
    event = {
        "seq": 3,
        "ts": 1763546400.25,
        "level": "INFO",
        "event": {"kind": "tool_result", "tool_use_id": "t", "tool_name": "oven", "is_error": True},
        "duration_ms": 12.5,
    }
    load("run_log_events", [event, {"seq": 4, "ts": 1763546401, "event": None}], run_id="r1")

    assert [
        (3, datetime(2025, 11, 19, 10, 0, 0, 250000, UTC), "tool_result", "t", "oven", True, 12.5),
        (4, datetime(2025, 11, 19, 10, 0, 1, 0, UTC), *[None] * 5),
    ] == current(
        con,
        "run_log_events",
        "seq, occurred_at, event_kind, tool_use_id, tool_name, is_error, duration_ms",
    )


@pytest.mark.parametrize("milliseconds", [-1, 10**19, b"1e300", "long"])
def test_a_duration_that_none_can_have_is_left_out(
    load: Load, con: duckdb.DuckDBPyConnection, milliseconds: object
) -> None:
    """Sums of durations stay in the range of numbers, whatever a log says."""
    load("run_log_events", [{"seq": 3, "duration_ms": milliseconds}], run_id="r1")

    assert current(con, "run_log_events", "seq, duration_ms") == [(3, None)]
    assert con.execute("select field, reason from ledger.quarantine").fetchall() == [
        ("duration_ms", "duration_ms is not a number from 0 to 10^15")
    ]


@pytest.mark.parametrize("name", ["total_cost", "cost_usd"])
def test_both_names_of_a_cost_are_read(
    load: Load, con: duckdb.DuckDBPyConnection, name: str
) -> None:
    """A run's model cost is read under its older and its newer name."""
    load("run_costs", [{"model": "m", "provider": "p", name: 0.5}], run_id="r1")

    assert [("r1", "m", Decimal("0.5"))] == current(con, "run_costs", "run_id, model, cost_usd")
