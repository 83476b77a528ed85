"""Published figures are those that the emulator's ledger gives, added up by hand."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from analytics.emulator.records import Entry, Run
from analytics.files import folder
from analytics.warehouse.database import open_marts
from tests.queries.short_demo import OWN_PRICES, project_of, world

Ask = Callable[[str], list[tuple[Any, ...]]]

FIRST, LAST = date(2026, 11, 12), date(2026, 11, 19)  # read whole
DAYS_READ = f"date between '{FIRST}' and '{LAST}'"


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """The rows of a question to the published file."""
    with open_marts(project_of(tmp_path_factory) / "data" / "analytics.duckdb") as con:
        yield lambda sql: con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    """All runs that the emulator knows of the days that the batch has read whole."""
    return [
        run
        for run in world().workspaces[0].agent_runs
        if FIRST <= run.created_at.astimezone(UTC).date() <= LAST
    ]


@pytest.fixture(scope="module")
def prices() -> dict[str, tuple[Decimal, Decimal]]:
    """The list prices of each model for a token in, and one out."""
    rows = [*csv.reader((folder("queries") / "list_prices.csv").read_text().splitlines())][1:]
    of = [(model, amounts[0], amounts[1]) for _, model, *amounts in rows]
    of += [(row["model"], *[*row.values()][1:3]) for row in csv.DictReader(OWN_PRICES.splitlines())]
    return {model: (Decimal(first) / 10**6, Decimal(second) / 10**6) for model, first, second in of}


@pytest.fixture(scope="module")
def metered(ask: Ask) -> list[Entry]:
    """All requests that the emulator metered since the first hour that was read."""
    ((start,),) = ask("select min(hour) from fct_usage_hours")
    return [each for each in world().workspaces[0].ledger if each.booked_at >= start]


def cost(runs: Iterable[Run]) -> Decimal:
    """The cost of runs, to the last digit of a published amount."""
    return round(sum((run.totals.cost_usd for run in runs), Decimal()), 10)


def questions(runs: list[Run]) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    """Yield questions, their SQL, and the row of the ledger."""
    days = f"from fct_agent_days where {DAYS_READ}"
    ended = [run for run in runs if run.status != "running" and run.status != "pending"]
    yield (
        "What did all agents cost?",
        f"select sum(cost_usd) {days} and agent_id <> '(platform)'",
        (cost(runs),),
    )
    yield (
        "How many tokens did all agents use?",
        f"select sum(tokens_in) {days} and agent_id <> '(platform)'",
        (sum(run.totals.tokens_in for run in runs),),
    )
    yield "How many runs were there?", f"select sum(run_count) {days}", (len(runs),)
    for status in ("succeeded", "failed", "cancelled"):
        count = sum(run.status == status for run in ended)
        yield f"How many {status}?", f"select sum({status}_count) {days}", (count,)
    for slug in sorted({run.agent.slug for run in runs if run.agent}):
        own = [run for run in runs if run.agent and run.agent.slug == slug]
        of = f"{days} and agent_slug = '{slug}'"
        yield f"What did {slug} cost?", f"select sum(cost_usd) {of}", (cost(own),)
        yield (
            f"How many tokens did {slug} use?",
            f"select sum(tokens_in), sum(tokens_out) {of}",
            (sum(run.totals.tokens_in for run in own), sum(run.totals.tokens_out for run in own)),
        )
        yield (
            f"How many runs of {slug} failed, of how many?",
            f"select sum(failed_count), sum(run_count) {of}",
            (sum(run.status == "failed" for run in own), len(own)),
        )
        yield (
            f"Which was the first day of {slug}?",
            f"select min(date) {of} and run_count > 0",
            (min(run.created_at for run in own).date(),),
        )
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=number)
        of_day = [run for run in runs if run.created_at.date() == day]
        sql = (
            "select sum(run_count), sum(cost_usd) - coalesce(sum(platform_cost_usd), 0)"
            f" from fct_workspace_days where date = '{day}'"
        )
        yield f"How many runs on {day}, at what cost?", sql, (len(of_day), cost(of_day))


def test_answers_are_those_of_the_ledger(ask: Ask, runs: list[Run]) -> None:
    """Fifty questions of cost, tokens, runs and failures are answered exactly."""
    asked = list(questions(runs))
    wrong = [(text, found, row) for text, sql, row in asked if (found := ask(sql)) != [row]]

    assert len(asked) >= 50
    assert wrong == []


def at_price(
    entries: Iterable[Entry], price: Callable[[Entry], tuple[Decimal, Decimal]]
) -> Decimal:
    """The tokens of requests at the price of each."""
    return sum(
        (each.tokens_in * price(each)[0] + each.tokens_out * price(each)[1] for each in entries),
        Decimal(),
    )


@pytest.mark.parametrize("slug", ["pr-reviewer", "support-triage"])
@pytest.mark.parametrize("model", ["claude-haiku-5-5", "openai.gpt-6-luna"])
def test_what_another_model_would_cost_is_rebuilt_by_hand(
    ask: Ask, metered: list[Entry], prices: dict[str, Any], slug: str, model: str
) -> None:
    """The same tokens at its list price, and less the discount of the agent's own month, if any."""
    own = [each for each in metered if each.run.agent and each.run.agent.slug == slug]
    spent = sum((each.cost_usd for each in own), Decimal())
    listed = at_price(own, lambda _: prices[model])
    discounted = listed * min(spent / at_price(own, lambda each: prices[each.model]), Decimal(1))
    sql = f"""
        select metered_cost_usd, list_price_cost_usd, discounted_cost_usd
        from what_if('{model}') join dim_agents using (workspace_id, agent_id)
        where agent_slug = '{slug}' and month = '2026-11-01'
    """
    ((metered_cost, list_price, discounted_cost),) = ask(sql)

    assert (metered_cost, list_price) == (spent, listed)
    assert discounted_cost == pytest.approx(discounted, rel=Decimal("1e-9"))


def test_a_discount_is_that_of_known_prices(ask: Ask, metered: list[Entry]) -> None:
    """A model that the emulator meters at a quarter of the list price has one of 0.75."""
    model = "claude-haiku-5-5"
    agents = {each.run.agent.id for each in metered if each.model == model and each.run.agent}
    sql = f"select agent_id, effective_discount from fct_model_months where model = '{model}'"
    found = {of: discount for of, discount in ask(sql) if of in agents}

    assert found == dict.fromkeys(agents, 0.75) != {}


def test_waste_is_rebuilt_by_hand(ask: Ask) -> None:
    """Of an agent whose runs are all listed: what failed, was cancelled, or came to its limit."""
    of_agent = "where agent_slug = 'pr-reviewer'"
    rows = ask(f"select run_id from fct_runs {of_agent}")
    listed = {run_id for (run_id,) in rows}
    by_hand: defaultdict[str, Decimal] = defaultdict(Decimal)
    for run in world().workspaces[0].agent_runs:
        if run.id in listed and run.status in {"failed", "cancelled"}:
            reason = "run_limit" if "max steps" in (run.error or "") else run.status
            by_hand[reason] += run.totals.cost_usd
    sql = f"""
        select reason, sum(wasted_usd), sum(wasted_high_usd) from fct_waste {of_agent} group by all
    """
    found = {reason: ends for reason, *ends in ask(sql)}

    assert {*by_hand} == {"run_limit", "failed", "cancelled"}
    assert found == {reason: [amount] * 2 for reason, amount in by_hand.items()}


def test_retries_of_the_demo_are_waste(ask: Ask) -> None:
    """A run that succeeds after a failed run with its input may be waste, in table and question."""
    by_hand: defaultdict[str, Decimal] = defaultdict(Decimal)
    for session in world().workspaces[0].sessions.values():
        for failed, retry in pairwise(session.runs):
            is_again = failed.user_prompt == retry.user_prompt
            if is_again and (failed.status, retry.status) == ("failed", "succeeded"):
                by_hand[retry.agent.name] += retry.totals.cost_usd
    waste = (folder("queries") / "adhoc" / "waste.sql").read_text(encoding="utf-8")
    agents = ", ".join(f"'{name}'" for name in by_hand)
    rows = f"reason = 'retry' and agent_name in ({agents}) group by all"

    assert by_hand
    for source in ("fct_waste", f"({waste})"):
        sql = f"select agent_name, sum(wasted_usd), sum(wasted_high_usd) from {source} where {rows}"
        assert {*ask(sql)} == {(name, 0, amount) for name, amount in by_hand.items()}


def test_started_runs_are_told_by_their_schedules(ask: Ask, runs: list[Run]) -> None:
    """Each run of a schedule that a list shows is reported or inferred, and no other run is."""
    sql = "select run_id from fct_runs where trigger_type = 'schedule'"
    found = {run_id for (run_id,) in ask(f"{sql} and {DAYS_READ}")}
    listed = {run_id for (run_id,) in ask("select run_id from fct_runs")}

    assert found
    assert found == {run.id for run in runs if run.source == "scheduled"} & listed
