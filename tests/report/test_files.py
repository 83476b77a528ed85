"""Which files a site has, which of them a batch rewrites, and what they can hold."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from analytics.report.entities import Entity
from analytics.report.months import encoded
from analytics.report.packed import packed
from analytics.report.rendering import About
from analytics.report.site import build_site
from tests.report import shown
from tests.report.expected import Reports

Built = Callable[..., Path]
ABOUT = About(datetime(2026, 11, 25, 6, tzinfo=UTC), "0.1.0", "Europe/Berlin")


@pytest.fixture
def reports(published: Path) -> Reports:
    """The published tables, to be changed."""
    return Reports(published / "analytics.duckdb")


@pytest.fixture
def build(reports: Reports, tmp_path: Path) -> Built:
    """Builds a site of the tables as they are, after another one."""

    def build(name: str, published: Path | None = None) -> Path:
        target = tmp_path / name
        target.mkdir()
        build_site(reports.con, target, about=ABOUT, published=published)
        return target

    return build


def months(site: Path) -> dict[str, bytes]:
    """The data of all months, by address."""
    return {str(file.relative_to(site)): file.read_bytes() for file in site.glob("data/20*/*.js")}


def same(first: Path, second: Path) -> set[str]:
    """The months of which both sites have the same file."""
    return {name for name in months(second) if (first / name).samefile(second / name)}


def costliest(reports: Reports) -> Entity:
    """The most expensive agent of late."""
    return max(reports.entities.agents, key=lambda each: each.row["recent_cost_usd"] or 0)


def test_a_batch_rewrites_the_month_that_it_changed(reports: Reports, build: Built) -> None:
    """A change of one agent's last day writes this month of the agent and of its workspace."""
    before, agent = build("before"), costliest(reports)
    reports.con.execute(
        "update reports.rpt_days set cost_usd = cost_usd + 1 where agent_id = ? and date = ?",
        [agent.agent_id, agent.row["last_date"]],
    )
    after = build("after", before)

    workspace = reports.entities.by_key[agent.workspace_id, "(all)"]
    month = f"data/{agent.row['last_date']:%Y-%m}"
    changed = {f"{month}/{each.stem}.js" for each in (agent, workspace)}
    assert {*months(after)} - same(before, after) == changed
    assert months(after).keys() == months(before).keys()
    assert all(months(after)[name] != months(before)[name] for name in changed)


def test_a_day_without_new_data_changes_no_month(reports: Reports, build: Built) -> None:
    """Pages may say that a day has passed; the data of months do not."""
    before = build("before")
    reports.con.execute(
        "update reports.rpt_headlines set as_of = as_of + interval 1 day, today = today + 1"
    )

    assert same(before, build("after", before)) == months(before).keys()


def test_the_same_tables_make_the_same_site(build: Built) -> None:
    """Every file of a site that is built again is the same to the byte."""
    sites = [build("once"), build("twice")]
    files = [
        {file.relative_to(site): file.read_bytes() for file in site.rglob("*") if file.is_file()}
        for site in sites
    ]
    assert files[0] == files[1]


def test_a_damaged_file_is_not_taken_over(build: Built) -> None:
    """A published file that is not what was written is made anew."""
    before = build("before")
    name = next(iter(months(before)))
    whole = months(before)[name]
    (before / name).write_bytes(whole[:-9])
    after = build("after", before)

    assert months(after)[name] == whole
    assert {*months(after)} - same(before, after) == {name}


@pytest.mark.parametrize(
    "manifest",
    [
        "[" * 5_000,
        '{"x":' * 100_000,
        "null",
        '{"files": {"../x": "", "index.html": null}}',
        '{"inputs": {"../../x": "1", "\\ud800": "1"}, "files": {"../../x": "1"}}',
    ],
    ids=["deep list", "deep object", "null", "no digest", "other names"],
)
def test_any_manifest_makes_the_site_anew(build: Built, manifest: str) -> None:
    """A manifest that is not what was written takes over no file, and stops no batch."""
    before = build("before")
    (before / "manifest.json").write_text(manifest)
    after = build("after", before)

    assert months(after) == months(before)
    assert same(before, after) == set()


def test_what_is_no_file_is_not_taken_over(build: Built) -> None:
    """A link, a folder or a pipe in the place of a page is made anew, and none is waited for."""
    before = build("before")
    link, folder, pipe = sorted(months(before))[:3]
    whole = months(before)
    (before / link).rename(before / "elsewhere")
    (before / link).symlink_to(before / "elsewhere")
    (before / folder).unlink()
    (before / folder).mkdir()
    (before / pipe).unlink()
    os.mkfifo(before / pipe)
    after = build("after", before)

    assert months(after) == whole
    assert all((after / name).lstat().st_nlink == 1 for name in (link, folder, pipe))


def test_the_manifest_lists_every_file(published: Path) -> None:
    """Nothing but the manifest and the files in it lies in the site, each with its SHA-256."""
    site = published / "site"
    manifest = json.loads((site / "manifest.json").read_bytes())
    found = {
        str(file.relative_to(site)): sha256(file.read_bytes()).hexdigest()
        for file in site.rglob("*")
        if file.is_file()
    }
    assert manifest["files"] == {name: found[name] for name in found if name != "manifest.json"}
    kept = r"^agents/|/\d{4}-\d\d\.html$|/(month|statement)/.*\d{4}-\d\d\.js$"
    pages = {name for name in found if re.search(kept, name)}
    assert manifest["inputs"].keys() == months(site).keys() | pages


def test_the_page_of_an_agent_stays_while_it_says_the_same(reports: Reports, build: Built) -> None:
    """A later batch rewrites the pages of the agents whose figures it changed, and no other."""
    before, agent = build("before"), costliest(reports)
    reports.con.execute("update reports.rpt_headlines set as_of = as_of + interval 1 hour")
    reports.con.execute(
        "update reports.rpt_headlines set month_cost_usd = 7 where agent_id = ?", [agent.agent_id]
    )
    after = build("after", before)
    pages = {str(file.relative_to(after)) for file in after.glob("agents/*.html")}

    assert {each for each in pages if not (before / each).samefile(after / each)} == {agent.path}
    assert "$7.00" in (after / agent.path).read_text("utf-8")


def test_the_page_of_a_month_stays_while_it_says_the_same(reports: Reports, build: Built) -> None:
    """Late runs and new names rewrite the pages of the months that show them, and no other."""
    before, agent = build("before"), costliest(reports)
    reports.con.execute(
        "update reports.rpt_months set cost_usd = 7 where agent_id = ? and month = ?",
        [agent.agent_id, agent.row["last_date"].replace(day=1)],
    )
    after, month = build("after", before), f"{agent.row['last_date']:%Y-%m}.html"
    pages = {file.relative_to(after) for file in after.glob("workspaces/*/20*.html")}
    workspace = reports.entities.by_key[agent.workspace_id, "(all)"]
    changed = {each for each in pages if not (before / each).samefile(after / each)}
    assert changed == {Path(workspace.path.removesuffix(".html"), month)}

    reports.con.execute(
        "update reports.rpt_headlines set agent_name = 'New' where agent_id = ?", [agent.agent_id]
    )
    renamed = build("renamed", after)
    shown = {each for each in pages if "New" in (renamed / each).read_text("utf-8")}
    assert shown
    assert shown == {each for each in pages if not (after / each).samefile(renamed / each)}


def test_the_chart_of_a_month_stays_with_its_page(build: Built) -> None:
    """The rows of a month's chart are taken over; of one that was damaged, those rows alone."""
    before = build("before")
    charts = sorted(each.relative_to(before) for each in before.glob("data/month/*-20*.js"))
    first = charts[0]
    whole = (before / first).read_bytes()
    (before / first).write_bytes(whole[:-9])
    after = build("after", before)

    assert (after / first).read_bytes() == whole
    assert [each for each in charts if not (before / each).samefile(after / each)] == [first]


def test_any_money_and_no_money_survive_packing(tmp_path: Path) -> None:
    """A number that a script would round is a text; null is null, and texts are as they were."""
    large = Decimal(2**53 + 1).scaleb(-10)
    texts = ["a", '"\\\n\u2028\ue000\ud7ff🍞', None]
    frame = pl.DataFrame(
        {"cost_usd": [large, -large, None], "name": texts, "n": [1, None, 2**40]},
        schema={"cost_usd": pl.Decimal(38, 10), "name": pl.String, "n": pl.Int64},
    )
    file = tmp_path / "data" / "x.js"
    file.parent.mkdir()
    file.write_bytes(packed(encoded(frame)))

    assert shown.unpacked(file) == {
        "cost_usd": [str(2**53 + 1), str(-(2**53) - 1), None],
        "name": {"keys": texts},
        "n": [1, None, 2**40],
    }
