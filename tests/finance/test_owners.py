"""Owners of agents: the rules of `finance/owners.csv`, and the agents and days that they match."""

from __future__ import annotations

import fnmatch
import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from analytics.custom.files import read_files
from analytics.finance.lines import Lines
from analytics.finance.load import load_owners
from analytics.finance.owners import OwnerRule, read_owners
from tests.finance.files import UNUSABLE, Maker
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

HEADER = "workspace,agent,cost_center,account,owner,valid_from,valid_to"
OTHER = "w-2"
AGENTS = {"a-1": "support-desk", "a-2": "support-eu", "a-3": "eu-bot", "a-4": None, "a-5": "50%_*"}
DAYS = [date(2026, 10, 1) + timedelta(days=number) for number in range(8)]


def owners_of(*lines: str, header: str = HEADER, encoding: str = "utf-8") -> Lines[OwnerRule]:
    """Return the rules of a file of these lines."""
    Path("finance").mkdir(exist_ok=True)
    text = "\n".join([header, *lines])
    Path("finance/owners.csv").write_bytes(text.encode(encoding))
    return read_owners(Path())


def lines_of(owners: Lines[OwnerRule]) -> list[int]:
    return [rule.line for rule in owners.records]


def test_without_a_file_nobody_owns_anything() -> None:
    """A project without the file has no rule and no problem."""
    assert read_owners(Path()) == Lines()


def test_a_line_is_a_rule() -> None:
    """Texts are trimmed, days read, empty fields are none, and empty lines are skipped."""
    owners = owners_of(
        'Bakery , support-* ,CC-1,6200,"Söhne, Inc.",2026-10-01,2026-10-31\r',
        "",
        "*,*,,,IT,,",
        encoding="utf-8-sig",
    )

    assert owners == Lines(
        [
            OwnerRule(
                2, "Bakery", "support-*", "CC-1", "6200", "Söhne, Inc.",
                date(2026, 10, 1), date(2026, 10, 31),
            ),
            OwnerRule(4, "*", "*", None, None, "IT", None, None),
        ],
        [],
    )  # fmt: skip


def test_columns_may_stand_in_any_order_and_most_may_be_missing() -> None:
    """Workspace, agent and an owner or a cost center are enough."""
    owners = owners_of("Ann,baker,*", header="Owner,AGENT, workspace")

    assert owners.records == [OwnerRule(2, "*", "baker", None, None, "Ann", None, None)]
    assert not owners.problems


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",a,,,Ann,,", "workspace is empty; write * for all"),
        ("*,,,,Ann,,", "agent is empty; write * for all"),
        ("*,a,,6200,,,", "it names neither an owner nor a cost center"),
        ("*,a,,,Ann,2026-02-30,", "valid_from `2026-02-30` is no day: write it like 2026-11-30"),
        ("*,a,,,Ann,,31.10.2026", "valid_to `31.10.2026` is no day: write it like 2026-11-30"),
        ("*,a,,,Ann,2026-11-01,2026-10-31", "valid_from 2026-11-01 is after valid_to 2026-10-31"),
        ("*,a,,,Ann", "5 fields, where the header has 7"),
        ('*,a,,,"Ann,,', "a quote is not closed, or stands within a text"),
        ("*,a,(none),,Ann,,", "cost_center (none) stands for none; leave it empty"),
        ("*,a,,,\u202eAnn,,", "owner `⟨U+202E⟩Ann` holds an invisible character"),
        (f"*,a,,,{'x' * 101},,", "owner is longer than 100 characters"),
    ],
)
def test_a_wrong_line_spoils_only_itself(line: str, reason: str) -> None:
    """It is named by file and line with the reason, and the lines around it are in force."""
    owners = owners_of("*,first,,,Ann,,", line, "*,last,,,Ann,,")

    assert sorted(lines_of(owners)) == [2, 4]
    (problem,) = owners.problems
    assert problem.startswith(f"finance/owners.csv:3: {reason}")
    assert problem.endswith("; the line is not used")


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("workspace,owner", "there is no column agent"),
        ("workspace,agent,account", "there is no column owner"),
        ("workspace,agent,owner,Owner", "two columns are named `owner`"),
        ("workspace;agent;owner", "there is no column workspace"),
    ],
)
def test_a_wrong_header_leaves_no_rule(header: str, reason: str) -> None:
    """Without the columns that it needs, no line can be read, and the message says which."""
    owners = owners_of("*,*,Ann,Ann", header=header)

    assert owners.records == []
    assert owners.problems[0].startswith(f"finance/owners.csv:1: {reason}")


def test_an_unknown_column_is_named_and_not_used() -> None:
    """A misspelt column is told; the others are read."""
    owners = owners_of("*,*,Ann,CC", header="workspace,agent,owner,cost_centre")

    assert lines_of(owners) == [2]
    assert owners.problems[0].startswith("finance/owners.csv:1: the column `cost_centre`")


@pytest.mark.parametrize(("make", "reason"), UNUSABLE)
def test_owners_and_the_table_refuse_a_file_in_the_same_words(
    tmp_path: Path, make: Maker, reason: str
) -> None:
    """A file that is no text of the project leaves neither a rule nor a table, for one reason."""
    folder = tmp_path / "project" / "finance"
    folder.mkdir(parents=True)
    make(folder / "owners.csv")
    error = f"finance/owners.csv: {reason}"

    files, refused = read_files(folder.parent, "finance")

    assert read_owners(folder.parent) == Lines(problems=[f"{error}; no agent has an owner"])
    assert (files, [each.error for each in refused]) == ([], [error])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("*,baker,,,Ann,,", "*,BAKER,,,Ben,2026-10-01,"),
        ("*,a,,,Ann,,2026-10-31", "*,a,,,Ben,2026-10-31,"),
        ("*,*,,,Ann,,", "*,**,,,Ben,,"),
        ("*,support-*,,,Ann,,", "*,*-support,,,Ben,,"),
        ("*,a?c,,,Ann,,", "*,?bc,,,Ben,,"),
        ("Bake*,*,,,Ann,,", "*kery,*,,,Ben,,"),
    ],
)
def test_an_overlap_is_refused_by_its_line(one: str, other: str) -> None:
    """Of two equally specific rules that match an agent on a day, the lower is no rule."""
    owners = owners_of(one, other)

    assert lines_of(owners) == [2]
    (problem,) = owners.problems
    assert problem == (
        "finance/owners.csv:3: it overlaps line 2, which is as specific and matches the same agents"
        " on the same days; the line is not used"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("*,a,,,Ann,,2026-10-31", "*,a,,,Ben,2026-11-01,"),
        ("*,support-*,,,Ann,,", "*,suppor?-*,,,Ben,,"),
        ("*,support-a*,,,Ann,,", "*,support-b*,,,Ben,,"),
        ("*,a?c,,,Ann,,", "*,?bd,,,Ben,,"),
        ("w-1,*,,,Ann,,", "w-2,*,,,Ben,,"),
        ("*,*,,,Ann,,", "w-2,*,,,Ben,,"),
    ],
)
def test_rules_that_are_apart_are_both_in_force(one: str, other: str) -> None:
    """Days that follow each other, other agents, and a more specific rule are no overlap."""
    assert owners_of(one, other).problems == []


def test_the_more_specific_rule_stands_first() -> None:
    """Names stand before globs, longer globs before shorter, `*` last; then by the workspace."""
    owners = owners_of(
        "*,*,,,1,,",
        "Bakery,*,,,2,,",
        "Bakery,support-*,,,3,,",
        "*,support-e*,,,4,,",
        "*,support-eu,,,5,,",
        "B*,support-eu,,,6,,",
    )

    assert [rule.owner for rule in owners.records] == ["6", "5", "4", "3", "2", "1"]


def test_a_long_file_of_hostile_globs_is_read_in_time() -> None:
    """Globs that match much of each other take no exponential time."""
    started = time.process_time()
    alike = [f"*,{'*a' * 20}*{letter}*,,,Ann,," for letter in "abcdefgh"]
    apart = [f"*,{number:04}-*,,,Ann,," for number in range(1001)]
    owners = owners_of(*alike, *apart)

    assert len(owners.records) == 1 + 1000
    assert owners.problems[-1].startswith(
        "finance/owners.csv:1010: there are 1,000 equally specific rules above it"
    )
    assert time.process_time() - started < 60  # seconds, of which it takes a few


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse of two workspaces with the same agents, for rules that tests replace."""
    with empty_warehouse(tmp_path_factory.mktemp("owners") / "data") as warehouse:
        warehouse.insert("ledger.workspaces", workspace_id=OTHER, workspace_name="Zoo")
        for workspace in (WORKSPACE, OTHER):
            for agent_id, slug in AGENTS.items():
                columns = {"agent_id": agent_id, "agent_slug": slug}
                warehouse.given("agents", workspace_id=workspace, **columns)
        yield warehouse


def owned(warehouse: Warehouse, owners: Lines[OwnerRule]) -> dict[tuple[str, str, date], str]:
    """Return the owner of each agent on each of the days, by SQL."""
    load_owners(warehouse._con, owners.records)
    warehouse.build()
    rows = warehouse.rows("select * from intermediate.int_owner_spans")
    found: dict[tuple[str, str, date], str] = {}
    for workspace, agent_id, first, last, owner, *_ in rows:
        for day in DAYS:
            if first <= day <= last:
                assert (workspace, agent_id, day) not in found, "spans overlap"
                found[workspace, agent_id, day] = owner
    return found


def expected(owners: Lines[OwnerRule]) -> dict[tuple[str, str, date], str]:
    """Return the same by the rules, one day and agent after the other."""

    def matches(pattern: str, *names: str | None) -> bool:
        literal = pattern.lower().replace("[", "[[]")
        return any(name and fnmatch.fnmatchcase(name.lower(), literal) for name in names)

    found = {}
    for workspace, name in ((WORKSPACE, "Bakery"), (OTHER, "Zoo")):
        for agent_id, slug in [*AGENTS.items(), ("(none)", None), ("(platform)", None)]:
            for day in DAYS:
                for rule in owners.records:
                    is_line = agent_id[0] == "(" and rule.agent.lower() != agent_id
                    if (
                        matches(rule.workspace, workspace, name)
                        and not is_line
                        and matches(rule.agent, agent_id, slug)
                        and (rule.valid_from or day) <= day <= (rule.valid_to or day)
                    ):
                        found[workspace, agent_id, day] = rule.owner or "(none)"
                        break
    return found


def test_an_agent_has_the_owner_of_its_most_specific_rule_each_day(warehouse: Warehouse) -> None:
    """SQL finds for 25 random files just the owners that the rules name, one by one."""
    chance = random.Random(14)
    names = ["a-1", "A-2", "support-desk", "support-eu", "eu-bot", "(none)", "(platform)", "nobody"]
    globs = ["*", "support-*", "*eu*", "*-?", "a-*", "50%_*", "*%*", "*_*", "[a]*", "?????*"]
    seen = 0
    for _ in range(25):
        lines = []
        for number in range(chance.randint(1, 9)):
            days = sorted(chance.sample(DAYS, 2))
            first, last = (chance.choice([day.isoformat(), ""]) for day in days)
            workspace = chance.choice(["*", "*", "Bakery", "w-2", "z*", "bake??", "%"])
            agent = chance.choice(names + globs)
            lines.append(f"{workspace},{agent},,,owner {number},{first},{last}")
        owners = owners_of(*lines)
        found = owned(warehouse, owners)
        assert found == expected(owners), lines
        seen += len(found)

    assert seen > 500


def test_rules_are_replaced_as_a_whole(warehouse: Warehouse) -> None:
    """What a file no longer says is gone, without a trace."""
    assert owned(warehouse, owners_of("*,*,,,Ann,,"))
    assert owned(warehouse, Lines()) == {}
