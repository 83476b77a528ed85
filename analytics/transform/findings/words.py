"""The words of findings: the one sentence of each, and the command that helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from analytics.format import days, names, numbers
from analytics.format.names import ALL
from analytics.transform.findings import standing
from analytics.transform.findings.finding import KINDS

Row = Mapping[str, Any]


class Names:
    """Names of agents and workspaces by their ids."""

    def __init__(self, agents: pl.DataFrame, workspaces: pl.DataFrame) -> None:
        self._agents = {
            row[:2]: row[2:]
            for row in agents.select(
                "workspace_id", "agent_id", "agent_name", "agent_slug"
            ).iter_rows()
        }
        self._workspaces = dict(workspaces.select("workspace_id", "workspace_name").iter_rows())

    def agent(self, row: Row) -> str:
        """Return the name of the agent of a finding."""
        name, slug = self._agents.get((row["workspace_id"], row["agent_id"]), (None, None))
        return names.display(name, slug, row["agent_id"])

    def workspace(self, row: Row) -> str:
        """Return the name of the workspace of a finding."""
        return names.display(self._workspaces.get(row["workspace_id"]), row["workspace_id"])

    def of_agent(self, row: Row) -> set[str]:
        """All that an agent may be called in the user's file."""
        called = self._agents.get((row["workspace_id"], row["agent_id"]), ())
        return {names.folded(each) for each in (*called, row["agent_id"]) if each}


def sentence(row: Row, called: Names) -> str:
    """Return what was found, since when, how sure that is, and what it costs: one sentence."""
    said = _SENTENCES[row["kind"]](row, called)
    p_value = row["p_value"]
    return f"{said}{'' if p_value is None else f' ({_odds(p_value)})'}."


def _odds(p_value: float) -> str:
    if p_value < 1e-6:
        return "chance below 1 in a million"
    return f"chance 1 in {int(1 / p_value):,}"


def _version(row: Row, called: Names) -> str:
    version = f"{called.agent(row)} {row['subject']}"
    since, until = _day(row["since"]), row["until"]
    when = f"from {since} to {_day(until)}" if until else f"since {since}"
    before, count = row["detail"], row["sample_count"]
    if row["unit"] == "share":
        rates = (
            f"{_part(row['value'], count)};"
            f" {before}: {_part(row['baseline'], row['baseline_count'])}"
        )
        fails = "failed" if until else "fails"
        costs = _cost("costing", row)
        of = f"{_rate(row['value'])} of its listed runs outside outages ({rates})"
        return f"{version} {fails} {of} {when}{costs}"
    usual, usual_before = (numbers.usd_per_run(_money(row[name])) for name in ("value", "baseline"))
    more = _cost("", row, " more")
    return f"{version} costs {usual} for a success ({before}: {usual_before}) {when}{more}"


def _price(row: Row, called: Names) -> str:
    more = _percent(row["value"] / row["baseline"] - 1)
    where = f"in {called.workspace(row)} since {_day(row['since'])}"
    model, cost = names.display(row["subject"]), _cost("", row, " more so far")
    return f"{model} costs {more} more per token {where}{cost}"


def _burst(row: Row, called: Names) -> str:
    what, tries = {
        "provider": (f"Provider {names.display(row['subject'])}", "requests"),
        "tool": (f"Tool {names.display(row['subject'])}", "calls"),
        "agent": (called.agent(row), "listed runs"),
    }[row["detail"]]
    rates = f"{_rate(row['value'])} of {row['sample_count']:,} {tries}"
    usual = f"usual: {_rate(row['baseline'])}"
    # Unlisted runs of the same days may have failed in other hours.
    most = "" if row["cost_high_usd"] is None else "up to "
    runs = (
        ""
        if row["detail"] == "agent"
        else f"; {most}{numbers.plural(row['run_count'] or 0, 'run')} failed"
    )
    return f"{what} failed {rates} on {_hours(row)} ({usual}){runs}{_cost('costing', row)}"


def _jump(row: Row, called: Names) -> str:
    spelled = numbers.usd_per_run if row["detail"] == "run" else numbers.usd
    now, before = (spelled(_money(row[name])) for name in ("value", "baseline"))
    return (
        f"{called.agent(row)} costs {now} a {row['detail']} since {_day(row['since'])}, {before}"
        f" before{_cost('', row, ' more so far')}"
    )


def _idle(row: Row, called: Names) -> str:
    runs = f"{_part(row['value'], row['sample_count'])} listed successful runs"
    trigger = "" if row["subject"] == "unknown" else f" of trigger {names.display(row['subject'])}"
    nothing = "left no file, called no tool and wrote next to nothing"
    return (
        f"{called.agent(row)}: {runs}{trigger} {nothing}"
        f" in {standing.RECENT_DAYS} days{_cost('costing', row)}"
    )


def _repeated(row: Row, called: Names) -> str:
    part = f"{_part(row['value'], row['sample_count'])} listed runs in {standing.RECENT_DAYS} days"
    if row["detail"] == "limit":
        limit = row["subject"].replace("_", " ")
        return f"{called.agent(row)} ends at its {limit} in {part}{_cost('costing', row)}"
    tool = f"calls tool {names.display(row['subject'])} again after three errors in a row"
    return f"{called.agent(row)} {tool} in {part}{_cost('costing', row)}"


def _budget(row: Row, called: Names) -> str:
    name = called.workspace(row) if row["detail"] == "workspace" else names.display(row["subject"])
    of = "all workspaces" if row["subject"] == ALL else f"{row['detail'].replace('_', ' ')} {name}"
    amount, budget = (numbers.usd(_money(row[each])) for each in ("value", "baseline"))
    if row["unit"] == "usd":
        return f"The budget of {of} is exceeded since {_day(row['since'])}: {amount} of {budget}"
    return f"The budget of {of} will be exceeded on {_day(row['since'])}: {amount} of {budget}"


def _silent(row: Row, called: Names) -> str:
    usual = numbers.plural(max(1, round(row["baseline"])), "time")
    silent = numbers.plural(row["sample_count"], "day")
    last = _day(row["since"] - timedelta(days=1))
    every = f"{called.agent(row)} ran every {row['detail']}, about {usual}"
    return f"{every}, until {last}: no run in {silent} since"


def _new(row: Row, called: Names) -> str:
    runs = numbers.plural(row["run_count"], "run")
    cost = numbers.usd(_money(row["value"]))
    return f"{called.agent(row)} is new since {_day(row['since'])}: {runs}, {cost}"


def _unlisted(row: Row, called: Names) -> str:
    if row["unit"] == "runs_per_day":
        most, newest = (f"{int(row[name]):,}" for name in ("value", "baseline"))
        return f"{called.agent(row)} starts up to {most} runs a day: lists show the newest {newest}"
    shown = _percent(1 - row["value"])
    started = f"{row['sample_count']:,} runs that {called.agent(row)} started"
    return f"Lists show {shown} of the {started} since {_day(row['since'])}"


def _data(row: Row, called: Names) -> str:
    workspace = called.workspace(row)
    if row["detail"] == "stale":
        return f"{workspace} was last read on {days.instant_in_words(row['since'])}"
    found = numbers.plural(row["sample_count"], "finding")
    largest = _cost("up to", row)
    return f"Control {names.display(row['subject'])} differs in {workspace}: {found}{largest}"


_SENTENCES: dict[str, Callable[[Row, Names], str]] = dict(
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


def next_step(row: Row) -> str | None:
    """Return the command that helps; None where the page of the subject shows more."""
    match row["kind"], row["detail"]:
        case "unlisted", every:
            return f"analytics collect # every {every}" if every else "analytics collect"
        case "data", "stale":
            return "analytics status --online"
    return None


def _cost(verb: str, row: Row, more: str = "") -> str:
    """Return what it costs, as the end of a sentence; nothing where that is unknown or nothing."""
    cost, high = row["cost_usd"], row["cost_high_usd"]
    if not cost and not high:
        return ""
    shown = numbers.usd(cost)
    if high is not None and high != cost:
        shown = f"{shown} to {numbers.usd(high)}"
    return f", {verb} {shown}{more}" if verb else f", {shown}{more}"


def _money(amount: float | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)


def _part(share: float, of: int) -> str:
    return f"{round(share * of):,} of {of:,}"


def _rate(share: float) -> str:
    return _percent(share, "0.1")


def _percent(share: float, step: str = "1") -> str:
    if 0 < share * 100 < float(step) / 2:
        return f"<{step}%"
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
