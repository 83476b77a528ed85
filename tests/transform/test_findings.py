"""Events in made-up histories are found, by kind, subject and day, and nothing else is.

The thresholds were chosen by `benchmarks/findings.py`, on many more seeds.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from random import Random
from statistics import fmean
from typing import Any

import polars as pl
import pytest

from analytics.transform.findings.bursts import bursts
from analytics.transform.findings.said import identity
from analytics.transform.findings.steps import WINDOW, cost_jumps, price_steps, step_of
from tests.transform.histories import START, Agent, Events, History

DAY = 70  # of an event
CACHE = (0.2, 0.05)


def found_in(agents: list[Agent], days: int, seed: int, events: Events | None = None) -> list[Any]:
    """Return what batches find that run after each of these days, from the event on."""
    history = History(agents, DAY + days, seed, events)
    return [found for day in range(DAY + 1, DAY + days + 1) for found in history.found(day)]


def others(count: int) -> list[Agent]:
    """Agents without an event, each with a version that is no worse."""
    return [
        Agent(f"other-{number}", 3 * 4**number, 0.05, "model-2", CACHE, (0, 50 + number))
        for number in range(count)
    ]


@pytest.mark.parametrize(("models", "seed"), [(1, 1), (4, 2)])
def test_without_a_change_nothing_is_found(models: int, seed: int) -> None:
    """Weekdays, expensive runs, cached shares that vary and new versions are no findings."""
    agents = [
        Agent(
            f"agent-{number}",
            5000 ** (number / 7),
            (0.01, 0.05, 0.15)[number % 3],
            f"model-{number % models}",
            CACHE if number % 2 else None,
            (0, 45 + number),
        )
        for number in range(8)
    ]

    assert found_in(agents, 10, seed) == []


@pytest.mark.parametrize(("rate", "days"), [(0.3, 5), (0.2, 7)])
def test_a_version_that_fails_more_often_is_found(rate: float, days: int) -> None:
    """Ten runs a day tell within a week, and the version before it is what it is compared with."""
    bad = Agent("bad", 10, 0.05, versions=(0, DAY))
    found = found_in([bad, *others(3)], days, 3, Events(rates={("bad", 2): rate}))

    assert {each["kind"] for each in found} == {"version_worse"}
    assert {(each["agent_id"], each["subject"], each["detail"]) for each in found} == {
        ("bad", "v2", "v1")
    }
    assert found[-1]["run_count"] == round(found[-1]["value"] * found[-1]["sample_count"])
    assert found[-1]["p_value"] <= 0.003


@pytest.mark.parametrize(
    ("ratio", "cache", "runs_a_day", "days"),
    [(1.1, None, 10, 3), (1.3, CACHE, 20, 3), (1.1, CACHE, 50, 10)],
)
def test_a_price_step_is_found(
    ratio: float, cache: tuple[float, float] | None, runs_a_day: float, days: int
) -> None:
    """Its day is right to one day, and its size to two percent, or five where tokens are cached."""
    agents = [Agent(f"agent-{number}", runs_a_day, cache=cache) for number in range(2)]
    found = found_in([*agents, *others(2)], days, 4, Events(prices={"model-1": (DAY, ratio)}))

    assert {(each["kind"], each["subject"]) for each in found} == {("price_step", "model-1")}
    step = found[-1]
    assert abs(step["since"] - START - timedelta(days=DAY)) <= timedelta(days=1)
    assert step["value"] / step["baseline"] == pytest.approx(ratio, abs=0.05 if cache else 0.02)


def test_an_outage_of_two_hours_is_found() -> None:
    """It is said once, as the provider's, with its hours: not of each agent that met it."""
    found = found_in(
        [Agent(f"a-{n}", 200) for n in range(4)], 1, 5, Events(outage=(DAY, 9, 2, 0.8))
    )

    (burst,) = found
    assert (burst["kind"], burst["subject"], burst["detail"]) == (
        "failure_burst", "openai", "provider",
    )  # fmt: skip
    assert burst["since"] == START + timedelta(days=DAY, hours=9)
    assert burst["until"] == START + timedelta(days=DAY, hours=11)
    assert burst["run_count"] > 50
    assert burst["cost_usd"] > 0


def test_bursts_of_a_day_are_one_finding() -> None:
    """A later batch may see another first hour; the name of the subject may be missing."""
    row = {"kind": "failure_burst", "workspace_id": "w", "agent_id": "(all)", "subject": None}
    first, same_day, next_day = (
        identity({**row, "detail": "tool", "since": START + timedelta(hours=hour)})
        for hour in (2, 15, 26)
    )

    assert first == same_day != next_day


def test_a_jump_of_cost_is_found_on_weekdays_and_weekends() -> None:
    """An agent that runs three times as often costs more: compared with the same weekdays."""
    before = History([Agent("a", 400, model="m"), Agent("b", 40)], 80, 6)
    after = History([Agent("a", 1200, model="m"), Agent("b", 40)], 80, 7)
    found = before.continued(after, day=DAY).found(80)

    assert [(each["kind"], each["agent_id"]) for each in found] == [("cost_jump", "a")]
    assert abs(found[0]["since"] - START - timedelta(days=DAY)) <= timedelta(days=1)
    assert found[0]["value"] / found[0]["baseline"] == pytest.approx(3, rel=0.3)


def tool_hours(outages: list[datetime], looping: int = 0) -> pl.DataFrame:
    """Eight weeks of a tool in working hours, with outages of four hours, and runs that loop."""
    draw = Random(8)
    rows = []
    for hour in range(56 * 24):
        at = START + timedelta(hours=hour)
        is_out = any(0 <= (at - begin) / timedelta(hours=1) < 4 for begin in outages)
        errors = sum(draw.random() < (0.85 if is_out else 0.015) for _ in range(25))
        rows.append(("w", "search", at, 25, errors, errors))
        if hour % 99 == 0 and hour < 99 * looping:
            rows.append(("w", "search", at, 15, 15, 1))
    columns = ("workspace_id", "subject", "hour", "try_count", "error_count", "met_count")
    return pl.DataFrame(rows, schema=columns, orient="row").filter(
        pl.col("hour").dt.weekday() <= 5, pl.col("hour").dt.hour().is_between(8, 17)
    )


@pytest.mark.parametrize("days", [[50], [31, 50], [31, 36, 43, 50]])
def test_an_outage_of_a_tool_is_not_hidden_by_itself_or_another(days: list[int]) -> None:
    """Errors of an outage do not count as how errors usually vary."""
    began = [START + timedelta(days=day, hours=9) for day in days]
    end = START + timedelta(days=56)
    found = bursts("tool", tool_hours(began), START, end)

    assert [each.since for each in found] == began
    assert [each.until for each in found] == [each + timedelta(hours=4) for each in began]


def test_one_run_that_meets_many_errors_of_a_tool_is_no_burst() -> None:
    """A loop of one run is of the run, however often another one does the same."""
    end = START + timedelta(days=56)

    assert bursts("tool", tool_hours([], looping=4), START, end) == []


def test_a_burst_lasts_that_is_there_at_the_end() -> None:
    """It has no end yet, and begins again no day later, after a night without calls."""
    began = START + timedelta(days=45, hours=14)
    hours = tool_hours([began, began + timedelta(hours=18)])
    now = began + timedelta(hours=20)
    (found,) = bursts("tool", hours.filter(pl.col("hour") < now), START, now)

    assert (found.since, found.until) == (began, None)


def slow_agents(runs_a_day: int, failed: int, of: int, hours: int) -> pl.DataFrame:
    """A hundred agents of a few runs a day, 4 % of which fail; on one day more do within hours."""
    draw = Random(11)
    rows = []
    for number in range(100):
        begin = 24 * 50 + draw.randrange(25 - hours)
        for day in range(56):
            for at in draw.choices(range(24), k=runs_a_day):
                hour = 24 * day + at
                if not begin <= hour < begin + hours:
                    rows.append((f"a-{number}", hour, draw.random() < 0.04))
        bad = draw.sample(range(of), failed)
        rows += [(f"a-{number}", begin + draw.randrange(hours), each in bad) for each in range(of)]
    runs = pl.DataFrame(rows, schema=["subject", "hour", "is_failed"], orient="row")
    return runs.group_by("subject", hour=START + pl.duration(hours="hour")).agg(
        workspace_id=pl.lit("w"), try_count=pl.len(), error_count=pl.col("is_failed").sum()
    )


SLOW = [(60, 14, 15, 6), (12, 8, 12, 24)]  # runs a day, failed, of so many, within hours


@pytest.mark.parametrize("outage", SLOW)
def test_an_outage_of_a_slow_agent_is_found(outage: tuple[int, int, int, int]) -> None:
    """Few runs of an hour do not hide what all runs of some hours tell; each is told once."""
    found = bursts("agent", slow_agents(*outage), START, START + timedelta(days=56))

    assert len(found) == len({each.subject for each in found}) >= 95
    assert {each.since.date() for each in found} == {(START + timedelta(days=50)).date()}


@pytest.mark.parametrize("outage", SLOW)
def test_the_first_batch_finds_an_outage_of_an_agent(outage: tuple[int, int, int, int]) -> None:
    """Of runs before the newest 200 the counts of a day tell what is usual, and are no burst."""
    now = START + timedelta(days=51, hours=8)
    hours = slow_agents(*outage).filter(pl.col("hour") < now).sort("subject", "hour")
    is_listed = pl.col("try_count").cum_sum(reverse=True).over("subject") <= 200
    unlisted = hours.filter(~is_listed).with_columns(pl.col("hour").dt.truncate("1d"))
    days = unlisted.group_by("workspace_id", "subject", "hour").sum()
    found = bursts("agent", hours.filter(is_listed), START, now, days)

    assert len(found) == len({each.subject for each in found}) >= 95
    assert {each.since.date() for each in found} == {(START + timedelta(days=50)).date()}


@pytest.mark.parametrize("outage", [*SLOW, (60, 30, 60, 24)])
def test_a_burst_stays_one_as_it_grows(outage: tuple[int, int, int, int]) -> None:
    """Batches at any hour of it and after it see the same date, so that it is sent once."""
    hours, seen = slow_agents(*outage), set()
    for number in range(24 * 50 + 3, 24 * 52, 5):
        now = START + timedelta(hours=number)
        for each in bursts("agent", hours.filter(pl.col("hour") < now), START, now):
            seen.add((each.subject, each.since.date()))

    assert len(seen) == len({subject for subject, _ in seen}) >= 95


def drifting(seed: int, days: int = 56) -> dict[date, float]:
    """Logarithms of a level, each day of which is like the one before it."""
    draw = Random(seed)
    levels, level = {}, 0.0
    for day in range(days):
        level = 0.8 * level + draw.gauss(0, 0.03)
        levels[START.date() + timedelta(days=day)] = level
    return levels


def test_a_level_that_drifts_has_no_step() -> None:
    """Days that are like the ones before them are fewer than they look."""
    found = [step_of(drifting(seed), least=0.03) for seed in range(400)]

    assert sum(each is not None for each in found) <= 12


@pytest.mark.parametrize("after", [4, 12, 25])
def test_a_step_of_a_level_that_drifts_is_found_on_its_day(after: int) -> None:
    """A rise within a day is no drift."""
    day = START.date() + timedelta(days=56 - after)
    steps = [
        step_of({at: level + 0.2 * (at >= day) for at, level in drifting(seed).items()}, least=0.03)
        for seed in range(100)
    ]
    found = [each for each in steps if each]

    assert len(found) >= 60
    assert sum(abs(each.since - day) <= timedelta(days=1) for each in found) >= 0.9 * len(found)


def test_runs_that_cost_more_are_found_though_their_number_varies() -> None:
    """The cost of a run tells what the cost of a day hides; a run costs no more where more run."""
    draw = Random(10)
    days = []
    for number in range(WINDOW):
        run_count = int(60 * math.exp(draw.gauss(0, 0.4)))
        raised = 1.6 if number >= WINDOW - 9 else 1
        more = 4 if number >= WINDOW - 9 else 1
        cost = fmean(draw.lognormvariate(0, 0.6) for _ in range(run_count)) * run_count / 10
        at = START.date() + timedelta(days=number)
        days += [
            ("w", "raised", at, cost * raised, run_count),
            ("w", "more", at, cost * more, run_count * more),
        ]
    columns = ("workspace_id", "agent_id", "date", "usd", "part_count")
    frame = pl.DataFrame(days, schema=columns, orient="row").sort("agent_id", "date")
    frame = frame.with_columns(pl.col("usd").cast(pl.Decimal(38, 10)))
    found = cost_jumps("run", frame, lambda *_: False)

    assert [each.agent_id for each in found] == ["raised"]
    assert found[0].since - START - timedelta(days=WINDOW - 9) == timedelta()
    assert found[0].value / found[0].baseline == pytest.approx(1.6, rel=0.1)
    of_days = frame.with_columns(part_count=pl.lit(1))
    assert "more" in [each.agent_id for each in cost_jumps("day", of_days, lambda *_: False)]


def priced_hours(seed: int, raised: float, prompts: float) -> pl.DataFrame:
    """Hours of an agent whose cached share varies, from a day on at other prices or longer."""
    draw = Random(seed)
    rows = []
    for hour in range(24 * WINDOW):
        at = START + timedelta(hours=hour)
        is_after = hour >= 24 * (WINDOW - 10)
        tokens_in = int(draw.lognormvariate(7, 1) * (prompts if is_after else 1)) + 1
        tokens_out = int(draw.lognormvariate(5, 1)) + 1
        price_in = 2e-6 * (1 - 0.9 * min(1, max(0, draw.gauss(0.5, 0.2))))
        cost = (tokens_in * price_in + tokens_out * 1e-5) * (raised if is_after else 1)
        rows.append(("w", "a", "m", "p", at, at.date(), cost, tokens_in, tokens_out))
    columns = (
        *("workspace_id", "agent_id", "model", "provider", "hour", "utc_date"),
        *("metered_cost_usd", "tokens_in", "tokens_out"),
    )
    return pl.DataFrame(rows, schema=columns, orient="row")


def test_longer_prompts_are_no_price() -> None:
    """Prices are fitted to each day's own level: neither the mix nor a step is taken for one."""
    found = [price_steps(priced_hours(seed, 1, 3), {}) for seed in range(20)]
    (both,) = price_steps(priced_hours(1, 1.3, 3), {})

    assert sum(map(bool, found)) <= 1
    assert both.value is not None
    assert both.baseline is not None
    assert both.value / both.baseline == pytest.approx(1.3, abs=0.03)
