"""The project folder in a batch: what works is published, what does not is a warning."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.batches import without_pages
from tests.cli.conftest import Command, FirstBatch, publish_again

COSTS = """\
-- Cost of an agent by its owner. Grain: owner.
-- key: owner
select teams.owner, sum(days.cost_usd)::decimal(38, 10) as cost_usd
from teams
join fct_agent_days as days on days.agent_slug glob teams.agent
group by all
"""
PROJECT = {
    "finance/teams.csv": "agent,owner\nbak*,Ada\n",
    "queries/marts/owner_costs.sql": COSTS,
    "queries/checks/owners_stay_cheap.sql": "-- No owner costs more than a dollar.\n"
    "from owner_costs where cost_usd > 1",
    "queries/adhoc/dear_owners.sql": "-- Who is expensive? By owner.\n"
    "select owner, cost_usd from owner_costs",
}
WRONG = {
    "queries/adhoc/busiest_hours.sql": "select 1",
    "queries/marts/broken.sql": "select nope\nfrom fct_runs",
}


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def rows(sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect("data/analytics.duckdb", read_only=True) as con:
        return con.execute(sql).fetchall()


def made_again() -> list[str]:
    """Build, check, report and publish; the lines of warnings."""
    return [line for line in publish_again().splitlines() if "warning: " in line]


@pytest.fixture(scope="module")
def project(first_batch: FirstBatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a published project, which tests only read; `told` is what a batch said."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(first_batch.data, folder / "data", symlinks=True)
    with pytest.MonkeyPatch.context() as patch, without_pages():
        patch.chdir(folder)
        write(PROJECT | WRONG)
        Path("told").write_text("\n".join(made_again()), encoding="utf-8")
    return folder


def test_a_projects_tables_are_published(
    project: Path, analytics: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marts, CSV files and results of checks are in the published file, and status names them.

    A file that is not right is a warning, and status says why.
    """
    monkeypatch.chdir(project)
    warnings = Path("told").read_text(encoding="utf-8").splitlines()

    assert rows("select owner, cost_usd::varchar from custom.owner_costs") == [
        ("Ada", "1.5000000000")
    ]
    check, mart = sorted(line.partition("warning: ")[2] for line in warnings)
    assert check == (
        "a check of your own failed: custom.owners_stay_cheap (1 row): owner Ada, cost_usd 1.5"
    )
    assert mart.startswith("not used: queries/marts/broken.sql:1: Binder Error")
    status = analytics("status")
    assert " checks failed: custom.owners_stay_cheap" in status.out
    assert "- queries/marts/broken.sql:1: Binder Error" in status.out
    shown = json.loads(analytics("status", "--json").out)["project_files"]
    assert "queries/marts/broken.sql" in {each["file"] for each in shown if each["error"]}


def test_a_question_is_asked_by_its_name(
    project: Path, analytics: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single word is the name of a question, ours or the project's; similar ones are proposed."""
    monkeypatch.chdir(project)
    asked = analytics("sql", "dear_owners", "--format", "csv")
    ours = analytics("sql", "busiest_hours", "--format", "csv")
    unknown = analytics("sql", "dear_owner")
    listed = analytics("sql", "--list")

    assert asked.out == "owner,cost_usd\nAda,1.5000000000\n"
    assert ours.out.startswith("hour_of_day,")
    assert unknown.code == 2
    assert unknown.err == (
        "error: There is no question named dear_owner: `analytics sql --list` shows all,"
        " `--tables NAME` a table.\n"
        "Did you mean dear_owners?\n"
    )
    assert "dear_owners" in listed.out
    assert "Who is expensive? (yours)" in listed.out
    assert "busiest_hours" in listed.out
    assert "not used: queries/adhoc/busiest_hours.sql: call it by another name" in listed.err


def test_a_check_of_ones_own_can_block(published: Command) -> None:
    """With `blocking: true` a failed check is exit 3; --force is of the API's checks only."""
    write(PROJECT)
    check = Path("queries/checks/owners_stay_cheap.sql")
    check.write_text("-- blocking: true\n" + check.read_text(encoding="utf-8"), encoding="utf-8")
    before = Path("data/analytics.duckdb").read_bytes()

    nightly = published("nightly", "--force")

    assert nightly.code == 3
    assert "Nothing was published: a check of your own failed" in nightly.err
    assert "custom.owners_stay_cheap (1 row): owner Ada" in nightly.err
    assert Path("data/analytics.duckdb").read_bytes() == before
