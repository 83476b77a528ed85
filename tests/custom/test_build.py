"""Tables and checks of a project in the build file; a file that is not right is left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.custom.build import Built, build_custom
from analytics.custom.validation import check_project
from analytics.settings import load_settings
from analytics.transform.build import build
from analytics.transform.checks import run_checks
from analytics.warehouse.confined import Limits
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
    folders |= {"adhoc": "queries/adhoc", "alert": "queries/alerts"}
    for each, text in files.items():
        kind, _, name = each.partition(" ")
        path = project / folders[kind] / f"{name}.{'csv' if kind == 'csv' else 'sql'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return project


def states(built: Built) -> dict[str, str]:
    return {Path(file.file).stem: file.status for file in built.files}


def test_a_project_becomes_tables(data: Data, tmp_path: Path) -> None:
    """CSV files and marts are tables of schema custom, with their comments; numbers stay exact."""
    project = write(tmp_path, {"csv owners": OWNERS, "mart by_center": BY_CENTER})

    built = data.build(project)

    assert states(built) == {"owners": "built", "by_center": "built"}
    assert data.rows("select cost_center, monthly_usd::varchar from custom.by_center") == [
        ("0042", "30.7500000000")
    ]
    assert data.rows("select comment from duckdb_tables() where table_name = 'by_center'") == [
        ("Money of a cost centre. Grain: cost centre.",)
    ]
    assert data.rows(
        "select comment from duckdb_columns()"
        " where table_name = 'by_center' and column_name = 'monthly_usd'"
    ) == [("Money in US dollars of a month.",)]
    assert data.rows(
        "select kind, file, status, row_count, error from audit.project_files order by file"
    ) == [
        ("finance", "finance/owners.csv", "built", 2, None),
        ("mart", "queries/marts/by_center.sql", "built", 1, None),
    ]
    assert data.rows(
        "select state from reports.rpt_checks where check_name = 'custom.by_center_key_is_unique'"
    ) == [("passed",)]


def test_marts_are_built_after_those_they_read(data: Data, tmp_path: Path) -> None:
    """The order is that of their names in the SQL, with schema or without, not of the files."""
    project = write(
        tmp_path,
        {
            "mart a": "select n + 1 as n from b",
            "mart b": "select n + 1 as n from custom.c",
            "mart c": "with d as (select 1 as n) from d",
            "mart d": "select * from a, audit.loads",
        },
    )

    assert set(states(data.build(project)).values()) == {"built"}
    assert data.rows("from custom.a") == [(3,)]


@pytest.mark.usefixtures("little_time")
def test_a_broken_mart_costs_only_what_reads_it(data: Data, tmp_path: Path) -> None:
    """Each is named with its cause; the others are built."""
    project = write(
        tmp_path,
        {
            "csv owners": "cost_center,monthly_usd\n1,x\n",
            "mart broken": "-- A mart.\nselect nope\nfrom fct_runs",
            "mart behind": "from broken",
            "mart circle_a": "from circle_b",
            "mart circle_b": "from circle_a",
            "mart own": "from own",
            "mart endless": "select /* endless */ count(*) as n from range(10000000000000)",
            "mart bomb": "select array_agg(range) as n from range(10000000000)",
            "mart fine": "select 1 as n",
            "mart fct_runs": "select 1 as n",
        },
    )

    built = data.build(project)

    assert [name for name, state in states(built).items() if state == "built"] == ["fine"]
    causes = {Path(each.file).stem: str(each.error).partition(": ")[2] for each in built.files}
    assert causes["owners"].startswith("monthly_usd `x` is no amount")
    assert causes["broken"].startswith('Binder Error: Referenced column "nope" not found')
    assert causes["behind"] == "it reads broken, which could not be built"
    assert causes["circle_a"] == "it and others read each other: circle_a, circle_b"
    assert causes["own"].startswith("Catalog Error: Table with name own does not exist!")
    assert causes["endless"].startswith("it was stopped after 0.5 s")
    assert causes["bomb"].startswith("it needs more memory or disk than 100MB")
    assert causes["fct_runs"] == "call it by another name: this one is taken"
    ((error,),) = data.rows("select error from audit.project_files where name = 'broken'")
    assert error.startswith("queries/marts/broken.sql:2: Binder Error: Referenced column")


def test_checks_are_results_beside_ours(data: Data, tmp_path: Path) -> None:
    """A failed check has its rows; one that cannot run has its error; neither blocks by itself."""
    project = write(
        tmp_path,
        {
            "csv owners": OWNERS,
            "check cheap": "-- No agent may cost more than 15 dollars a month.\n"
            "select agent, monthly_usd from owners where monthly_usd > 15",
            "check fine": "-- All is well.\nselect 1 where false;",
            "check broken": "select nope",
        },
    )

    built = data.build(project)

    assert states(built) == {
        "owners": "built", "cheap": "failed", "fine": "passed", "broken": "error",
    }  # fmt: skip
    assert data.rows(
        "select check_name, claim, control, violation_count, is_ok, is_blocking, finding"
        " from audit.check_results where starts_with(check_name, 'custom.') order by check_name"
    ) == [
        (
            "custom.broken", "broken", None, None, False, False, built.checks[0].finding,
        ),
        (
            "custom.cheap", "No agent may cost more than 15 dollars a month.", None, 1, False,
            False, "custom.cheap (1 row): agent a-2, monthly_usd 20.25",
        ),
        ("custom.fine", "All is well.", None, 0, True, False, None),
    ]  # fmt: skip


def test_a_check_blocks_if_its_header_says_so(data: Data, tmp_path: Path) -> None:
    """Only rows block, not an error; a line that is nearly so is refused, not passed over."""
    project = write(
        tmp_path,
        {
            "check a": "-- Claim.\n-- blocking: true\nselect 1 as n",
            "check b": "-- Claim.\n-- blocking: true\nselect nope",
            "check c": "-- Claim.\n-- blocking: true\nselect 1 where false",
            "check d": "-- Claim.\n-- blocking: yes\nselect 1 as n",
            "check e": "\n-- Claim.\n-- Blocking: true\nselect 1 as n",
            "check f": "-- Claim.\n-- blocks = true\nselect 1 as n",
            "check g": "-- Claim.\n-- blocking: true\nselect 1 as n;\n-- the end\n",
        },
    )

    built = data.build(project)

    blocking = {each.name: each.blocking_count for each in built.checks}
    assert blocking == {
        "custom.a": 1, "custom.b": 0, "custom.c": 0, "custom.e": 1, "custom.g": 1,
    }  # fmt: skip
    assert states(built)["d"] == states(built)["f"] == "error"


def test_no_query_reads_the_tables_of_the_build_before(data: Data, tmp_path: Path) -> None:
    """A table is named without its database, also in an error: with it, it is that of before."""
    name = data.layout.marts.stem
    project = write(
        tmp_path,
        {
            "mart gone": "select 1 as n",
            "mart one": "select 1 as n",
            "mart two": f"select n from {name}.custom.one",
            "check three": "select n from custom.gone",
        },
    )
    data.build(project)
    (project / "queries/marts/gone.sql").unlink()

    built = data.build(project)

    assert states(built) == {"one": "built", "two": "error", "three": "error"}
    assert built.checks[0].error == (
        "queries/checks/three.sql:1: Catalog Error: Table with name gone does not exist!"
    )


def test_headers_of_marts_declare_checks(data: Data, tmp_path: Path) -> None:
    """Keys, references, values and sums are checked, of columns of any name, and warn."""
    project = write(
        tmp_path,
        {
            "mart lines": """\
-- Lines. Grain: agent.
-- key: workspace_id, agent_id, order
-- ref agent_id: dim_agents
-- values group: it's, plain
-- conserves: marts.fct_billing_days by utc_date
-- sums: fct_nowhere by agent_id
select 'w' as workspace_id, 'a' as agent_id, 1 as "order",
    unnest(['it''s', 'odd']) as "group"
""",
        },
    )

    built = data.build(project)

    assert states(built) == {"lines": "built"}
    findings = {each.name.removeprefix("custom.lines_"): each.finding for each in built.checks}
    assert {name: finding.partition("): ")[2] for name, finding in findings.items()} == {
        "key_is_unique": "workspace_id w, agent_id a, order 1, row_count 2",
        "agent_id_is_in_dim_agents": "workspace_id w, agent_id a, row_count 2",
        "group_is_known": "group odd, row_count 1",
        "conserves_marts_fct_billing_days": "",
        "header": "",
    }
    cannot = "cannot be run: queries/marts/lines.sql"
    assert cannot in findings["conserves_marts_fct_billing_days"]
    assert f"{cannot}:1: Catalog Error: Table with name fct_nowhere" in findings["header"]


@pytest.mark.parametrize(
    "header",
    [
        "key: (select 1), a",
        "key: a from marts.x; copy (select 1) to 'made'; --",
        "ref agent_id: dim_agents; drop table x",
        "conserves: read_csv('/etc/passwd') by a",
        "conserves: fct_runs by a",
        "sums: marts.fct_runs by a",
    ],
)
def test_a_header_holds_names_alone(data: Data, tmp_path: Path, header: str) -> None:
    """SQL in place of a name is refused before any of it is used."""
    project = write(tmp_path, {"mart a": f"-- A mart.\n-- {header}\nselect 1 as a"})

    (file,) = data.build(project).files

    assert file.status == "error"
    assert "in its line `" in str(file.error)


def test_a_build_replaces_the_one_before(data: Data, tmp_path: Path) -> None:
    """Tables, results and files that are gone from the project are gone from the file."""
    data.build(write(tmp_path, {"csv owners": OWNERS, "check a": "select 1 as n"}))
    for name in ("finance/owners.csv", "queries/checks/a.sql"):
        (tmp_path / name).unlink()

    assert data.build(tmp_path) == Built([], [], [])
    assert data.rows("select count(*) from duckdb_tables() where schema_name = 'custom'") == [(0,)]
    assert data.rows("select count(*) from audit.project_files where kind <> 'rules'") == [(0,)]
    assert data.rows(
        "select count(*) from reports.rpt_checks where starts_with(check_name, 'custom.')"
    ) == [(0,)]


def test_nothing_is_left_behind(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files on the way are gone after a build, also of a query that was killed."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = set(data.layout.root.iterdir())
    project = write(tmp_path, {"mart a": "select array_agg(range) from range(10000000000)"})

    data.build(project)

    assert list(scratch.iterdir()) == []
    assert set(data.layout.root.iterdir()) == before


def test_long_values_are_cut_in_findings(data: Data, tmp_path: Path) -> None:
    """A finding is a line to read, however long and many the values of a row are."""
    columns = ", ".join(f"repeat('x', 10000) as c{n}" for n in range(100))
    built = data.build(write(tmp_path, {"check a": f"select {columns}, [1] as l"}))

    assert len(built.checks[0].finding) < 5_000


def test_a_check_keeps_the_name_of_its_file(data: Data, tmp_path: Path) -> None:
    """A file named like a check that a header declares is not used, as names are keys."""
    project = write(
        tmp_path,
        {
            "mart a": "-- A mart.\n-- key: n\nselect 1 as n",
            "check a_key_is_unique": "-- Another claim.\nselect 1 as n",
        },
    )

    built = data.build(project)

    assert [(each.name, each.ok) for each in built.checks] == [("custom.a_key_is_unique", True)]
    assert states(built) == {"a": "built", "a_key_is_unique": "error"}


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
        },
    )
    data.build(write(tmp_path / "empty", {}))
    settings = load_settings(tmp_path / "data")
    with_nothing = check_project(settings)
    settings.data_dir.mkdir()
    os.link(data.layout.marts, Layout(settings.data_dir).published)

    problems = check_project(settings)

    assert with_nothing == problems[:2]
    assert [problem.partition(" Error")[0] for problem in problems] == [
        "finance/budgets.csv:2: month `later` is no month: write it like 2026-11",
        "queries/adhoc/busiest_hours.sql: call it by another name: this one is taken",
        "queries/adhoc/mine.sql:3: Catalog",
        "queries/alerts/bad.sql: Binder",
        "queries/checks/bad.sql:1: Catalog",
        "queries/marts/bad.sql:1: Binder",
    ]
