"""Inbound webhooks of agents."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.conftest import NOBODY

from .conftest import Api

if TYPE_CHECKING:
    from analytics.emulator.records import Agent


@pytest.fixture
def url(api: Api, agent: Agent) -> str:
    made: str = api.post(f"/agents/{agent.slug}/webhooks")["url"]
    return made


def first_event(api: Api, run: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/sessions/{run['session_id']}/events")["events"][0]
    return found


def test_an_event_starts_a_run(api: Api, url: str) -> None:
    """A JSON object posted to the URL, without a key, starts an event-driven run."""
    event = {"order": 7, "text": "🍞 <script>"}
    response = api.keyless("POST", url, json=event)
    api.world.pass_time(timedelta(seconds=30))

    assert response.status_code == 201
    run = response.json()
    assert (run["status"], run["user_prompt"]) == ("pending", None)
    assert api.get(f"/runs/{run['id']}")["status"] == "succeeded"
    message = first_event(api, run)
    assert (json.loads(message["text"]), message["source"]) == (event, "event-driven")


def test_an_event_may_be_a_turn_of_a_session(api: Api, url: str) -> None:
    """With `session_id` it goes on with that session, as a run of its own."""
    first = api.keyless("POST", url, json={"n": 1}).json()
    second = api.keyless("POST", url, json={"n": 2, "session_id": first["session_id"]}).json()

    assert second["session_id"] == first["session_id"]
    assert second["id"] != first["id"]
    events = api.get(f"/sessions/{first['session_id']}/events")["events"]
    assert [json.loads(event["text"]) for event in events] == [{"n": 1}, {"n": 2}]


def test_the_url_is_shown_once(api: Api, agent: Agent, url: str) -> None:
    """A second webhook is refused; the secret is kept nowhere."""
    assert api.send("POST", "/agents/baker/webhooks").status_code == 409
    secret = url.rsplit("/", 1)[1]
    assert len(secret) == 48
    assert secret not in repr(agent.webhook)
    assert secret not in api.answer("/agents/baker").text


def test_a_rotated_secret_opens_no_more(api: Api, url: str) -> None:
    """After a rotation the webhook has another URL, and the old one is not found."""
    rotated = api.post("/agents/baker/webhooks/rotate", status=200)

    assert rotated["url"].rsplit("/", 1)[0] == url.rsplit("/", 1)[0]
    assert api.keyless("POST", url, json={}).status_code == 404
    assert api.keyless("POST", rotated["url"], json={}).status_code == 201


def test_a_deleted_webhook_is_gone(api: Api, url: str) -> None:
    """Its URL is not found, there is nothing to rotate, and a new one can be made."""
    assert api.send("DELETE", "/agents/baker/webhooks").json()["status"] == "deleted"

    assert api.keyless("POST", url, json={}).status_code == 404
    assert api.send("POST", "/agents/baker/webhooks/rotate").status_code == 404
    assert api.send("DELETE", "/agents/baker/webhooks").status_code == 404
    assert api.post("/agents/baker/webhooks")["url"] != url


def test_a_wrong_secret_starts_nothing(api: Api, url: str) -> None:
    """A guessed secret, another webhook's id and a deleted agent's URL are all not found."""
    base, secret = url.rsplit("/", 1)
    elsewhere = url.replace(base.rsplit("/", 1)[1], NOBODY)
    for wrong in (f"{base}/{secret[:-1]}", f"{base}/%F0%9F%8D%9E", elsewhere):
        assert api.keyless("POST", wrong, json={}).status_code == 404
    api.world.delete_agent(api.workspace.agents[api.get("/agents/baker")["id"]])
    assert api.keyless("POST", url, json={}).status_code == 404
    assert api.get("/runs/") == []
