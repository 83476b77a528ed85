"""Agents whose names and errors are made to break pages, files and terminals.

The demo world has ordinary names; tests that need others add these agents to it.
"""

from __future__ import annotations

from datetime import timedelta

from analytics.emulator.records import Agent, Workspace
from analytics.emulator.world import World
from tests.worlds import book_run

NAMES = {
    "script-alert-1-soehne": '<script>alert(1)</script> & "Söhne" 🍞',
    "cmd-c-calc-a0": "=cmd()|' /C calc'!A0",
}
ERRORS = (
    "ToolError: send_reply refused <b>bold</b> & 🍞 in field 'body' =HYPERLINK(\"x\")",
    "UnexpectedModelBehavior: could not parse the model's answer: " + "lorem ipsum dolor " * 120,
)
DAYS = 25
RUNS_A_DAY = 2


def add_hostile_agents(world: World, workspace: Workspace) -> list[Agent]:
    """Add agents that have run twice a day of late, every fifth time in vain."""
    since = world.now - timedelta(days=DAYS)
    agents = [world.add_agent(workspace, name, slug, at=since) for slug, name in NAMES.items()]
    for agent in agents:
        for number in range(DAYS * RUNS_A_DAY):
            error = ERRORS[number % len(ERRORS)] if number % 5 == 0 else None
            status = "failed" if error else "succeeded"
            hours_ago = 24 * (DAYS - number / RUNS_A_DAY)
            book_run(world, agent, hours_ago=hours_ago, cost="0.003", status=status, error=error)
    return agents
