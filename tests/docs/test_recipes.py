"""The recipes of docs/bi-tools.md, each with its tool in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import Block, blocks_under

pytestmark = pytest.mark.long

# A newer dbt-core downloads a parser while it is installed, which an index alone does not serve.
DBT = ("dbt-core<1.11", "dbt-duckdb")
EVIDENCE = """
import { createRequire } from "node:module";
const { getRunner } = createRequire(import.meta.url)("@evidence-dev/duckdb");
const [, , filename, sql] = process.argv;
const runner = await getRunner({ filename }, "data");
const { rows } = await runner(sql, "data/agent_months.sql", 1000);
console.log(Array.isArray(rows) ? rows.length : (await rows().next()).value.length);
"""


def recipe(heading: str, language: str) -> Block:
    """Return the last block of a language in the section of a tool."""
    found = blocks_under("bi-tools.md", heading)
    return [each for each in found if each.language == language][-1]


def run(command: list[str | Path], folder: Path, what: str) -> str:
    """Run a command, and return what it prints; the test fails with its output if it fails."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"{what}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def programs(folder: Path, *packages: str) -> Path:
    """Return the programs of a new environment with these packages."""
    run([sys.executable, "-m", "venv", "tools"], folder, "no environment can be made")
    bin_folder = folder / "tools" / "bin"
    pip = [bin_folder / "python", "-m", "pip", "install", "--quiet", *packages]
    run(pip, folder, f"pip cannot install {' '.join(packages)}")
    return bin_folder


@pytest.mark.parametrize(
    ("heading", "packages"),
    [
        ("DuckDB", ("duckdb==1.5.*",)),
        ("DuckDB", ("duckdb>=2",)),
        ("Polars", ("duckdb", "polars")),
        ("pandas", ()),
        ("marimo", ()),
    ],
)
def test_python_recipes(heading: str, packages: tuple[str, ...], folder: Path) -> None:
    """The block of a library runs with that library, and money stays decimal."""
    block = recipe(heading, "python")
    (folder / "recipe.py").write_text(block.code, encoding="utf-8")
    python = programs(folder, *(packages or block.needs)) / "python"

    run([python, "recipe.py"], folder, heading)


def test_the_command_of_duckdb(folder: Path) -> None:
    """DuckDB's own command line reads the file as the page says."""
    command = recipe("DuckDB", "sh").code.splitlines()[-1]
    tools = programs(folder, "duckdb-cli")

    assert "cost_usd" in run(["/bin/sh", "-c", f"PATH={tools}:$PATH {command}"], folder, "duckdb")


def test_dbt(folder: Path) -> None:
    """dbt builds a model from the published tables, as exactly as they are."""
    (folder / "dbt_project.yml").write_text(
        'name: ours\nversion: "1.0"\nprofile: levain\nmodels: {ours: {+materialized: table}}\n',
        encoding="utf-8",
    )
    blocks = [each for each in blocks_under("bi-tools.md", "dbt") if each.language == "yaml"]
    sources, profiles = blocks
    (folder / "profiles.yml").write_text(profiles.code, encoding="utf-8")
    (folder / "models").mkdir()
    (folder / "models" / "levain.yml").write_text(sources.code, encoding="utf-8")
    (folder / "models" / "costs.sql").write_text(
        "select sum(cost_usd) as cost_usd from {{ source('marts', 'fct_agent_months') }}",
        encoding="utf-8",
    )
    tools = programs(folder, *DBT)

    assert "PASS=1 " in run([tools / "dbt", "build", "--profiles-dir", "."], folder, "dbt")
    same = (
        "import duckdb; con = duckdb.connect('ours.duckdb');"
        "con.execute(\"attach 'data/analytics.duckdb' as analytics (read_only)\");"
        "print(con.sql('select cost_usd = (select sum(cost_usd) from"
        " analytics.marts.fct_agent_months) from costs').fetchall())"
    )
    assert run([tools / "python", "-c", same], folder, "dbt's table") == "[(True,)]\n"


def test_evidence(folder: Path) -> None:
    """Evidence's connector, with the override of the page, answers the query of the page."""
    (folder / "package.json").write_text(recipe("Evidence", "json").code, encoding="utf-8")
    (folder / "read.mjs").write_text(EVIDENCE, encoding="utf-8")
    install: list[str | Path] = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
    run([*install, "@evidence-dev/duckdb"], folder, "npm cannot install @evidence-dev/duckdb")
    query = recipe("Evidence", "sql").code

    assert int(run(["node", "read.mjs", "analytics.duckdb", query], folder, "Evidence")) > 0
