"""`analytics sql` and `analytics status` on a published file."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars
import pytest

from analytics.errors import READER_GONE
from analytics.query.spreadsheet import workbook_of
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from tests.cli.conftest import Command, FirstBatch
from tests.spreadsheets import read_cells
from tests.worlds import NOW


@pytest.fixture
def published(
    first_batch: FirstBatch, analytics: Command, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command, in a folder with a published batch."""
    monkeypatch.chdir(first_batch.data.parent)
    return analytics


def test_values_of_every_kind_are_written(published: Command) -> None:
    """Each has one plain form in JSON; where Python would show another value, it is DuckDB's."""
    query = """select cost_usd + 0.0000000001 as cost_usd, null as a, true as b,
        timestamptz '2026-11-20 06:00:00+00' as c,
        [1, 2] as d, {'x': 1.50} as e, 170141183460469231731687303715884105727 as f,
        'nan'::double as g, interval 1 year as "h""x", 'x\\xFF'::blob as i, 1 as a,
        [1.5::double] as j, ['nan'::double] as k
        from fct_runs order by 1 limit 1; -- the end"""
    (row,) = json.loads(published("sql", query, "--format", "json").out)

    assert row == {
        "cost_usd": "0.1500000001",
        "a": None,
        "b": True,
        "c": "2026-11-20T06:00:00Z",
        "d": [1, 2],
        "e": {"x": "1.50"},
        "f": 170141183460469231731687303715884105727,
        "g": None,
        'h"x': "1 year",
        "i": "x\\xFF",
        "a_1": 1,
        "j": [1.5],
        "k": "[nan]",
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


def test_a_file_has_the_format_of_its_ending(published: Command, tmp_path: Path) -> None:
    """`--format` overrides it; Parquet and CSV have every digit of money."""
    query = "select sum(cost_usd) + 0.0000000001 as c from fct_runs"
    for file, named, beginning in (
        ("x.csv", (), b"c\n1.5000000001\n"),
        ("x.JSON", (), b"["),
        ("x.parquet", (), b"PAR1"),
        ("y.csv", ("--format", "json"), b"["),
        ("x", ("--format", "csv"), b"c\n1.5000000001\n"),
    ):
        assert published("sql", query, "--output", str(tmp_path / file), *named).code == 0
        assert (tmp_path / file).read_bytes().startswith(beginning), file
    assert polars.read_parquet(tmp_path / "x.parquet").item() == Decimal("1.5000000001")


def test_a_workbook_has_numbers_as_numbers_and_text_as_text(
    published: Command, tmp_path: Path
) -> None:
    """Money and counts can be added up; text is never a formula, nor an identifier rounded.

    What a spreadsheet cannot keep of a fraction is told.
    """
    hostile = ["=1+1", "+1", "-1", "@SUM(1)", "http://example.com", "007", "a\x1b\n"]
    query = f"""
        select unnest({hostile}) as text, 1234.5600000000::decimal(38, 10) as cost_usd, 3 as n,
            9007199254740993 as long_id, 0.25::double as failure_rate, null as unknown, true as yes,
            date '2026-11-20' as day, timestamp '2026-11-20 06:00' as "=moment",
            [1.50::decimal(38, 10)] as costs, 1234567890123456789::decimal(38, 0) as whole
    """.replace(r"\x1b\n", "' || chr(27) || chr(10) || '")
    made = tmp_path / "x.xlsx"
    told = published("sql", query, "--output", str(made)).err
    cells = read_cells(made)["Answer"]
    lost = published("sql", "select 1234567.0123456789 as c", "--output", str(made))
    unknown = published(
        "sql", "select unnest([null, 2]) as n", "--output", str(tmp_path / "n.xlsx")
    )

    assert told == ""
    assert [cells[f"A{row}"] for row in range(2, 9)] == [*hostile[:-1], "a\\x1b\n"]
    assert [cells.get(f"{column}2") for column in "BCDEF"] == [
        1234.56, 3, "9007199254740993", 0.25, None,
    ]  # fmt: skip
    assert cells["H2"] == (date(2026, 11, 20) - date(1899, 12, 30)).days
    assert (cells["I1"], cells["I2"]) == ("=moment", "2026-11-20T06:00:00")
    assert (cells["J2"], cells["K2"]) == ("[1.5000000000]", "1234567890123456789")
    assert read_cells(made, "f") == {"Answer": {}}
    assert lost.err.startswith("1 numbers have more than the 15 digits")
    assert unknown.code == 0
    assert read_cells(tmp_path / "n.xlsx")["Answer"] == {"A1": "n", "A3": 2}


def test_a_workbook_has_no_more_rows_than_a_sheet(published: Command, tmp_path: Path) -> None:
    """A longer answer is refused, with what to do, and leaves no file; pipes are refused, too."""
    made = tmp_path / "x.xlsx"
    longer = published("sql", "from range(1048576)", "--output", str(made))
    piped = published("sql", "select 1", "--format", "xlsx")

    assert longer.code == piped.code == 2
    assert "more than the 1,048,575 rows" in longer.err
    assert "--format csv or parquet" in longer.err
    assert not made.exists()
    assert "name a file with --output" in piped.err


def test_a_workbook_has_no_more_bytes_than_a_sheet(
    published: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer whose sheet is too large for the file is refused as one of too many rows is."""
    later: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", later.append)
    monkeypatch.setattr("zipfile.ZIP64_LIMIT", 20_000)
    made = published("sql", "from range(2000)", "--output", str(tmp_path / "x.xlsx"))

    assert (made.code, made.err.count("\n")) == (2, 1)
    assert "or 2 GB of a sheet: ask for fewer" in made.err
    gc.collect()
    assert later == []
    assert not (tmp_path / "x.xlsx").exists()


@pytest.mark.parametrize("fitting", [0, 1, 3])
def test_a_full_disk_is_told_once(
    fitting: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no defect of a workbook, and nothing that is left of it writes again later."""
    (tmp_path / "answer.csv").write_text("n\n1\n", encoding="utf-8")
    made, later = [], []

    def mkstemp(**_: str) -> tuple[int, str]:
        name = tmp_path / f"part-{len(made)}"
        if len(made) >= fitting:
            name.symlink_to("/dev/full")
        made.append(name)
        return os.open(name, os.O_WRONLY | os.O_CREAT), str(name)

    monkeypatch.setattr("tempfile.mkstemp", mkstemp)
    monkeypatch.setattr(sys, "unraisablehook", later.append)
    with pytest.raises(OSError, match="No space left"):
        workbook_of(tmp_path / "answer.csv", [("n", "BIGINT")])
    gc.collect()

    assert later == []


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "xlsx"])
def test_an_empty_answer_is_told(published: Command, tmp_path: Path, form: str) -> None:
    """Beside a file without rows stands that it has none."""
    made = published("sql", "select 1 as n where false", "--output", str(tmp_path / f"x.{form}"))

    assert (made.code, made.err) == (0, "0 rows.\n")


def test_an_answer_has_no_more_rows_and_bytes_than_the_limit(
    published: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A longer answer ends with exit 2 and the limit, and leaves no file."""
    monkeypatch.setattr("analytics.query.sql.MOST_ROWS", 1_000)
    monkeypatch.setattr("analytics.query.sql.MOST_BYTES", "1MB")
    for query, form, reason in (
        ("from range(1001)", "json", "has more than 1,000 rows"),
        ("select repeat('x', 2000) from range(900)", "csv", "is larger than 1MB"),
        ("select repeat('x', 200000) from range(900)", "table", "is larger than 20MB"),
    ):
        result = published("sql", query, "--format", form, "--output", str(tmp_path / "x"))
        assert result.code == 2
        assert f"it {reason}: ask for less" in result.err
        assert not (tmp_path / "x").exists()


def test_parquet_has_every_digit(published: Command, tmp_path: Path) -> None:
    """Sums of counts are decimals, as Parquet has no such whole numbers; what it lacks is text."""
    query = """select sum(9007199254740993) as n, [1.5::decimal(38, 10)] as d, interval 1 day as i,
        {'n': 170141183460469231731::hugeint} as s, timestamptz '2026-11-20 06:00Z' as t,
        '{}'::json as j, 'x\\xFF'::blob as b, null as u from range(1)"""
    published("sql", query, "--output", str(tmp_path / "x.parquet"))
    (row,) = polars.read_parquet(tmp_path / "x.parquet").rows(named=True)

    assert row == {
        "n": Decimal(9007199254740993), "d": [Decimal("1.5")], "i": "1 day",
        "s": {"n": Decimal(170141183460469231731)}, "t": datetime(2026, 11, 20, 6, tzinfo=UTC),
        "j": "{}", "b": "x\\xFF", "u": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "advice"),
    [
        ("explain select 1", "EXPLAIN is refused: ask it of the published file with any DuckDB"),
        ("pivot fct_runs on status", "PIVOT t ON x IN ('a', 'b') USING sum(y)"),
        (
            "from marts.WASTE",
            "WASTE is a question, and no table: ask it by `analytics sql waste`.\n",
        ),
        ("select 1; select 2", "one SELECT is expected, and it holds 2"),
        ("/* nothing */", "one SELECT is expected, and it holds 0"),
        ("drop table marts.fct_runs", "DROP is refused: write one SELECT"),
        ("select 1,\n  nope from fct_runs", "LINE 2:   nope from fct_runs\n          ^"),
        ("select 1,\n  'x'::int from fct_runs", "LINE 2:   'x'::int from fct_runs\n"),
    ],
)
def test_a_query_without_an_answer_says_why(published: Command, query: str, advice: str) -> None:
    """What is refused names what to write, and an error its line as the query has it; exit 2."""
    result = published("sql", query)

    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: The query has no answer: ")
    assert advice in result.err


def test_figures_can_be_asked_while_a_batch_runs(published: Command) -> None:
    """A batch that holds the data directory does not block readers."""
    with batch_lock(Layout(Path("data"))), duckdb.connect("data/warehouse.duckdb"):
        assert published("sql", "select 1").code == 0
        assert "A batch is at work" in published("status").out


def test_status_has_freshness_coverage_checks_and_the_last_batch(published: Command) -> None:
    """It does so in JSON, and in 80 columns with an explanation of each head."""
    found = json.loads(published("status", "--json").out)
    lines = published("status").out.splitlines()

    (workspace,) = found["workspaces"]
    expected = {
        "workspace_name": "Blank Slate", "open_count": 0, "unlisted_run_count": 0,
        "run_count": 3, "listed_run_count": 3, "detail_coverage": 1,
        "unlisted_cost_usd": "0.0000000000", "unexplained_usd": "0.0000000000",
        "unreconciled_day_count": 0, "required_batches_per_day": 1,
    }  # fmt: skip
    assert workspace | expected == workspace
    assert found["last_batch"]["exit_code"] == 0
    assert {check["is_ok"] for check in found["checks"]} == {True}
    assert any(re.fullmatch(r"All [0-9]+ checks passed\.", line) for line in lines)
    legend = " ".join(lines[lines.index("") :]).lower()
    assert all(legend.count(head) >= 2 for head in ("detail", "off", "unexplained"))
    assert max(map(len, lines)) <= 80


def test_a_copy_was_published_when_its_original_was(published: Command, tmp_path: Path) -> None:
    """The time of publishing is in the file: a copy, or a touched file, has the same."""
    original = json.loads(published("status", "--json").out)
    copied = tmp_path / "analytics.duckdb"
    shutil.copyfile("data/analytics.duckdb", copied)
    os.utime(copied, (0, 0))
    copy = json.loads(published("status", "--json", "--data-dir", str(tmp_path)).out)

    now = f"{NOW:%Y-%m-%d %H:%M} UTC"  # of the machine's clock, too, as tests play it
    assert copy["published_at"] == original["published_at"] == now
    assert copy["data_to"] == original["data_to"] == now
    assert copy["last_batch"] is None


@pytest.mark.usefixtures("published")
def test_other_clients_read_the_published_file() -> None:
    """It has the storage format of DuckDB 1.5, and keeps every digit in frames."""
    query = "select sum(cost_usd) + 0.0000000001 from marts.fct_runs"
    tags = "select tags from duckdb_databases() where database_name = 'analytics'"
    with duckdb.connect("data/analytics.duckdb", read_only=True) as con:
        assert polars.DataFrame(con.sql(query)).item() == Decimal("1.5000000001")
        assert "v1.5.0" in str(con.execute(tags).fetchone())


def test_the_examples_of_help_are_right(published: Command) -> None:
    """The query that `sql --help` shows is answered as it stands there, without a line break."""
    (example,) = [
        line.strip() for line in published("sql", "--help").out.splitlines() if "select" in line
    ]
    command, _, query = example.partition(" sql ")
    result = published("sql", query.strip('"'), "--format", "csv")

    assert command == "analytics"
    assert result.out.splitlines() == ["agent_name,sum(cost_usd)", "Baker,1.5000000000"]


@pytest.mark.usefixtures("published")
def test_what_a_query_spilled_goes_with_its_process() -> None:
    """It lies in the data directory, and is removed though the command was killed."""
    spilled = "a as materialized (select md5(range::varchar) from range(2500000))"
    query = f"with {spilled} select count(*) from a, range(1000000000000)"
    code = (
        "import sys\n"
        "from functools import partialmethod\n"
        "from analytics.cli import main\n"
        "from analytics.bounded.limits import Limits\n"
        "Limits.__init__ = partialmethod(Limits.__init__, memory='100MB')\n"
        "main()"
    )
    Path("spill.toml").write_text("[sql]\ntimeout_seconds = 3600\n", encoding="utf-8")
    command = [sys.executable, "-c", code, "sql", query, "--config", "spill.toml"]
    data = Path("data")
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not [*data.glob(".analytics-*/*")]:
            assert process.poll() is None
        process.kill()
    deadline = time.monotonic() + 120
    while (left := [*data.glob(".analytics-*")]) and time.monotonic() < deadline:
        pass

    assert not left


@pytest.mark.usefixtures("published")
def test_text_that_cannot_be_encoded_costs_nothing() -> None:
    """A character that the output lacks is replaced; JSON escapes it, and keeps its meaning."""
    told = []
    for form in ("table", "json"):
        command = ["sql", "select 'Söhne … 🍞' as name", "--format", form]
        ended = subprocess.run(
            [sys.executable, "-m", "analytics", *command],
            env=os.environ | {"PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=True,
        )
        told.append(ended.stdout.decode("ascii"))

    assert "hne ? ?" in told[0]
    assert json.loads(told[1]) == [{"name": "Söhne … 🍞"}]


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "command", [("sql", "from range(1000000)", "--format", "csv"), ("status",), ("sql", "--help")]
)
def test_who_stops_reading_is_told_nothing(command: tuple[str, ...]) -> None:
    """A closed pipe ends a command without a word, and as SIGPIPE does in a shell."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "analytics", *command],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)

    assert (ended.returncode, ended.stderr) == (READER_GONE, b"")
