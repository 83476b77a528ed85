"""CSV files of finance: types by name, every digit kept, each problem with its line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from analytics.project.files import UserFile
from analytics.project.finance import read_csv


def file(text: str) -> UserFile:
    return UserFile("finance", "finance/x.csv", "x", text)


def test_the_name_of_a_column_gives_its_type() -> None:
    """Money, counts, days and months are typed; all else is text as it stands."""
    frame = read_csv(
        file(
            "cost_center,amount_usd,run_count,valid_from,month,note\n"
            '0042,1234567890123456789012345678.0123456789,7,2026-11-30,2026-11,"a, ""b""\nc"\n'
            " x ,-0.10,,,2026-12-01,\n"
        )
    )

    assert frame.rows() == [
        (
            "0042",
            Decimal("1234567890123456789012345678.0123456789"),
            7,
            date(2026, 11, 30),
            date(2026, 11, 1),
            'a, "b"\nc',
        ),
        (" x ", Decimal("-0.10"), None, None, date(2026, 12, 1), None),
    ]


def test_a_header_alone_is_an_empty_table() -> None:
    """Columns and types are there without a row; blank lines are none."""
    frame = read_csv(file("scope,name,month,amount_usd\n\n"))

    assert frame.columns == ["scope", "name", "month", "amount_usd"]
    assert frame.height == 0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "1: there is no header: the first line names the columns"),
        ("\na,b\n", "1: there is no header: the first line names the columns"),
        ("a;b\n1;2\n", "1: `a;b` is no name of a column"),
        ("a,\n1,2\n", "1: `` is no name of a column"),
        ("a,A\n1,2\n", "1: two columns are named a"),
        ("a,b\n1,2\n1\n", "3: 1 fields, where the header has 2"),
        ('a,b\n"x\ny",2\n"1,2\n', "4: unexpected end of data"),
        ('a,b\n"1"x,2\n', "2: ',' expected after '\"'"),
        ("a_usd\n1\n1e3\n", "3: a_usd `1e3` is no amount: write it like 1234.56"),
        ("a_count\n1.5\n", "2: a_count `1.5` is no whole number"),
        ("date\n30.11.2026\n", "2: date `30.11.2026` is no day: write it like 2026-11-30"),
        ("month\n2026-13\n", "2: month `2026-13` is no month: write it like 2026-11"),
        ("a\n" + "x" * 200_000, "2: field larger than field limit"),
    ],
)
def test_a_problem_is_named_by_its_line(text: str, error: str) -> None:
    """The file is refused as a whole, with the first problem in one line."""
    with pytest.raises(ValueError, match=r"^finance/x\.csv:") as caught:
        read_csv(file(text))

    assert str(caught.value).startswith(f"finance/x.csv:{error}")
    assert "\n" not in str(caught.value)
