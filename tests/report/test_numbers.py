from __future__ import annotations

from decimal import Decimal

import pytest

from analytics.format import numbers

MINUS, SPACE, DASH = "\u2212", "\u00a0", "\u2013"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("1234.56", "$1,234.56"),
        ("0", "$0.00"),
        ("0.0000000001", "<$0.01"),
        ("0.005", "<$0.01"),
        ("0.006", "$0.01"),
        ("0.015", "$0.02"),
        ("0.025", "$0.02"),
        ("-1.2", f"{MINUS}$1.20"),
        ("-0.0000000001", f"{MINUS}<$0.01"),
        ("99999999.9999999999", "$100,000,000.00"),
        ("1000000000000000000.0000000001", "$1,000,000,000,000,000,000.00"),
    ],
)
def test_totals_have_two_decimals_and_no_amount_is_shown_as_zero(amount: str, shown: str) -> None:
    """A total has two decimals, rounded half to even, and is $0.00 only if it is zero."""
    assert shown == numbers.usd(Decimal(amount))


def test_an_unknown_amount_is_not_available() -> None:
    """An amount that is not known is marked, in totals, headlines and single runs alike."""
    assert {numbers.UNKNOWN} == {
        numbers.usd(None),
        numbers.usd_fine(None),
        numbers.usd_headline(None),
        numbers.tokens(None),
        numbers.duration(None),
    }


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0.0042", "$0.0042"), ("0.00001", "<$0.0001"), ("12.84741", "$12.8474"), ("0", "$0.0000")],
)
def test_the_cost_of_a_run_has_four_decimals(amount: str, shown: str) -> None:
    """The cost of a single run has four decimals."""
    assert shown == numbers.usd_fine(Decimal(amount))


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("308641.8792", "$308,641.88"),
        ("0.1", "$0.10"),
        ("0.0423", "$0.042"),
        ("0.00425", "$0.0042"),
        ("0.0000000001", "$0.0000000001"),
        ("0", "$0.00"),
    ],
)
def test_the_cost_per_run_keeps_two_digits(amount: str, shown: str) -> None:
    """In running text a cost per run has two decimals, or two digits where that is less."""
    assert shown == numbers.usd_per_run(Decimal(amount))


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("999999.99", "$999,999.99"),
        ("1000000", f"$1.00{SPACE}M"),
        ("-1234567", f"{MINUS}$1.23{SPACE}M"),
    ],
)
def test_a_headline_is_in_millions_from_one_million_on(amount: str, shown: str) -> None:
    """A headline figure is shortened from one million dollars on."""
    assert shown == numbers.usd_headline(Decimal(amount))


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("9.5", "$9.50"),
        ("1234.56", "$1,235"),
        ("999999.6", f"$1.00{SPACE}M"),
        ("1234567", f"$1.23{SPACE}M"),
    ],
)
def test_an_estimate_is_in_whole_dollars(amount: str, shown: str) -> None:
    """From ten dollars on an estimate has no cents; from a million on it keeps its unit."""
    assert shown == numbers.usd_about(Decimal(amount))


@pytest.mark.parametrize(
    ("now", "before", "shown"),
    [
        ("120.4", "111.48", "+$8.92 (+8%)"),
        ("80", "100", f"{MINUS}$20.00 ({MINUS}20%)"),
        ("100.1", "100", "+$0.10 (under 1%)"),
        ("0.5", "0.25", "+$0.25"),
        ("2", "2", "no change"),
        ("0.0000000002", "0.0000000001", "+<$0.01"),
    ],
)
def test_a_change_is_absolute_first_and_in_percent_above_a_dollar(
    now: str, before: str, shown: str
) -> None:
    """A change has its amount, then its percentage, unless the base is less than a dollar."""
    assert shown == numbers.usd_change(Decimal(now), Decimal(before))


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (950, "950"),
        (999, "999"),
        (1000, f"1.0{SPACE}k"),
        (12_345, f"12.3{SPACE}k"),
        (123_456, f"123{SPACE}k"),
        (999_499, f"999{SPACE}k"),
        (999_500, f"1.0{SPACE}M"),
        (1_200_000, f"1.2{SPACE}M"),
        (3_400_000_000, f"3.4{SPACE}bn"),
        (999_999_999, f"1.0{SPACE}bn"),
        (10**18, f"1,000,000,000{SPACE}bn"),
    ],
)
def test_tokens_have_two_or_three_digits(number: int, shown: str) -> None:
    """Tokens are shortened to two or three digits and their unit."""
    assert shown == numbers.tokens(number)


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (13, 310, "4.2%"),
        (0, 310, "0.0%"),
        (310, 310, "100.0%"),
        (1, 10_000, "<0.1%"),
        (9_999, 10_000, ">99.9%"),
        (0, 0, "\u2013"),
        (-1, 4, f"{MINUS}25.0%"),
    ],
)
def test_zero_and_all_are_shown_only_where_they_are_exact(
    part: int, whole: int, shown: str
) -> None:
    """A share has one decimal, and is 0.0% or 100.0% only if it is exactly so."""
    assert shown == numbers.percent(part, whole)


@pytest.mark.parametrize(
    ("failed", "finished", "rate", "interval"),
    [
        (13, 310, "4.2% (13 of 310)", f"[2.5{DASH}7.0]"),
        (3, 12, "3 of 12", f"[8.9{DASH}53.2]"),
        (0, 5, "0 of 5", f"[0.0{DASH}43.4]"),
        (10, 200, "5.0% (10 of 200)", f"[2.7{DASH}9.0]"),
        (20, 20, "100.0% (20 of 20)", f"[83.9{DASH}100.0]"),
        (0, 0, "\u2013", "\u2013"),
    ],
)
def test_a_rate_never_stands_without_its_sample(
    failed: int, finished: int, rate: str, interval: str
) -> None:
    """A failure rate has its counts, and under 20 runs has nothing else."""
    assert (rate, interval) == (
        numbers.failure_rate(failed, finished),
        numbers.interval(failed, finished),
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.85, f"850{SPACE}ms"),
        (0.9996, f"1.0{SPACE}s"),
        (12.34, f"12.3{SPACE}s"),
        (59.96, f"1{SPACE}min 00{SPACE}s"),
        (245, f"4{SPACE}min 05{SPACE}s"),
        (3599.7, f"1{SPACE}h 00{SPACE}min"),
        (7380, f"2{SPACE}h 03{SPACE}min"),
    ],
)
def test_a_duration_moves_to_the_next_unit_in_time(seconds: float, shown: str) -> None:
    """A duration never shows 60 of a unit."""
    assert shown == numbers.duration(seconds)


def test_counts_have_their_noun() -> None:
    """A noun follows its count in number."""
    assert [numbers.plural(n, "run") for n in (1, 0, 1200)] == ["1 run", "0 runs", "1,200 runs"]
