"""Inbound webhooks of agents."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from .conftest import NOBODY, Api

if TYPE_CHECKING:
    from analytics.emulator.records import Agent


@pytest.fixture
def url(api: Api, agent: Agent) -> str:
    made: str = api.post(f"/agents/{agent.slug}/webhooks")["url"]
    return made


def test_an_event_starts_a_run(api: Api, url: str) -> None:
    """A JSON object posted to the URL, without a key, starts an event-driven run.

    With `session_id` it goes on with that session, as a run of its own.
    """
    event = {"order": 7, "text": "🍞 <script>"}
    first = api.keyless("POST", url, json=event)
    run = first.json()
    more = {"n": 2, "session_id": run["session_id"]}
    second = api.keyless("POST", url, json=more).json()
    api.world.pass_time(timedelta(minutes=1))

    assert (first.status_code, run["status"], run["user_prompt"]) == (201, "pending", None)
    assert api.get(f"/runs/{run['id']}")["status"] == "succeeded"
    assert second["id"] != run["id"]
    events = api.get(f"/sessions/{run['session_id']}/events")["events"]
    said = [each for each in events if each["type"] == "user_message"]
    assert [json.loads(each["text"]) for each in said] == [event, {"n": 2}]
    assert {each["source"] for each in said} == {"event-driven"}


def test_a_secret_that_was_replaced_or_guessed_starts_nothing(api: Api, url: str) -> None:
    """After a rotation or a deletion the old URL is not found, nor is a guessed one.

    A second webhook is refused, and the agent's record does not tell the secret.
    """
    base, secret = url.rsplit("/", 1)
    assert api.send("POST", "/agents/baker/webhooks").status_code == 409
    assert secret not in api.answer("/agents/baker").text
    elsewhere = url.replace(base.rsplit("/", 1)[1], NOBODY)
    rotated = api.post("/agents/baker/webhooks/rotate", status=200)["url"]
    for wrong in (url, f"{base}/{secret[:-1]}", f"{base}/%F0%9F%8D%9E", elsewhere):
        assert api.keyless("POST", wrong, json={}).status_code == 404
    assert rotated.rsplit("/", 1)[0] == base
    assert api.keyless("POST", rotated, json={}).status_code == 201

    assert api.send("DELETE", "/agents/baker/webhooks").json()["status"] == "deleted"
    assert api.keyless("POST", rotated, json={}).status_code == 404
    assert api.send("POST", "/agents/baker/webhooks/rotate").status_code == 404
    assert api.send("DELETE", "/agents/baker/webhooks").status_code == 404
    anew = api.post("/agents/baker/webhooks")["url"]
    api.world.delete_agent(api.workspace.agents[api.get("/agents/baker")["id"]])
    assert api.keyless("POST", anew, json={}).status_code == 404
    assert len(api.get("/runs/")) == 1
