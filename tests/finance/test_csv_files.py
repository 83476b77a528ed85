"""CSV files of `finance/`: lines that are right, and the words for those that are not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from analytics.files import folder
from analytics.finance.lines import (
    BUDGETS,
    CATALOGUE,
    INVOICES,
    LIST_PRICES,
    OUTCOMES,
    OWNERS,
)
from analytics.finance.load import read_finance
from analytics.finance.reading import CsvFile, Records
from analytics.project.files import read_files
from tests.finance.files import link_out, write

FILES: dict[str, CsvFile[Any]] = {
    "owners": OWNERS, "budgets": BUDGETS, "invoices": INVOICES, "outcomes": OUTCOMES,
    "list_prices": LIST_PRICES,
}  # fmt: skip
HEADERS = {name: ",".join(file.columns) for name, file in FILES.items()}
AROUND = {  # lines that are right, before and after another one
    "owners": ("*,first,,,Ann,,", "*,last,,,Ann,,"),
    "budgets": ("agent,baker,,2026-10,1", "agent,baker,Bakery,2026-10,1"),
    "outcomes": ("o-1,2026-11-19,Bakery,baker,,,loaf,,", "o-3,2026-11-19,Bakery,baker,,,loaf,,"),
    "list_prices": (",m,1,2,,2026-10-26", ",n,1,2,,2026-10-26"),
    "invoices": ("L-1,Bakery,2026-10,2026-11-02,1,,,", "L-3,Bakery,2026-10,2026-11-02,1,,,"),
}


def read(file: str, header: str, *lines: str) -> Records[Any]:
    write(f"{file}.csv", header, *lines)
    return FILES[file].read(Path())


@pytest.mark.parametrize(
    ("file", "header", "line", "record"),
    [
        # Texts are trimmed, and a mark of the encoding is none.
        (
            "owners", "\ufeff" + HEADERS["owners"],
            'Bakery , support-* ,CC-1,6200,"Söhne, Inc.",2026-10-01,2026-10-31\r',
            "2 Bakery support-* CC-1 6200 Söhne, Inc. 2026-10-01 2026-10-31",
        ),
        ("owners", HEADERS["owners"], "*,*,,,IT,,", "2 * * None None IT None None"),
        ("owners", "Owner,AGENT, workspace", "Ann,baker,*", "2 * baker None None Ann None None"),
        ("budgets", HEADERS["budgets"], "agent,b,Zoo,2026-10,0", "2 agent b Zoo 2026-10-01 0"),
        (
            "budgets", "month,scope,name,amount_usd", "2026-10-01,cost_center,CC-1,400.50",
            "2 cost_center CC-1 None 2026-10-01 400.50",
        ),
        ("budgets", HEADERS["budgets"], "all,,,2026-10,25", "2 all (all) None 2026-10-01 25"),
        (
            "invoices", HEADERS["invoices"], "L-1,B,2026-10,2026-11-02,1204.17,4.2,0.0000000001,",
            "2 L-1 B 2026-10-01 2026-11-02 1204.17 4.2 1E-10 False",
        ),
        (
            "invoices", "amount_usd,workspace,invoice_id,month,issued_on",
            "7,B,L-1,2026-10-01,2026-11-02", "2 L-1 B 2026-10-01 2026-11-02 7 0 0 False",
        ),
        (
            "outcomes", HEADERS["outcomes"], "o-1,2026-11-19,B,,r-1,,merged,,",
            "2 o-1 2026-11-19 B None r-1 None merged 1 None",
        ),
        (
            "list_prices", HEADERS["list_prices"], "Baker,m-1,0.035,0,included,2026-10-26",
            "2 Baker m-1 0.035 0 included 2026-10-26",
        ),
        # Tax is negative where the credit is more than the amount.
        (
            "invoices", HEADERS["invoices"], "CN-1,B,2026-10,2026-11-02,0,10,-1.9,yes",
            "2 CN-1 B 2026-10-01 2026-11-02 0 10 -1.9 True",
        ),
    ],
)  # fmt: skip
def test_a_line_is_a_record(file: str, header: str, line: str, record: str) -> None:
    """Columns stand in any order, and most may be missing; empty fields and lines are none."""
    found = read(file, header, line, "", ",,")

    assert [
        " ".join(map(str, (line, *dict(each).values()))) for line, each in found.rows.items()
    ] == [record]
    assert found.problems == []


def test_the_catalogue_is_whole() -> None:
    """Each line of the list prices that come with the release is one."""
    found = CATALOGUE.read(folder("queries"))

    assert (len(found.rows), found.problems) == (81, [])


def test_lines_of_an_invoice() -> None:
    """An invoice may have several lines, of other workspaces and months."""
    places = ("Bakery,2026-10", "Bakery,2026-09", "w-2,2026-10")
    lines = [f"L-1,{each},2026-11-02,7,,," for each in places]

    assert len(read("invoices", HEADERS["invoices"], *lines).rows) == 3


@pytest.mark.parametrize(
    ("file", "line", "reason"),
    [
        ("owners", "*,,,,Ann,,", "agent is empty; write * for all"),
        ("owners", "*,a,,6200,,,", "it names neither an owner nor a cost center"),
        ("owners", "*,a,,,Ann,2026-02-30,", "valid_from `2026-02-30` is no day: write it like"),
        ("owners", "*,a,,,A,2026-11-01,2026-10-31", "valid_from 2026-11-01 is after valid_to"),
        ("owners", "*,a,,,Ann", "5 fields, where the header has 7"),
        ("owners", '*,a,,,"Ann,,', "a quote is not closed, or stands within a text"),
        ("owners", "*,a,(none),,Ann,,", "cost_center (none) stands for none; leave it empty"),
        ("owners", "*,a,,,\u202eAnn,,", "owner `⟨U+202E⟩Ann` holds an invisible character"),
        ("owners", f"*,a,,,{'x' * 101},,", "owner is longer than 100 characters"),
        ("budgets", ",baker,,2026-11,1", "scope is empty"),
        ("budgets", "team,b,,2026-11,1", "scope `team` is none of workspace, agent, cost_cent"),
        ("budgets", "agent,,,2026-11,1", "name is empty"),
        ("budgets", "all,Bakery,,2026-11,1", "scope all has no name; leave `Bakery` out"),
        ("budgets", "all,,B,2026-11,1", "workspace is of agents and cost centers; of scope all"),
        ("budgets", "agent,b,,November,1", "month `November` is no month: write it like 2026-"),
        ("budgets", "agent,b,,2026-11,", "amount_usd is empty; a budget of nothing is 0"),
        ("budgets", "agent,b,,2026-11,-5", "amount_usd `-5` is negative"),
        ("budgets", "agent,baker,,2026-10,1", "line 2 is a budget of the same for the same mo"),
        ("outcomes", "o-2,2026-11-19,B,,,,loaf,,", "of agent, run and session it must name one"),
        ("outcomes", "o-2,2026-11-19,B,a,r,,loaf,,", "of agent, run and session it must name one"),
        ("outcomes", "o-1,2026-11-19,B,a,,,loaf,,", "line 2 has the same outcome_id: an outcome"),
        ("outcomes", "o-2,2026-11-19,B,a,,,loaf,0,", "count `0` is not from 1 to 1,000,000,000"),
        ("outcomes", "o-2,2026-11-19,B,a,,,loaf,,-1", "value_usd `-1` is negative"),
        ("list_prices", ",M,1,2,,2026-10-26", "line 2 is a price of the same model from the"),
        ("list_prices", ",o,1.0000001,2,,2026-10-26", "input_usd_per_million_tokens `1.0000001` h"),
        ("invoices", ",B,2026-10,2026-11-02,1,,,", "invoice_id is empty"),
        ("invoices", "L,B,,2026-11-02,1,,,", "month is empty; write it like 2026-11"),
        ("invoices", "L,B,0206-10,2026-11-02,1,,,", "month 0206-10-01 is not of the years 2000"),
        ("invoices", "L,B,2026-10,2206-11-02,1,,,", "issued_on 2206-11-02 is not of the years"),
        ("invoices", "L,B,2026-10,,1,,,", "issued_on is empty; write it like 2026-11-30"),
        ("invoices", "L,B,2026-10,2026-11-02,,,,", "amount_usd is empty"),
        ("invoices", 'L,B,2026-10,2026-11-02,"1,2",,,', "amount_usd `1,2` is no amount"),
        ("invoices", "L,B,2026-10,2026-11-02,-1,,,", "amount_usd `-1` is negative"),
        ("invoices", "L,B,2026-10,2026-11-02,1,-1,,", "credit_usd `-1` is negative"),
        ("invoices", "L,B,2026-10,2026-11-02,1,1,-1,", "tax_usd `-1` is negative"),
        ("invoices", "L,B,2026-10,2026-11-02,1,,0.00000000001,", "tax_usd `0.00000000001` is no"),
        ("invoices", f"L,B,2026-10,2026-11-02,{10**12 + 1},,,", f"amount_usd `{10**12 + 1}` is "),
        ("invoices", "L,B,2026-10,2026-11-02,1,,,no", "accepted `no` is not yes; write yes, or"),
        ("invoices", "L-1,Bakery,2026-10-01,2026-11-03,1,,,", "line 2 has the same invoice, wor"),
    ],
)
def test_a_wrong_line_spoils_only_itself(file: str, line: str, reason: str) -> None:
    """It is named by file and line with the reason, and the lines around it are used."""
    before, after = AROUND[file]
    found = read(file, HEADERS[file], before, line, after)

    assert sorted(found.rows) == [2, 4]
    (problem,) = found.problems
    assert problem.startswith(f"finance/{file}.csv:3: {reason}")
    assert problem.endswith("; the line is not used")


@pytest.mark.parametrize(
    ("file", "header", "reason"),
    [
        ("owners", "workspace,owner", "there is no column agent; the first line must be work"),
        ("owners", "workspace,agent,account", "there is no column owner; "),
        ("owners", "workspace,agent,owner,Owner", "two columns are named `owner`; no agent has"),
        ("owners", "workspace;agent;owner", "there is no column workspace; "),
        *(
            (file, HEADERS[file].replace(name, "other"), f"there is no column {name}; ")
            for file, count in (("invoices", 5), ("budgets", 2))
            for name in HEADERS[file].split(",")[:count]
        ),
    ],
)
def test_a_wrong_header_leaves_no_record(file: str, header: str, reason: str) -> None:
    """Without the columns that it needs, no line can be read, and the message says which."""
    found = read(file, header, *AROUND[file])

    assert found.rows == {}
    assert found.problems[0].startswith(f"finance/{file}.csv:1: {reason}")


def test_an_unknown_column_is_named_and_not_used() -> None:
    """A misspelt column is told; the others are read."""
    found = read("owners", "workspace,agent,owner,cost_centre", "*,*,Ann,CC")

    assert [*found.rows] == [2]
    assert found.problems[0].startswith(
        "finance/owners.csv:1: the column `cost_centre` is not used"
    )


UNUSABLE: list[tuple[Callable[[Path], object], str]] = [
    (link_out, "it is a link that leads out of the project"),
    (os.mkfifo, "it is no ordinary file"),
    (Path.mkdir, "it is no ordinary file"),
    (lambda path: path.symlink_to("nowhere"), "No such file or directory"),
    (lambda path: path.write_bytes(b"x" * 10_000_001), "it is larger than 10 MB"),
    (lambda path: path.write_bytes(b"a\nS\xf6hne"), "line 2 is not UTF-8"),
    (lambda path: path.write_bytes(b"a\0"), "it holds a NUL character, so it is no text"),
]
LOSSES = {
    "owners.csv": "no agent has an owner",
    "invoices.csv": "no invoice is known",
    "budgets.csv": "there is no budget",
    "outcomes.csv": "no outcome is known",
    "list_prices.csv": "list prices are those of the catalogue",
    "allocation.toml": "nothing is allocated",
    "accounts.toml": "the accounts are the defaults",
}


@pytest.mark.parametrize(("make", "reason"), UNUSABLE)
def test_files_that_cannot_be_used(
    tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    """A file that is no text of the project is one problem; what else reads it says the same."""
    folder = tmp_path / "project" / "finance"
    folder.mkdir(parents=True)
    for name in LOSSES:
        make(folder / name)

    assert read_finance(folder.parent).problems == [
        f"finance/{name}: {reason}; {loss}" for name, loss in LOSSES.items()
    ]
    files, refused = read_files(folder.parent, "finance")
    assert files == []
    assert f"finance/owners.csv: {reason}" in [each.error for each in refused]


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("*,baker,,,Ann,,", "*,BAKER,,,Ben,2026-10-01,", False),
        ("*,a,,,Ann,,2026-10-31", "*,a,,,Ben,2026-10-31,", True),
        ("*,a,,,Ann,,2026-10-31", "*,a,,,Ben,2026-11-01,", False),
        ("*,*,,,Ann,,", "*,**,,,Ben,,", True),
        ("*,*,,,Ann,,", "w-2,*,,,Ben,,", False),
        ("*,support-*,,,Ann,,", "*,*-support,,,Ben,,", True),
        ("*,support-*,,,Ann,,", "*,suppor?-*,,,Ben,,", False),
        ("*,support-a*,,,Ann,,", "*,support-b*,,,Ben,,", False),
        ("*,a?c,,,Ann,,", "*,?bc,,,Ben,,", True),
        ("*,a?c,,,Ann,,", "*,?bd,,,Ben,,", False),
        ("Bake*,*,,,Ann,,", "*kery,*,,,Ben,,", True),
        ("w-1,*,,,Ann,,", "w-2,*,,,Ben,,", False),
    ],
)
def test_an_overlap_is_refused_by_its_line(one: str, other: str, overlap: bool) -> None:
    """Of two equally specific rules that match an agent on a day, the lower is no rule."""
    owners = read("owners", HEADERS["owners"], one, other)

    assert sorted(owners.rows) == ([2] if overlap else [2, 3])
    problem = (
        "finance/owners.csv:3: it overlaps line 2, which is as specific and matches the same agents"
        " on the same days; the line is not used"
    )
    assert owners.problems == [problem] * overlap


def test_the_more_specific_rule_stands_first() -> None:
    """Names stand before globs, longer globs before shorter, `*` last; then by the workspace."""
    owners = read(
        "owners",
        HEADERS["owners"],
        "*,*,,,1,,",
        "Bakery,*,,,2,,",
        "Bakery,support-*,,,3,,",
        "*,support-e*,,,4,,",
        "*,support-eu,,,5,,",
        "B*,support-eu,,,6,,",
    )

    assert [rule.owner for rule in owners.rows.values()] == ["6", "5", "4", "3", "2", "1"]


def test_globs_that_match_much_of_each_other_take_no_exponential_time() -> None:
    """These would take years; a rule is compared with so many equally specific ones at most."""
    alike = [f"*,{'*a' * 20}*{letter}*,,,Ann,," for letter in "abcdefgh"]
    apart = [f"*,{number:04}-*,,,Ann,," for number in range(51)]
    with mock.patch("analytics.finance.reading._MOST_ALIKE", 50):
        owners = read("owners", HEADERS["owners"], *alike, *apart)

    assert len(owners.rows) == 1 + 50
    assert owners.problems[-1].startswith(
        "finance/owners.csv:60: there are 50 equally specific rules above it"
    )
