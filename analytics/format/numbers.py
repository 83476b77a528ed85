"""Figures as text: every printed number is made here, once, from exact values.

Rounding is half to even. A value that is not zero is never printed as zero.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from math import sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MINUS = "\u2212"
NO_BREAK = "\u00a0"
WORD_JOINER = "\u2060"
UNKNOWN = "\u2013"  # not known, or not applicable
SMALL_SAMPLE = 20

CENT = Decimal("0.01")
_TENTH_OF_MILL = Decimal("0.0001")
_SMALLEST = Decimal("1e-10")  # the last digit that the marts hold
_TENCENTS = Decimal("0.1")
_MILLION = Decimal(1_000_000)
_DAY_MINUTES = 1440
_LONGEST_IN_HOURS = 2 * _DAY_MINUTES
_Z = 1.959963984540054  # the 97.5 % point of the normal distribution
_TOKEN_UNITS = ((10**9, "bn"), (10**6, "M"), (10**3, "k"))


def known_sum(values: Sequence[Any], zero: Decimal | int = 0) -> Any:
    """Return the sum of what is known: None where there are values, and none is known."""
    known = [value for value in values if value is not None]
    return sum(known, start=zero) if known or not values else None


def rounding(parts: Iterable[Decimal | None], total: Decimal | None) -> Decimal:
    """Return what parts lack to their total as they are printed, in whole cents.

    It is 0 if the total is unknown, and what is unknown is in no part.
    """
    if total is None:
        return Decimal(0)
    return _rounded(total, CENT) - sum(_rounded(each, CENT) for each in parts if each is not None)


def usd(amount: Decimal | None) -> str:
    """US dollars with two decimals, for totals and statement lines."""
    return _dollars(amount, CENT)


def usd_fine(amount: Decimal | None) -> str:
    """US dollars with four decimals, for the cost of single runs."""
    return _dollars(amount, _TENTH_OF_MILL)


def usd_per_run(amount: Decimal | None) -> str:
    """US dollars for one run outside of a table: two decimals, or two digits below ten cents."""
    if amount is None or amount == 0 or abs(amount) >= _TENCENTS:
        return usd(amount)
    return _dollars(amount, max(Decimal(1).scaleb(amount.adjusted() - 1), _SMALLEST))


def usd_headline(amount: Decimal | None) -> str:
    """US dollars for a headline: millions from 1,000,000 on, else as a total."""
    if amount is None or abs(amount) < _MILLION:
        return usd(amount)
    return f"{_dollars(amount / _MILLION, CENT)}{NO_BREAK}M"


def usd_about(amount: Decimal) -> str:
    """An estimate: whole dollars from ten on, millions from 1,000,000 on."""
    if amount < 10:
        return usd(amount)
    whole = amount.quantize(Decimal(1))
    return usd_headline(whole) if whole >= _MILLION else _dollars(whole, Decimal(1))


def usd_exact(amount: Decimal | None) -> str:
    """The unrounded amount as plain digits, for sorting and files; empty if unknown."""
    return "" if amount is None else format(amount, "f")


def change(now: Decimal | None, before: Decimal | None) -> str:
    """The change of an amount in percent; of a base below a dollar in dollars."""
    if now is None or before is None:
        return UNKNOWN
    difference = now - before
    if difference == 0:
        return "no change"
    if before < 1:
        return usd_signed(difference)
    percents = (100 * difference / before).quantize(Decimal(1), ROUND_HALF_EVEN)
    return f"{'+' if difference > 0 else MINUS}{abs(percents):,}%" if percents else "under 1%"


def beside(now: Decimal, usual: Decimal) -> str:
    """An amount beside what is usual, which follows: `20% below`, `$0.50 above`, `as on`."""
    text = change(now, usual)
    if text[0] not in f"+{MINUS}":
        return "as on" if now == usual else "about as on"
    return f"{text[1:]} {'above' if now > usual else 'below'}"


def usd_signed(amount: Decimal | None) -> str:
    """A change of US dollars, with its sign: `+$1.20`, `under a cent`."""
    if amount and not _rounded(amount, CENT):
        return "under a cent"
    return f"+{usd(amount)}" if amount is not None and amount > 0 else usd(amount)


def usd_since(amount: Decimal | None, since: Decimal | None) -> str:
    """A closed amount, and beside it what changed since: `$600.82, +$3.36 since`."""
    return f"{usd(amount)}, {usd_signed(since)} since" if since else usd(amount)


def count(number: int | None) -> str:
    """A whole number with separators."""
    return UNKNOWN if number is None else f"{number:,}".replace("-", MINUS)


def number(value: Decimal | float) -> str:
    """A number of no unit, with as many digits as it has."""
    return (
        f"{value:,f}".rstrip("0").rstrip(".").replace("-", MINUS)
        if value % 1
        else count(int(value))
    )


def plural(number: int, singular: str, plural_form: str | None = None) -> str:
    """A count with its noun: `1 run`, `2 runs`."""
    noun = singular if number == 1 else (plural_form or f"{singular}s")
    return f"{count(number)} {noun}"


def tokens(number: int | None) -> str:
    """Tokens to two or three digits: `950`, `12.3 k`, `1.2 M`, `3.4 bn`."""
    if number is None:
        return UNKNOWN
    if number < 0:
        return MINUS + tokens(-number)
    unit_below = ""
    for size, unit in _TOKEN_UNITS:
        if number >= size:
            scaled = _rounded(Decimal(number) / size, Decimal("0.1"))
            if scaled >= 100:
                scaled = _rounded(Decimal(number) / size, Decimal(1))
            if scaled == 1000 and unit_below:
                return f"1.0{NO_BREAK}{unit_below}"
            return f"{scaled:,}{NO_BREAK}{unit}"
        unit_below = unit
    return str(number)


def percent(part: Decimal | int, whole: Decimal | int | None) -> str:
    """A share with one decimal; `0.0%` and `100.0%` only if it is exactly so."""
    if not whole:
        return UNKNOWN
    share = 100 * Decimal(part) / Decimal(whole)
    if 0 < share < Decimal("0.1"):
        return "<0.1%"
    if Decimal("99.9") < share < 100:
        return ">99.9%"
    return f"{_rounded(share, Decimal('0.1')):,}%".replace("-", MINUS)


def failure_rate(failed: int, finished: int) -> str:
    """A rate with its sample: `4.2% (13 of 310)`; under 20 runs the counts alone."""
    if finished == 0:
        return UNKNOWN
    counts = f"{count(failed)} of {count(finished)}"
    if finished < SMALL_SAMPLE:
        return counts
    return f"{percent(failed, finished)} ({counts})"


def failure_rate_short(failed: int, finished: int) -> str:
    """Only the percentage; with few finished runs only the counts."""
    if finished < SMALL_SAMPLE:
        return failure_rate(failed, finished)
    return percent(failed, finished)


def wilson_interval(failed: int, finished: int) -> tuple[float, float]:
    """Return the bounds of the 95 % Wilson interval of `failed / finished`, as fractions.

    `finished` must be positive.
    """
    rate = failed / finished
    middle = (rate + _Z**2 / (2 * finished)) / (1 + _Z**2 / finished)
    half = _Z / (1 + _Z**2 / finished)
    half *= sqrt(rate * (1 - rate) / finished + (_Z / (2 * finished)) ** 2)
    # Rounding may push a bound past the rate, if it is 0 or 1.
    return max(0.0, min(middle - half, rate)), min(1.0, max(middle + half, rate))


def interval(failed: int, finished: int) -> str:
    """The 95 % Wilson interval in percent, as `[2.5 to 7.0]` with an en dash."""
    if finished == 0:
        return UNKNOWN
    low, high = wilson_interval(failed, finished)
    return f"[{100 * low:.1f}\u2013{100 * high:.1f}]"


def size(byte_count: int) -> str:
    """A size on disk to two or three digits: `950 B`, `12.3 kB`, `1.2 MB`, `3.4 GB`."""
    amount, unit = float(byte_count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    digits = 0 if unit == "B" or amount >= 99.95 else 1
    return f"{amount:.{digits}f}{NO_BREAK}{unit}"


def duration(seconds: float | None) -> str:
    """A length of time: `850 ms`, `12.3 s`, `4 min 05 s`, `2 h 03 min`, `50 d`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0:
        return MINUS + duration(-seconds)
    if round(seconds * 1000) < 1000:
        return f"{round(seconds * 1000)}{NO_BREAK}ms"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f}{NO_BREAK}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}{NO_BREAK}min {whole % 60:02d}{NO_BREAK}s"
    minutes = round(seconds / 60)
    if minutes < _LONGEST_IN_HOURS:
        return f"{minutes // 60}{NO_BREAK}h {minutes % 60:02d}{NO_BREAK}min"
    return f"{_rounded(Decimal(minutes) / _DAY_MINUTES, Decimal('0.1')):,}{NO_BREAK}d"


def _dollars(amount: Decimal | None, step: Decimal) -> str:
    if amount is None:
        return UNKNOWN
    rounded = _rounded(amount, step)
    if rounded == 0 and amount != 0:
        return f"{'' if amount > 0 else MINUS}<${step:f}"
    return f"{MINUS if rounded < 0 else ''}${abs(rounded):,f}"


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    return value.quantize(step, ROUND_HALF_EVEN)
