from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from analytics.report.files.manifest import MANIFEST
from analytics.report.site import build_site
from tests.report import marts
from tests.report.conftest import about
from tests.report.pages import Site

TODAY, LONG_AGO = date(2026, 3, 14), date(2025, 12, 1)


def _agents(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Two agents at work, and one that has not run for months."""
    marts.workspace(con)
    for number, day in enumerate((TODAY, TODAY - timedelta(days=1), LONG_AGO)):
        marts.agent(con, f"Agent {number}", agent_id=f"a-{number}")
        marts.run(con, day, agent_id=f"a-{number}")
    return con


def _next(folder: Path, name: str, con: duckdb.DuckDBPyConnection, **changes: object) -> Site:
    """The site of a connection, built beside the one in `folder`."""
    target = folder.with_name(name)
    target.mkdir()
    summary = build_site(con, target, about=about(**changes), published=folder)
    return Site(target, summary)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A site of those agents."""
    target = tmp_path / "before"
    target.mkdir()
    build_site(marts.derive(_agents(marts.empty())), target, about=about())
    return target


def _inode(site: Site | Path, agent_id: str) -> int:
    folder = site if isinstance(site, Path) else site.folder
    (page,) = (folder / "agents").glob(f"{agent_id}-*.html")
    return page.stat().st_ino


def test_a_page_that_nothing_changed_is_taken_over(before: Path) -> None:
    """The same marts rebuild no agent's page, and the site is the same to the byte."""
    again = _next(before, "again", marts.derive(_agents(marts.empty())))
    names = {file.relative_to(before) for file in before.rglob("*") if file.is_file()}

    assert again.summary.kept_count == 3
    assert again.summary.page_count == 7
    for name in names:
        assert (before / name).read_bytes() == (again.folder / name).read_bytes(), name


@pytest.mark.parametrize(
    "change",
    [
        "update marts.fct_runs set cost_usd = 0.2500000001 where agent_id = 'a-1'",
        "update marts.fct_runs set status = 'failed' where agent_id = 'a-1'",
        "update marts.dim_agents set agent_name = 'Renamed' where agent_id = 'a-1'",
        """insert into marts.fct_run_models (workspace_id, run_id, model)
        select workspace_id, run_id, 'm' from marts.fct_runs where agent_id = 'a-1'""",
        """insert into marts.fct_log_events (workspace_id, run_id, seq)
        select workspace_id, run_id, 1 from marts.fct_runs where agent_id = 'a-1'""",
        """insert into given.unlisted_days (workspace_id, agent_id, date, run_count)
        values ('ws', 'a-1', '2026-03-10', 1)""",
        """insert into marts.fct_model_days (workspace_id, agent_id, utc_date)
        values ('ws', 'a-1', '2026-03-10')""",
    ],
)
def test_a_page_of_which_anything_changed_is_made_anew(change: str, before: Path) -> None:
    """A run, its cost's last digit, a name, an event, an unlisted run or usage makes it anew."""
    con = _agents(marts.empty())
    con.execute(change)
    after = _next(before, "after", marts.derive(con))

    assert after.summary.kept_count == 2
    assert _inode(after, "a-1") != _inode(before, "a-1")
    assert _inode(after, "a-0") == _inode(before, "a-0")


def test_the_next_day_leaves_an_agent_at_rest_alone(before: Path) -> None:
    """The page of an agent that runs no more says since when, and does not move with the days."""
    con = marts.derive(_agents(marts.empty()))
    tomorrow = datetime(2026, 3, 15, 6, tzinfo=UTC)
    con.execute("update marts.dim_workspaces set last_batch_at = ?", [tomorrow])
    after = _next(before, "after", con, as_of=tomorrow)
    (resting,) = (page for page in after.agents if page.path.name.startswith("a-2"))

    assert after.summary.kept_count == 1
    assert "No run since 1 December 2025" in resting.root.text
    assert "resting" in resting.facts


def test_a_published_page_that_was_changed_is_not_trusted(before: Path) -> None:
    """A page or a data file that is not as it was written is made anew."""
    (page,) = (before / "agents").glob("a-0-*.html")
    page.write_text(page.read_text("utf-8").replace("$0.25", "$0.77"), "utf-8")
    (data,) = (before / "data").glob("a-1-*-runs.js")
    data.unlink()
    after = _next(before, "after", marts.derive(_agents(marts.empty())))

    assert after.summary.kept_count == 1
    assert "$0.77" not in after.agents[0].root.text


@pytest.mark.parametrize("text", ["", "[]", "{", '{"agents/x.html": 1}', json.dumps({"a": {}})])
def test_a_manifest_that_is_none_is_no_obstacle(text: str, before: Path) -> None:
    """Whatever stands in the manifest's place, the site is built, from the marts alone."""
    (before / MANIFEST).write_text(text, "utf-8")
    after = _next(before, "after", marts.derive(_agents(marts.empty())))

    assert after.summary.kept_count == 0
    assert after.summary.page_count == 7
