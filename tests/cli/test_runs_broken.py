"""`analytics runs` with broken or refused responses."""

from __future__ import annotations

import json

import pytest

from analytics.emulator.runs import logs
from analytics.emulator.server import Emulator
from tests.cli.conftest import Command
from tests.conftest import StartRun

pytestmark = pytest.mark.usefixtures("connected", "fast_polls")


@pytest.mark.parametrize("field", ["cost_usd", "status", "created_at"])
def test_a_broken_record_costs_no_other(
    analytics: Command, api: Emulator, start_run: StartRun, field: str
) -> None:
    """An invalid record is omitted with a warning that names it, as text and as JSON."""
    good, broken = start_run(hours_ago=2), start_run(hours_ago=1)
    value = {"cost_usd": "NaN", "status": 3, "created_at": "0001-01-01T00:00:00+05:00"}[field]
    api.world.override_record(broken.id, {field: value})

    table, as_json = analytics("runs", "list"), analytics("runs", "list", "--json")

    for result in (table, as_json):
        assert result.code == 0
        assert f"warning: a record is left out: Run {broken.id}: " in result.err
    assert [line.split()[0] for line in table.out.splitlines()[1:]] == [good.id[:8]]
    assert [run["id"] for run in json.loads(as_json.out)] == [good.id]
    assert good.id in analytics("runs", "show", good.id[:8]).out
    assert analytics("runs", "show", broken.id).code == 1


@pytest.mark.parametrize("command", [("events",), ("events", "--follow"), ("watch",)], ids=" ".join)
def test_a_broken_event_costs_no_other(
    analytics: Command, start_run: StartRun, command: tuple[str]
) -> None:
    """An invalid event is omitted with a warning; the others are printed."""
    run = start_run()
    first, broken, *others = logs.log_events(run)
    run.log = [first, broken | {"ts": {"at": "noon"}, "msg": "NOON"}, *others]

    result = analytics("runs", *command, run.id)

    assert result.code == 0
    assert f"warning: a record is left out: LogEvent {broken['seq']}: " in result.err
    assert all(event["msg"] in result.out for event in [first, *others])
    assert "NOON" not in result.out
