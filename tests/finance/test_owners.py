"""Owners of agents: the rules of `finance/owners.csv` in their order."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest

from analytics.finance.lines import Lines
from analytics.finance.owners import OwnerRule, read_owners
from tests.finance.files import write


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
