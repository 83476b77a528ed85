"""One endpoint can return one wrong number while all other responses stay correct."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from analytics.emulator import World
from analytics.emulator.lies import FIELDS
from analytics.emulator.runs.platform import BUILDER, VERIFIER

from .conftest import NOW, Api, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analytics.emulator.records import Workspace

TODAY = NOW.date()
HOUR = datetime(2026, 11, 24, 12, tzinfo=timezone(timedelta(hours=9)))
"""The hour in which today's runs worked, as Tokyo's clocks show it."""
TINY = Decimal("0.00000000000000000001")
"""Smaller than a float can add to a cost."""

Answers = dict[tuple[str, ...], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def serving_api() -> Iterator[Api]:
    """Two workspaces that work alike: two agents and two platform agents, two models each."""
    world = World.empty(1, NOW - timedelta(days=1))
    world.add_workspace("Other")
    for workspace in world.workspaces:
        for name in ("Baker", "Miller"):
            world.add_agent(workspace, name, name.lower())
    for _ in range(2):
        for workspace in world.workspaces:
            work(world, workspace)
        world.pass_time(timedelta(hours=12))
    with serving(world) as api:
        yield api


def work(world: World, workspace: Workspace) -> None:
    """Let each agent run twice, the first time in vain for the first one, and each other once."""
    runs = [world.start_run(agent) for agent in workspace.agents.values() for _ in range(2)]
    runs += [world.start_platform_run(workspace, who) for who in (BUILDER, VERIFIER)]
    for run in runs:
        world.launch_run(run)
        for model, provider in (("sonnet", "anthropic"), ("luna", "openai")):
            world.meter(
                run,
                model=model,
                provider=provider,
                tokens_in=100,
                tokens_out=20,
                cost_usd=Decimal("0.30000000000000000009"),
            )
        world.finish_run(run, "failed" if run is runs[0] else "succeeded")


@pytest.fixture(scope="module")
def truth(serving_api: Api) -> Answers:
    """Return all responses without a lie."""
    return answers(serving_api)


@pytest.fixture
def api(serving_api: Api) -> Iterator[Api]:
    """The served world; a test's lies end with it."""
    yield serving_api
    serving_api.world.retract()


def window(day: date) -> dict[str, str]:
    return {"start": f"{day}T00:00:00Z", "end": f"{day + timedelta(days=1)}T00:00:00Z"}


def answers(api: Api) -> Answers:
    """Return all records of all endpoints of both workspaces, by endpoint and request."""
    found: Answers = {}
    for workspace in api.world.workspaces:
        api.http.headers["Authorization"] = f"Bearer {workspace.api_key}"

        def keep(endpoint: str, path: str, name: str = workspace.name, **params: Any) -> None:
            answer = api.get(path, **params)
            records = answer if isinstance(answer, list) else [answer]
            found[endpoint, name, path, *map(str, params.values())] = records

        keep("agents", "/agents/")
        keep("runs", "/runs/")
        for run_id in workspace.runs:
            keep("runs", f"/runs/{run_id}")
            keep("run_costs", f"/analytics/runs/{run_id}/costs")
        for agent_id in workspace.agents:
            keep("agents", f"/agents/{agent_id}")
            keep("runs", "/runs/", agent_id=agent_id)
            keep("run_counts", "/runs/daily", agent_id=agent_id)
        for day in (TODAY - timedelta(days=1), TODAY):
            for endpoint, path in {
                "agent_rollups": "/analytics/agents",
                "platform_rollups": "/analytics/platform-agents",
                "usage_hours": "/analytics/hourly",
                "billing_days": "/analytics/billing",
                "agent_billing_days": "/analytics/timeseries/by-agent",
                "timeseries": "/analytics/timeseries",
            }.items():
                keep(endpoint, path, **window(day))
        keep("summary", "/analytics/summary")
    api.http.headers["Authorization"] = f"Bearer {api.workspace.api_key}"
    return found


def differences(before: Answers, after: Answers) -> list[tuple[str, str, Any, Any]]:
    """Return every field that differs: (endpoint, field, before, after)."""
    assert before.keys() == after.keys()
    return [
        (key[0], name, record[name], other[name])
        for key in before
        for record, other in zip(before[key], after[key], strict=True)
        for name in record
        if record[name] != other[name]
    ]


def baker(api: Api) -> str:
    return next(iter(api.world.workspaces[0].agents))


def second_run(api: Api) -> str:
    return list(api.world.workspaces[0].runs)[1]


@pytest.mark.parametrize("field", ["cost_usd", "tokens_in", "tokens_out"])
def test_a_run_can_be_wrong(api: Api, truth: Answers, field: str) -> None:
    """One run's figure is wrong in both lists and by id, and nowhere else."""
    run_id = second_run(api)
    api.world.lie("runs", match={"id": run_id}, field=field, change=lambda n: n + 1)

    true = truth["runs", "Blank Slate", f"/runs/{run_id}"][0][field]
    assert differences(truth, answers(api)) == [("runs", field, true, true + 1)] * 3


def test_the_status_of_a_run_can_be_wrong(api: Api, truth: Answers) -> None:
    """One run has status failed in lists and by id; the counts are correct."""
    run_id = second_run(api)
    api.world.lie("runs", match={"id": run_id}, field="status", change="failed")

    assert differences(truth, answers(api)) == [("runs", "status", "succeeded", "failed")] * 3


ONE_RECORD: dict[str, Callable[[Api], dict[str, Any]]] = {
    "run_costs": lambda api: {"run_id": second_run(api), "model": "sonnet"},
    "run_counts": lambda api: {"agent_id": baker(api), "date": TODAY, "status": "succeeded"},
    "agent_rollups": lambda api: {"agent_id": baker(api), "start": TODAY},
    "usage_hours": lambda api: {"agent_id": baker(api), "model": "luna", "hour": HOUR},
    "billing_days": lambda api: {
        "workspace_id": api.workspace.id,
        "date": str(TODAY),
        "provider": "openai",
    },
    "agent_billing_days": lambda api: {"agent_id": baker(api), "bucket": TODAY},
    # Platform agents are the same in every workspace.
    "platform_rollups": lambda api: {
        "workspace_id": api.workspace.id,
        "platform_agent_id": BUILDER.id,
        "start": TODAY,
    },
}
"""A match for exactly one record of each endpoint."""

TOKENS = ("tokens_in", "tokens_out")
NUMBERS = {
    "run_costs": ("total_cost", "total_tokens_in", "total_tokens_out", "request_count"),
    "run_counts": ("count",),
    "agent_rollups": ("cost_usd", "billed_usd", *TOKENS, "run_count", "total_duration_ms"),
    "usage_hours": ("cost_usd", *TOKENS, "request_count", "error_count"),
    "billing_days": ("cost_usd", "billed_usd", *TOKENS, "request_count"),
    "agent_billing_days": ("cost_usd", "billed_usd"),
    "platform_rollups": ("cost_usd", "billed_usd", *TOKENS, "run_count"),
}


@pytest.mark.parametrize(
    ("endpoint", "field"), [(name, field) for name, fields in NUMBERS.items() for field in fields]
)
def test_one_number_of_one_endpoint_can_be_wrong(
    api: Api, truth: Answers, endpoint: str, field: str
) -> None:
    """Of all responses of both workspaces, one number of one record differs, to the last digit."""
    match = ONE_RECORD[endpoint](api)
    api.world.lie(endpoint, match=match, field=field, change=lambda n: n + TINY)

    [(where, name, true, told)] = differences(truth, answers(api))
    assert (where, name, told - true) == (endpoint, field, TINY)


def test_runs_can_be_counted_with_another_status(api: Api, truth: Answers) -> None:
    """The counts give one status for another; the runs have the true one."""
    match = ONE_RECORD["run_counts"](api)
    api.world.lie("run_counts", match=match, field="status", change="cancelled")

    assert differences(truth, answers(api)) == [("run_counts", "status", "succeeded", "cancelled")]


def test_the_bill_of_no_agent_can_be_wrong(api: Api, truth: Answers) -> None:
    """None matches null."""
    match = {"workspace_id": api.workspace.id, "agent_id": None, "bucket": TODAY}
    api.world.lie("agent_billing_days", match=match, field="cost_usd", change=Decimal(0))

    [(where, name, _, told)] = differences(truth, answers(api))
    assert (where, name, told) == ("agent_billing_days", "cost_usd", 0)


def test_every_endpoint_lies_about_all_that_it_answers(truth: Answers) -> None:
    """The fields that a lie can alter are those of the responses."""
    answered: defaultdict[str, set[str]] = defaultdict(set)
    for (endpoint, *_), records in truth.items():
        answered[endpoint].update(*records)
    new_names = {"cost_usd", "billed_usd", "tokens_in", "tokens_out"}

    answered["runs"] = {n for n in answered["runs"] if not n.startswith("platform_agent")}
    answered["run_costs"] |= new_names  # of a variant
    assert {name: answered[name] for name in FIELDS} == dict(FIELDS)


def test_a_lie_is_exact(api: Api) -> None:
    """Sums and products keep every digit, also of amounts that no float can hold."""
    run_id = next(iter(api.world.workspaces[0].runs))
    huge = Decimal("123456789012345678901234567890.12345678901234567890")

    api.world.lie("runs", match={"id": run_id}, field="cost_usd", change=lambda cost: cost + huge)
    api.world.lie("runs", match={"id": run_id}, field="cost_usd", change=lambda cost: cost * 3)

    expected = b'"cost_usd":370370367037037036703703703672.17037036703703703724'
    assert expected in api.answer(f"/runs/{run_id}").content


def test_a_lie_ends_when_it_is_retracted(api: Api, truth: Answers) -> None:
    """`is_told` is true after the first altered response; after `retract` responses are correct."""
    lies = [
        api.world.lie("runs", field="cost_usd", change=Decimal(1)),
        api.world.lie("usage_hours", field="cost_usd", change=Decimal(1)),
        api.world.lie("runs", match={"status": "no such"}, field="cost_usd", change=Decimal(1)),
    ]
    during = answers(api)

    for lie in lies:
        api.world.retract(lie)

    assert [lie.is_told for lie in lies] == [True, True, False]
    assert {difference[0] for difference in differences(truth, during)} == {"runs", "usage_hours"}
    assert differences(truth, answers(api)) == []


@pytest.mark.parametrize(
    ("endpoint", "field", "match"),
    [
        ("agent-rollups", "cost_usd", {}),
        ("agent_rollups", "cost", {}),
        ("agent_rollups", "cost_usd", {"date": TODAY}),
        ("runs", "cost_usd", {"start": TODAY}),
    ],
)
def test_a_lie_with_a_wrong_name_is_refused(
    api: Api, endpoint: str, field: str, match: dict[str, Any]
) -> None:
    """A lie about an unknown endpoint or field raises at once."""
    with pytest.raises(ValueError, match="there are"):
        api.world.lie(endpoint, field=field, match=match, change=1)


def test_a_lie_in_floats_is_refused(api: Api) -> None:
    """A lie with a float raises TypeError."""
    with pytest.raises(TypeError, match="float"):
        api.world.lie("runs", field="cost_usd", change=0.1)


def test_instants_match_as_instants(api: Api) -> None:
    """An instant matches with an offset and with a Z."""
    run = next(iter(api.world.workspaces[0].runs.values()))

    lie = api.world.lie("runs", match={"created_at": run.created_at}, field="tokens_in", change=7)

    assert api.get(f"/runs/{run.id}")["tokens_in"] == 7
    assert lie.is_told
