"""Changing agents and their versions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.conftest import NOBODY

from .conftest import Api

if TYPE_CHECKING:
    from analytics.emulator.records import Agent


def patch(api: Api, path: str, body: object, status: int = 200) -> Any:
    response = api.send("PATCH", path, body)
    assert response.status_code == status, response.text
    return response.json()


def verify(api: Api, version: int) -> None:
    api.post(f"/agents/baker/versions/{version}/verify")
    api.world.pass_time(timedelta(seconds=30))


def statuses(api: Api) -> list[str]:
    return [version["status"] for version in api.get("/agents/baker/versions")]


def test_an_agent_can_be_renamed(api: Api, agent: Agent) -> None:
    """A rename keeps the slug, and fields that are not named."""
    before = api.get("/agents/baker")
    record = patch(api, f"/agents/{agent.id}", {"name": "Miller 🍞", "description": ""})

    assert record == before | {"name": "Miller 🍞", "description": ""}
    assert api.get("/agents/baker") == record


@pytest.mark.usefixtures("agent")
def test_an_agent_can_be_paused_and_resumed(api: Api) -> None:
    """A paused agent starts no run, a resumed one does."""
    for status, answer in (("paused", 409), ("active", 201)):
        assert patch(api, "/agents/baker", {"status": status})["status"] == status
        response = api.send("POST", "/agents/baker/runs", {"prompt": "Bread?"})
        assert response.status_code == answer


@pytest.mark.usefixtures("agent")
def test_an_agents_limits_can_be_changed(api: Api) -> None:
    """Budget, minutes and the notice are changed one by one, the budget digit for digit."""
    patch(api, "/agents/baker", {"config": {"max_budget": 0.1}})
    patch(api, "/agents/baker", {"config": {"timeout_minutes": 7, "notify_on_run": True}})

    assert '"config":{"max_budget":0.1,"timeout_minutes":7,"notify_on_run":true}' in (
        api.answer("/agents/baker").text
    )


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": 7},
        {"status": "draft"},
        {"status": "gone"},
        {"config": {"max_budget": 0}},
        {"config": {"max_budget": -1}},
        {"config": {"max_budget": 1e300}},
        {"config": {"timeout_minutes": 10**18}},
        {"config": {"timeout_minutes": 0}},
        {"config": {"timeout_minutes": 1.5}},
        {"config": []},
    ],
)
def test_a_bad_change_changes_nothing(api: Api, body: dict[str, Any]) -> None:
    """An invalid change is refused as a whole with 422."""
    before = api.get("/agents/baker")

    patch(api, "/agents/baker", {"description": "x"} | body, status=422)

    assert api.get("/agents/baker") == before
    assert patch(api, "/agents/baker", {}) == before


@pytest.mark.usefixtures("agent")
def test_a_draft_is_branched_and_published(api: Api) -> None:
    """A draft comes from the latest version or the one named, and takes runs once published."""
    draft = api.post("/agents/baker/versions")
    other = api.post("/agents/baker/versions", {"parent_version": 1})
    assert (draft["version"], draft["parent_version"], draft["status"]) == (2, 1, "draft")
    assert (other["version"], other["parent_version"]) == (3, 1)
    assert api.get("/agents/baker")["draft_version"] == 2
    assert statuses(api) == ["active", "draft", "draft"]
    verify(api, 2)

    patch(api, f"/versions/{draft['id']}", {"status": "active"})

    assert statuses(api) == ["archived", "active", "draft"]
    run = api.post("/agents/baker/runs", {"prompt": "Bread?"})
    assert (run["agent_version"], run["agent_version_id"]) == (2, draft["id"])


@pytest.mark.usefixtures("agent")
def test_a_version_tells_when_it_was_drafted_built_and_published(api: Api) -> None:
    """An active version was updated when it was published; being replaced does not update it."""

    def moments() -> list[list[str | None]]:
        names = ("created_at", "last_commit_at", "updated_at")
        versions = api.get("/agents/baker/versions")
        return [[version[name] and version[name][11:19] for name in names] for version in versions]

    assert moments() == [["15:30:00"] * 3]
    api.world.pass_time(timedelta(hours=1))
    api.post("/agents/baker/versions")
    assert moments()[1] == ["16:30:00", None, "16:30:00"]
    api.post("/agents/baker/versions/2/build", {"prompt": "More rye."})
    api.world.pass_time(timedelta(minutes=30))
    api.post("/agents/baker/versions/2/verify")
    api.world.pass_time(timedelta(minutes=30))

    patch(api, "/agents/baker/versions/2", {"status": "active"})

    first, second = moments()
    assert first == ["15:30:00"] * 3
    assert second[::2] == ["16:30:00", "17:30:00"]
    assert "16:30:00" < str(second[1]) < "16:31:00"


@pytest.mark.usefixtures("agent")
def test_rolling_back_is_a_change_of_status(api: Api) -> None:
    """An archived version can become active again; without an active version, nothing runs."""
    api.post("/agents/baker/versions")
    verify(api, 2)
    patch(api, "/agents/baker/versions/2", {"status": "active"})
    patch(api, "/agents/baker/versions/1", {"status": "active"})
    assert statuses(api) == ["active", "archived"]

    patch(api, "/agents/baker/versions/1", {"status": "archived"})

    assert statuses(api) == ["archived", "archived"]
    response = api.send("POST", "/agents/baker/runs", {"prompt": "Bread?"})
    assert (response.status_code, "no active version" in response.text) == (409, True)
    patch(api, "/agents/baker", {"status": "active"}, status=409)


def test_publishing_a_draft_agents_version_makes_it_run(api: Api) -> None:
    """A draft agent cannot be run until a version of it is published."""
    api.world.add_agent(api.workspace, "Baker", "baker", status="draft")
    patch(api, "/agents/baker", {"status": "active"}, status=409)
    verify(api, 1)

    patch(api, "/agents/baker/versions/1", {"status": "active"})

    assert api.get("/agents/baker")["status"] == "active"
    assert api.post("/agents/baker/runs", {"prompt": "Bread?"})["agent_version"] == 1


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/agents/nobody", {"name": "x"}, 404),
        ("PATCH", "/agents/baker/versions/9", {"status": "active"}, 404),
        ("PATCH", "/agents/baker/versions/1", {"status": "draft"}, 422),
        ("PATCH", "/agents/baker/versions/1", {}, 422),
        ("PATCH", f"/versions/{NOBODY}", {"status": "active"}, 404),
        ("PATCH", "/versions/1", {"status": "active"}, 422),
        ("POST", "/agents/baker/versions", {"parent_version": 9}, 404),
        ("POST", "/agents/baker/versions", {"parent_version": "x"}, 422),
    ],
)
def test_what_is_not_there_cannot_be_changed(
    api: Api, method: str, path: str, body: object, status: int
) -> None:
    """Unknown agents and versions are not found; unknown states are refused."""
    assert api.send(method, path, body).status_code == status
    assert statuses(api) == ["active"]


def test_an_agent_is_made_from_a_name(api: Api) -> None:
    """Without a prompt it is a draft without versions, with a free slug derived from the name."""
    made = [api.post("/agents/", {"name": name}) for name in ("Käse & Brot!", "käse brot", "🍞")]

    slugs = [each["agent"]["slug"] for each in made]
    assert slugs == ["k-se-brot", "k-se-brot-2", "agent"]
    agent = made[0].pop("agent")
    assert made[0] == {"version": None, "run_id": None, "session_id": None}
    assert api.get("/agents/k-se-brot") == agent
    assert (agent["status"], agent["draft_version"]) == ("draft", None)
    assert api.send("POST", "/agents/k-se-brot/runs", {"prompt": "x"}).status_code == 409


def test_an_agent_made_of_a_prompt_is_built_verified_and_published(api: Api) -> None:
    """Builds and verifications are runs of the platform: metered, pollable, and no agent's."""
    made = api.post("/agents/", {"name": "Baker", "description": "Bakes.", "prompt": "Bake."})
    assert (made["version"], made["agent"]["draft_version"]) == (1, 1)
    assert api.send("POST", "/agents/baker/versions/1/verify").status_code == 409
    api.world.pass_time(timedelta(seconds=30))
    build = api.get(f"/runs/{made['run_id']}")
    assert (build["status"], build["kind"]) == ("succeeded", "build")
    assert build["user_prompt"] == "Bake."

    verify = api.post("/agents/baker/versions/1/verify", {"publish": True})
    assert statuses(api) == ["draft"]
    api.world.pass_time(timedelta(seconds=30))

    assert statuses(api) == ["active"]
    runs = [run["id"] for run in api.get("/platform-runs")]
    assert runs == [verify["run_id"], made["run_id"]]
    [builder, verifier] = api.get("/analytics/platform-agents")
    assert (
        builder["targets"]
        == verifier["targets"]
        == [{"agent_id": made["agent"]["id"], "agent_name": "Baker", "agent_slug": "baker"}]
    )
    assert builder["cost_usd"] == build["cost_usd"] > 0
    assert api.get("/runs/") == []


@pytest.mark.usefixtures("agent")
def test_drafts_alone_can_be_built(api: Api) -> None:
    """Drafts are listed newest first and can be built; published versions are immutable."""
    for description in ("Rye", "Spelt"):
        made = api.post("/agents/baker/versions", {"description": description})
        assert made["description"] == description
    assert [draft["version"] for draft in api.get("/agents/baker/drafts")["drafts"]] == [3, 2]

    built = api.post("/agents/baker/versions/3/build", {"prompt": "More rye."})

    assert (built["version"], built["status"]) == (3, "pending")
    refused = api.send("POST", "/agents/baker/versions/1/build", {"prompt": "More rye."})
    assert refused.status_code == 409
    assert api.send("POST", "/agents/baker/versions/3/build", {}).status_code == 422


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": None}, {"name": "x", "prompt": ""}])
def test_an_agent_needs_a_name(api: Api, body: dict[str, Any]) -> None:
    """Without a name, or with an empty prompt, no agent is created."""
    assert api.send("POST", "/agents/", body).status_code == 422
    assert api.get("/agents/") == []
