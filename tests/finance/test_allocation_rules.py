"""Rules of allocation: the tables of `finance/allocation.toml`."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.finance.allocation import Rule, Rules, read_rules
from tests.finance.files import write

EVEN = {"name": '"Even"', "source": '"platform"', "method": '"even"'}
FIXED = EVEN | {"method": '"fixed"', "shares": "{ A = 60, B = 40 }"}


def rules_of(*rules: dict[str, str]) -> Rules:
    """Return the rules of a file of these keys; each rule takes its heading and a line a key."""
    lines = (["[[rules]]", *(f"{key} = {rule[key]}" for key in rule)] for rule in rules)
    write("allocation.toml", *(line for rule in lines for line in rule))
    return read_rules(Path())


def reasons(found: Rules) -> list[str]:
    return [
        problem.partition("): ")[2].removesuffix("; the rule is not used")
        for problem in found.problems
    ]


def test_without_a_file_there_is_no_rule() -> None:
    """A project without the file has no rule and no problem."""
    assert read_rules(Path()) == Rules()


def test_a_table_is_a_rule() -> None:
    """A rule is of all workspaces and months, and shown only, where it does not say otherwise."""
    dates = {"valid_from": "2026-10-01", "valid_to": '"2026-12-31"'}
    proportional = {"method": '"proportional"', "by": '"tokens"', "workspace": '"Bake*"'}
    found = rules_of(
        {"name": '"P"', "source": '"failed"', **proportional, **dates},
        EVEN,
        FIXED | {"source": '"no_agent"', "shares": '{ "CC 1" = 33.3, B = 66.7 }'},
    )

    days = date(2026, 10, 1), date(2026, 12, 31)
    shares = {"CC 1": Decimal("33.3"), "B": Decimal("66.7")}
    assert found.problems == []
    assert found.rules == [
        Rule(1, "P", "failed", "proportional", "tokens", {}, "Bake*", *days),
        Rule(2, "Even", "platform", "even", None, {}, "*", None, None),
        Rule(3, "Even", "no_agent", "fixed", None, shares, "*", None, None),
    ]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (EVEN | {"sorce": "1"}, "`sorce` is not known; did you mean source?"),
        (EVEN | {"source": '"platfrom"'}, "source `platfrom` is not known; did you mean platform?"),
        (EVEN | {"source": '"x"'}, "source `x` is not known; there are platform, no_agent,"),
        (EVEN | {"source": "1"}, "source is no text: put it in quotes"),
        ({"name": '"Even"', "source": '"failed"'}, "method is empty"),
        (EVEN | {"by": '"cost"'}, "by belongs to method proportional, and to no other"),
        (EVEN | {"method": '"proportional"'}, "by belongs to method proportional"),
        (EVEN | {"method": '"fixed"'}, "shares belongs to method fixed, and to no other"),
        (EVEN | {"shares": "{ A = 100 }"}, "shares belongs to method fixed, and to no other"),
        (EVEN | {"book": '"yes"'}, "`book` is not known"),
        (EVEN | {"workspace": '""'}, "workspace is empty"),
        (EVEN | {"valid_from": "2026-10-02"}, "valid_from 2026-10-02 is not the first day of"),
        (EVEN | {"valid_to": "2026-10-30"}, "valid_to 2026-10-30 is not the last day of a month"),
        (EVEN | {"valid_to": '"soon"'}, "valid_to `soon` is no day: write it like 2026-11-30"),
        (EVEN | {"valid_to": "2026-10-31T00:00:00"}, "valid_to `2026-10-31 00:00:00` is no day"),
        (
            EVEN | {"valid_from": "2026-12-01", "valid_to": "2026-11-30"},
            "valid_from 2026-12-01 is after valid_to 2026-11-30",
        ),
        (FIXED | {"shares": "{ A = 60, B = 30.5 }"}, "shares are 90.5 in all, and must be 100"),
        (FIXED | {"shares": "{ A = 0, B = 0 }"}, "shares are 0 in all, and must be 100"),
        (FIXED | {"shares": "{ A = 110, B = -10 }"}, "the share of A is no number from 0 to 100"),
        (FIXED | {"shares": "{ A = nan }"}, "the share of A is no number from 0 to 100"),
        (FIXED | {"shares": "{ A = true }"}, "the share of A is no number from 0 to 100"),
        (FIXED | {"shares": '{ A = "100" }'}, "the share of A is no number from 0 to 100"),
        (FIXED | {"shares": "{ A = 1e-11 }"}, "the share of A has more than ten decimals"),
        (FIXED | {"shares": "{}"}, "shares is no table: write shares = { "),
        (FIXED | {"shares": "[100]"}, "shares is no table: write shares = { "),
        (FIXED | {"shares": '{ "(none)" = 100 }'}, "shares: (none) is no cost center"),
        (FIXED | {"shares": '{ A = 50, "A " = 50 }'}, "shares: A is no cost center, or is there"),
    ],
)
def test_a_wrong_rule_spoils_only_itself(rule: dict[str, str], reason: str) -> None:
    """It is named by file, line, number and name with the reason; the others are in force."""
    apart = EVEN | {"source": '"failed"'}
    found = rules_of(apart, rule, apart | {"source": '"unlisted"'})

    assert [each.number for each in found.rules] == [1, 3]
    (problem,) = found.problems
    assert problem.startswith(f"finance/allocation.toml:5: rule 2 (Even): {reason}")
    assert problem.endswith("; the rule is not used")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[rule]]", ": `rule` is not known; did you mean rules?"),
        ("rules = 1", ": rules are no tables: write [[rules]]; nothing is allocated"),
        ("rules = [1]", ": rules are no tables: write [[rules]]; nothing is allocated"),
        ("rules = [{}]", ": rule 1: name is empty; the rule is not used"),
        ("\n[[rules]", ":2: Expected ']]' at the end of an array declaration; nothing is"),
        ("[[rules]]\n" * 201, ": there are more than 200 rules; nothing is allocated"),
        ("[[rules]]\nname = '(none)'", ":1: rule 1 ((none)): name (none) stands for no rule"),
    ],
)
def test_a_wrong_file_is_named(text: str, problem: str) -> None:
    """Text that holds no rules is a problem with its line where TOML knows it."""
    write("allocation.toml", text)
    found = read_rules(Path())

    assert found.rules == []
    assert found.problems[0].startswith(f"finance/allocation.toml{problem}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"workspace": '"Bakery"'}, {"workspace": '"bakery"'}),
        ({"workspace": '"Bake*"'}, {"workspace": '"*kery"'}),
        ({"valid_to": "2026-10-31"}, {"valid_from": "2026-10-01"}),
    ],
)
def test_an_overlap_is_refused_by_its_number(one: dict[str, str], other: dict[str, str]) -> None:
    """Of two rules for the same pool of a workspace in a month, the lower is not used."""
    found = rules_of(EVEN | one, FIXED | {"name": '"Late"'} | other)

    assert [rule.number for rule in found.rules] == [1]
    assert found.problems[0].partition(": ")[2].startswith("rule 2 (Late): it overlaps rule 1 (Ev")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"source": '"no_agent"'}),
        ({"workspace": '"Bakery"'}, {"workspace": '"Zoo"'}),
        ({"workspace": '"Bakery"'}, {"workspace": '"*"'}),
        ({"workspace": '"Bake*"'}, {"workspace": '"Bak*"'}),
        ({"valid_to": "2026-10-31"}, {"valid_from": "2026-11-01"}),
    ],
)
def test_rules_that_are_apart_are_in_force(one: dict[str, str], other: dict[str, str]) -> None:
    """Another source, workspace or month is no overlap; the more specific workspace is first."""
    found = rules_of(EVEN | other, EVEN | one)

    assert found.problems == []
    assert {rule.number for rule in found.rules} == {1, 2}
    if other.get("workspace") not in (None, '"Zoo"'):
        assert [rule.number for rule in found.rules] == [2, 1]
