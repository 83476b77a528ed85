"""What charts draw, held to SQL: each point of each kind of chart, as the browser has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from analytics.format.numbers import wilson_interval
from tests.report.cells import Question
from tests.report.measures_sql import COST
from tests.report.published import Asked
from tests.report.table_sql import QUESTIONS

Trace = dict[str, Any]
Rows = list[dict[str, Any]]
Days = dict[str, Any]

# The measures of a chart's series, as SQL calls them.
_MEASURES = {
    "cost_usd": "cost", "run_cost_usd": "run_cost", "run_count": "runs",
    "succeeded_count": "succeeded", "failed_count": "failed", "cancelled_count": "cancelled",
    "open_count": "open", "failed_cost_usd": "failed_usd", "tokens_in": "tokens_in",
    "tokens_out": "tokens_out",
}  # fmt: skip

READ = """() => [...document.querySelectorAll('.js-plotly-plot')].map(each => [each.dataset.chart,
    each.data.map(({type, mode, name, x, y, z, error_x, error_y}) =>
        ({type, mode, name, x, y, z, error_x, error_y}))])"""
"""Reads the charts of a page: [[id, traces]]."""


def differences(key: str, spec: dict[str, Any], traces: list[Trace], sql: Asked, days: Days) -> str:
    """What a chart draws otherwise than SQL, or nothing."""
    drawn, right = _KINDS[spec["kind"]](spec, traces, sql, days)
    same = len(drawn) == len(right) and all(
        _close(one, other) for one, other in zip(drawn, right, strict=True)
    )
    return "" if same else f"{key} draws {drawn}, not {right}"


def _close(drawn: Sequence[Any], right: Sequence[Any]) -> bool:
    """Positions are floats, of parts rounded day by day; what is not known is not drawn."""
    wanted = [None if each is None else float(each) for each in right]
    return len(drawn) == len(wanted) and all(
        one is other if None in (one, other) else one == pytest.approx(other, rel=1e-9, abs=1e-8)
        for one, other in zip(drawn, wanted, strict=True)
    )


Points = tuple[list[list[Any]], list[list[Any]]]


def _days(spec: dict[str, Any], traces: list[Trace], sql: Asked, days: Days) -> Points:
    """A column a day for each series; a day that was not read has none."""
    rows = sql.rows(QUESTIONS["daily"].sql, **days)[::-1]
    known = {str(row["day"]): row for row in rows}
    drawn, right = [], []
    bars = [each for each in traces if each["type"] == "bar" and each.get("name")]
    series = [each for panel in spec["panels"] for each in panel["series"]]
    for name, *_, measure, _ in series:
        (bar,) = [each for each in bars if each["name"] == name and each["x"] != [None]]
        drawn.append([each for day, each in zip(bar["x"], bar["y"], strict=True) if day in known])
        right.append([_measure(known[day], measure) for day in bar["x"] if day in known])
        unread = [each for day, each in zip(bar["x"], bar["y"], strict=True) if day not in known]
        drawn.append([each for each in unread if each])
        right.append([])
    return drawn, right


def _measure(row: dict[str, Any], measure: str) -> Any:
    part, _, base = (measure.partition("/")[0], "", measure.partition("/")[2])
    value = row[_MEASURES[part]]
    if not base or value is None:
        return value
    whole = row[_MEASURES[base]]
    return value / whole if whole else None


def _stack(spec: dict[str, Any], traces: list[Trace], sql: Asked, days: Days) -> Points:
    """What the columns of a day or week add up to is its cost, or its metered cost."""
    bars = [each for each in traces if each["type"] == "bar" and each["x"] != [None]]
    source = "every" if spec["split"] == "top" else "models"
    weekly = (days["last"] - days["first"]).days + 1 > 120
    rows = sql.rows(
        f"""select {"date_trunc('week', day)::date" if weekly else "day"} as part, sum(usd) as usd
        from {source} where day between $first and $last group by part""",
        **days,
    )
    right = {str(row["part"]): row["usd"] for row in rows}
    sums = [sum(each["y"][index] for each in bars) for index in range(len(bars[0]["x"]))]
    named = _named(spec, sql, days)
    parts = [each for each in bars if each["name"] in named]
    return (
        [sums, *([sum(each["y"])] for each in parts)],
        [[right.get(day, 0) for day in bars[0]["x"]], *([named[each["name"]]] for each in parts)],
    )


def _named(spec: dict[str, Any], sql: Asked, days: Days) -> dict[str, Any]:
    """The cost of each agent or model, by the name that a chart writes; of one name, all."""
    if spec["split"] == "top":
        rows = sql.rows(
            """select name as key, sum(usd) as usd from every join names using (workspace_id)
            where names.agent_id = every.agent_id
                and day between $first and $last group by name""",
            **days,
        )
    else:
        rows = sql.rows(
            """select any_value(model) as key, sum(usd) as usd from models
            where day between $first and $last group by model
            having count(distinct provider) = 1""",
            **days,
        )
    return {_short(row["key"]): row["usd"] for row in rows}


def _short(name: str) -> str:
    short = name if len(name) <= 28 else f"{name[:27].rstrip()}\u2026"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_BARS = {
    "members": ("members-table", "cost", 10), "errors": ("error-classes", "cost", 10),
    "models": ("model-split", "cost", 10), "steps": ("tool-time", "milliseconds", 10),
}  # fmt: skip


def _bars(spec: dict[str, Any], traces: list[Trace], sql: Asked, days: Days) -> Points:
    """The largest parts, then what all others come to, then what is no part."""
    drawn = [each["x"] for each in traces]
    if "split" not in spec:
        return drawn, _brought(spec, sql, days)
    table, measure, most = _BARS[spec["split"]]
    rows = sql.rows(question_of(spec, table).sql, **days)
    parts = [row[measure] for row in rows if row.get("line", 1) == 1]
    rest = [row[measure] for row in rows if row.get("line", 1) != 1]
    others = [sum(each or 0 for each in parts[most:])] if parts[most:] else []
    return drawn, [[*parts[:most], *others, *rest]]


def question_of(spec: dict[str, Any], table: str) -> Question:
    """The question of a chart's table; members of the overview are workspaces."""
    of_workspaces = spec["table"]["caption"].startswith("Cost and runs by workspace")
    return QUESTIONS[f"overview/{table}" if of_workspaces else table]


def _brought(spec: dict[str, Any], sql: Asked, days: Days) -> list[list[Any]]:
    """The bars that a page brings: agents that moved, or the bill of the last month."""
    if len(spec["measures"]) == 1:
        rows = sql.rows(QUESTIONS["movers-table"].sql, **days)
        return [[row["now"] - row["before"] for row in rows if row["what"] == "Agent"]]
    rows = sql.rows(QUESTIONS["billing-by-provider"].sql, **days)
    return [[row[f"last_{each}"] for row in rows] for each in ("cost", "own_key", "billed")]


def _dots(points: Rows, trace: Trace, axis: str, error: str) -> Points:
    """Rates, and how far their intervals reach to both sides."""
    pairs = [(row["failed"], row["finished"]) for row in points]
    shares = [failed / finished for failed, finished in pairs]
    ends = [wilson_interval(*pair) for pair in pairs]
    bars = trace[error]
    return (
        [trace[axis], bars["array"], bars["arrayminus"]],
        [
            shares,
            [high - share for share, (_, high) in zip(shares, ends, strict=True)],
            [share - low for share, (low, _) in zip(shares, ends, strict=True)],
        ],
    )


def _rates(_spec: dict[str, Any], traces: list[Trace], sql: Asked, days: Days) -> Points:
    rows = sql.rows(QUESTIONS["failure-rates"].sql, **days)[::-1]
    (trace,) = [each for each in traces if each.get("error_y")]
    drawn, right = _dots(rows, trace, "y", "error_y")
    line = next(each for each in traces if each["mode"] == "lines")
    shares = [row["failed"] / row["finished"] if row["finished"] >= 20 else None for row in rows]
    return [*drawn, line["y"]], [*right, shares]


def _rate_rows(_spec: dict[str, Any], traces: list[Trace], sql: Asked, days: Days) -> Points:
    rows = sql.rows(QUESTIONS["version-rates"].sql, **days)
    return _dots([row for row in rows if row["finished"]][:15], traces[0], "x", "error_x")


def _failing(_spec: dict[str, Any], traces: list[Trace], sql: Asked, days: Days) -> Points:
    rows = sql.rows(QUESTIONS["failing-agents"].sql, **days)
    rows = [row for row in rows if row["finished"]][:15]
    drawn, right = _dots(rows, traces[0], "x", "error_x")
    costs = [[row["cost"] or 0 for row in rows], [row["failed_usd"] or 0 for row in rows]]
    return [*drawn, traces[1]["x"], traces[2]["x"]], [*right, *costs]


def _heat(_spec: dict[str, Any], traces: list[Trace], sql: Asked, days: Days) -> Points:
    rows = sql.rows(QUESTIONS["cost-by-hour"].sql, **days)
    right = [[row[f"day{day}"] for row in rows] for day in range(1, 8)]
    return traces[0]["z"], right


def _spreads(spec: dict[str, Any], traces: list[Trace], sql: Asked, days: Days) -> Points:
    rows = sql.rows(QUESTIONS[spec["table"]["key"]].sql, **days)[::-1]
    names = [f"{each[1]}_{level}" for each in spec["panels"] for level in ("median", "p95")]
    return [each["y"] for each in traces], [[row[name] for row in rows] for name in names]


def _month(_spec: dict[str, Any], traces: list[Trace], sql: Asked, days: Days) -> Points:
    """Two months as they add up day by day, and where the band ends."""
    sums = sql.rows(
        f"""
        select day, sum(usd) over (partition by date_trunc('month', day) order by day) as usd
        from (
            select days.day, {COST} as usd from (
                select unnest(generate_series(
                    date_trunc('month', $today - interval 1 month)::timestamp,
                    ($today - 1)::timestamp, interval 1 day))::date as day
            ) as days left join every using (day) group by days.day
        ) order by day""",
        **days,
    )
    months = [
        [row["usd"] for row in sums if (row["day"].month == days["today"].month) is this]
        for this in (False, True)
    ]
    known, _rest, middle, low, high, _last = (
        row["about"] if row["about"] is not None else row["exact"]
        for row in sql.rows(QUESTIONS["forecast-table"].sql, **days)
    )
    return (
        [each["y"] for each in traces],
        [*months, [known, high, low, known], [known, middle]],
    )


_KINDS: dict[str, Callable[[dict[str, Any], list[Trace], Asked, Days], Points]] = {
    "days": _days, "stack": _stack, "bars": _bars, "rates": _rates, "rateRows": _rate_rows,
    "failing": _failing, "heat": _heat, "spreads": _spreads, "month": _month,
}  # fmt: skip
