"""Bad pages of one's own spoil only themselves, and their queries share a bounded time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from analytics.project import page_answers
from analytics.project.page_answers import AnsweredPage, answer_pages
from analytics.project.pages import Chart, UserPage
from analytics.project.runner import Answer, Runner, UserQuery
from analytics.warehouse.confined import Limits
from tests.project.own import make_pages

GOOD = """
-- page: Group {group} / Page {number}
-- chart: column, x date, y cost_usd
select date, agent_id, workspace_id, cost_usd from fct_agent_days where {number} = {number};
select {number} as one
"""
BAD = (
    "select 1; with recursive /* endless */ r as (select 1 union all from r) select sum(1) from r",
    "select repeat('x', 1000000) as x from range(1000)",
    "copy (select 1) to '/tmp/never.csv'",
    "select nope from fct_agent_days",
    "-- chart: pie\nselect 1",
    "-- chart: bar, x a, y b\nselect 1 as a",
    "-- page: </script><script>alert(1)</script> / \u202e\nselect '</script>' as x, =cmd()",
    "",
)


def files(site: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(site)): file.read_bytes() for file in site.rglob("*") if file.is_file()
    }


@pytest.mark.usefixtures("little_time", "little_memory")
def test_bad_pages_spoil_only_themselves(marts: Path, tmp_path: Path) -> None:
    """Each has a notice and a line; all other files but the menu's are the same bytes."""
    pages = {f"good_{n}": GOOD.format(group=n % 2, number=n) for n in range(2)}
    assert make_pages(marts, tmp_path / "good", pages).problems == ()
    bad = {f"a_bad_{number:02}": text for number, text in enumerate(BAD)}
    summary = make_pages(marts, tmp_path / "every", pages | bad)
    good, every = files(tmp_path / "good"), files(tmp_path / "every")

    assert {name for name in good if every[name] != good[name]} == {"manifest.json", "data/site.js"}
    made = {name for name in every.keys() - good.keys() if name.endswith(".html")}
    assert made == {f"own/{name}.html" for name in bad}
    assert all(b'class="notice"' in every[name] for name in made)
    assert {each.split(":")[0] for each in summary.problems} == {
        f"reports/pages/{name}.sql" for name in bad
    }


class _Timed:
    """Answers at once; a query says as its SQL how many seconds it takes."""

    def __init__(self, seconds: float) -> None:
        self.limits = Limits(seconds=seconds)
        self.asked: list[str] = []

    def show(self, _: Path, query: UserQuery, seconds: float) -> Answer:
        self.asked.append(query.name)
        is_slow, error = float(query.sql) > seconds, replace(self.limits, seconds=seconds).too_slow
        return Answer(query, None, (), error if is_slow else None, min(float(query.sql), seconds))


def timed(pages: dict[str, list[float]], seconds: float) -> tuple[list[AnsweredPage], list[str]]:
    """Answer pages of charts that take so many seconds; return the queries asked, too."""
    made = []
    for name, charts in pages.items():
        queries = [UserQuery(name, f"{name}-{n}", str(each)) for n, each in enumerate(charts, 1)]
        drawn = tuple(Chart("", 1, query) for query in queries)
        made.append(UserPage(name, name, "Group", name, drawn))
    runner = _Timed(seconds)
    return list(answer_pages(cast("Runner", runner), Path(), made)), runner.asked


def test_slow_queries_wait_for_all_others_and_share_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A slow page takes no time of others; when the time of slow ones is over, they say so."""
    monkeypatch.setattr(page_answers, "_SLOW_TOGETHER", 1)
    answered, _ = timed({"p0": [0.1, 900], "p1": [900], "p2": [0.1], "p3": [900]}, 60)

    errors = {each.page.name: [answer.error for answer in each.answers] for each in answered}
    assert [*errors] == ["p2", "p0", "p1", "p3"]
    too_slow = Limits(seconds=60).too_slow
    assert (errors["p2"], errors["p0"]) == ([None], [None, too_slow])
    late = "p3:1: it was not run: slow queries of pages took 60 s together"
    assert str(errors["p3"][0]).startswith(late)


def test_queries_that_are_just_fast_enough_share_a_time() -> None:
    """When the first round took ten times the limit of one query, the others are left out."""
    answered, asked = timed({f"p{n:03}": [5.0] * 20 for n in range(500)}, 60)

    errors = [answer.error for page in answered for answer in page.answers]
    assert (len(answered), len(asked), errors[:120]) == (500, 120, [None] * 120)
    late = "p006:1: it was not run: queries of pages took 600 s together; make them faster, or"
    assert str(errors[120]).startswith(late)
    assert all(errors[120:])


def test_a_page_waits_from_its_first_slow_query() -> None:
    """A slow page takes its first slow query's time from others, and is run again as a whole."""
    answered, asked = timed({"slow": [1.0, 20.0, 20.0], "fast": [5.0]}, 60)

    assert asked == ["slow-1", "slow-2", "fast-1", "slow-1", "slow-2", "slow-3"]
    assert [each.page.name for each in answered] == ["fast", "slow"]
    assert [answer.error for each in answered for answer in each.answers] == [None] * 4
