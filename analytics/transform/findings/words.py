"""The words of findings: what was found, what it costs, how it is known, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from analytics.format import days, names, numbers
from analytics.format.names import ALL
from analytics.transform.findings.finding import RECENT_DAYS

Row = Mapping[str, Any]
"""A finding, as `queries/frames/found.sql` has it; its words need it `named`."""

LIMITS = "limits"
"""The subject of one finding of several limits of an agent."""


def named(row: Row) -> dict[str, Any]:
    """Return a finding with `agent` and `workspace`, their names as they are shown."""
    return {
        **row,
        "agent": names.display(row["agent_name"], row["agent_slug"], row["agent_id"]),
        "workspace": names.display(row["workspace_name"], row["workspace_id"]),
    }


def sentence(row: Row) -> str:
    """Return what was found, since when, and what it costs: one sentence."""
    costs = amount(row)
    return f"{text(row)}{costs and ', '}{costs}."


def text(row: Row) -> str:
    """Return what was found, and since when."""
    return _KINDS[row["kind"]](row)[0]


def why(row: Row) -> str:
    """Return what was compared, and the chance that it is nothing; empty where the text says it."""
    compared, p_value = _KINDS[row["kind"]](row)[1], row["p_value"]
    if p_value is None:
        return compared
    odds = "below 1 in a million" if p_value < 1e-6 else f"1 in {int(1 / p_value):,}"
    return f"{compared} Chance: {odds}."


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


def next_step(row: Row) -> str | None:
    """Return the command that helps; None where the page of the subject shows more."""
    match row["kind"], row["detail"]:
        case "unlisted", every:
            return f"analytics collect # every {every}" if every else "analytics collect"
        case "data", "stale":
            return "analytics status --online"
    return None


def _version_worse(row: Row) -> tuple[str, str]:
    since, until = _day(row["since"]), row["until"]
    version = f"{row['agent']} {row['subject']}"
    when = f"from {since} to {_day(until)}" if until else f"since {since}"
    before, count, count_before = row["detail"], row["sample_count"], row["baseline_count"]
    if row["unit"] == "share":
        failed = _part(row["value"], count)
        failed_before = _part(row["baseline"], count_before)
        fails = f"{'failed' if until else 'fails'} {_rate(row['value'])}"
        counts = f"of listed runs outside outages ({failed}; {before}: {failed_before})"
        compared = f"{failed} finished listed runs failed, {failed_before} of"
        return (
            f"{version} {fails} {counts} {when}",
            f"{compared} {before}: Fisher's exact test.",
        )
    usual, usual_before = (
        numbers.usd_per_run(Decimal(row[name])) for name in ("value", "baseline")
    )
    return (
        f"{version} costs {usual} for a success ({before}: {usual_before}) {when}",
        f"Medians of {count:,} and {count_before:,} successful listed runs, by a rank test.",
    )


def _price_step(row: Row) -> tuple[str, str]:
    more = _percent(row["value"] / row["baseline"] - 1)
    where = "" if row["workspace_id"] == ALL else f" in {row['workspace']}"
    model = names.display(row["subject"])
    return (
        f"{model} costs {more} more per token{where} since {_day(row['since'])}",
        "Metered cost divided by tokens in and out, each at its own price, day by day.",
    )


def _failure_burst(row: Row) -> tuple[str, str]:
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
    return f"{what} failed {rates} on {_hours(row)}{runs}", f"Usual: {_rate(row['baseline'])}."


def _cost_jump(row: Row) -> tuple[str, str]:
    is_of_run = row["detail"] == "run"
    spelled = numbers.usd_per_run if is_of_run else numbers.usd
    now, usual = (spelled(Decimal(row[name])) for name in ("value", "baseline"))
    before = "on days" if is_of_run else "on the same weekdays"
    return (
        f"{row['agent']} costs {now} a {row['detail']} since {_day(row['since'])}, {usual} before",
        f"Compared with what it was {before} before; no version or price says why.",
    )


def _idle_runs(row: Row) -> tuple[str, str]:
    runs = f"{_part(row['value'], row['sample_count'])} listed successful runs"
    by = "schedule" if " " in row["subject"] else "trigger"  # five fields of cron
    trigger = "" if row["subject"] == "unknown" else f" of {by} {names.display(row['subject'])}"
    return (
        f"{row['agent']}: {runs}{trigger} left no trace{_as_before(row)}",
        f"No file, no tool call, at most 100 tokens out, in the last {RECENT_DAYS} ended days.",
    )


def _repeated_errors(row: Row) -> tuple[str, str]:
    subject = row["subject"]
    wasted = (
        f"ends at its {subject.replace('_', ' ')}"
        if row["detail"] == "limit"
        else f"calls tool {names.display(subject)} again after three errors in a row"
    )
    part = f"{_part(row['value'], row['sample_count'])} listed runs{_as_before(row)}"
    compared = f"Of the last {RECENT_DAYS} ended days, without what a worse version or an outage"
    return (
        f"{row['agent']} {wasted} in {part}",
        f"{compared} explains; the cost is that of the whole runs.",
    )


def _as_before(row: Row) -> str:
    return f", as in the {RECENT_DAYS} days before" if row["is_chronic"] else ""


def _budget(row: Row) -> tuple[str, str]:
    name, is_exceeded = names.display(row["subject"]), row["unit"] == "usd"
    whose = {"all": "All workspaces", "workspace": row["workspace"]}.get(
        row["detail"], f"{names.capitalized(row['detail'].replace('_', ' '))} {name}"
    )
    verb = "exceeded" if is_exceeded else "will exceed"
    budget = f"{'their' if row['detail'] == 'all' else 'its'} budget on {_day(row['since'])}"
    return f"{whose} {verb} {budget}", (
        ""
        if is_exceeded
        else f"{_usd(row['value'])} expected; the low end of the 80% range is above the budget,"
        " too."
    )


def _overrun(row: Row) -> str:
    of, expected = f"of {_usd(row['baseline'])}", numbers.usd(row["cost_usd"])
    if row["value"] is None:
        return ""
    over = _usd(row["value"] - row["baseline"])
    if row["unit"] == "usd" and over != expected:
        return f"by {over} {of} so far, {expected} expected"
    return f"by {expected} {of}"


def _silent_agent(row: Row) -> tuple[str, str]:
    usual = numbers.plural(max(1, round(row["baseline"])), "time")
    silent = numbers.plural(row["sample_count"], "day")
    last = _day(row["since"] - timedelta(days=1))
    every = f"{row['agent']} ran every {row['detail']}, about {usual}"
    return f"{every}, until {last}: no run in {silent} since", ""


def _new_agent(row: Row) -> tuple[str, str]:
    runs = numbers.plural(row["run_count"], "run")
    return f"{row['agent']} is new since {_day(row['since'])}: {runs}", ""


def _unlisted(row: Row) -> tuple[str, str]:
    agent, since, count = row["agent"], _day(row["since"]), row["sample_count"]
    if row["unit"] == "runs_per_day":
        most, newest = (f"{int(row[name]):,}" for name in ("value", "baseline"))
        return f"{agent} starts up to {most} runs a day: lists show the newest {newest}", ""
    if row["unit"] == "usd":
        shown = (
            f"lists show {_percent(1 - row['run_count'] / count)} of its {count:,} runs"
            if row["run_count"]
            else f"it started {count:,} runs, more than lists show"
        )
        return f"{agent} is new since {since}: {shown}", ""
    shown = _percent(1 - row["value"])
    return f"Lists show {shown} of the {count:,} runs that {agent} started since {since}", ""


def _data(row: Row) -> tuple[str, str]:
    if row["detail"] == "stale":
        return f"{row['workspace']} was last read on {days.instant_in_words(row['since'])}", ""
    found = numbers.plural(row["sample_count"], "finding")
    return f"Control {names.display(row['subject'])} differs in {row['workspace']}: {found}", ""


_KINDS: dict[str, Callable[[Row], tuple[str, str]]] = {
    "version_worse": _version_worse,
    "price_step": _price_step,
    "failure_burst": _failure_burst,
    "cost_jump": _cost_jump,
    "idle_runs": _idle_runs,
    "repeated_errors": _repeated_errors,
    "budget": _budget,
    "silent_agent": _silent_agent,
    "new_agent": _new_agent,
    "unlisted": _unlisted,
    "data": _data,
}
"""By kind, what says the text of a finding, and what was compared."""

KINDS = tuple(_KINDS)
"""The kinds of findings, as docs/findings.md has them."""


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
