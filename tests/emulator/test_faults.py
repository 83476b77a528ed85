"""Broken responses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from analytics.emulator import World

from .conftest import NOW, Api, listening


@pytest.fixture
def api() -> Iterator[Api]:
    """A world behind a socket, to be filled by the test."""
    with listening(World.empty(1, NOW)) as api:
        yield api


@pytest.mark.parametrize("status", ["500", "503"])
def test_the_next_answers_are_errors(api: Api, status: str) -> None:
    """A fault breaks as many responses as it is set to; then responses are normal again."""
    api.emulator.faults.add("/auth/me", status, 2)

    assert [api.answer("/auth/me").status_code for _ in range(3)] == [int(status)] * 2 + [200]


def test_a_fault_hits_only_its_paths(api: Api) -> None:
    """Responses of other paths are normal, and do not use the fault up."""
    api.emulator.faults.add(r"/runs/$", "500")

    assert api.answer("/agents/").status_code == 200
    assert api.answer("/runs/").status_code == 500


def test_faults_of_a_path_come_in_order(api: Api) -> None:
    """Several faults are taken first come, first served."""
    api.emulator.faults.add("/auth/me", "503")
    api.emulator.faults.add("/auth/me", "429", retry_after_seconds=30)

    first, second = api.answer("/auth/me"), api.answer("/auth/me")

    assert [first.status_code, second.status_code] == [503, 429]
    assert second.headers["retry-after"] == "30"
    assert isinstance(second.json()["detail"], str)


def test_a_cut_connection_ends_amid_the_body(api: Api) -> None:
    """The client sees a connection that closed before the announced length, and continues."""
    api.emulator.faults.add("/auth/me", "cut")

    with pytest.raises(httpx.RemoteProtocolError):
        api.answer("/auth/me")
    assert api.answer("/auth/me").status_code == 200


def test_a_truncated_body_is_whole_to_http_alone(api: Api) -> None:
    """The length fits, but the JSON ends halfway."""
    whole = api.answer("/auth/me").content
    api.emulator.faults.add("/auth/me", "truncated")

    response = api.answer("/auth/me")

    assert response.status_code == 200
    assert response.content == whole[: len(whole) // 2]
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_an_invalid_body_is_no_json(api: Api) -> None:
    """The status is 200 and the body is a page of some proxy."""
    api.emulator.faults.add("/auth/me", "invalid")

    response = api.answer("/auth/me")

    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_broken_answers_carry_a_date(api: Api) -> None:
    """A broken response has the world's date, too."""
    api.emulator.faults.add("/auth/me", "503")

    assert api.answer("/auth/me").headers["date"] == "Tue, 24 Nov 2026 15:30:00 GMT"


def test_faults_are_ordered_over_http(api: Api) -> None:
    """The control adds a fault, which does not hit the controls themselves."""
    body = {"path": ".*", "answer": "500", "times": 2}

    response = api.http.post("/emulator/faults", json=body)

    assert response.json() == {"pending": 2}
    assert api.http.get("/emulator/state").status_code == 200
    assert [api.answer("/auth/me").status_code for _ in range(3)] == [500, 500, 200]


def test_faults_are_listed_and_cleared_over_http(api: Api) -> None:
    """The control lists what is pending, as often as it is still due, and removes it."""
    api.emulator.faults.add("/auth/me", "429", 3)
    api.answer("/auth/me")

    listed = api.http.get("/emulator/faults").json()
    cleared = api.http.delete("/emulator/faults").json()

    assert [(fault["path"], fault["answer"], fault["times"]) for fault in listed] == [
        ("/auth/me", "429", 2)
    ]
    assert cleared == {"pending": 0}
    assert api.http.get("/emulator/faults").json() == []
    assert api.answer("/auth/me").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"path": "("},
        {"path": "(", "answer": "500"},
        {"path": "x", "answer": "418"},
        {"path": "x", "answer": "500", "color": "red"},
    ],
)
def test_a_bad_fault_is_refused(api: Api, body: dict[str, object]) -> None:
    """A bad expression, answer or name gives 422, and nothing is added."""
    assert api.http.post("/emulator/faults", json=body).status_code == 422
    assert len(api.emulator.faults) == 0


def test_a_bad_expression_is_refused_in_process() -> None:
    """A fault with a bad expression raises when it is added, not in the server."""
    from analytics.emulator.api.faults import Faults

    with pytest.raises(re.error):
        Faults().add("(", "500")
