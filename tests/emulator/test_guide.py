"""The Runs guide's own requests, sent by curl as printed there."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from analytics.emulator import World

from .conftest import NOW, Api, listening

_BLOCKS = (Path(__file__).parent / "guide.curl").read_text().strip().split("\n\n")
TRIGGER, WATCH, EVENTS, CANCEL = (block for block in _BLOCKS if block.startswith("curl"))


def send(api: Api, request: str, run: dict[str, Any] | None = None) -> Any:
    """Send a request from a shell; return its body."""
    variables = {"LEVAIN_API": api.emulator.url, "LEVAIN_API_KEY": api.workspace.api_key}
    if run:
        variables |= {"RUN_ID": run["id"], "SESSION_ID": run["session_id"]}
    done = subprocess.run(
        ["sh", "-ec", f"{request} -sS --fail"],
        env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*"} | variables,
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout, parse_float=Decimal)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_guides_requests_are_answered() -> None:
    """A run is triggered by its agent's slug, watched, read and cancelled by its session.

    Cost and tokens accumulate; events are at signal level; the log's URL serves it without a key,
    for five minutes after the run has ended.
    """
    with listening(World.empty(1, NOW)) as api:
        agent = api.world.add_agent(api.workspace, "Support triage", "support-triage")
        run = send(api, TRIGGER)
        records = []
        for _ in range(10):
            records.append(send(api, WATCH, run))
            api.world.pass_time(timedelta(seconds=3))
        events = send(api, EVENTS, run)["events"]
        log = send(api, WATCH.replace("$RUN_ID", "$RUN_ID/log"), run)
        other = send(api, TRIGGER)
        assert api.answer(f"/runs/{other['id']}/log").status_code == 404
        api.world.pass_time(timedelta(seconds=6))
        session = send(api, CANCEL, other)
        api.world.pass_time(timedelta(seconds=6))

        assert (run["status"], run["agent_id"]) == ("pending", agent.id)
        assert run["agent_version_id"] == agent.versions[0].id
        seen = list(dict.fromkeys(record["status"] for record in records))
        assert seen == ["pending", "running", "succeeded"]
        for name in ("cost_usd", "tokens_in", "tokens_out"):
            values = [record[name] for record in records]
            assert values == sorted(values)
            assert values[0] == 0 < values[-1]
        assert {"ts", "level", "logger", "msg"} <= set.intersection(*map(set, events))
        assert not any(event["level"] == "DEBUG" for event in events)
        assert httpx.get(log["url"]).status_code == 200
        assert api.answer(f"/runs/{other['id']}/log").status_code == 200
        assert (session["state"], session["id"]) == ("terminated", other["session_id"])
        read = api.get(f"/sessions/{session['id']}")
        assert read["terminated_at"] == session["terminated_at"] is not None
        assert read["events"] == api.get(f"/sessions/{session['id']}/events")["events"]
        assert send(api, WATCH, other)["status"] == "cancelled"
        assert send(api, EVENTS, other)["events"]
        messages = f"/sessions/{session['id']}/messages"
        assert api.send("POST", messages, {"prompt": "Hello?"}).status_code == 409
        api.world.pass_time(timedelta(seconds=log["expires_in_seconds"]))
        assert httpx.get(log["url"]).status_code == 403
