"""Variants of the API where its documentation is silent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from analytics.emulator import Variants
from analytics.emulator.worlds.fleet import Fleet

from .conftest import NOW, Api, serving


def test_a_limit_beyond_the_cap_can_be_refused(api: Api) -> None:
    """With `reject`, a limit of 200 is served and one of 201 gives 422."""
    api.world.variants = Variants(beyond_cap="reject")

    assert api.get("/runs/", limit=200) == []
    response = api.answer("/runs/", limit=201)
    assert response.status_code == 422
    assert response.json()["detail"] == [
        {
            "type": "less_than_equal",
            "loc": ["query", "limit"],
            "msg": "Input should be less than or equal to 200",
            "input": "201",
            "ctx": {"le": 200},
        }
    ]


def test_model_costs_can_have_their_new_names(api: Api) -> None:
    """With the variant, a run's model costs have the usual names, and the billed amount."""
    run = api.world.start_run(api.workspace)
    api.world.meter(
        run, model="m", provider="p", tokens_in=3, tokens_out=1, cost_usd=Decimal("0.5")
    )

    api.world.variants.new_cost_names = True

    [row] = api.get(f"/analytics/runs/{run.id}/costs")
    assert {"cost_usd", "billed_usd", "tokens_in", "tokens_out"} <= set(row)
    assert not any(name.startswith("total_") for name in row)


def test_lists_can_link_to_their_next_page() -> None:
    """With the variant, following the links shows each run once, newest first."""
    with serving(Fleet(1, NOW, agents=2, runs_per_agent=25)) as api:
        assert "link" not in api.answer("/runs/", limit=20).headers
        api.world.variants.next_links = True

        agent = api.get("/agents/")[0]
        response = api.answer("/runs/", limit=20, agent_id=agent["id"])
        seen = [run["id"] for run in response.json()]
        while "next" in response.links:
            response = api.http.get(response.links["next"]["url"])
            seen += [run["id"] for run in response.json()]

        every = api.get("/runs/", limit=200, agent_id=agent["id"])
        assert len(seen) == 25
        assert seen == [run["id"] for run in every]


def test_events_of_open_runs_can_be_withheld(api: Api) -> None:
    """With the variant off, an open run's log events give 404."""
    run = api.world.start_run(api.workspace)
    api.world.launch_run(run)
    assert len(api.get(f"/runs/{run.id}/log/events")["events"]) == 1

    api.world.variants.open_run_events = False

    assert api.answer(f"/runs/{run.id}/log/events").status_code == 404
    api.world.finish_run(run)
    assert api.answer(f"/runs/{run.id}/log/events").status_code == 200


def test_every_nth_answer_can_be_too_many_requests(api: Api) -> None:
    """Every third response is 429 with Retry-After, the others are normal."""
    api.world.variants = Variants(every_nth_429=3, retry_after_seconds=7)

    answers = [api.answer("/auth/me") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 200, 200, 429]
    assert [a.headers.get("retry-after") for a in answers] == [None, None, "7", None, None, "7"]


def test_every_nth_answer_can_be_unavailable(api: Api) -> None:
    """Every second response is 503."""
    api.world.variants = Variants(every_nth_503=2)

    assert [api.answer("/auth/me").status_code for _ in range(4)] == [200, 503, 200, 503]


def test_variants_change_over_http(api: Api) -> None:
    """The control changes what is named, keeps the rest, and shows all."""
    api.world.variants.retry_after_seconds = 9

    response = api.http.post("/emulator/variants", json={"new_cost_names": True})

    assert response.status_code == 200
    assert response.json()["retry_after_seconds"] == 9
    assert api.world.variants == Variants(new_cost_names=True, retry_after_seconds=9)


@pytest.mark.parametrize(
    "fields",
    [
        {"beyond_cap": "ignore"},
        {"no_such": 1},
        {"every_nth_429": "x"},
        {"every_nth_503": -1},
        {"analytics_lag_seconds": 99_999_999_999_999},
    ],
)
def test_a_bad_variant_changes_nothing(api: Api, fields: dict[str, object]) -> None:
    """An unknown name or a bad value gives 422, and the variants stay."""
    response = api.http.post("/emulator/variants", json=fields)

    assert response.status_code == 422
    assert api.world.variants == Variants()


def test_time_passes_over_http(api: Api) -> None:
    """The control moves the clock, and returns the state."""
    state = api.http.post("/emulator/pass-time", json={"hours": 24}).json()

    assert state["now"] == "2026-11-25T15:30:00Z"
    assert api.world.now == NOW + timedelta(days=1)
    assert api.http.get("/emulator/state").json() == state
    assert state["workspaces"] == [
        {
            "workspace_id": api.workspace.id,
            "workspace_name": "Blank Slate",
            "agents": 0,
            "runs": 0,
            "platform_runs": 0,
        }
    ]


@pytest.mark.parametrize("body", [{"hours": -1}, {"hours": 1e9}, {"hours": "a day"}, {}])
def test_time_does_not_go_back(api: Api, body: dict[str, object]) -> None:
    """A negative, missing or odd span, or one beyond a year, gives 422."""
    assert api.http.post("/emulator/pass-time", json=body).status_code == 422
    assert api.world.now == NOW
