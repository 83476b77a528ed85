"""Bad pages of one's own spoil only themselves, and their queries share a bounded time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from analytics.bounded.limits import Limits
from analytics.bounded.runner import Answer, Runner, UserQuery
from analytics.project.pages import AnsweredPage, Chart, UserPage, answer_pages
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

    def run(self, _: Path, query: UserQuery, *, seconds: float) -> Answer:
        self.asked.append(query.name)
        needed = float(query.sql)
        error = replace(self.limits, seconds=seconds).too_slow if needed > seconds else None
        return Answer(query, error=error, seconds=min(needed, seconds))


def timed(pages: dict[str, list[float]], seconds: float) -> tuple[list[AnsweredPage], list[str]]:
    """Answer pages of charts that take so many seconds; return the queries asked, too."""
    made = []
    for name, charts in pages.items():
        queries = [UserQuery(name, f"{name}-{n}", str(each)) for n, each in enumerate(charts, 1)]
        drawn = tuple(Chart("", 1, query) for query in queries)
        made.append(UserPage(name, name, "Group", name, drawn))
    runner = _Timed(seconds)
    return list(answer_pages(cast("Runner", runner), Path(), made)), runner.asked


def errors(answered: list[AnsweredPage]) -> dict[str, list[str | None]]:
    return {each.page.name: [answer.error for answer in each.answers] for each in answered}


def test_a_slow_page_takes_no_time_of_others() -> None:
    """Each page has its share; of what is left of all, slow ones have the limit of a query each."""
    answered, _ = timed({f"p{n:02}": [50.0 if n < 50 else 0.1] * 2 for n in range(100)}, 60)
    found = errors(answered)
    slow, fast = ([f"p{n:02}" for n in range(first, first + 50)] for first in (0, 50))

    assert [*found] == fast + slow
    assert all(found[name] == [None, None] for name in fast)
    late = "p00:1: it has no time left: queries of pages have 600 s together, of which each page"
    assert (found["p00"][0], str(found["p00"][1])[: len(late)]) == (None, late)
    assert all(map(all, (found[name] for name in slow[10:])))


def test_a_query_that_was_stopped_goes_on_when_all_others_have_run() -> None:
    """A page waits from its first query that needs more than its share, and keeps the answers."""
    answered, asked = timed({"slow": [1.0, 40.0, 20.0], **{f"p{n}": [1.0] for n in range(99)}}, 60)

    assert asked[:4] == ["slow-1", "slow-2", "p0-1", "p1-1"]
    assert asked[-2:] == ["slow-2", "slow-3"]
    assert [*errors(answered)][-1] == "slow"
    assert {error for page in errors(answered).values() for error in page} == {None}


def test_a_query_has_no_more_than_its_own_limit() -> None:
    """One that needs more is an answer with that error, and the next of its page is run."""
    answered, _ = timed({"p0": [900.0, 1.0], "p1": [1.0]}, 60)

    assert errors(answered) == {"p0": [Limits(seconds=60).too_slow, None], "p1": [None]}
