"""Tables and checks of a project in the build file; a file that is not right is left out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.batch import stages
from analytics.batch.batch import Batch
from analytics.batch.progress import Progress
from analytics.bounded.limits import Limits
from analytics.project.build import Built, build_custom, check_project
from analytics.query.pages import page_problems
from analytics.settings import load_settings
from analytics.transform.build import build
from analytics.transform.checks import run_checks
from analytics.warehouse.database import attached_marts, open_marts, open_warehouse
from analytics.warehouse.layout import Layout

LIMITS = Limits(seconds=60, memory="100MB", rows=None)
OWNERS = """\
workspace,agent,cost_center,monthly_usd
w-1,a-1,0042,10.5
w-1,a-2,0042,20.25
"""
BY_CENTER = """\
-- Money of a cost centre. Grain: cost centre.
-- key: cost_center
-- column monthly_usd: Money in US dollars of a month.
select cost_center, sum(monthly_usd)::decimal(38, 10) as monthly_usd from owners group by all;
-- Sums of numbers.
"""


@dataclass(frozen=True)
class Data:
    """A build file of no runs, and the warehouse that it was built from."""

    con: duckdb.DuckDBPyConnection
    layout: Layout

    def build(self, project: Path, limits: Limits = LIMITS) -> Built:
        return build_custom(self.con, self.layout.marts, project, limits)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with open_marts(self.layout.marts) as con:
            return con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Data]:
    """One build for all tests, each of which replaces the user's tables."""
    layout = Layout(tmp_path_factory.mktemp("data"))
    with open_warehouse(layout) as con:
        with attached_marts(con, layout.marts):
            build(con, timezone="UTC")
            run_checks(con)
        yield Data(con, layout)


def write(project: Path, files: dict[str, str]) -> Path:
    """Write the files of a project, each into its folder."""
    folders = {"csv": "finance", "mart": "queries/marts", "check": "queries/checks"}
    folders |= {"adhoc": "queries/adhoc", "alert": "queries/alerts", "page": "reports/pages"}
    for each, text in files.items():
        kind, _, name = each.partition(" ")
        path = project / folders[kind] / f"{name}.{'csv' if kind == 'csv' else 'sql'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return project


Builds = Callable[[dict[str, str]], Built]


@pytest.fixture
def build_of(data: Data, tmp_path: Path) -> Builds:
    """Build a project of files by kind and name; those of an earlier build of the test stay."""
    return lambda files: data.build(write(tmp_path, files))


def states(built: Built) -> dict[str, str]:
    return {Path(file.file).stem: file.status for file in built.files}


def test_a_project_becomes_tables(data: Data, build_of: Builds) -> None:
    """CSV files and marts are tables of schema custom, with their comments; numbers stay exact.

    Marts are built after those that they read, with schema or without, whatever their names.
    """
    built = build_of(
        {
            "csv owners": OWNERS,
            "mart by_center": BY_CENTER,
            "mart a": "select n + 1 as n from b",
            "mart b": "select n + 1 as n from custom.c",
            "mart c": "with d as (select 1 as n) from d",
            "mart d": "select * from a, audit.loads",
        }
    )

    assert states(built) == dict.fromkeys(("owners", "a", "b", "by_center", "c", "d"), "built")
    assert data.rows("select cost_center, monthly_usd::varchar from custom.by_center") == [
        ("0042", "30.7500000000")
    ]
    assert data.rows("from custom.a") == [(3,)]
    assert data.rows(
        "select t.comment, c.comment from duckdb_tables() as t join duckdb_columns() as c"
        " using (table_name) where table_name = 'by_center' and column_name = 'monthly_usd'"
    ) == [("Money of a cost centre. Grain: cost centre.", "Money in US dollars of a month.")]
    assert data.rows(
        "select kind, file, status, row_count, error from audit.project_files"
        " where name in ('owners', 'by_center') order by file"
    ) == [
        ("finance", "finance/owners.csv", "built", 2, None),
        ("mart", "queries/marts/by_center.sql", "built", 1, None),
    ]
    assert data.rows(
        "select is_ok from audit.check_results where check_name = 'custom.by_center_key_is_unique'"
    ) == [(True,)]


BROKEN = {
    "mart broken": (
        "-- A mart.\nselect nope\nfrom fct_runs",
        'Binder Error: Referenced column "nope" not found',
    ),
    "mart behind": ("from broken", "it reads broken, which could not be built"),
    "mart circle_a": ("from circle_b", "it and others read each other: circle_a, circle_b"),
    "mart circle_b": ("from circle_a", "it and others read each other: circle_a, circle_b"),
    "mart own": ("from own", "Catalog Error: Table with name own does not exist!"),
    "mart endless": (
        "select /* endless */ count(*) as n from range(10000000000000)", "it was stopped after",
    ),
    "mart fct_runs": ("select 1 as n", "call it by another name: this one is taken"),
    "mart copy": (
        "-- A mart.\n-- key: a from marts.x; copy (select 1) to 'made'; --\nselect 1 as a",
        "in its line `",
    ),
    "mart ref": ("-- A mart.\n-- ref a: fct_runs; drop table x\nselect 1 as a", "in its line `"),
}  # fmt: skip


@pytest.mark.usefixtures("little_time")
def test_a_broken_mart_costs_only_what_reads_it(
    data: Data, build_of: Builds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is named with its cause; the others are built, and no file on the way is left.

    A header holds names alone: SQL in place of one is refused before any of it is used.
    """
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = {*data.layout.root.iterdir()}
    built = build_of(
        {
            "csv owners": "cost_center,monthly_usd\n1,x\n",
            "mart fine": "select 1 as n",
            **{name: text for name, (text, _) in BROKEN.items()},
        }
    )

    assert [name for name, state in states(built).items() if state == "built"] == ["fine"]
    causes = {Path(each.file).stem: str(each.error) for each in built.files}
    assert "monthly_usd `x` is no amount" in causes["owners"]
    told = {name.split()[1]: cause for name, (_, cause) in BROKEN.items()}
    assert {name: cause for name, cause in told.items() if cause not in causes[name]} == {}
    ((error,),) = data.rows("select error from audit.project_files where name = 'broken'")
    assert error.startswith("queries/marts/broken.sql:2: Binder Error: Referenced column")
    assert not list(scratch.iterdir())
    assert {*data.layout.root.iterdir()} == before


def test_checks_are_results_beside_ours(data: Data, build_of: Builds) -> None:
    """A failed check has its rows; one that cannot run has its error; neither blocks by itself.

    Only rows block, where the header says so; a line that is nearly so is refused, not passed over.
    """
    long = ", ".join(f"repeat('x', 10000) as c{number}" for number in range(100))
    blocking = "-- Claim.\n-- blocking: true\n"
    built = build_of(
        {
            "csv owners": OWNERS,
            "check cheap": "-- No agent may cost more than 15 dollars a month.\n"
            "select agent, monthly_usd from owners where monthly_usd > 15",
            "check fine": "-- All is well.\nselect 1 where false;",
            "check broken": "select nope",
            "check long": f"select {long}, [1] as l",
            "check a": f"{blocking}select 1 as n",
            "check b": f"{blocking}select nope",
            "check c": f"{blocking}select 1 where false",
            "check d": "-- Claim.\n-- blocking: yes\nselect 1 as n",
            "check e": "\n-- Claim.\n-- Blocking: true\nselect 1 as n",
            "check f": "-- Claim.\n-- blocks = true\nselect 1 as n",
            "check g": f"{blocking}select 1 as n;\n-- the end\n",
        }
    )

    assert states(built) == {
        "owners": "built", "a": "failed", "b": "error", "broken": "error", "c": "passed",
        "cheap": "failed", "d": "error", "e": "failed", "f": "error", "fine": "passed",
        "g": "failed", "long": "failed",
    }  # fmt: skip
    assert [each.name for each in built.checks if each.blocking_count] == [
        "custom.a", "custom.e", "custom.g",
    ]  # fmt: skip
    assert max(len(each.finding) for each in built.checks) < 5_000
    assert data.rows(
        "select check_name, claim, violation_count, is_ok, is_blocking, finding"
        " from audit.check_results where check_name in ('custom.cheap', 'custom.fine') order by 1"
    ) == [
        (
            "custom.cheap", "No agent may cost more than 15 dollars a month.", 1, False, False,
            "custom.cheap (1 row): agent a-2, monthly_usd 20.25",
        ),
        ("custom.fine", "All is well.", 0, True, False, None),
    ]  # fmt: skip


def test_a_build_knows_nothing_of_the_one_before(
    data: Data, build_of: Builds, tmp_path: Path
) -> None:
    """Tables, results and files that are gone from the project are gone, and no query finds them.

    A table is named without its database, also in an error: with it, it is that of before.
    """
    build_of(
        {
            "csv owners": OWNERS,
            "mart one": "select 1 as n",
            "mart two": f"select n from {data.layout.marts.stem}.custom.one",
            "check gone": "select 1 as n",
            "check three": "select agent from custom.owners",
        }
    )
    for name in ("finance/owners.csv", "queries/checks/gone.sql"):
        (tmp_path / name).unlink()

    built = build_of({})

    assert states(built) == {"one": "built", "two": "error", "three": "error"}
    assert built.checks[0].error == (
        "queries/checks/three.sql:1: Catalog Error: Table with name owners does not exist!"
    )
    names = data.rows("select table_name from duckdb_tables() where schema_name = 'custom'")
    assert names == [("one",)]
    files = data.rows("select name from audit.project_files where kind <> 'rules' order by 1")
    assert files == [("one",), ("three",), ("two",)]
    checks = "select check_name from audit.check_results where starts_with(check_name, 'custom.')"
    assert data.rows(checks) == [("custom.three",)]


def test_headers_of_marts_declare_checks(build_of: Builds) -> None:
    """Keys, references, values and nulls are checked, in columns of any name, and warn."""
    built = build_of(
        {
            "mart lines": """\
-- Lines. Grain: agent.
-- key: workspace_id, agent_id, order
-- ref agent_id: dim_agents
-- ref group: fct_nowhere
-- values group: it's, plain
-- not_null: agent_id, is_late
select 'w' as workspace_id, 'a' as agent_id, 1 as "order",
    unnest(['it''s', 'odd']) as "group", null::boolean as is_late
""",
            "mart a": "-- A mart.\n-- key: n\nselect 1 as n",
            "check a_key_is_unique": "-- A claim under a name that is taken.\nselect 1 as n",
        }
    )

    assert states(built) == {"a": "built", "lines": "built", "a_key_is_unique": "error"}
    assert [each.ok for each in built.checks if each.name == "custom.a_key_is_unique"] == [True]
    findings = {
        each.name.removeprefix("custom.lines_"): each.finding
        for each in built.checks
        if each.name.startswith("custom.lines_")
    }
    assert {name: finding.partition("): ")[2] for name, finding in findings.items()} == {
        "key_is_unique": "workspace_id w, agent_id a, order 1, row_count 2",
        "agent_id_is_in_dim_agents": "workspace_id w, agent_id a, row_count 2",
        "group_is_known": "group odd, row_count 1",
        "has_no_null": "agent_id a, is_late None, row_count 2",
        "group_is_in_fct_nowhere": "",
    }
    cannot = "cannot be run: queries/marts/lines.sql:1: Catalog Error: Table with name fct_nowhere"
    assert cannot in findings["group_is_in_fct_nowhere"]


def test_a_project_is_validated_without_a_batch(data: Data, tmp_path: Path) -> None:
    """Each problem is a line; columns are those of the published file, and nothing is run."""
    write(
        tmp_path,
        {
            "csv owners": OWNERS,
            "csv budgets": "month\nlater\n",
            "mart by_center": BY_CENTER,
            "mart bad": "select nope from by_center",
            "check fine": "select count(*) from range(10000000000000), by_center where 1 = 2",
            "check bad": "select 1 from nowhere",
            "alert bad": "-- key: nope\nselect 1 as n",
            "adhoc mine": "-- Which?\nselect monthly_usd\nfrom by_center, budget",
            "adhoc busiest_hours": "select 1",
            "page chart": "-- chart: pie\nselect 1",
            "page column": "-- chart: bar, x month, y cost\nselect 1 as cost_usd",
            "page sql": "select nope from fct_agent_days",
        },
    )
    data.build(write(tmp_path / "empty", {}))
    settings = load_settings(tmp_path / "data")
    with_nothing = [*check_project(settings), *page_problems(settings)[0]]
    settings.data_dir.mkdir()
    os.link(data.layout.marts, Layout(settings.data_dir).published_file)

    problems = [*check_project(settings), *page_problems(settings)[0]]
    found = [re.split(" Error|: say|: the SELECT", problem)[0] for problem in problems]
    assert with_nothing == [*problems[:2], problems[6]]
    assert found == [
        "finance/budgets.csv:2: month `later` is no month: write it like 2026-11",
        "queries/adhoc/busiest_hours.sql: call it by another name: this one is taken",
        "queries/adhoc/mine.sql:3: Catalog",
        "queries/alerts/bad.sql: Binder",
        "queries/checks/bad.sql:1: Catalog",
        "queries/marts/bad.sql:1: Binder",
        "reports/pages/chart.sql:1: there is no mark `pie`",
        "reports/pages/column.sql:1: there is no column `month`",
        "reports/pages/sql.sql:1: Binder",
    ]


def test_pages_of_a_project_stand_on_its_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage that makes the site makes them too, and warns of each that has a problem."""
    pages = tmp_path / "reports" / "pages"
    pages.mkdir(parents=True)
    (pages / "good.sql").write_text("select 1 as n", encoding="utf-8")
    (pages / "bad.sql").write_text("select nope", encoding="utf-8")
    layout = Layout(tmp_path / "data")
    layout.root.mkdir()
    warnings: list[str] = []
    monkeypatch.setattr(Progress, "warn", lambda _, text: warnings.append(text))

    running = Batch(load_settings(layout.root), layout, Progress())
    with open_warehouse(layout) as con:
        con.execute(
            "insert into ledger.workspaces (workspace_id, last_batch_at)"
            " values ('w-1', '2026-11-20 06:00Z')"
        )
        with attached_marts(con, layout.marts):
            build(con, timezone="UTC")
        running.con = con
        stages.report(running)

    made = {path.name for path in (layout.staged_site / "own").iterdir()}
    assert made == {"good.html", "bad.html"}
    (warning,) = warnings
    assert warning.startswith("a page of your own: reports/pages/bad.sql:1: Binder Error")
