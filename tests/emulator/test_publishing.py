"""Publishing of drafts: only what is verified as it stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .conftest import Api

HALF_A_MINUTE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)
DRAFT = "/agents/baker/versions/2"


@pytest.fixture(autouse=True)
def draft(api: Api) -> None:
    """A draft of an agent whose first version is active."""
    api.world.add_agent(api.workspace, "Baker", "baker")
    api.post("/agents/baker/versions")


def build(api: Api, wait: timedelta = HALF_A_MINUTE) -> None:
    api.post(f"{DRAFT}/build", {"prompt": "More rye."})
    api.world.pass_time(wait)


def verify(api: Api, wait: timedelta = HALF_A_MINUTE, **body: bool) -> None:
    api.post(f"{DRAFT}/verify", body)
    api.world.pass_time(wait)


def publish(api: Api) -> tuple[int, Any]:
    """Publish the draft; return the status of the answer, and what it details."""
    response = api.send("PATCH", DRAFT, {"status": "active"})
    return response.status_code, response.json().get("detail")


def draft_record(api: Api) -> dict[str, Any]:
    record: dict[str, Any] = api.get("/agents/baker/versions")[1]
    return record


def test_a_draft_is_published_when_it_was_built_and_verified(api: Api) -> None:
    """Publishing needs the end of the build and of a verification; going back needs neither."""
    assert publish(api)[0] == 409
    build(api, SECOND)
    assert publish(api) == (409, "A build turn is currently running")
    api.world.pass_time(HALF_A_MINUTE)
    assert publish(api)[0] == 409
    verify(api, SECOND)
    assert publish(api)[0] == 409
    api.world.pass_time(HALF_A_MINUTE)
    assert publish(api)[0] == 200

    for version in (1, 2):
        path = f"/agents/baker/versions/{version}"
        assert api.send("PATCH", path, {"status": "active"}).status_code == 200


def test_a_build_takes_the_verification_away(api: Api) -> None:
    """A draft that was built after it was verified is to be verified again."""
    verify(api)
    build(api, SECOND)
    assert publish(api) == (409, "A build turn is currently running")
    api.world.pass_time(HALF_A_MINUTE)

    assert publish(api)[0] == 409
    verify(api)
    assert publish(api)[0] == 200


def test_a_verification_of_another_commit_publishes_nothing(api: Api) -> None:
    """A draft stays one if a build began after the verification that would publish it."""
    verify(api, 4 * SECOND, publish=True)
    build(api, 2 * HALF_A_MINUTE)

    assert draft_record(api)["status"] == "draft"
    assert publish(api)[0] == 409


def test_a_build_changes_no_version_that_is_no_draft(api: Api) -> None:
    """A build that ends after its draft was archived commits nothing."""
    build(api, SECOND)
    assert api.send("PATCH", DRAFT, {"status": "archived"}).status_code == 200
    before = draft_record(api)

    api.world.pass_time(HALF_A_MINUTE)

    assert draft_record(api) == before
    assert before["last_commit_at"] is None
