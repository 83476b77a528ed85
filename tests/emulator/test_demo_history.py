from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from analytics.emulator import World, catalogue
from analytics.emulator.records import Totals
from analytics.emulator.worlds.demo_history import CORRECTED_AFTER, LAST_NIGHT, events

from .conftest import NOW

BATCHES = [NOW - timedelta(days=days) for days in (*range(85, 7, -7), 1, 0)]
"""The times at which `make run` reads the demo's history."""
LIST_CAP = 200
DAY = timedelta(days=1)
OUTAGE_DAY = datetime(2026, 11, 4, tzinfo=UTC)  # a Wednesday
KEY_ADDED = datetime(2026, 10, 15, 12, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0)


def runs_of(world: World, slug: str):
    return [
        run
        for w in world.workspaces
        for run in w.agent_runs
        if run.agent is not None and run.agent.slug == slug
    ]


def failure_rate(runs) -> float:
    statuses = Counter(run.status for run in runs)
    return statuses["failed"] / (statuses["failed"] + statuses["succeeded"])


def cost(run) -> Decimal:
    return Totals(run.workspace.ledger.of_run(run.id)).cost_usd


def test_there_are_two_workspaces_with_many_agents_and_runs(demo: World) -> None:
    """The demo has two workspaces with about a dozen and half a dozen agents."""
    assert [w.name for w in demo.workspaces] == ["Hearth & Grain", "Northlight Studio"]
    assert [len(w.agents) for w in demo.workspaces] == [11, 7]
    assert 12_000 < sum(len(w.agent_runs) for w in demo.workspaces) < 15_000


def test_names_and_errors_are_such_as_people_give(demo: World) -> None:
    """The demo is no fixture: what is hostile belongs to tests."""
    texts = [agent.name for w in demo.workspaces for agent in w.agents.values()]
    texts += [run.error for w in demo.workspaces for run in w.agent_runs if run.error]

    assert not [text for text in texts if set(text) & set("<>🍞\x1b") or text.startswith("=")]
    assert max(map(len, texts)) < 200


def test_support_triage_is_active_in_the_first_workspace(demo: World) -> None:
    """The guide's example agent can be used."""
    agent = demo.workspaces[0].agent("support-triage")

    assert agent is not None
    assert agent.status == "active"


def test_history_goes_back_90_days_and_no_further_than_the_present(demo: World) -> None:
    """Runs are spread from 90 days ago up to now, and nothing lies in the future."""
    for workspace in demo.workspaces:
        created = [run.created_at for run in workspace.agent_runs]
        assert min(created) < MIDNIGHT - 89 * DAY
        assert max(created) <= NOW
        assert max(entry.booked_at for entry in workspace.ledger) <= NOW


def test_one_agent_outruns_the_list(demo: World) -> None:
    """Order status has 300 runs and more on every whole day, weekends too."""
    per_day = Counter(run.created_at.date() for run in runs_of(demo, "order-status"))

    del per_day[NOW.date()]
    assert len(per_day) == 20
    assert min(per_day.values()) >= 300


@pytest.mark.parametrize("days_earlier", [0, 3, 5])
def test_every_other_agent_is_listed_whole(demo: World, days_earlier: int) -> None:
    """Whatever the weekday, a batch a week sees each run of all agents but one."""
    world = World.demo(2, NOW - days_earlier * DAY) if days_earlier else demo
    since: defaultdict[object, Counter[object]] = defaultdict(Counter)
    for run in (run for w in world.workspaces for run in w.agent_runs):
        if run.agent and run.agent.slug != "order-status":
            moment = run.created_at + days_earlier * DAY
            since[run.agent.slug][next(batch for batch in BATCHES if moment <= batch)] += 1

    assert len(since) == 16
    assert max(max(counts.values()) for counts in since.values()) < LIST_CAP


def test_most_agents_rest_at_weekends(demo: World) -> None:
    """Reviews of pull requests are rare on Saturdays and Sundays."""
    weekend = [run for run in runs_of(demo, "pr-reviewer") if run.created_at.weekday() >= 5]

    assert 0 < len(weekend) < 0.1 * len(runs_of(demo, "pr-reviewer"))


def test_a_version_made_an_agent_worse(demo: World) -> None:
    """The reviewer fails several times as often since version 3, which says what it changed."""
    runs = runs_of(demo, "pr-reviewer")
    before = [run for run in runs if run.version.number == 2]
    after = [run for run in runs if run.version.number == 3]

    assert failure_rate(before) < 0.1
    assert failure_rate(after) > 0.25
    first, second, third = demo.workspaces[0].agent("pr-reviewer").versions
    assert [v.status for v in (first, second, third)] == ["archived", "archived", "active"]
    assert third.description == "Returns its findings as structured data."
    assert third.created_at < third.last_commit_at < third.updated_at
    assert min(run.created_at for run in after) >= third.updated_at > MIDNIGHT - 9 * DAY
    assert max(run.created_at for run in before) <= third.updated_at


def test_an_outage_makes_many_agents_fail(demo: World) -> None:
    """On the day of the outage more than twice as many runs fail as on the days beside it."""
    others = [
        r for r in demo.workspaces[0].agent_runs if not r.agent or r.agent.slug != "order-status"
    ]
    failed = [
        sum(r.status == "failed" and d <= r.created_at < d + DAY for r in others)
        for d in (OUTAGE_DAY - DAY, OUTAGE_DAY, OUTAGE_DAY + DAY)
    ]

    assert failed[1] > 2 * max(failed[0], failed[2], 3)


def test_runs_end_at_their_limits(demo: World) -> None:
    """A run that costs or lasts more than its agent allows has failed for that reason."""
    over_budget, out_of_time = set(), set()
    for run in (run for w in demo.workspaces for run in w.agent_runs if run.agent):
        allowed, minutes = run.agent.max_budget, run.agent.timeout_minutes
        metered = [e.cost_usd for e in run.workspace.ledger.of_run(run.id) if not is_late(e)]
        if sum(metered) > allowed:
            assert run.error == f"BudgetExceededError: run budget of ${allowed:.2f} exceeded"
            assert sum(metered[:-1]) <= allowed
            over_budget.add(run.agent.slug)
        if run.finished_at and run.started_at:
            lasted = run.finished_at - run.started_at
            assert lasted <= timedelta(minutes=minutes)
            if lasted == timedelta(minutes=minutes):
                assert run.error == f"TimeoutError: the run reached its limit of {minutes} minutes"
                out_of_time.add(run.agent.slug)

    assert {"supplier-negotiator", "catalogue-migrator"} <= over_budget
    assert len(out_of_time) >= 3


def is_late(entry) -> bool:
    return entry.run.finished_at is not None and entry.booked_at > entry.run.finished_at


def test_a_model_becomes_more_expensive(demo: World) -> None:
    """From one day on, the same tokens of a model cost 30 % more, and of no other model."""
    prices = defaultdict(set)
    for entry in (entry for w in demo.workspaces for entry in w.ledger):
        if entry.tokens_in and entry.run.agent and not is_late(entry):
            began = entry.run.created_at
            offers = [o for o in vars(catalogue).values() if isinstance(o, catalogue.Offer)]
            offer = next(
                o for o in offers if (o.model, o.provider) == (entry.model, entry.provider)
            )
            share = entry.cost_usd / offer.cost(entry.tokens_in, entry.tokens_out)
            prices[offer.model, began >= MIDNIGHT - 21 * DAY].add(round(share, 3))

    assert prices.pop(("openai.gpt-5.6-terra", True)) == {Decimal("1.3")}
    assert set().union(*prices.values()) == {1}


def test_an_agent_burns_money_on_failures(demo: World) -> None:
    """The negotiator's failed runs cost more than all of its others."""
    runs = runs_of(demo, "supplier-negotiator")

    failed = sum(cost(run) for run in runs if run.status == "failed")
    assert failed > sum(cost(run) for run in runs if run.status != "failed")


def test_children_name_their_parents(demo: World) -> None:
    """Some runs were called by a run of another agent, and cost for themselves."""
    workspace = demo.workspaces[0]
    children = [run for run in workspace.agent_runs if run.parent_run_id]

    assert children
    parents = {workspace.runs[run.parent_run_id].agent.slug for run in children}
    assert {"support-triage"} == parents


def test_some_sessions_hold_several_runs(demo: World) -> None:
    """Follow-up turns share a session, in order of time."""
    several = [s for s in demo.workspaces[0].sessions.values() if len(s.runs) > 1]

    assert several
    for session in several:
        created = [run.created_at for run in session.runs]
        assert created == sorted(created)


def test_unusual_agents_are_there(demo: World) -> None:
    """There are a draft, a paused, an archived and a deleted agent."""
    statuses = {a.slug: a.status for w in demo.workspaces for a in w.agents.values()}

    assert statuses["invoice-matcher"] == "draft"
    assert not runs_of(demo, "invoice-matcher")
    assert statuses["recipe-translator"] == "paused"
    assert statuses["client-updates"] == "archived"
    assert "legacy-mailbot" not in statuses
    assert runs_of(demo, "legacy-mailbot")


def test_nobody_works_after_leaving(demo: World) -> None:
    """No run starts after its agent was paused or deleted."""
    assert max(r.created_at for r in runs_of(demo, "recipe-translator")) < MIDNIGHT - 29 * DAY
    assert max(r.created_at for r in runs_of(demo, "legacy-mailbot")) < MIDNIGHT - 40 * DAY


def test_some_runs_have_no_agent_and_some_no_meter(demo: World) -> None:
    """A few runs are unattributed, and self-hosted runs succeed with neither tokens nor cost."""
    assert any(run.agent is None for run in demo.workspaces[0].agent_runs)
    self_hosted = runs_of(demo, "self-hosted-batch")
    assert any(run.status == "succeeded" for run in self_hosted)
    assert not any(demo.workspaces[0].ledger.of_run(run.id) for run in self_hosted)


def test_an_own_key_is_billed_a_platform_charge_alone(demo: World) -> None:
    """From the middle of a month on, the second workspace pays Anthropic itself, and it alone."""
    first, second = demo.workspaces
    assert [key.created_at for key in second.keys] == [KEY_ADDED]
    assert not list(first.keys)
    for entry in (e for e in second.ledger if e.cost_usd and e.billed_usd):
        is_own = entry.provider == "anthropic" and entry.run.started_at >= KEY_ADDED
        assert (entry.billed_usd < entry.cost_usd / 10) == is_own
        assert (entry.billed_usd > entry.cost_usd) == (not is_own)


def test_platform_runs_stand_apart(demo: World) -> None:
    """Builds, verifications and upkeep are no agent's runs, and upkeep is free."""
    for workspace in demo.workspaces:
        assert {"build", "verify", "maintenance"} == {r.kind for r in workspace.platform_runs}
        assert not any(run.platform_agent for run in workspace.agent_runs)
        upkeep = [run for run in workspace.platform_runs if run.kind == "maintenance"]
        entries = [e for run in upkeep for e in workspace.ledger.of_run(run.id)]
        assert sum(e.cost_usd for e in entries) > 0
        assert sum(e.billed_usd for e in entries) == 0


def test_some_money_has_a_floats_tail(demo: World) -> None:
    """Some amounts have about twenty decimals, none is rounded to ten."""
    places = {-e.cost_usd.as_tuple().exponent for e in demo.workspaces[0].ledger}

    assert max(places) == 20
    assert min(places) < 10


def test_something_is_open_at_the_present(demo: World) -> None:
    """Each workspace has a run that has not ended."""
    for workspace in demo.workspaces:
        assert any(run.is_open for run in workspace.runs.values())


def test_models_and_providers_vary(demo: World) -> None:
    """Three providers appear, and one model at two of them."""
    pairs = {(e.model, e.provider) for w in demo.workspaces for e in w.ledger}

    assert {"anthropic", "bedrock", "openai"} == {provider for _, provider in pairs}
    assert {("claude-sonnet-5-5", "anthropic"), ("claude-sonnet-5-5", "bedrock")} <= pairs


def test_errors_are_of_many_kinds(demo: World) -> None:
    """Failed runs have an error, and no others have."""
    runs = [run for w in demo.workspaces for run in w.agent_runs]

    assert all((run.error is not None) == (run.status == "failed") for run in runs)
    assert len({run.error for run in runs if run.error}) >= 8


def test_the_last_batch_brings_news() -> None:
    """On the last day, runs end and start, an agent is renamed, and old costs rise."""
    world = World.demo(1, NOW, history_days=25, at_start=True)
    assert world.now == MIDNIGHT - 25 * DAY
    world.pass_time(NOW - DAY - world.now)
    workspace = world.workspaces[0]
    before = {run.id: (run.status, cost(run)) for run in workspace.agent_runs}
    assert workspace.agent("release-notes").name == "Release notes writer"

    world.pass_time(DAY)

    now = {run.id: (run.status, cost(run)) for run in workspace.agent_runs}
    changed = {before[key] for key in before if before[key] != now[key]}
    statuses = {status for status, _ in changed}
    assert workspace.agent("release-notes").name == "Changelog writer"
    assert len(now) > len(before) + 300
    assert "failed" in statuses
    assert "succeeded" not in statuses
    assert any(run.is_open for run in workspace.agent_runs)
    corrected = [e for w in world.workspaces for e in w.ledger if e.booked_at == NOW - LAST_NIGHT]
    assert len(corrected) == 2
    assert all(e.run.finished_at < NOW - DAY for e in corrected)


def test_the_history_in_steps_is_the_history_at_once(demo: World) -> None:
    """The demo that batches read as it passes becomes the demo that is served."""
    world = World.demo(1, NOW, at_start=True)
    for batch in BATCHES:
        world.pass_time(batch - world.now)

    for one, other in zip(demo.workspaces, world.workspaces, strict=True):
        assert list(one.runs) == list(other.runs)
        assert [cost(run) for run in one.agent_runs] == [cost(run) for run in other.agent_runs]


def test_what_there_is_to_see_is_told() -> None:
    """The events that the demo points at are in its history, in order of time."""
    told = events(NOW, 90)

    assert [moment for moment, _ in told] == [
        KEY_ADDED,
        MIDNIGHT - 21 * DAY,
        MIDNIGHT - 20 * DAY,
        OUTAGE_DAY + timedelta(hours=8),
        datetime(2026, 11, 8, 5, tzinfo=UTC) + CORRECTED_AFTER,
        MIDNIGHT - 9 * DAY,
        NOW - LAST_NIGHT,
    ]
    assert all(len(event) < 90 for _, event in told)
