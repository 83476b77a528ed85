"""The words of findings: what was found, what it costs, how it is known, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from analytics.format import days, names, numbers
from analytics.format.names import ALL
from analytics.transform.findings.finding import KINDS
from analytics.transform.findings.standing import RECENT_DAYS

Row = Mapping[str, Any]
"""A finding, with `agent` and `workspace`, their names as they are shown."""

LIMITS = "limits"
"""The subject of one finding of several limits of an agent."""


def sentence(row: Row) -> str:
    """Return what was found, since when, and what it costs: one sentence."""
    costs = amount(row)
    return f"{text(row)}{costs and ', '}{costs}."


def text(row: Row) -> str:
    """Return what was found, and since when."""
    return _TEXTS[row["kind"]](row)


def amount(row: Row) -> str:
    """Return what a finding costs, and over which time; empty where that is unknown or nothing."""
    if row["kind"] == "budget":
        return _overrun(row)
    if row["unit"] == "usd":  # of a new agent
        return f"{_usd(row['value'])} so far"
    low, high = row["cost_usd"], row["cost_high_usd"]
    if not low and not high:
        return ""
    shown = numbers.usd(low)
    if high is not None and high != low:
        shown = f"{shown} to {numbers.usd(high)}"
    if row["kind"] == "data":
        return f"up to {shown}"
    if row["kind"] in {"idle_runs", "repeated_errors"}:
        return f"{shown} in {RECENT_DAYS} days"
    is_more = row["kind"] in {"price_step", "cost_jump"} or row["unit"] == "usd_per_success"
    so_far = "" if row["until"] else " so far"
    return f"{shown}{' more' if is_more else ''}{so_far}"


def why(row: Row) -> str:
    """Return what was compared, and the chance that it is nothing; empty where the text says it."""
    compared = _WHYS[row["kind"]](row) if row["kind"] in _WHYS else ""
    p_value = row["p_value"]
    return compared if p_value is None else f"{compared} {_odds(p_value)}".strip()


def _odds(p_value: float) -> str:
    return f"Chance: {'below 1 in a million' if p_value < 1e-6 else f'1 in {int(1 / p_value):,}'}."


def _version(row: Row) -> str:
    version = f"{row['agent']} {row['subject']}"
    since, until = _day(row["since"]), row["until"]
    when = f"from {since} to {_day(until)}" if until else f"since {since}"
    before, count = row["detail"], row["sample_count"]
    if row["unit"] == "share":
        rates = (
            f"{_part(row['value'], count)};"
            f" {before}: {_part(row['baseline'], row['baseline_count'])}"
        )
        fails = "failed" if until else "fails"
        return f"{version} {fails} {_rate(row['value'])} of listed runs ({rates}) {when}"
    usual, usual_before = (
        numbers.usd_per_run(Decimal(row[name])) for name in ("value", "baseline")
    )
    return f"{version} costs {usual} for a success ({before}: {usual_before}) {when}"


def _why_version(row: Row) -> str:
    if row["unit"] == "share":
        return (
            f"{_part(row['value'], row['sample_count'])} finished listed runs outside outages"
            f" failed, {_part(row['baseline'], row['baseline_count'])} of {row['detail']}: Fisher's"
            " exact test."
        )
    return (
        f"Medians of {row['sample_count']:,} and {row['baseline_count']:,} successful listed runs,"
        " by a rank test."
    )


def _price(row: Row) -> str:
    more = _percent(row["value"] / row["baseline"] - 1)
    where = "" if row["workspace_id"] == ALL else f" in {row['workspace']}"
    model = names.display(row["subject"])
    return f"{model} costs {more} more per token{where} since {_day(row['since'])}"


def _why_price(_: Row) -> str:
    return "Metered cost divided by tokens in and out, each at its own price, day by day."


def _burst(row: Row) -> str:
    what, tries = {
        "provider": (f"Provider {names.display(row['subject'])}", "requests"),
        "tool": (f"Tool {names.display(row['subject'])}", "calls"),
        "agent": (row["agent"], "listed runs"),
    }[row["detail"]]
    # Unlisted runs of the same days may have failed in other hours.
    most = "" if row["cost_high_usd"] is None else "up to "
    runs = (
        ""
        if row["detail"] == "agent"
        else f"; {most}{numbers.plural(row['run_count'] or 0, 'run')} failed"
    )
    rates = f"{_rate(row['value'])} of {row['sample_count']:,} {tries}"
    return f"{what} failed {rates} on {_hours(row)}{runs}"


def _why_burst(row: Row) -> str:
    return f"Usual: {_rate(row['baseline'])}."


def _jump(row: Row) -> str:
    spelled = numbers.usd_per_run if row["detail"] == "run" else numbers.usd
    now, before = (spelled(Decimal(row[name])) for name in ("value", "baseline"))
    since = _day(row["since"])
    return f"{row['agent']} costs {now} a {row['detail']} since {since}, {before} before"


def _why_jump(row: Row) -> str:
    before = "on days" if row["detail"] == "run" else "on the same weekdays"
    return f"Compared with what it was {before} before; no version or price says why."


def _idle(row: Row) -> str:
    runs = f"{_part(row['value'], row['sample_count'])} listed successful runs"
    trigger = "" if row["subject"] == "unknown" else f" of trigger {names.display(row['subject'])}"
    return f"{row['agent']}: {runs}{trigger} left no trace{_as_before(row)}"


def _why_idle(_: Row) -> str:
    return f"No file, no tool call, at most 100 tokens out, in the last {RECENT_DAYS} ended days."


def _repeated(row: Row) -> str:
    part = f"{_part(row['value'], row['sample_count'])} listed runs{_as_before(row)}"
    if row["detail"] == "limit":
        return f"{row['agent']} ends at its {row['subject'].replace('_', ' ')} in {part}"
    tool = names.display(row["subject"])
    return f"{row['agent']} calls tool {tool} again after three errors in a row in {part}"


def _why_repeated(_: Row) -> str:
    return (
        f"Of the last {RECENT_DAYS} ended days, without what a worse version or an outage explains;"
        " the cost is that of the whole runs."
    )


def _as_before(row: Row) -> str:
    return f", as in the {RECENT_DAYS} days before" if row["is_chronic"] else ""


def _budget(row: Row) -> str:
    name = names.display(row["subject"])
    whose = {"all": "All workspaces", "workspace": row["workspace"]}.get(
        row["detail"], f"{names.capitalized(row['detail'].replace('_', ' '))} {name}"
    )
    when, verb = _day(row["since"]), "exceeded" if row["unit"] == "usd" else "will exceed"
    return f"{whose} {verb} {'their' if row['detail'] == 'all' else 'its'} budget on {when}"


def _overrun(row: Row) -> str:
    of, expected = f"of {_usd(row['baseline'])}", numbers.usd(row["cost_usd"])
    if row["value"] is None:
        return ""
    over = _usd(row["value"] - row["baseline"])
    if row["unit"] == "usd" and over != expected:
        return f"by {over} {of} so far, {expected} expected"
    return f"by {expected} {of}"


def _why_budget(row: Row) -> str:
    if row["unit"] == "usd":
        return ""
    return f"{_usd(row['value'])} expected; the low end of the 80% range is above the budget, too."


def _silent(row: Row) -> str:
    usual = numbers.plural(max(1, round(row["baseline"])), "time")
    silent = numbers.plural(row["sample_count"], "day")
    last = _day(row["since"] - timedelta(days=1))
    every = f"{row['agent']} ran every {row['detail']}, about {usual}"
    return f"{every}, until {last}: no run in {silent} since"


def _new(row: Row) -> str:
    runs = numbers.plural(row["run_count"], "run")
    return f"{row['agent']} is new since {_day(row['since'])}: {runs}"


def _unlisted(row: Row) -> str:
    agent, since, count = row["agent"], _day(row["since"]), row["sample_count"]
    if row["unit"] == "runs_per_day":
        most, newest = (f"{int(row[name]):,}" for name in ("value", "baseline"))
        return f"{agent} starts up to {most} runs a day: lists show the newest {newest}"
    if row["unit"] == "usd":
        shown = (
            f"lists show {_percent(1 - row['run_count'] / count)} of its {count:,} runs"
            if row["run_count"]
            else f"it started {count:,} runs, more than lists show"
        )
        return f"{agent} is new since {since}: {shown}"
    shown = _percent(1 - row["value"])
    return f"Lists show {shown} of the {count:,} runs that {agent} started since {since}"


def _data(row: Row) -> str:
    if row["detail"] == "stale":
        return f"{row['workspace']} was last read on {days.instant_in_words(row['since'])}"
    found = numbers.plural(row["sample_count"], "finding")
    return f"Control {names.display(row['subject'])} differs in {row['workspace']}: {found}"


_TEXTS: dict[str, Callable[[Row], str]] = dict(
    zip(
        KINDS,
        (
            _version,
            _price,
            _burst,
            _jump,
            _idle,
            _repeated,
            _budget,
            _silent,
            _new,
            _unlisted,
            _data,
        ),
        strict=True,
    )
)
_WHYS: dict[str, Callable[[Row], str]] = {
    "version_worse": _why_version,
    "price_step": _why_price,
    "failure_burst": _why_burst,
    "cost_jump": _why_jump,
    "idle_runs": _why_idle,
    "repeated_errors": _why_repeated,
    "budget": _why_budget,
}


def next_step(row: Row) -> str | None:
    """Return the command that helps; None where the page of the subject shows more."""
    match row["kind"], row["detail"]:
        case "unlisted", every:
            return f"analytics collect # every {every}" if every else "analytics collect"
        case "data", "stale":
            return "analytics status --online"
    return None


def _usd(amount: float) -> str:
    return numbers.usd(Decimal(amount))


def _part(share: float, of: int) -> str:
    return f"{round(share * of):,} of {of:,}"


def _rate(share: float) -> str:
    return _percent(share, "0.1")


def _percent(share: float, step: str = "1") -> str:
    if 0 < share * 100 < float(step) / 2:
        return f"less than {step}%"
    percent = Decimal(share * 100).quantize(Decimal(step))
    return f"{percent.quantize(Decimal(1)) if percent >= 10 else percent}%"


def _day(instant: datetime) -> str:
    return days.day_on_axis(instant.date())


def _hours(row: Row) -> str:
    since, until = row["since"], row["until"]
    if until is None:
        return f"{_day(since)} from {since:%H} h UTC on"
    if (until - timedelta(seconds=1)).date() == since.date():
        return f"{_day(since)}, {since:%H}\u2013{until:%H} h UTC"
    return f"{_day(since)}, {since:%H} h UTC to {_day(until)}, {until:%H} h"
