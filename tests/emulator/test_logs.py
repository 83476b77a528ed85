"""Log events, session events and artifacts."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from analytics.emulator.texts import MADE_UP

from .conftest import NOW, Api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.emulator.records import Run

KINDS = {"node_boot", "thinking", "tool_use", "tool_result"}


@pytest.fixture(scope="module")
def ended(demo_api: Api) -> list[Run]:
    """Recent ended runs of every status."""
    runs = demo_api.workspace.agent_runs.newest(4000)
    return [
        run
        for status in ("succeeded", "failed", "cancelled")
        for run in [run for run in runs if run.status == status][:12]
    ]


def events_of(api: Api, runs: list[Run]) -> Iterator[tuple[Run, list[dict[str, object]]]]:
    for run in runs:
        yield run, api.get(f"/runs/{run.id}/log/events")["events"]


def test_an_ended_run_has_five_to_thirty_events(demo_api: Api, ended: list[Run]) -> None:
    """Events are numbered from 1, in order of time, from the run's start to its finish."""
    for run, events in events_of(demo_api, ended):
        moments = [float(event["ts"]) for event in events]
        assert 5 <= len(events) <= 30
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert moments == sorted(moments)
        assert moments[0] == pytest.approx(run.started_at.timestamp(), abs=1e-6)
        assert moments[-1] == pytest.approx(run.finished_at.timestamp(), abs=1e-6)


def test_events_have_the_shape_of_the_raw_log(demo_api: Api, ended: list[Run]) -> None:
    """Each event has level, logger, message and run; a kind is one of the four known."""
    keys = {"seq", "ts", "level", "logger", "msg", "run_id", "session_id", "workspace_id", "node"}
    kinds = set()
    for run, events in events_of(demo_api, ended):
        for event in events:
            assert keys <= set(event)
            assert event["run_id"] == run.id
            assert event["level"] in {"INFO", "WARNING", "ERROR"}
            if "event" in event:
                kinds.add(event["event"]["kind"])

    assert kinds == KINDS


def test_a_tool_result_follows_its_use(demo_api: Api, ended: list[Run]) -> None:
    """A result names the use before it, has a preview of at most 200 characters, and may fail."""
    outcomes = set()
    for _, events in events_of(demo_api, ended):
        bodies = [dict(event.get("event", {})) for event in events]
        for before, body in pairwise(bodies):
            if body.get("kind") == "tool_result":
                assert before["kind"] == "tool_use"
                assert body["tool_use_id"] == before["tool_use_id"]
                assert len(body["preview"]) <= 200
                outcomes.add(body["is_error"])

    assert outcomes == {True, False}


def test_the_last_event_tells_how_the_run_ended(demo_api: Api, ended: list[Run]) -> None:
    """A failed run ends in an ERROR, a cancelled one in a WARNING, another in an INFO."""
    levels = {"failed": "ERROR", "cancelled": "WARNING", "succeeded": "INFO"}

    for run, events in events_of(demo_api, ended):
        assert events[-1]["level"] == levels[run.status]


def test_events_are_the_same_each_time(demo_api: Api, ended: list[Run]) -> None:
    """Events depend on the run alone; `since` and `limit` cut them."""
    path = f"/runs/{ended[0].id}/log/events"
    events = demo_api.get(path)["events"]

    assert demo_api.get(path)["events"] == events
    assert demo_api.get(path, since=2, limit=2)["events"] == events[2:4]
    assert demo_api.get(path, since=1000)["events"] == []


def test_content_is_marked_as_made_up(demo_api: Api, ended: list[Run]) -> None:
    """Prompts, tool inputs and previews have a mark that a test can search for."""
    run = ended[0]

    assert MADE_UP in demo_api.get(f"/runs/{run.id}")["user_prompt"]
    assert MADE_UP in demo_api.answer(f"/runs/{run.id}/log/events").text
    assert MADE_UP in demo_api.answer(f"/sessions/{run.session.id}/events").text


def test_the_first_event_is_there_while_the_run_works(api: Api) -> None:
    """A pending run has no events, a working one has booted, and the boot stays the same."""
    run = api.world.start_run(api.workspace)
    path = f"/runs/{run.id}/log/events"
    assert api.get(path)["events"] == []

    api.world.launch_run(run)
    [boot] = api.get(path)["events"]
    api.world.pass_time(NOW - NOW.replace(hour=0))
    api.world.finish_run(run)

    assert api.get(path)["events"][0] == boot


def test_the_log_is_there_when_the_run_has_ended(api: Api) -> None:
    """The log's URL is not found before, and expires after."""
    run = api.world.start_run(api.workspace)
    assert api.answer(f"/runs/{run.id}/log").status_code == 404

    api.world.finish_run(run, "cancelled")

    log = api.get(f"/runs/{run.id}/log")
    assert log["url"].startswith(f"{api.emulator.url}/")
    assert log["expires_in_seconds"] > 0


def test_a_session_tells_what_happened_in_order(api: Api) -> None:
    """Events count from 1, `since` is exclusive, and a second turn goes on in the same session."""
    first = api.world.start_run(api.workspace, prompt="Bread?")
    api.world.launch_run(first)
    api.world.finish_run(first)
    api.world.start_run(api.workspace, session=first.session, prompt="More?")
    path = f"/sessions/{first.session.id}"

    events = api.get(f"{path}/events")["events"]

    assert [(event["seq"], event["type"]) for event in events] == [
        (1, "user_message"),
        (2, "status"),
        (3, "assistant_message"),
        (4, "status"),
        (5, "user_message"),
    ]
    assert api.get(f"{path}/events", since=4)["events"] == events[4:]
    session = api.get(path, since=4)
    assert session["events"] == events[4:]
    assert session["state"] == "active"


def test_a_session_rests_when_its_runs_have_ended(api: Api) -> None:
    """A session without open runs is idle, since its last run finished."""
    run = api.world.start_run(api.workspace)
    api.world.finish_run(run)

    session = api.get(f"/sessions/{run.session.id}")

    assert session["state"] == "idle"
    assert session["last_activity_at"] == "2026-11-24T15:30:00+00:00"


def test_a_run_has_as_many_artifacts_as_it_says(demo_api: Api, ended: list[Run]) -> None:
    """The artifacts are as many as the record counts, with a key of their own each."""
    counts = set()
    for run in ended:
        body = demo_api.get(f"/runs/{run.id}/artifacts")
        count = demo_api.get(f"/runs/{run.id}")["artifact_count"]
        assert len({artifact["key"] for artifact in body["artifacts"]}) == count
        assert body["truncated"] is False
        counts.add(count)

    assert len(counts) > 1
