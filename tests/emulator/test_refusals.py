"""Runs that are refused, and the responses."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Api, trigger

if TYPE_CHECKING:
    from analytics.emulator.records import Agent


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "Bread?",
        {},
        {"prompt": "Bread?", "initial_state": {}},
        {"prompt": None, "initial_state": None},
        {"prompt": ""},
        {"prompt": 7},
        {"prompt": {"text": "Bread?"}},
        {"initial_state": "Bread?"},
        {"initial_state": ["Bread?"]},
    ],
)
def test_a_run_needs_a_prompt_or_a_state(api: Api, body: object) -> None:
    """Both inputs, neither, and inputs of a wrong type give FastAPI's 422."""
    response = api.send("POST", "/agents/baker/runs", body)

    assert response.status_code == 422
    assert {"loc", "msg", "type", "input"} <= set(response.json()["detail"][0])
    assert api.get("/runs/") == []


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    "body",
    [
        '{"prompt": "Bread?"',
        r'{"prompt": "\ud800"}',
        r'{"initial_state": {"a": "\ud800"}}',
        '{"initial_state": {"a": NaN}}',
        f'{{"initial_state": {"[" * 100_000}',
        b'{"prompt": "\xff"}',
    ],
    ids=["cut", "half a character", "half in a state", "no number", "deep", "no UTF-8"],
)
def test_broken_json_starts_nothing(api: Api, body: str | bytes) -> None:
    """A body that is not JSON, or has a lone surrogate, is refused with 422."""
    headers = {"Content-Type": "application/json"}
    response = api.http.post("/api/v1/agents/baker/runs", content=body, headers=headers)

    assert response.status_code == 422
    assert response.json()["detail"][0]["type"] == "json_invalid"
    assert api.get("/runs/") == []


@pytest.mark.parametrize(
    ("body", "sort"),
    [
        ('{"enabled": false}', "application/x-www-form-urlencoded"),
        ('{"enabled": false}', ""),
        ('["enabled"]', "application/json"),
    ],
)
def test_fields_that_cannot_be_read_are_refused(
    api: Api, agent: Agent, body: str, sort: str
) -> None:
    """A body that is no object, or not declared as JSON, is a 422 also where no field must be."""
    made = api.post(f"/agents/{agent.id}/schedules", {"cron_expr": "0 6 * * *", "prompt": "x"})
    headers = {"Content-Type": sort} if sort else {}
    response = api.http.patch(f"/api/v1/schedules/{made['id']}", content=body, headers=headers)

    assert response.status_code == 422
    [error] = response.json()["detail"]
    assert (error["type"], error["loc"]) == ("model_attributes_type", ["body"])
    assert error["input"] == (body if sort != "application/json" else ["enabled"])


@pytest.mark.usefixtures("agent")
def test_what_was_asked_is_given_back_as_it_came(api: Api) -> None:
    """Emoji, markup, formulas, control characters and huge numbers are returned unchanged."""
    state = {"text": "🍞 <script>x</script> =cmd() \x00\u202e", "n": 10**18, "deep": [[[{}]]]}
    run = api.post("/agents/baker/runs", {"initial_state": state})
    asked = trigger(api, state["text"])

    [message] = api.get(f"/sessions/{run['session_id']}/events")["events"]
    assert json.loads(message["text"]) == state
    assert api.get(f"/runs/{asked['id']}")["user_prompt"] == state["text"]


@pytest.mark.parametrize(
    ("status", "answer"), [("paused", 409), ("draft", 409), ("archived", 409), ("gone", 404)]
)
def test_an_agent_that_cannot_run_says_so(api: Api, status: Any, answer: int) -> None:
    """Paused, archived and draft agents give a conflict; an unknown one is not found."""
    if status == "draft":
        api.world.add_agent(api.workspace, "Baker", "baker", status="draft")
    elif status != "gone":
        api.world.set_agent_status(api.world.add_agent(api.workspace, "Baker", "baker"), status)

    response = api.send("POST", "/agents/baker/runs", {"prompt": "Bread?"})

    assert response.status_code == answer
    assert (status if answer == 409 else "not found") in response.json()["detail"]


@pytest.mark.parametrize(
    "params",
    [
        {"start": "0001-01-01T00:00:00+23:00"},
        {"end": "0001-01-01"},
        {"start": "9999-12-31T23:59:59-10:00"},
    ],
)
def test_a_time_beyond_the_calendar_is_refused(api: Api, params: dict[str, str]) -> None:
    """A window that no calendar holds gives 422, as a text that is no time does."""
    response = api.answer("/analytics/billing", **params)

    assert response.status_code == 422
    assert "out of range" in response.json()["detail"][0]["msg"]


def test_a_sender_that_hangs_up_is_no_error(api: Api) -> None:
    """A request that ends within its body raises nothing, and starts nothing."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/agents/baker/runs",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {api.workspace.api_key}".encode())],
    }
    received = iter(
        [
            {"type": "http.request", "body": b'{"prom', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> dict[str, object]:
        return next(received)

    async def send(_: object) -> None:
        pass

    asyncio.run(api.emulator.app(scope, receive, send))
    assert api.get("/runs/") == []


def test_another_workspaces_agent_cannot_be_run(api: Api) -> None:
    """A key starts nothing in another workspace."""
    other = api.world.add_workspace("Next door")
    agent = api.world.add_agent(other, "Baker", "baker")

    response = api.send("POST", f"/agents/{agent.id}/runs", {"prompt": "Bread?"})

    assert response.status_code == 404
    assert not other.runs
