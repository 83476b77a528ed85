from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

from analytics.emulator import World
from analytics.emulator.ledger import Totals

from .conftest import NOW

DAY = timedelta(days=1)
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
    """The demo has two workspaces with about twelve and eight agents and 12 to 20 thousand runs."""
    assert [w.name for w in demo.workspaces] == ["Hearth & Grain", "Northlight Studio"]
    assert [len(w.agents) for w in demo.workspaces] == [11, 8]
    assert 12_000 < sum(len(w.agent_runs) for w in demo.workspaces) < 20_000


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


def test_the_busy_agent_outruns_the_list(demo: World) -> None:
    """One agent has 300 runs and more on every whole day, weekends too."""
    per_day = Counter(run.created_at.date() for run in runs_of(demo, "order-status"))

    del per_day[NOW.date()]
    assert len(per_day) == 14
    assert min(per_day.values()) >= 300


def test_most_agents_rest_at_weekends(demo: World) -> None:
    """Reviews of pull requests are rare on Saturdays and Sundays."""
    weekend = [run for run in runs_of(demo, "pr-reviewer") if run.created_at.weekday() >= 5]

    assert 0 < len(weekend) < 0.1 * len(runs_of(demo, "pr-reviewer"))


def test_a_version_made_an_agent_worse(demo: World) -> None:
    """The reviewer fails several times as often since version 3."""
    runs = runs_of(demo, "pr-reviewer")
    before = [run for run in runs if run.version.number == 2]
    after = [run for run in runs if run.version.number == 3]

    assert failure_rate(before) < 0.1
    assert failure_rate(after) > 0.25


def test_an_outage_makes_many_agents_fail(demo: World) -> None:
    """On the day of the outage more than twice as many runs fail as on the days beside it."""
    others = [
        r for r in demo.workspaces[0].agent_runs if not r.agent or r.agent.slug != "order-status"
    ]
    day = MIDNIGHT - 17 * DAY
    failed = [
        sum(r.status == "failed" and d <= r.created_at < d + DAY for r in others)
        for d in (day - DAY, day, day + DAY)
    ]

    assert failed[1] > 2 * max(failed[0], failed[2], 3)


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
    """There are a draft, a paused, an archived and a deleted agent, and one with a hostile name."""
    statuses = {a.slug: a.status for w in demo.workspaces for a in w.agents.values()}

    assert statuses["invoice-matcher"] == "draft"
    assert not runs_of(demo, "invoice-matcher")
    assert statuses["recipe-translator"] == "paused"
    assert statuses["client-updates"] == "archived"
    assert "legacy-mailbot" not in statuses
    assert runs_of(demo, "legacy-mailbot")
    names = {a.name for a in demo.workspaces[1].agents.values()}
    assert '<script>alert(1)</script> & "Söhne" 🍞' in names
    assert any(name.startswith("=cmd()") for name in names)


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


def test_own_keys_are_billed_a_platform_charge_alone(demo: World) -> None:
    """The second workspace pays Anthropic itself: billed is far below cost, and only there."""
    for entry in demo.workspaces[1].ledger:
        if entry.provider != "anthropic" and entry.cost_usd:
            assert entry.billed_usd > entry.cost_usd
        elif entry.cost_usd:
            assert entry.billed_usd < entry.cost_usd / 10


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
    """Failed runs have an error and no others have; some are long, some carry markup."""
    runs = [run for w in demo.workspaces for run in w.agent_runs]
    errors = {run.error for run in runs if run.error}

    assert all((run.error is not None) == (run.status == "failed") for run in runs)
    assert len(errors) >= 8
    assert any(len(error) > 2000 for error in errors)
    assert any("<b>" in error and "🍞" in error for error in errors)


def test_the_first_batch_brings_news() -> None:
    """A day later, open runs ended, new ones started, an agent is renamed, old costs rose."""
    world = World.demo(1, NOW, history_days=25)
    workspace = world.workspaces[0]
    before = {run.id: (run.status, cost(run)) for run in workspace.agent_runs}
    assert workspace.agent("release-notes").name == "Release notes writer"

    world.pass_time(DAY)

    now = {run.id: (run.status, cost(run)) for run in workspace.agent_runs}
    changed = {before[key] for key in before if before[key] != now[key]}
    statuses = {status for status, _ in changed}
    assert workspace.agent("release-notes").name == "Changelog writer"
    assert len(now) > len(before) + 300
    assert statuses & {"pending", "running"}
    assert statuses & {"failed", "cancelled"}
    assert "succeeded" not in statuses
    assert any(run.is_open for run in workspace.agent_runs)
