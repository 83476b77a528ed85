"""Owners of agents: the rules of `finance/owners.csv`, and the agents and days that they match."""

from __future__ import annotations

import fnmatch
import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from unittest import mock

import pytest

from analytics.finance.lines import Lines
from analytics.finance.load import load_owners
from analytics.finance.owners import OwnerRule, read_owners
from tests.finance.files import write
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

OTHER = "w-2"
AGENTS = {"a-1": "support-desk", "a-2": "support-eu", "a-3": "eu-bot", "a-4": None, "a-5": "50%_*"}
DAYS = [date(2026, 10, 1) + timedelta(days=number) for number in range(8)]


def owners_of(*lines: str) -> Lines[OwnerRule]:
    """Return the rules of a file of these lines."""
    write("owners.csv", "workspace,agent,cost_center,account,owner,valid_from,valid_to", *lines)
    return read_owners(Path())


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("*,baker,,,Ann,,", "*,BAKER,,,Ben,2026-10-01,", True),
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
    owners = owners_of(one, other)

    assert sorted(rule.line for rule in owners.records) == ([2] if overlap else [2, 3])
    problem = (
        "finance/owners.csv:3: it overlaps line 2, which is as specific and matches the same agents"
        " on the same days; the line is not used"
    )
    assert owners.problems == [problem] * overlap


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


def test_globs_that_match_much_of_each_other_take_no_exponential_time() -> None:
    """These would take years; a rule is compared with so many equally specific ones at most."""
    alike = [f"*,{'*a' * 20}*{letter}*,,,Ann,," for letter in "abcdefgh"]
    apart = [f"*,{number:04}-*,,,Ann,," for number in range(51)]
    with mock.patch("analytics.finance.owners._MOST_ALIKE", 50):
        owners = owners_of(*alike, *apart)

    assert len(owners.records) == 1 + 50
    assert owners.problems[-1].startswith(
        "finance/owners.csv:60: there are 50 equally specific rules above it"
    )


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
    """SQL finds for random files, one in place of the other, just the owners that rules name."""
    chance = random.Random(14)
    names = ["a-1", "A-2", "support-desk", "support-eu", "eu-bot", "(none)", "(platform)", "nobody"]
    globs = ["*", "support-*", "*eu*", "*-?", "a-*", "50%_*", "*%*", "*_*", "[a]*", "?????*"]
    seen = 0
    for _ in range(10):
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

    assert seen > 200
    assert owned(warehouse, Lines()) == {}
