"""The files of `finance/` in the warehouse: their rows, hashes and problems."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.files import folder
from analytics.finance.lines import BUDGETS, INVOICES, LIST_PRICES, OUTCOMES, OWNERS
from analytics.finance.load import load_finance, read_finance
from analytics.finance.tables import ACCOUNTS, ALLOCATION, SOURCES, Roles, Rule
from analytics.finance.unknown_names import problems_of_names
from analytics.format.names import visible
from analytics.transform.models import references
from tests.docs.pages import blocks, rows, text_of
from tests.finance.files import link_out, write
from tests.transform.given import Warehouse, empty_warehouse

CSV_FILES = (OWNERS, BUDGETS, INVOICES, OUTCOMES, LIST_PRICES)
OCTOBER = date(2026, 10, 1)
OF_INVOICES = "invoice_id,workspace,month,issued_on,amount_usd"
OF_BUDGETS = ",".join(BUDGETS.columns)
MONTH = "2026-10,2026-11-02,1"
FILES = {
    "accounts.toml": '[accounts]\ntax = "1"\n[cost_centers]\nCC-9 = "2"',
    "allocation.toml": """
        [[rules]]
        name = "A"
        source = "platform"
        method = "fixed"
        shares = { A = 33.3333333333, B = 66.6666666667 }
        valid_from = 2026-10-01
        [[rules]]
        name = "B"
        source = "failed"
        method = "proportional"
        by = "runs"
    """,
    "budgets.csv": f"{OF_BUDGETS}\nagent,b,Bakery,2026-10,9\nall,,,2026-10,1",
    "invoices.csv": f"""{OF_INVOICES}
L-1,Bakery,2026-10,2026-11-02,0.0000000001
L-1,Bakery,{MONTH}
L-2,Bakery,2026-10,2.11.,7""",
    "note.txt": "Söhne",
    "owners.csv": "workspace,agent,cost_center\n*,*,CC-9",
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse for files that tests replace."""
    with empty_warehouse(tmp_path_factory.mktemp("finance") / "data") as warehouse:
        yield warehouse


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Warehouse]:
    """A warehouse for one test."""
    with empty_warehouse(tmp_path / "other") as warehouse:
        yield warehouse


def load(warehouse: Warehouse) -> list[str]:
    """Load the files of the working directory, as a batch does before it builds."""
    problems = load_finance(warehouse._con, Path())
    warehouse.build()
    return problems


def of_names(warehouse: Warehouse) -> list[str]:
    """Return the problems of names, after a build of the relations that they read."""
    sql = (folder("queries") / "finance" / "unknown_names.sql").read_text(encoding="utf-8")
    for relation in references("names", sql):
        warehouse.execute(f"select 1 from {relation} limit 0")
    return problems_of_names(warehouse._con)


def test_each_file_has_its_rows_and_hash(warehouse: Warehouse) -> None:
    """Lines and rules are rows, exact, and the wrong ones problems; all are replaced as a whole."""
    for name, text in FILES.items():
        write(name, text)
    assert [problem.partition(": ")[0] for problem in load(warehouse)] == [
        "finance/invoices.csv:3",
        "finance/invoices.csv:4",
    ]

    tables = {
        "owner_rules": [(1, 2, "*", "*", "CC-9", None, None, None, None)],
        "invoices": [
            (2, "L-1", "Bakery", OCTOBER, date(2026, 11, 2), Decimal("1e-10"), 0, 0, False),
        ],
        "budgets": [
            (2, "agent", "b", "Bakery", OCTOBER, 9), (3, "all", "(all)", None, OCTOBER, 1),
        ],
        "allocation_rules": [
            (1, "A", "platform", "fixed", None, "*", OCTOBER, None),
            (2, "B", "failed", "proportional", "runs", "*", None, None),
        ],
        "allocation_shares": [
            (1, "A", Decimal("33.3333333333")), (1, "B", Decimal("66.6666666667")),
        ],
        "accounts": [
            ("accrued", None, "2150"), ("expense", "CC-9", "2"), ("expense", None, "6200"),
            ("payable", None, "2000"), ("rounding", None, "6990"), ("tax", None, "1"),
        ],
        "files": [
            (name, hashlib.sha256(text.encode()).hexdigest(), 2 * (name == "invoices.csv"), None)
            for name, text in FILES.items()
        ],
    }  # fmt: skip
    assert {name: warehouse.rows(f"from finance.{name} order by all") for name in tables} == tables

    assert load_finance(warehouse._con, Path("elsewhere")) == []
    counts = {name: warehouse.row(f"select count(*) from finance.{name}") for name in tables}
    assert counts == dict.fromkeys(tables, (0,)) | {"accounts": (5,)}


def test_an_unreadable_file_has_no_hash(warehouse: Warehouse) -> None:
    """A file that leads out of the project, or is none, is listed without its hash."""
    project = Path("project")
    (project / "finance").mkdir(parents=True)
    link_out(project / "finance" / "owners.csv")
    os.mkfifo(project / "finance" / "pipe")
    (project / "finance" / "folder").mkdir()
    load_finance(warehouse._con, project)

    assert warehouse.rows("from finance.files") == [
        ("owners.csv", None, 1, None),
        ("pipe", None, 0, None),
    ]


def test_an_invoice_counts_once(warehouse: Warehouse) -> None:
    """A line by the name of a workspace and one by its identifier are the same invoice's."""
    write(
        "invoices.csv", OF_INVOICES, f"L-1,Bakery,{MONTH}", f"L-1,W-1,{MONTH}", f"L-2,w-1,{MONTH}"
    )

    assert load(warehouse) == []
    sql = "select invoice_id, amount_usd from intermediate.int_invoices order by all"
    assert warehouse.rows(sql) == [("L-1", 1), ("L-2", 1)]
    (problem,) = of_names(warehouse)
    assert problem.startswith("finance/invoices.csv:3: line 2 has the same invoice, workspace and")
    assert warehouse.row("select problem_count from finance.files") == (1,)


def test_a_budget_counts_once(warehouse: Warehouse) -> None:
    """A line by the name of a workspace and one by its identifier are the same budget, once."""
    lines = ("workspace,Bakery,,2026-10,1", "workspace,w-1,,2026-10,2", "all,,,2026-10,3")
    of_agents = ("agent,(none),w-1,2026-10,4", "agent,(none),bakery,2026-10,5")
    write("budgets.csv", OF_BUDGETS, *lines, *of_agents)

    assert load(warehouse) == []
    sql = "select scope, budget_usd from intermediate.int_budgets order by all"
    assert warehouse.rows(sql) == [("agent", 4), ("all", 3), ("workspace", 1)]
    assert of_names(warehouse) == [
        f"finance/budgets.csv:{line}: line {above} is a budget of the same for the same month"
        for line, above in ((3, 2), (6, 5))
    ]


def test_names_are_compared_without_case_and_composed(warehouse: Warehouse) -> None:
    """A line has the workspace that is called so, in capitals or small, composed or not."""
    for number, name in enumerate(("Cafe\u0301", "ΟΔΟΣ", "Straße")):
        warehouse.insert("ledger.workspaces", workspace_id=f"n-{number}", workspace_name=name)
    write(
        "invoices.csv",
        OF_INVOICES,
        f"L-1,CAFE\u0301,{MONTH}",
        f"L-2,Οδος,{MONTH}",
        f"L-3,STRASSE,{MONTH}",
    )
    write("owners.csv", "workspace,agent,cost_center", "Café,*,CC-9")
    write("budgets.csv", "scope,name,month,amount_usd", "workspace,Café,2026-10,1")
    problems = load(warehouse)

    sql = "select workspace_id, invoice_id from intermediate.int_invoices"
    assert warehouse.rows(sql) == [("n-0", "L-1"), ("n-1", "L-2"), ("n-2", "L-3")]
    assert problems + of_names(warehouse) == []
    warehouse._con.execute("delete from ledger.workspaces where workspace_id <> 'w-1'")


def test_files_name_agents_as_pages_do(other: Warehouse) -> None:
    """Each file takes an agent's shown name; one that several agents have is refused by line."""
    write("owners.csv", "workspace,agent,cost_center", ",The Baker,CC-1", ",Twins,CC-2", ",*,CC-3")
    write("budgets.csv", OF_BUDGETS, "agent,the baker,,2026-10,1", "agent,Twins,,2026-10,1",
          "agent,bake,Bakery,2026-10,1", "agent,The baker,w-1,2026-10,2")  # fmt: skip
    lines = [f"o-{name},2026-10-01,,{name},loaf" for name in ("THE BAKER", "twins", "The bakerr")]
    write("outcomes.csv", "outcome_id,date,workspace,agent,outcome", *lines)
    names = {"a-1": ("bake", "The baker"), "a-2": ("one", "Twins"), "a-3": ("two", "Twins")}
    for agent, (slug, name) in names.items():
        other.given("agents", agent_id=agent, agent_slug=slug, agent_name=name)

    assert load(other) == []
    twins = "several agents are called `{}`; name one by its slug: one, two"
    assert of_names(other) == [
        f"finance/budgets.csv:3: {twins.format('Twins')}",
        "finance/budgets.csv:5: line 4 is a budget of the same for the same month",
        f"finance/outcomes.csv:3: {twins.format('twins')}",
        "finance/outcomes.csv:4: no agent is called `The bakerr`. Did you mean The baker (bake)?",
        f"finance/owners.csv:3: {twins.format('Twins')}",
    ]
    sql = "select agent_id, cost_center from intermediate.int_owner_spans order by all"
    assert other.rows(sql) == [("a-1", "CC-1"), ("a-2", "CC-3"), ("a-3", "CC-3")]
    sql = "select agent_id from intermediate.int_outcomes order by line"
    assert other.rows(sql) == [("a-1",), (None,), (None,)]
    other.insert("ledger.workspaces", workspace_id="w-2", workspace_name="Zoo")
    load(other)
    several = "no workspace is named, and there are several. There are Bakery, Zoo."
    assert f"finance/owners.csv:2: {several}" in of_names(other)


def test_names_that_nothing_has_are_told(warehouse: Warehouse) -> None:
    """A batch warns of each name that no workspace, agent or cost center, seen or booked, has."""
    warehouse.given("agents", agent_id="a-1", agent_slug="Baker", agent_name="The baker")
    booked = {"workspace_id": "w-3", "workspace_name": "Gone", "agent_id": "a-9"}
    warehouse.insert("finance.closed_lines", usage_month=OCTOBER, agent_slug="cook", **booked)
    of_owners = ("*,baker,CC-9", "Bakery,bakre,CC-9", "Gone,c*,CC-9")
    write("owners.csv", "workspace,agent,cost_center", *of_owners)
    invoiced = (f"L-1,BAKERY,{MONTH}", f"L-1,Bakrey,{MONTH}", f"L-2,w-1,{MONTH}")
    write("invoices.csv", OF_INVOICES, *invoiced)
    write(
        "budgets.csv",
        OF_BUDGETS,
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
    write(
        "outcomes.csv",
        "outcome_id,date,workspace,agent,run,session,outcome",
        "o-1,2026-10-01,Bakery,baker,,,ticket",
        "o-2,2026-10-01,Bakery,bakre,,,ticket",
        "o-3,2026-10-01,Bakery,,r-9,,ticket",
        "o-4,2026-10-01,Bakery,,,s-9,ticket",
        "o-5,2026-10-01,Bakrey,baker,,,ticket",
    )

    assert load(warehouse) == []
    workspaces, baker = "Did you mean Bakery?", "Did you mean The baker (Baker)?"
    assert of_names(warehouse) == [
        "finance/allocation.toml: rule 2 (A): no workspace matches `Zoo*`. There are Bakery, Gone.",
        "finance/budgets.csv:3: no workspace is called `Zoo`. There are Bakery, Gone.",
        f"finance/budgets.csv:4: no agent is called `bakre`. {baker}",
        "finance/budgets.csv:6: no workspace is called `w-9`. There are Bakery, Gone.",
        "finance/budgets.csv:8: no cost center is called `CC-8`. Did you mean CC-9?",
        f"finance/invoices.csv:3: no workspace is called `Bakrey`. {workspaces}",
        f"finance/outcomes.csv:3: no agent is called `bakre`. {baker}",
        "finance/outcomes.csv:4: no run is called `r-9`",
        "finance/outcomes.csv:5: no session is called `s-9`",
        f"finance/outcomes.csv:6: no workspace is called `Bakrey`. {workspaces}",
        f"finance/owners.csv:3: no agent is called `bakre`. {baker}",
    ]
    warehouse.insert("ledger.workspaces", workspace_id="w-2", workspace_name="bakery")
    assert load(warehouse) == []
    several = "several workspaces are called `BAKERY`; name one by its identifier: w-1, w-2"
    assert f"finance/invoices.csv:2: {several}" in of_names(warehouse)
    sql = "select invoice_id, workspace_id from intermediate.int_invoices"
    assert warehouse.rows(sql) == [("L-2", "w-1")]


_OF_CSV = (
    *",,,\n\n*?a", "(none)", "-1", "1e999", "nan", "9" * 40, "\u202e", "\r", '"', "'x", "2026-10",
    "2026-10-01", "0.1", "all", "agent",
)  # fmt: skip
_KEYS = (*Rule.model_fields, *Roles.model_fields, "rules", "accounts", "x\\n")
_VALUES = (
    '"platform"', '"fixed"', '"proportional"', '"cost"', '"x"', '""', "{ A = 100 }", "nan", "7",
    "{ A = -1, B = inf }", "2026-10-01", "2026-10-01T00:00:00Z", "0x1f", "true", "[[1]]",
    "1e99999", "1e-99999", "9" * 5_000, '"\\u202e"', "{}", "[", "'''",
)  # fmt: skip
_HEADINGS = ("[[rules]]", "[rules]", "[accounts]", "[cost_centers]", "rules = 1")


def _csv(columns: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    lines = st.lists(st.sampled_from(_OF_CSV) | st.text(max_size=6), max_size=50).map("".join)
    return lines.map(lambda text: f"{','.join(columns)}\n{text}".encode("utf-8", "replace"))


_pairs = st.builds('"{}" = {}'.format, st.sampled_from(_KEYS), st.sampled_from(_VALUES))
_toml = st.lists(st.sampled_from(_HEADINGS) | _pairs, max_size=9).map("\n".join).map(str.encode)


@settings(max_examples=30, derandomize=True)
@given(
    st.tuples(*(_csv(each.columns) | st.binary() for each in CSV_FILES), *[_toml | st.binary()] * 2)
)
def test_nothing_raises(contents: tuple[bytes, ...]) -> None:
    """Any bytes are rows, rules and keys, or problems: each a line that begins with its file."""
    names = [each.file for each in (*CSV_FILES, ALLOCATION)] + [ACCOUNTS]
    for name, content in zip(names, contents, strict=True):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(content)
    found = read_finance(Path())

    assert len(found.hashes) == len(names)
    for problem in found.problems:
        assert re.match(rf"({'|'.join(map(re.escape, names))})(:\d+)?: .", problem)
        assert visible(problem) == problem


def test_each_column_and_key_is_documented() -> None:
    """The tables of files and of rules have each column and key, in its order, and no other."""
    text = text_of("month-end.md")
    files = {
        row[0].strip("`"): tuple(re.findall("`([^`]+)`", row[2]))
        for row in rows(text, "file | holds | a line or key")
    }
    assert files == {each.file.removeprefix("finance/"): each.columns for each in CSV_FILES} | {
        "allocation.toml": (*Rule.model_fields,),
        "accounts.toml": ("[accounts]", *Roles.model_fields, "[cost_centers]"),
    }

    page = text.partition("## Allocation")[2]
    keys = [key for row in rows(page, "key | holds") for key in re.findall("`([^`]+)`", row[0])]
    assert keys == [*Rule.model_fields]
    assert {row[0].strip("`") for row in rows(page, "pool | is")} == {*SOURCES}


def test_the_examples_of_the_documentation_are_right() -> None:
    """The files that the pages show are read without a problem, and name the default accounts."""
    for block in blocks():
        if block.file and block.file.startswith("finance/"):
            write(Path(block.file).name, block.code)
    found = read_finance(Path())

    assert found.problems == []
    assert found.accounts.accounts == Roles()
    counts = {table: len(each.rows) for table, each in found.records.items()}
    assert counts["allocation_rules"] == 3
    assert counts["invoices"] + counts["budgets"] == 5
