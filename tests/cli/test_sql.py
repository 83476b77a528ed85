"""`analytics sql` and `analytics status` on a published file."""

from __future__ import annotations

import json
import os
import re
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import polars
import pytest

from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from tests.cli.conftest import Command
from tests.conftest import NOW


@pytest.fixture
def published(
    folder_of_two_runs: Path, analytics: Command, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command, in a folder with a published batch."""
    monkeypatch.chdir(folder_of_two_runs)
    return analytics


def test_money_is_exact_in_json(published: Command) -> None:
    """JSON is an array of objects, money as strings with all digits."""
    result = published(
        "sql", "select cost_usd, 1 as n from fct_runs order by 1", "--format", "json"
    )

    assert json.loads(result.out) == [
        {"cost_usd": "0.1000000001", "n": 1},
        {"cost_usd": "0.2000000000", "n": 1},
    ]


def test_intervals_and_bytes_are_as_duckdb_writes_them(published: Command) -> None:
    """Of a value that Python would show as another one, the text is DuckDB's."""
    query = 'select interval 1 year as a, \'x\\xFF\'::blob as "a""b", 1 as a; -- the end'

    assert json.loads(published("sql", query, "--format", "json").out) == [
        {"a": "1 year", 'a"b': "x\\xFF", "a_2": 1}
    ]


def test_rows_go_to_a_file(published: Command) -> None:
    """Parquet keeps decimals as decimals; CSV has every digit."""
    published(
        "sql",
        "select sum(cost_usd) as c from fct_runs",
        "--format",
        "parquet",
        "--output",
        "x.parquet",
    )
    published(
        "sql", "select sum(cost_usd) as c from fct_runs", "--format", "csv", "--output", "x.csv"
    )

    assert polars.read_parquet("x.parquet").item() == Decimal("0.3000000001")
    assert Path("x.csv").read_text(encoding="utf-8") == "c\n0.3000000001\n"


def test_values_of_every_kind_are_written(published: Command) -> None:
    """Nulls, booleans, instants, nested and huge values have one plain form each."""
    query = """select null as a, true as b, timestamptz '2026-11-20 06:00:00+00' as c,
        [1, 2] as d, {'x': 1.50} as e, 170141183460469231731687303715884105727 as f,
        'nan'::double as g, 1 as h, 2 as h"""
    (row,) = json.loads(published("sql", query, "--format", "json").out)

    assert row == {
        "a": None,
        "b": True,
        "c": "2026-11-20T06:00:00+00:00",
        "d": [1, 2],
        "e": {"x": "1.50"},
        "f": 170141183460469231731687303715884105727,
        "g": None,
        "h": 1,
        "h_2": 2,
    }


def test_control_characters_are_escaped_in_files(published: Command) -> None:
    """CSV shows control characters and marks of direction as tables do, JSON by its own escapes."""
    text = "a\x1b\x9b\u202e\u2028\u2066\t\n\r\x00é"
    query = "select " + " || ".join(f"chr({ord(char)})" for char in text) + " as x"
    csv = published("sql", query, "--format", "csv").out
    as_json = published("sql", query, "--format", "json").out

    assert csv == 'x\n"a\\x1b\\x9b\\u202e\\u2028\\u2066\t\n\\r\\x00é"\n'
    assert json.loads(as_json) == [{"x": text}]
    assert not {*"\x1b\x9b\u202e\u2028\u2066"} & {*as_json}


@pytest.mark.parametrize(
    ("reason", "query", "form"),
    [
        ("has more than 1,000 rows", "from range(1001)", "json"),
        ("has more than 1,000 rows", "from range(1001)", "parquet"),
        ("is larger than 1MB", "select repeat('x', 2000) from range(900)", "csv"),
        ("is larger than 1MB", "select repeat('x', 2000000)", "table"),
        ("is larger than 1MB", "select repeat('x', 2000) from range(900)", "parquet"),
    ],
)
def test_an_answer_has_no_more_rows_and_bytes_than_the_limit(
    published: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reason: str,
    query: str,
    form: str,
) -> None:
    """A longer answer ends with exit 2 and the limit, and leaves no file."""
    monkeypatch.setattr("analytics.published.statements.MOST_ROWS", 1_000)
    monkeypatch.setattr("analytics.published.statements.MOST_BYTES", "1MB")
    result = published("sql", query, "--format", form, "--output", str(tmp_path / "x"))

    assert result.code == 2
    assert f"it {reason}: ask for less." in result.err
    assert not (tmp_path / "x").exists()


def test_figures_can_be_asked_while_a_batch_runs(published: Command) -> None:
    """A batch that holds the data directory does not block readers."""
    with batch_lock(Layout(Path("data"))), duckdb.connect("data/warehouse.duckdb"):
        assert published("sql", "select 1").code == 0
        assert "A batch is at work" in published("status").out


@pytest.mark.parametrize(
    "query",
    [
        "delete from marts.fct_runs",
        "insert into marts.fct_runs select * from marts.fct_runs",
        "create table t as select 1",
        "create temp table t as select 1",
        "drop table marts.fct_runs",
        "update marts.fct_runs set cost_usd = 0",
        "copy marts.fct_runs to 'stolen.csv'",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from glob('/*')",
        "attach 'data/warehouse.duckdb' as w",
        "set lock_configuration = false",
        "set enable_external_access = true",
        "pragma enable_external_access",
        "install httpfs",
        "load httpfs",
        "call pragma_version()",
        "select getenv('HOME')",
        "select 1; select 2",
        "select 1; drop table marts.fct_runs",
        "",
        ";",
        "/* nothing */",
        "export database 'x'",
        "checkpoint",
        "use marts",
        "select nonsense",
        "selec 1",
        "select * from no_such_table",
        "select 1/0 + 'x'::int",
    ],
)
def test_sql_only_reads(published: Command, query: str) -> None:
    """Anything but one statement that reads published tables is refused with exit 2."""
    before = Path("data/analytics.duckdb").read_bytes()
    result = published("sql", query)

    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")
    assert Path("data/analytics.duckdb").read_bytes() == before
    assert not Path("stolen.csv").exists()


def test_status_is_told_in_json(published: Command) -> None:
    """`status --json` has freshness, run detail, open runs, checks, the last batch."""
    found = json.loads(published("status", "--json").out)

    (workspace,) = found["workspaces"]
    assert (workspace["open_count"], workspace["unlisted_run_count"]) == (0, 0)
    assert (workspace["run_count"], workspace["listed_run_count"]) == (2, 2)
    assert workspace["detail_coverage"] == 1
    assert workspace["unlisted_cost_usd"] == workspace["unexplained_usd"] == "0.0000000000"
    assert (workspace["unreconciled_day_count"], workspace["required_batches_per_day"]) == (0, 1)
    assert found["last_batch"]["exit_code"] == 0
    assert found["checks"]
    assert all(check["is_ok"] for check in found["checks"])
    assert workspace["workspace_name"] == "Blank Slate"


def test_status_fits_a_terminal(published: Command) -> None:
    """The status has run detail, days and schedules, and explains its heads, in 80 columns."""
    lines = published("status").out.splitlines()

    assert "Blank Slate: one batch a day lists every run" in lines
    assert any(re.fullmatch(r"All [0-9]+ checks passed\.", line) for line in lines)
    legend = " ".join(lines[lines.index("") :]).lower()
    for head in ("detail", "off", "unexplained"):
        assert legend.count(head) >= 2, head
    assert max(map(len, lines)) <= 80


def test_a_copy_was_published_when_its_original_was(published: Command, tmp_path: Path) -> None:
    """The time of publishing is in the file: a copy, or a touched file, has the same."""
    original = json.loads(published("status", "--json").out)
    copied = tmp_path / "analytics.duckdb"
    shutil.copyfile("data/analytics.duckdb", copied)
    os.utime(copied, (0, 0))
    copy = json.loads(published("status", "--json", "--data-dir", str(tmp_path)).out)

    assert copy["published_at"] == original["published_at"] >= original["last_batch"]["started_at"]
    assert copy["data_to"] == original["data_to"] == f"{NOW:%Y-%m-%d %H:%M} UTC"
    assert copy["last_batch"] is None


def test_failed_checks_are_named(published: Command, tmp_path: Path) -> None:
    """A check that failed, and was published all the same, is named with how many there are."""
    shutil.copyfile("data/analytics.duckdb", tmp_path / "analytics.duckdb")
    with duckdb.connect(tmp_path / "analytics.duckdb") as con:
        con.execute("update audit.check_results set is_ok = false where control = 'bill'")
        ((count, name),) = con.execute(
            "select count(*), any_value(check_name) filter (not is_ok) from audit.check_results"
        ).fetchall()
    result = published("status", "--data-dir", str(tmp_path))

    assert f"1 of {count} checks failed: {name}" in result.out


def test_money_is_exact_in_frames(published: Command) -> None:
    """What `sql --help` recommends to notebooks keeps every digit."""
    assert published("status").code == 0
    query = "select sum(cost_usd) from marts.fct_runs"
    with duckdb.connect("data/analytics.duckdb", read_only=True) as con:
        assert polars.DataFrame(con.sql(query)).item() == Decimal("0.3000000001")
        assert con.sql(query).fetchall() == [(Decimal("0.3000000001"),)]


def test_the_examples_of_help_are_right(published: Command) -> None:
    """The query that `sql --help` shows is answered as it stands there, without a line break."""
    (example,) = [
        line.strip() for line in published("sql", "--help").out.splitlines() if "select" in line
    ]
    command, _, query = example.partition(" sql ")
    result = published("sql", query.strip('"'), "--format", "csv")

    assert command == "analytics"
    assert result.out.splitlines() == ["agent_name,sum(cost_usd)", "Baker,0.3000000001"]


def test_a_published_file_opens_in_older_duckdb(published: Command) -> None:
    """The published file has the storage format of DuckDB 1.5."""
    assert published("status").code == 0
    with duckdb.connect("data/analytics.duckdb", read_only=True) as con:
        row = con.execute("select tags from duckdb_databases() where database_name = 'analytics'")
        assert "v1.5.0" in str(row.fetchone())


@pytest.mark.parametrize(
    ("file", "named", "beginning"),
    [
        ("x.csv", None, b"n\n1\n"),
        ("x.JSON", None, b"["),
        ("x.parquet", None, b"PAR1"),
        ("x.csv", "json", b"["),
        ("x", "csv", b"n\n1\n"),
    ],
)
def test_a_files_ending_names_its_format(
    published: Command, tmp_path: Path, file: str, named: str | None, beginning: bytes
) -> None:
    """The file's ending sets the format; --format overrides it."""
    output = tmp_path / file
    more = ["--format", named] if named else []

    assert published("sql", "select 1 as n", "--output", str(output), *more).code == 0
    assert output.read_bytes().startswith(beginning)
