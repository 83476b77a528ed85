"""What batches publish of a few worlds stays as it is, to the last digit.

`pytest tests/golden --golden-write` makes the golden files anew, and prints what changed.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.golden.tables import LONGEST, Table, differences, news, published, read, write
from tests.golden.worlds import WORLDS, data_of

ROW = "select 1 as id, 1.5::decimal(38, 10) as usd, null::varchar as note, 0.1::double as rate"
NAMES = {
    "keys": {"marts.t": "id"}, "renamed": {}, "dropped": {}, "only": {}, "masked": {},
    "estimated": {},
}  # fmt: skip
GONE = "is gone: names.toml must have it under [renamed] or [dropped]"


@pytest.mark.parametrize(
    "world",
    [pytest.param(each, marks=[pytest.mark.long] if each == "demo" else []) for each in WORLDS],
)
def test_tables_are_as_they_were(
    world: str,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every figure of a world's published tables is that of its golden file."""
    now = published(data_of(world, tmp_path_factory) / "analytics.duckdb")
    file = Path(__file__).with_name(f"{world}.tsv")
    golden = read(file) if file.exists() else {}

    found = [f"{world}: {each}" for each in differences(golden, now)]

    if pytestconfig.getoption("--golden-write", default=False):
        write(file, now)
        with capsys.disabled():
            print("", *found, *(f"{world}: {each}" for each in news(golden, now)), sep="\n")
    else:
        assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("now", "said", "expected"),
    [
        (f"{ROW.replace('0.1', '0.1000000000004')}, 2 as more", {}, []),
        ("select 0.1::double as rate, 1.5::decimal(38, 10) as usd, null as note, 1 as id", {}, []),
        (ROW.replace("1.5", "1.5000000001"), {}, [".usd: the row of id 1 has 1.5000000001, 1.5"]),
        (ROW.replace("null", "''"), {}, [r".note: the row of id 1 has , \N"]),
        (ROW.replace("null", r"'\N'"), {}, [r".note: the row of id 1 has \\N, \N"]),
        (ROW.replace("1 as id", "2 as id"), {}, [
            ": the row of id 1 is gone", ": the row of id 2 is new",
        ]),
        (f"{ROW} union all {ROW}", {}, [": 2 rows, 1", ": the row of id 1 is there twice"]),
        (ROW.replace("as usd", "as eur"), {}, [f".usd {GONE}"]),
        (ROW.replace("as usd", "as eur"), {"renamed": {"marts.t.usd": "eur"}}, []),
        (ROW.replace("as usd", "as eur"), {"dropped": {"marts.t.usd": "nobody reads it"}}, []),
        (ROW, {"dropped": {"marts.t.usd": "nobody reads it"}}, [
            ".usd is there, though names.toml has it under [dropped]",
        ]),
        (ROW, {"renamed": {"marts.t": "marts.u"}}, [f" {GONE}"]),
        (ROW, {"renamed": {"marts.t": "marts.u"}, "dropped": {"marts.t": "nobody reads it"}}, []),
        (ROW.replace("1.5", "1.6"), {"masked": {"marts.t.usd": "the clock"}}, [
            ".usd: the row of id 1 has *, 1.5",
        ]),
    ],
)  # fmt: skip
def test_a_difference_is_named(
    tmp_path: Path, now: str, said: dict[str, dict[str, str]], expected: list[str]
) -> None:
    """Differences name table, column, row and both values; `names.toml` says which are none."""
    golden = _golden(tmp_path, ROW)

    found = list(differences(golden, published(_file(tmp_path, now), NAMES | said), NAMES | said))

    assert [each.removesuffix(" before") for each in found] == [f"marts.t{x}" for x in expected]


def test_a_column_of_many_rows_is_named(tmp_path: Path) -> None:
    """Of a long table a hash a column is kept, which holds any one value of it."""
    many = f"select range as id, range % 7 as a, 0 as b from range({LONGEST})"
    golden = _golden(tmp_path, many)
    now = published(_file(tmp_path, many.replace("0 as b", "(range = 9)::int as b")), NAMES)

    assert list(differences(golden, now, NAMES)) == [
        "marts.t.b differs in rows that are too many to be kept"
    ]


def _golden(folder: Path, rows: str) -> dict[str, Table]:
    write(folder / "t.tsv", published(_file(folder, rows), NAMES))
    return read(folder / "t.tsv")


def _file(folder: Path, rows: str) -> Path:
    with duckdb.connect(str(folder / "t.duckdb")) as con:
        con.execute(f"create schema if not exists marts; create or replace table marts.t as {rows}")
    return folder / "t.duckdb"
