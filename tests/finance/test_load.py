"""The files of `finance/` in the warehouse: their rows, hashes and problems."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.finance.load import load_finance
from analytics.finance.names import problems_of_names
from tests.finance.files import link_out, write
from tests.transform.given import Warehouse, empty_warehouse

OCTOBER = date(2026, 10, 1)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse for files that tests replace."""
    with empty_warehouse(tmp_path_factory.mktemp("finance") / "data") as warehouse:
        yield warehouse


def load(warehouse: Warehouse) -> list[str]:
    """Load the files of the working directory, as a batch does before it builds."""
    problems = load_finance(warehouse._con, Path())
    warehouse.build()
    return problems


def fill() -> None:
    write("owners.csv", "workspace,agent,cost_center", "*,*,CC-9")
    write(
        "invoices.csv",
        "invoice_id,workspace,month,issued_on,amount_usd,credit_usd",
        "L-1,Bakery,2026-10,2026-11-02,0.0000000001,",
        "L-1,Bakery,2026-10,2026-11-02,7,",
        "L-2,Bakery,2026-10,2.11.,7,",
    )
    write(
        "budgets.csv",
        "scope,name,workspace,month,amount_usd",
        "agent,baker,Bakery,2026-10,9",
        "all,,,2026-10,1",
    )
    write(
        "allocation.toml",
        "[[rules]]",
        'name = "A"',
        'source = "platform"',
        'method = "fixed"',
        "shares = { A = 33.3333333333, B = 66.6666666667 }",
        "valid_from = 2026-10-01",
        "[[rules]]",
        'name = "B"',
        'source = "failed"',
        'method = "proportional"',
        'by = "runs"',
    )
    write("accounts.toml", "[accounts]", 'tax = "1"', "[cost_centers]", 'CC-9 = "2"')
    write("note.txt", "Söhne")


def test_each_file_has_its_rows(warehouse: Warehouse) -> None:
    """Lines and rules are rows of the warehouse, exact; the wrong ones are problems."""
    fill()
    assert [problem.partition(": ")[0] for problem in load(warehouse)] == [
        "finance/invoices.csv:3",
        "finance/invoices.csv:4",
    ]

    rows = warehouse.rows
    days = OCTOBER, date(2026, 11, 2)
    assert rows("from finance.invoices") == [
        (2, "L-1", "w-1", *days, Decimal("0.0000000001"), Decimal(0), Decimal(0), False)
    ]
    assert rows("from finance.budgets") == [
        (2, "agent", "baker", "Bakery", OCTOBER, Decimal(9)),
        (3, "all", "(all)", None, OCTOBER, Decimal(1)),
    ]
    assert rows("from finance.allocation_rules") == [
        (1, "A", "platform", "fixed", None, "*", OCTOBER, None),
        (2, "B", "failed", "proportional", "runs", "*", None, None),
    ]
    assert rows("from finance.allocation_shares") == [
        (1, "A", Decimal("33.3333333333")),
        (1, "B", Decimal("66.6666666667")),
    ]
    assert set(rows("from finance.accounts")) == {
        ("expense", None, "6200"),
        ("expense", "CC-9", "2"),
        ("accrued", None, "2150"),
        ("payable", None, "2000"),
        ("tax", None, "1"),
        ("rounding", None, "6990"),
    }
    assert rows("select cost_center from finance.owner_rules") == [("CC-9",)]


def test_each_file_has_its_hash(warehouse: Warehouse) -> None:
    """The warehouse has the SHA-256 of every file, and its number of problems."""
    fill()
    load(warehouse)

    sql = "select name, sha256, problem_count from finance.files order by name"
    assert warehouse.rows(sql) == [
        (name, hashlib.sha256(Path("finance", name).read_bytes()).hexdigest(), count)
        for name, count in [
            ("accounts.toml", 0),
            ("allocation.toml", 0),
            ("budgets.csv", 0),
            ("invoices.csv", 2),
            ("note.txt", 0),
            ("owners.csv", 0),
        ]
    ]


def test_an_unreadable_file_has_no_hash(warehouse: Warehouse) -> None:
    """A file that leads out of the project, or is none, is listed without its hash."""
    project = Path("project")
    (project / "finance").mkdir(parents=True)
    link_out(project / "finance" / "owners.csv")
    os.mkfifo(project / "finance" / "pipe")
    (project / "finance" / "folder").mkdir()
    load_finance(warehouse._con, project)

    assert warehouse.rows("from finance.files") == [("owners.csv", None, 1), ("pipe", None, 0)]


def test_files_are_replaced_as_a_whole(warehouse: Warehouse) -> None:
    """What is no longer in the folder is gone; accounts are the defaults again."""
    fill()
    load(warehouse)
    assert load_finance(warehouse._con, Path("elsewhere")) == []

    for table in ("files", "owner_rules", "invoices", "budgets", "allocation_rules"):
        assert warehouse.rows(f"from finance.{table}") == []
    assert warehouse.rows("select count(*) from finance.accounts") == [(5,)]


def test_an_invoice_counts_once(warehouse: Warehouse) -> None:
    """A line by the name of a workspace and one by its identifier are the same invoice's."""
    month = "2026-10,2026-11-02,1"
    header = "invoice_id,workspace,month,issued_on,amount_usd"
    lines = [f"L-1,Bakery,{month}", f"L-1,W-1,{month}", f"L-2,w-1,{month}"]
    write("invoices.csv", header, *lines)

    (problem,) = load(warehouse)
    assert problem.startswith("finance/invoices.csv:3: line 2 has the same invoice, workspace and")
    assert warehouse.rows("select line from finance.invoices") == [(2,), (4,)]


def test_names_are_compared_without_case_and_composed(warehouse: Warehouse) -> None:
    """A line has the workspace that is called so, in capitals or small, composed or not."""
    month = "2026-10,2026-11-02,1"
    for number, name in enumerate(("Cafe\u0301", "ΟΔΟΣ")):
        warehouse.insert("ledger.workspaces", workspace_id=f"n-{number}", workspace_name=name)
    header = "invoice_id,workspace,month,issued_on,amount_usd"
    write("invoices.csv", header, f"L-1,CAFE\u0301,{month}", f"L-2,Οδος,{month}")
    write("owners.csv", "workspace,agent,cost_center", "Café,*,CC-9")
    write("budgets.csv", "scope,name,month,amount_usd", "workspace,Café,2026-10,1")
    problems = load(warehouse)

    sql = "select workspace_id, invoice_id from intermediate.int_invoices"
    assert warehouse.rows(sql) == [("n-0", "L-1"), ("n-1", "L-2")]
    assert problems + problems_of_names(warehouse.con) == []
    warehouse.con.execute("delete from ledger.workspaces where workspace_id <> 'w-1'")


def test_names_that_nothing_has_are_told(warehouse: Warehouse) -> None:
    """A batch warns of each name that no workspace, agent or cost center, seen or booked, has."""
    warehouse.given("agents", agent_id="a-1", agent_slug="Baker")
    booked = {"workspace_id": "w-3", "workspace_name": "Gone", "agent_id": "a-9"}
    warehouse.insert("finance.closed_lines", usage_month=OCTOBER, agent_slug="cook", **booked)
    month = "2026-10,2026-11-02,1"
    header = "invoice_id,workspace,month,issued_on,amount_usd"
    write(
        "owners.csv",
        "workspace,agent,cost_center",
        "*,baker,CC-9",
        "Bakery,bakre,CC-9",
        "Gone,c*,CC-9",
    )
    write("invoices.csv", header, f"L-1,BAKERY,{month}", f"L-1,Bakrey,{month}", f"L-2,w-1,{month}")
    write(
        "budgets.csv",
        "scope,name,workspace,month,amount_usd",
        "agent,baker,Bakery,2026-10,1",
        "agent,baker,Zoo,2026-10,1",
        "agent,bakre,,2026-10,1",
        "workspace,w-1,,2026-10,1",
        "workspace,w-9,,2026-10,1",
        "cost_center,CC-9,,2026-10,1",
        "cost_center,CC-8,,2026-10,1",
        "all,,,2026-10,1",
        "workspace,gone,,2026-10,1",
        "agent,Cook,Gone,2026-10,1",
    )
    rule = ["[[rules]]", 'name = "A"', 'source = "platform"', 'method = "even"']
    names = ("Bake*", "Zoo*", "*", "Gone")
    write("allocation.toml", *(line for name in names for line in [*rule, f'workspace = "{name}"']))
    problems = load(warehouse)

    assert problems == ["finance/invoices.csv:3: no workspace matches; is a name misspelt?"]
    warehouse.insert("ledger.workspaces", workspace_id="w-2", workspace_name="bakery")
    assert load(warehouse)[0] == (
        "finance/invoices.csv:2: several workspaces are called so; name one by its identifier"
    )
    assert warehouse.rows("select line, workspace_id from finance.invoices") == [(4, "w-1")]
    warehouse._con.execute("delete from ledger.workspaces where workspace_id = 'w-2'")
    assert problems_of_names(warehouse.con) == [
        f"{place}; is a name misspelt?"
        for place in (
            "finance/allocation.toml: rule 2 (A): no workspace matches",
            "finance/budgets.csv:3: no workspace matches",
            "finance/budgets.csv:4: no agent matches",
            "finance/budgets.csv:6: no workspace matches",
            "finance/budgets.csv:8: no cost center matches",
            "finance/owners.csv:3: no agent matches",
        )
    ]
