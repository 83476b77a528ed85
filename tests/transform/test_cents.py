"""Whole cents: what rounding does to entries, and what it carries forward."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.transform.cents import CENT, Entry, Line, in_cents, rounded

Months = list[list[dict[str, Decimal]]]  # entries of each month, each of amounts by place

amounts = st.decimals(-1_000_000, 1_000_000, places=10)
places = st.dictionaries(st.sampled_from("ABCDEF"), amounts, min_size=1, max_size=6)
TWO_YEARS = [
    [{"A": Decimal("10.0049999999"), "B": Decimal("0.0000000001"), "C": Decimal("3.335")}] * 3
] * 24


def month_of(number: int) -> date:
    return date(2026 + number // 12, number % 12 + 1, 1)


def entry(
    month: date, entry_id: str, amounts: dict[str, Decimal], reverses: str | None = None
) -> Entry:
    """An entry of an expense by cost center, against what is accrued."""
    lines = [
        Line("expense", "6200", place, month, amount, None, place)
        for place, amount in amounts.items()
    ]
    lines.append(Line("accrued", "2150", "(none)", month, -sum(amounts.values()), None, "accrued"))
    return Entry(
        month, entry_id, 1, False, "w-1", "Bakery", month, "accrual", "Accrual", reverses, lines
    )


def life(months: Months) -> list[Entry]:
    """Entries of months, each of which the next month takes back."""
    entries = []
    for number, group in enumerate(months):
        for place, amounts in enumerate(group):
            entries.append(entry(month_of(number), f"{number}-{place}", amounts))
        for place, amounts in enumerate(months[number - 1] if number else []):
            opposite = {name: -amount for name, amount in amounts.items()}
            back = f"{number - 1}-{place}"
            entries.append(entry(month_of(number), f"{number}-{place}-r", opposite, back))
    return entries


def cents_of(entry: Entry) -> list[Decimal]:
    """The cents of an entry's lines, each of which has some."""
    found = [line.booked for line in entry.lines if line.booked is not None]
    assert len(found) == len(entry.lines)
    return found


def drift(entries: list[Entry]) -> dict[tuple[str, str], Decimal]:
    """By account and cost center, exact amounts less whole cents."""
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for each in entries:
        for line, cents in zip(each.lines, cents_of(each), strict=True):
            sums[line.account, line.cost_center] += line.amount - cents
    return sums


@given(st.lists(amounts, min_size=1, max_size=30))
def test_parts_of_an_entry_add_up(parts: list[Decimal]) -> None:
    """Amounts of an entry are less than a cent from the exact ones, and balance as those do."""
    exact = [*parts, -sum(parts)]

    cents = rounded(exact)

    assert sum(cents) == 0
    assert all(abs(one - other) < CENT for one, other in zip(exact, cents, strict=True))
    assert all(amount == amount.quantize(CENT) for amount in cents)


def test_the_largest_remainders_are_raised() -> None:
    """Three thirds of a dollar are 34, 33 and 33 cents."""
    third = Decimal("0.3333333333")

    assert rounded([third + Decimal("1e-10"), third, third, Decimal(-1)]) == [
        Decimal("0.34"), Decimal("0.33"), Decimal("0.33"), Decimal("-1.00"),
    ]  # fmt: skip


@settings(max_examples=50)
@given(st.lists(st.lists(places, max_size=3), max_size=6))
@example(TWO_YEARS)
def test_cents_of_any_months(months: Months) -> None:
    """Every entry balances in cents, and they never drift; no later month changes an earlier one.

    After any month each account and cost center is less than a cent away, and all by nothing. A
    reversal takes back the cents of its entry, line by line.
    """
    entries = life(months)
    whole = [*in_cents(entries)]
    of_entries = {each.entry_id: each for each in whole}
    for each in whole:
        assert sum(cents_of(each)) == 0
        if each.reverses_entry_id:
            original = of_entries[each.reverses_entry_id]
            assert cents_of(each) == [-cents for cents in cents_of(original)]
    for number in range(len(months)):
        until = [each for each in entries if each.month <= month_of(number)]
        cents = [*in_cents(until)]
        left = drift(cents)
        assert cents == [each for each in whole if each.month <= month_of(number)]
        assert all(abs(amount) < CENT for amount in left.values())
        assert sum(left.values()) == 0


def test_cents_that_rounding_leaves_are_a_line() -> None:
    """As soon as a cent is left it is booked, in an entry that says what it carries forward."""
    october = date(2026, 10, 1)
    entries = [entry(october, f"e-{number}", {"A": Decimal("0.004")}) for number in range(3)]

    *_, carried = in_cents(entries)

    assert carried.entry_id == "levain-2026-10-carried-72483e14"
    assert carried.entry_date == date(2026, 10, 31)
    assert [(line.cost_center, line.booked, line.memo) for line in carried.lines] == [
        ("(none)", Decimal("-0.01"), "Carried forward: -0.002"),
        ("A", Decimal("0.01"), "Carried forward: 0.002"),
    ]


@settings(max_examples=20)
@given(st.lists(st.lists(places, max_size=3), max_size=6))
def test_workspaces_round_apart(months: Months) -> None:
    """The cents of a workspace are the same with and without another one beside it."""
    mine = life(months)
    others = [replace(each, workspace_id="w-2", entry_id=f"{each.entry_id}!") for each in mine]
    both = sorted([*mine, *others], key=lambda each: each.month)

    assert [each for each in in_cents(both) if each.workspace_id == "w-1"] == [*in_cents(mine)]


@settings(max_examples=20)
@given(st.lists(st.lists(places, max_size=3), max_size=6))
def test_closed_months_keep_their_cents(months: Months) -> None:
    """Lines that were frozen with their cents, and carried lines among them, stay as they are."""
    whole = [*in_cents(life(months))]

    assert [*in_cents(whole)] == whole
