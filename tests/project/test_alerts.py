"""Alerts of a project: rows of queries are findings, with an identity that lasts."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.bounded.runner import Runner
from analytics.project.build import Finding, run_alert, write_tables
from analytics.project.files import FoundFile
from analytics.project.project import read_project

COSTS = """\
-- Expensive days
-- severity: failure
select agent_id, date, cost_usd from fct_agent_days where cost_usd > 2 order by date
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of no tables of the user."""
    file = tmp_path_factory.mktemp("own") / "own.duckdb"
    write_tables(file, {})
    return file


@pytest.fixture
def alert(tmp_path: Path, database: Path, own: Path, runner: Runner):
    """Ask one alert; its file as it was found, and its findings."""

    def ask(sql: str, name: str = "costs") -> tuple[FoundFile, list[Finding]]:
        file = tmp_path / f"queries/alerts/{name}.sql"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(sql, encoding="utf-8")
        project = read_project(runner, tmp_path, (), ("alert",))
        assert project.refused == []
        file.unlink()
        return run_alert(runner, database, own, *project.of("alert"))

    return ask


def test_rows_are_findings(alert) -> None:
    """A row is a finding, in the order of the query; money has all digits but no idle zeros.

    What is unknown is left out.
    """
    file, findings = alert(COSTS)

    assert (file.status, file.row_count, file.error) == ("asked", 2, None)
    assert [each.text for each in findings] == [
        "agent_id: a2, date: 2026-11-03, cost_usd: 2.20",
        "agent_id: a3, date: 2026-11-04, cost_usd: 3.30",
    ]
    assert {(each.title, each.severity, each.count) for each in findings} == {
        ("Expensive days", "failure", 2)
    }
    _, plain = alert("select 0.0000000001::decimal(18, 10) as cost_usd, null as owner")
    assert plain[0].text == "cost_usd: 0.0000000001"
    assert alert("select null as owner")[1][0].text == "nothing known"
    assert (plain[0].title, plain[0].severity) == ("costs", "warning")


def test_a_key_says_what_is_the_same(alert) -> None:
    """The columns of `key` make a finding the same one, else all; and so does its alert."""
    key = "-- key: agent_id\n"
    _, ((first),) = alert("select 'a' as agent_id, 1 as n")
    _, ((other),) = alert("select 'a' as agent_id, 2 as n")
    _, ((keyed),) = alert(f"{key}select 'a' as agent_id, 1 as n")
    _, twice = alert(f"{key}select 'a' as agent_id, n from range(2, 4) as numbers (n)")
    _, ((elsewhere),) = alert(f"{key}select 'a' as agent_id, 1 as n", name="fails")

    assert first.id != other.id
    assert [(each.id, each.count) for each in twice] == [(keyed.id, 1)]
    assert keyed.id not in (first.id, elsewhere.id)


SECONDS = "select timestamptz '2026-11-20 05:00Z' + to_milliseconds(n) as at from range(2) as t (n)"
PLACES = """-- key: Place, row
select if(n < 150, 'A', 'B') as place, 1 as row, n from range(151) as numbers (n) order by n desc
"""


@pytest.mark.parametrize(
    ("sql", "count", "texts"),
    [
        (PLACES, 2, ["place: B, row: 1, n: 150", "place: A, row: 1, n: 149"]),
        (SECONDS, 2, ["at: 2026-11-20T05:00:00Z", "at: 2026-11-20T05:00:00.001Z"]),
        (
            "select n from range(900) as numbers (n) order by n desc",
            900,
            [f"n: {n}" for n in range(899, 799, -1)],
        ),
        (
            "select E'a\\nb\\x1b[31m' as name, repeat('x', 5000) as text",
            1,
            ["name: a\\nb\\x1b[31m, text: " + "x" * 199 + "…"],
        ),
    ],
    ids=["one of each key, in any case", "whole values", "the first hundred", "a visible line"],
)
def test_findings_are_few_and_short(alert, sql: str, count: int, texts: list[str]) -> None:
    """Rows of one key are one finding before they are limited, and values are told apart whole.

    Of many findings a hundred are kept, and all are counted; each is a visible line.
    """
    file, findings = alert(sql)

    assert file.row_count == count
    assert [each.text for each in findings] == texts
    assert {each.count for each in findings} == {count}


def test_an_alert_that_is_not_right_is_an_error(alert) -> None:
    """An error names the file, and no finding is there."""
    for sql, error in (
        ("-- key: nope\nselect 1 as n", 'costs.sql: Binder Error: Could not find key "nope"'),
        ("select nope\nfrom fct_agent_days", "costs.sql:1: Binder Error"),
    ):
        file, findings = alert(sql)
        assert (file.status, file.row_count, findings) == ("error", None, [])
        assert error in (file.error or "")
