"""The examples in the client's docstrings, run against a live emulator."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from datetime import timedelta

import pytest

import analytics.levain
from analytics.emulator.server import Emulator
from analytics.levain import Levain
from tests.worlds import NOW, StartRun

_MODULES = [
    importlib.import_module(f"analytics.levain.{module.name}")
    for module in pkgutil.iter_modules(analytics.levain.__path__)
]
EXAMPLES = {
    test.name: test
    for module in (analytics.levain, *_MODULES)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module)
    if test.examples
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_works_as_printed(api: Emulator, start_run: StartRun, name: str) -> None:
    """Each docstring example produces its printed output, with one agent and one run."""
    workspace = api.world.workspaces[0]
    agent = api.world.add_agent(
        workspace, "Support triage", "support-triage", at=NOW - timedelta(days=9)
    )
    run = start_run(of=agent, cost="0.25")
    workspace.agents.pop(next(key for key in workspace.agents if key != agent.id))
    with Levain(workspace.api_key, api.url) as levain:
        test = EXAMPLES[name]
        test.globs |= {
            "levain": levain,
            "run_id": run.id,
            "api_key": workspace.api_key,
            "api": api.url,
        }

        assert doctest.DocTestRunner().run(test).failed == 0
