"""The first minutes of a stranger: a fresh clone, a new environment, and the docs' own text."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from analytics.emulator.server import Emulator
from docs import generate
from tests.docs.pages import SHOWN_KEY, blocks_under

pytestmark = pytest.mark.long

MINUTES = {"A page": 2, "": 10}
"""The most that a section takes, and all of them."""
NOT_CLONED = (".git", ".venv*", ".*cache", "__pycache__", "node_modules", "data", "build", "dist")
SECTIONS = (  # and the folder in which the stranger is then
    ("quickstart.md", "Without a key", "../clone"),
    ("quickstart.md", "With your key", "."),
    ("extending.md", "A table from a file", "my-project"),
    ("extending.md", "A table of your own", "my-project"),
    ("extending.md", "A check of your own", "my-project"),
    ("extending.md", "An alert", "my-project"),
    ("month-end.md", "Owners and cost centers", "my-project"),
    ("extending.md", "A page", "my-project"),
    ("extending.md", "A question", "my-project"),
)


def test_a_stranger_has_reports_in_ten_minutes(
    published: tuple[Path, Emulator], tmp_path: Path
) -> None:
    """Each command and file of these sections works, in this order.

    The first section is in the clone, with its `.venv`; the others use what the commands of
    `operations.md` installed elsewhere.
    """
    _, api = published
    clone, home, programs = (tmp_path / name for name in ("clone", "home", "tools/bin"))
    shutil.copytree(generate.ROOT, clone, ignore=shutil.ignore_patterns(*NOT_CLONED))
    home.mkdir()
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "venv", programs.parent], check=True)
    of_environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    for block in blocks_under("operations.md", "Install"):
        command = ["/bin/sh", "-eu", "-c", block.code]
        subprocess.run(command, cwd=clone, env=of_environment, check=True)
    key = api.world.workspaces[0].api_key
    environment = {
        "PATH": f".venv/bin:{programs}:{os.environ['PATH']}",  # as the clone's first section says
        "HOME": str(home),
        "BROWSER": "true",  # a program that opens nothing
        "LEVAIN_API": api.url,
        "LEVAIN_API_KEY": key,
    }
    spent: dict[str, float] = {}
    for page, heading, folder in SECTIONS:
        begins = time.monotonic()
        for block in blocks_under(page, heading):
            if block.file:
                (home / folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                (home / folder / block.file).write_text(block.code, encoding="utf-8")
            if block.language == "sh":
                done = subprocess.run(
                    ["/bin/sh", "-eu", "-c", block.code.replace(SHOWN_KEY, key)],
                    cwd=home / folder,
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        spent[heading] = time.monotonic() - begins
    assert (clone / "data" / "site" / "index.html").exists()
    data = home / "my-project" / "data"
    assert (data / "site" / "own" / "cost_per_run.html").exists()
    with duckdb.connect(data / "analytics.duckdb", read_only=True) as con:
        states = con.execute("select name, status from audit.project_files").fetchall()
        owned = con.execute(
            "select count(*) from marts.dim_agents where owner is not null"
        ).fetchone()
    assert {"agent_margins", "prices"} <= {name for name, state in states if state == "built"}
    assert {state for _, state in states} == {"built", "passed", "asked"}
    assert owned != (0,)
    spent[""] = time.monotonic() - began
    assert all(spent[heading] < 60 * minutes for heading, minutes in MINUTES.items()), spent
