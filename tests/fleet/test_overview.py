"""The overview of a fleet: its sums, what failed, and its ranking, on paper, phone and screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from analytics.fleet.overview import write_overview
from analytics.format import numbers
from analytics.report.rendering import About
from tests.report.browser import Reader
from tests.report.pages import Page as Written

TODAY = datetime(2026, 11, 20, 6, tzinfo=UTC)
ABOUT = About(TODAY, "0.1.0", "UTC", ["the tables are older"])
HOSTILE = "<script>alert(1)</script> & \u202etxt.exe"
COUNT = 123

_TABLES = """
    create schema reports; create schema fleet;
    create table fleet.shards (workspace_id varchar, shard varchar, page varchar,
        ended_at timestamptz, exit_code integer, message varchar);
    create table reports.rpt_workspace_health
        (workspace_id varchar, last_batch_at timestamptz, last_complete_date date);"""
_HEADLINES = """
    select $id::varchar as workspace_id, '(all)' as agent_id, $name::varchar as workspace_name,
        $today::date as today, $today::date - 1 as yesterday,
        date_trunc('month', $today::date)::date as month,
        ($cost::decimal(38, 10) / 10)::decimal(38, 10) as yesterday_cost_usd,
        5 as yesterday_run_count, ($cost::decimal(38, 10) / 2)::decimal(38, 10) as month_cost_usd,
        50 as month_run_count, $cost::decimal(38, 10) as recent_cost_usd,
        if($name = 'New', null, recent_cost_usd - 1) as previous_cost_usd,
        100 as recent_run_count, 7 as recent_failed_count, 90 as recent_finished_count,
        10 as recent_unlisted_run_count, 0 as recent_unknown_cost_count,
        (recent_cost_usd / 20)::decimal(38, 10) as recent_failed_cost_usd,
        1::decimal(38, 10) as recent_failed_cost_more_usd, 0 as recent_failed_cost_open_count"""


class Fleet:
    """What the shards published, in memory."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.con.execute(_TABLES)
        nobody = dict.fromkeys(("id", "name", "today", "cost"))
        self.con.execute(f"create table reports.rpt_headlines as {_HEADLINES} limit 0", nobody)

    def add(
        self,
        workspace_id: str | None,
        name: str = "",
        cost: Decimal | None = None,
        *,
        exit_code: int = 0,
        message: str | None = None,
        shard: str = "",
        today: str = "2026-11-20",
        is_published: bool = True,
    ) -> None:
        shard = shard or f"shard-{workspace_id}"
        page = f"shards/{shard}/workspaces/{workspace_id}.html"
        self.con.execute(
            "insert into fleet.shards values (?, ?, ?, ?, ?, ?)",
            [workspace_id, shard, page, TODAY, exit_code, message],
        )
        if not is_published:
            return
        row = {"id": workspace_id, "name": name, "today": today, "cost": cost}
        self.con.execute(f"insert into reports.rpt_headlines {_HEADLINES}", row)
        self.con.execute(
            "insert into reports.rpt_workspace_health values (?, ?::timestamptz, ?::date - 1)",
            [workspace_id, f"{today} 06:00:00+00", today],
        )

    def site(self, folder: Path) -> Site:
        folder.mkdir(exist_ok=True)
        write_overview(self.con, folder, about=ABOUT)
        return Site(folder)


@dataclass
class Site:
    folder: Path

    @property
    def index(self) -> Written:
        return Written(self.folder / "index.html")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A fleet of many: a hostile name, a failed batch, one behind, and one never published."""
    fleet = Fleet()
    for number in range(1, COUNT - 3):
        fleet.add(f"id-{number:03}", f"Team {number:03}", Decimal(f"{number}.0000000001"))
    fleet.add("hostile", HOSTILE, Decimal("500.125"))
    fleet.add("late", "Late", Decimal("70.5"), today="2026-11-18")
    fleet.add("broken", "Broken", Decimal("60.5"), exit_code=1, message=f"no answer {HOSTILE}")
    fleet.add(None, exit_code=2, message="KEY is not set", shard="new", is_published=False)
    return fleet.site(tmp_path_factory.mktemp("fleet") / "site")


def test_what_is_not_up_to_date_stands_first(site: Site) -> None:
    """Failed, unpublished and late shards need a person: with message, workspace and cut-off."""
    needs, ranking, *_ = site.index.root.all("section")
    broken, *lines = [line.text for line in needs.all("span", **{"class": "line"})]

    assert broken.startswith("act now\nshard-broken failed: no answer <script>")
    assert broken.endswith(" Broken, figures to 2026-11-20 06:00 UTC")
    assert lines == [
        "act now\nnew failed: KEY is not set",
        "act now\nshard-late behind Late, figures to 2026-11-18 06:00 UTC",
        "the tables are older",
    ]
    assert [each.attributes["href"] for each in needs.all("a")] == [
        "shards/shard-broken/workspaces/broken.html", "#ranking",
        "shards/shard-late/workspaces/late.html",
    ]  # fmt: skip
    assert ranking.all("h2", id="ranking")
    assert site.index.root.all("p", **{"class": "as-of"})[0].text == (
        f"Data to 2026-11-20 06:00 UTC · 3 of {COUNT} workspaces not up to date"
        " · 2 failed · 1 behind"
    )


def test_totals_are_sums_that_say_what_is_missing(site: Site) -> None:
    """Sums are exact; a workspace whose figure is unknown, or of an earlier day, stands beside."""
    teams = sum(Decimal(f"{number}.0000000001") for number in range(1, COUNT - 3))
    known = teams + Decimal("500.125") + Decimal("60.5")
    shown = site.index.headlines

    assert shown["November to date"][0] == numbers.usd_headline((known + Decimal("70.5")) / 2)
    assert "1 workspace of unknown cost not in it" in shown["November to date"]
    assert shown["28 days"][0] == numbers.usd_headline(known)
    assert "2 workspaces of unknown cost not in it" in shown["28 days"]
    assert shown["Yesterday"][0] == numbers.usd_headline(known / 10)
    assert "2 workspaces of unknown cost not in it" in shown["Yesterday"]
    assert shown["Failure rate"][0] == numbers.percent(7, 90)
    assert shown["Unlisted runs"][0] == "10.0%"


def test_a_workspace_that_a_sum_lacks_is_counted_beside_it(tmp_path: Path) -> None:
    """One that ends on an earlier day, or whose runs have unknown outcomes, is in no sum.

    A change is of the workspaces that have both periods.
    """
    fleet = Fleet()
    fleet.add("new", "New", Decimal(10))
    fleet.add("old", "Old", Decimal(99), today="2026-10-31")
    fleet.add("refused", "Refused", Decimal(5))
    fleet.con.execute(
        "update reports.rpt_headlines set recent_failed_count = 90, recent_finished_count = null"
        " where workspace_id = 'refused'"
    )
    made = fleet.site(tmp_path / "site").index

    cost = made.headlines["28 days"]
    assert cost[:2] == ["$15.00", "+25% against the 28 days before"]
    assert {"1 workspace of unknown cost not in it", "2 workspaces not in the change"} <= {*cost}
    assert made.table("workspaces-table")[3][:2] == ["Old", numbers.UNKNOWN]
    assert made.headlines["Failure rate"][0] == numbers.percent(7, 90)
    assert "2 workspaces not in it" in made.headlines["Failure rate"]


def test_a_fleet_without_a_publication_has_a_page(tmp_path: Path) -> None:
    """Where no shard ever published, sums are unknown, and each shard is named."""
    fleet = Fleet()
    for number in range(12):
        fleet.add(f"w{number}", is_published=False)
    made = fleet.site(tmp_path / "site").index
    (more, *_) = made.root.all("section")[0].all("details")

    assert made.headlines["28 days"][0] == numbers.UNKNOWN
    assert more.all("summary")[0].text == "2 more"
    assert [each.text for each in more.all("span", **{"class": "line"})] == [
        f"act now\nshard-w{number} never published w{number}" for number in (8, 9)
    ]
    assert not any("shards/" in each.attributes["href"] for each in made.root.all("a"))


def test_names_are_inert(site: Site) -> None:
    """A name or a message is never markup, and marks of writing direction show as code points."""
    assert "alert(1)</script>" not in site.index.source
    assert "\u202e" not in site.index.source
    assert any("⟨U+202E⟩" in each.text for each in site.index.root.all("bdi"))


def test_the_menu_finds_workspaces(site: Site, reader: Reader) -> None:
    """The menu leads to the page of each workspace that has one, in its shard."""
    shown = reader.open(site.folder / "index.html")
    shown.get_by_role("button", name="Menu").click()
    shown.keyboard.type("TEAM 015")
    found = shown.locator("#menu li:not([hidden]) a")

    assert found.all_inner_texts() == ["Team 015"]
    assert found.get_attribute("href") == "shards/shard-id-015/workspaces/id-015.html"


def test_the_whole_ranking_is_sorted(site: Site, reader: Reader) -> None:
    """A column sorts all workspaces by exact values, as a download has them; the unknown last."""
    shown = reader.open(site.folder / "index.html")
    names = shown.locator("#workspaces-table tbody th")
    cost = shown.locator("#workspaces-table thead th").nth(1).get_by_role("button")
    written = names.all_inner_texts()
    cost.click()
    assert names.all_inner_texts() == written
    cost.click()
    assert names.all_inner_texts()[:2] == ["Team 001", "Team 002"]
    assert sorted(names.all_inner_texts()[-2:]) == ["Late", "new"]
    assert len(written) == COUNT
    with shown.expect_download() as download:
        shown.locator("button.csv").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    assert text.splitlines()[1].startswith("Team 001,1.0000000001,1.0000000000,100,")
    assert len(text.splitlines()) == COUNT + 1
