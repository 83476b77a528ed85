"""The first minutes of a stranger: an empty folder, a new environment, and the docs' own text."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from analytics.emulator.server import Emulator
from docs import generate
from tests.docs.pages import SHOWN_KEY, blocks_under

pytestmark = pytest.mark.slow

MINUTES = {"own-pages.md": 2, "": 10}
"""The most that the sections of a page take, and all of them."""
SECTIONS = (  # and the folder in which the stranger is then
    ("quickstart.md", "Without a key", "."),
    ("quickstart.md", "With your key", "."),
    ("extending.md", "A table from a file", "my-project"),
    ("extending.md", "A table of your own", "my-project"),
    ("extending.md", "A check of your own", "my-project"),
    ("extending.md", "An alert", "my-project"),
    ("finance-files.md", "Owners and cost centers", "my-project"),
    ("own-pages.md", "Pages of your own", "my-project"),
    ("extending.md", "A question", "my-project"),
)


def test_a_stranger_has_reports_in_ten_minutes(
    published: tuple[Path, Emulator], tmp_path: Path
) -> None:
    """Each command and file of these sections works with an installed wheel, in this order."""
    _, api = published
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", tmp_path / "dist"], cwd=generate.ROOT, check=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "tools"], check=True)
    programs, home = tmp_path / "tools" / "bin", tmp_path / "home"
    home.mkdir()
    programs.joinpath("pip").write_text(
        f'#!/bin/sh\nexec "{programs}/python" -m pip install --quiet "{wheel}[emulator]"\n'
    )
    key = api.world.workspaces[0].api_key
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
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
        spent[page] = time.monotonic() - begins
    assert (home / "data" / "site" / "index.html").exists()
    data = home / "my-project" / "data"
    assert (data / "site" / "own" / "cost_per_run.html").exists()
    with duckdb.connect(data / "analytics.duckdb", read_only=True) as con:
        states = con.execute("select name, state from audit.custom_files").fetchall()
        owned = con.execute(
            "select count(*) from marts.dim_agents where owner is not null"
        ).fetchone()
    assert {"agent_margins", "prices"} <= {name for name, state in states if state == "built"}
    assert {state for _, state in states} == {"built", "passed", "asked"}
    assert owned != (0,)
    spent[""] = time.monotonic() - began
    assert all(spent[page] < 60 * minutes for page, minutes in MINUTES.items()), spent
