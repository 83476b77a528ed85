"""TOML files of `finance/`: rules of allocation, accounts, and the words for those not right."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.finance.accounts import DEFAULTS, Accounts, read_accounts
from analytics.finance.allocation import Rule, Rules, read_rules
from analytics.finance.silences import Silence, Silences, read_silences
from tests.finance.files import write

EVEN = {"name": '"Even"', "source": '"platform"', "method": '"even"'}
FIXED = EVEN | {"method": '"fixed"', "shares": "{ A = 60, B = 40 }"}


def rules_of(*rules: dict[str, str]) -> Rules:
    """Return the rules of a file of these keys; each rule takes its heading and a line a key."""
    lines = (["[[rules]]", *(f"{key} = {rule[key]}" for key in rule)] for rule in rules)
    write("allocation.toml", *(line for rule in lines for line in rule))
    return read_rules(Path())


def test_a_table_is_a_rule() -> None:
    """A rule is of all workspaces and months where it does not say otherwise."""
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
    ("one", "other", "order"),
    [
        ({}, {}, None),
        ({"workspace": '"Bakery"'}, {"workspace": '"bakery"'}, None),
        ({"workspace": '"Bake*"'}, {"workspace": '"*kery"'}, None),
        ({"valid_from": "2026-10-01"}, {"valid_to": "2026-10-31"}, None),
        ({"source": '"no_agent"'}, {}, [1, 2]),
        ({"workspace": '"Zoo"'}, {"workspace": '"Bakery"'}, [1, 2]),
        ({"workspace": '"*"'}, {"workspace": '"Bakery"'}, [2, 1]),
        ({"workspace": '"Bak*"'}, {"workspace": '"Bake*"'}, [2, 1]),
        ({"valid_from": "2026-11-01"}, {"valid_to": "2026-10-31"}, [1, 2]),
    ],
)
def test_rules_that_overlap(
    one: dict[str, str], other: dict[str, str], order: list[int] | None
) -> None:
    """Of two for the same pool of a workspace in a month, the lower is not used.

    Another source, workspace or month is no overlap; the more specific workspace is first.
    """
    found = rules_of(EVEN | one, FIXED | {"name": '"Late"'} | other)

    assert [rule.number for rule in found.rules] == (order or [1])
    reason = "rule 2 (Late): it overlaps rule 1 (Even)"
    assert [reason in each for each in found.problems] == [True] * (order is None)


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
def test_a_wrong_file_of_rules(text: str, problem: str) -> None:
    """Text that holds no rules is a problem with its line where TOML knows it."""
    write("allocation.toml", text)
    found = read_rules(Path())

    assert found.rules == []
    assert found.problems[0].startswith(f"finance/allocation.toml{problem}")


def test_a_key_is_an_account() -> None:
    """Roles that are not named keep their default; cost centers have accounts of their own."""
    write(
        "accounts.toml", "[accounts]", 'expense = "Expenses:AI"', 'provider_payable = "2010"',
        "[cost_centers]", '"CC-110" = "6210"', '"(none)" = "6299"',
    )  # fmt: skip

    assert read_accounts(Path()) == Accounts(
        DEFAULTS | {"expense": "Expenses:AI", "provider_payable": "2010"},
        {"CC-110": "6210", "(none)": "6299"},
        [],
    )


NOT_USED = "; the key is not used"
DEFAULT = "; the accounts are the defaults"
ROLES = "expense, accrued, payable, tax, rounding, provider_payable"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[accounts]\nexpence = "1"',
            ": [accounts] `expence` is not known; did you mean expense?;",
        ),
        ('[accounts]\nx = "1"', f": [accounts] `x` is not known; there are {ROLES}{NOT_USED}"),
        ("[accounts]\ntax = 1", f": [accounts] tax is no text: put it in quotes{NOT_USED}"),
        ('[cost_centers]\n"CC-1" = " "', f": [cost_centers] CC-1 is empty{NOT_USED}"),
        (
            '[cost_centers]\n"CC\\n1" = "6200"',
            ": [cost_centers] a cost center `CC⟨U+000A⟩1` holds an invisible character",
        ),
        ("accounts = 1", ": accounts is no table: write [accounts]; it is not used"),
        ("[acounts]", ": `acounts` is not known; did you mean accounts?"),
        ('[accounts]\n\nexpense = "1\n', f":3: Illegal character '\\n'{DEFAULT}"),
        ("a = " + "[" * 9_999, f": its tables are nested too deep{DEFAULT}"),
        (f"a = 1e{'9' * 40}", f": it holds a number that is too large{DEFAULT}"),
        # It is refused before it is parsed, which would take long.
        ("a" + ".a" * 50_000 + " = 1", f":1: a key has more than 10 parts{DEFAULT}"),
    ],
    ids=range(11),
)
def test_a_wrong_account_is_named_and_not_used(text: str, problem: str) -> None:
    """A problem has the file, the line where TOML knows it, the reason, and a suggestion."""
    write("accounts.toml", text)
    found = read_accounts(Path())

    assert found == Accounts(problems=found.problems)
    (told,) = found.problems
    assert told.startswith(f"finance/accounts.toml{problem}")


def test_a_silence_is_of_a_kind() -> None:
    """Agent, subject, last day and note may be left out."""
    write(
        "findings.toml", "[[silences]]", 'kind = "new_agent"', "[[silences]]", 'kind = "budget"',
        'agent = "baker"', 'subject = "all"', "until = 2026-12-31", 'note = "known"',
    )  # fmt: skip

    assert read_silences(Path()) == Silences(
        [
            Silence("new_agent", None, None, None, None),
            Silence("budget", "baker", "all", date(2026, 12, 31), "known"),
        ]
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[silence]]", ": `silence` is not known; did you mean silences?"),
        ("silences = 1", ": silences are no tables: write [[silences]]; nothing is silenced"),
        ("[[silences]]\n" * 1001, ": there are more than 1,000 silences; nothing is silenced"),
        ("[[silences]]\n\nkind = 'new_agent", ":3: Expected"),
        ("[[silences]]", ": silence 1: kind is empty; it silences nothing"),
        ("[[silences]]\nkind = 'new'", ": silence 1: kind `new` is not known; "),
        ("[[silences]]\nkinds = 'data'", ": silence 1: `kinds` is not known; did you mean kind?"),
        ("[[silences]]\nkind = 'data'\nagent = 1", ": silence 1: agent is no text"),
        ("[[silences]]\nkind = 'data'\nuntil = 'soon'", ": silence 1: until `soon` is"),
    ],
    ids=range(9),
)
def test_a_wrong_silence_is_named_and_silences_nothing(text: str, problem: str) -> None:
    """A problem has the file, the line where TOML knows it, the reason, and a suggestion."""
    write("findings.toml", text)
    found = read_silences(Path())

    assert found.silences == []
    assert found.problems[0].startswith(f"finance/findings.toml{problem}")
