"""TOML files of `finance/`: rules of allocation, accounts, and the words for those not right."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.finance.reading import Records
from analytics.finance.tables import (
    ALLOCATION,
    FINDINGS,
    Accounts,
    Roles,
    Rule,
    Silence,
    read_accounts,
)
from tests.finance.files import write

EVEN = {"name": '"Even"', "source": '"platform"', "method": '"even"'}
ONE_OF = "`rules.source` must be platform, no_agent, unlisted or failed"
SHARES, FROM, TO = "`rules.shares`", "`rules.valid_from`", "`rules.valid_to`"
FIXED = EVEN | {"method": '"fixed"', "shares": "{ A = 60, B = 40 }"}


def rules_of(*rules: dict[str, str]) -> Records[Rule]:
    """Return the rules of a file of these keys; each rule takes its heading and a line a key."""
    lines = (["[[rules]]", *(f"{key} = {rule[key]}" for key in rule)] for rule in rules)
    write("allocation.toml", *(line for rule in lines for line in rule))
    return ALLOCATION.read(Path())


def test_a_table_is_a_rule() -> None:
    """A rule is of all workspaces and months where it does not say otherwise."""
    dates = {"valid_from": "2026-10-01", "valid_to": '"2026-12-31"'}
    proportional = {"method": '"proportional"', "by": '"tokens"', "workspace": '"Bake*"'}
    found = rules_of(
        {"name": '"P"', "source": '"failed"', **proportional, **dates},
        EVEN,
        FIXED | {"source": '"no_agent"', "shares": '{ "CC 1" = 33.3, B = 66.7 }'},
    )

    days = {"valid_from": date(2026, 10, 1), "valid_to": date(2026, 12, 31)}
    shares = {"CC 1": Decimal("33.3"), "B": Decimal("66.7")}
    assert found.problems == []
    assert found.rows == {
        1: Rule(
            name="P", source="failed", method="proportional", by="tokens", workspace="Bake*", **days
        ),
        2: Rule(name="Even", source="platform", method="even"),
        3: Rule(name="Even", source="no_agent", method="fixed", shares=shares),
    }


@pytest.mark.parametrize(
    ("rule", "line", "reason"),
    [
        (EVEN | {"sorce": "1"}, 9, "there is no setting `rules.sorce` (did you mean `rules.s"),
        (
            EVEN | {"source": '"platfrom"'},
            7,
            f'{ONE_OF}, not "platfrom" (did you mean `platform`?)',
        ),
        (EVEN | {"source": "1"}, 7, "`rules.source` must be a text in quotes, not 1"),
        ({"name": '"Even"', "source": '"failed"'}, 5, "there must be a setting `rules.method`"),
        (EVEN | {"by": '"cost"'}, 5, "`by` belongs to method proportional, and to no other"),
        (EVEN | {"method": '"proportional"'}, 5, "`by` belongs to method proportional"),
        (EVEN | {"method": '"fixed"'}, 5, "`shares` belongs to method fixed, and to no other"),
        (EVEN | {"shares": "{ A = 100 }"}, 5, "`shares` belongs to method fixed, and to no other"),
        (EVEN | {"workspace": '""'}, 9, "`rules.workspace` is empty"),
        (EVEN | {"valid_from": "2026-10-02"}, 9, f"{FROM} 2026-10-02 is not the first day of a"),
        (EVEN | {"valid_to": "2026-10-30"}, 9, f"{TO} 2026-10-30 is not the last day of a month"),
        (EVEN | {"valid_to": '"soon"'}, 9, f'{TO} must be a day like 2026-11-30, not "soon"'),
        (EVEN | {"valid_to": "2026-10-31T00:00:00"}, 9, f"{TO} must be a day like"),
        (
            EVEN | {"valid_from": "2026-12-01", "valid_to": "2026-11-30"},
            5,
            "valid_from 2026-12-01 is after valid_to 2026-11-30",
        ),
        (
            FIXED | {"shares": "{ A = 60, B = 30.5 }"},
            9,
            f"{SHARES} are 90.5 in all, and must be 100",
        ),
        (FIXED | {"shares": "{ A = 0, B = 0 }"}, 9, f"{SHARES} are 0 in all, and must be 100"),
        (FIXED | {"shares": "{ A = 110, B = -10 }"}, 9, f"{SHARES} have no number from 0 to 100"),
        (FIXED | {"shares": "{ A = nan }"}, 9, f"{SHARES} have no number from 0 to 100"),
        (FIXED | {"shares": "{ A = true }"}, 9, f"{SHARES} have no number from 0 to 100"),
        (FIXED | {"shares": '{ A = "100" }'}, 9, f"{SHARES} have no number from 0 to 100"),
        (FIXED | {"shares": "{ A = 1e-11 }"}, 9, f"{SHARES} have more than ten decimals for A"),
        (FIXED | {"shares": "{}"}, 9, f"{SHARES} must be a table like {{ "),
        (FIXED | {"shares": "[100]"}, 9, f"{SHARES} must be a table like {{ "),
        (FIXED | {"shares": '{ "(none)" = 100 }'}, 9, f"{SHARES} have `(none)`, which is no cost"),
        (FIXED | {"shares": '{ A = 50, "A " = 50 }'}, 9, f"{SHARES} have `A `, which is no cost"),
    ],
)
def test_a_wrong_rule_spoils_only_itself(rule: dict[str, str], line: int, reason: str) -> None:
    """It is named by file, line and key with the reason; the others are in force."""
    apart = EVEN | {"source": '"failed"'}
    found = rules_of(apart, rule, apart | {"source": '"unlisted"'})

    assert [*found.rows] == [1, 3]
    (problem,) = found.problems
    assert problem.startswith(f"finance/allocation.toml:{line}: {reason}")
    assert problem.endswith("; the rule is not used")


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        ({}, {}, None),
        ({"workspace": '"Bakery"'}, {"workspace": '"bakery"'}, [1, 2]),
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

    assert [*found.rows] == (order or [1])
    reason = "rule Late overlaps rule 1 (Even)"
    assert [reason in each for each in found.problems] == [True] * (order is None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[rule]]", ":1: there is no setting `rule` (did you mean `rules`?)"),
        ("rules = 1", ":1: `rules` must be tables [[rules]]; nothing is allocated"),
        ("rules = [1]", ":1: `rules` must be tables [[rules]]; nothing is allocated"),
        ("rules = [{}]", ":1: there must be a setting `rules.name`; the rule is not used"),
        ("\n[[rules]", ":2: it is not valid TOML: Expected ']]' at the end of an array"),
        ("[[rules]]\n" * 201, ":1: there are more than 200 rules; nothing is allocated"),
        (
            "[[rules]]\nsource = 'failed'\nmethod = 'even'\nname = '(none)'",
            ":4: `rules.name` (none) stands for no rule; choose another one; the rule is not used",
        ),
    ],
)
def test_a_wrong_file_of_rules(text: str, problem: str) -> None:
    """Text that holds no rules is a problem with its line where TOML knows it."""
    write("allocation.toml", text)
    found = ALLOCATION.read(Path())

    assert found.rows == {}
    assert found.problems[0].startswith(f"finance/allocation.toml{problem}")


def test_a_key_is_an_account() -> None:
    """Roles that are not named keep their default; cost centers have accounts of their own."""
    write(
        "accounts.toml", "[accounts]", 'expense = "Expenses:AI"', 'provider_payable = "2010"',
        "[cost_centers]", '"CC-110" = "6210"', '"(none)" = "6299"',
    )  # fmt: skip

    assert read_accounts(Path()) == (
        Accounts(
            accounts=Roles(expense="Expenses:AI", provider_payable="2010"),
            cost_centers={"CC-110": "6210", "(none)": "6299"},
        ),
        [],
    )


NO_SETTING = ":2: there is no setting"
NOT_USED = "; it is not used"
DEFAULT = "; the accounts are the defaults"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[accounts]\nexpence = "1"',
            f"{NO_SETTING} `accounts.expence` (did you mean `accounts.expense`?){NOT_USED}",
        ),
        ('[accounts]\nx = "1"', f"{NO_SETTING} `accounts.x` (there are `accounts.expense`,"),
        ("[accounts]\ntax = 1", f":2: `accounts.tax` must be a text in quotes, not 1{NOT_USED}"),
        ('[cost_centers]\n"CC-1" = " "', f":2: `cost_centers.CC-1` is empty{NOT_USED}"),
        (
            '[cost_centers]\n"CC\\n1" = "6200"',
            ":2: `cost_centers.CC⟨U+000A⟩1` `CC⟨U+000A⟩1` holds an invisible character",
        ),
        ("accounts = 1", f":1: `accounts` must be a table, not 1{NOT_USED}"),
        ("cost_centers = 1", f":1: `cost_centers` must be a table, not 1{NOT_USED}"),
        ("[acounts]", f":1: there is no setting `acounts` (did you mean `accounts`?){NOT_USED}"),
        (
            '[accounts]\n\nexpense = "1\n',
            f":3: it is not valid TOML: Illegal character '\\n'{DEFAULT}",
        ),
        ("a = " + "[" * 9_999, f": its tables are nested too deep{DEFAULT}"),
        (f"a = 1e{'9' * 40}", f": it holds a number that is too large{DEFAULT}"),
        # It is refused before it is parsed, which would take long.
        ("a" + ".a" * 50_000 + " = 1", f":1: a key has more than 10 parts{DEFAULT}"),
    ],
    ids=range(12),
)
def test_a_wrong_account_is_named_and_not_used(text: str, problem: str) -> None:
    """A problem has the file, the line where TOML knows it, the reason, and a suggestion."""
    write("accounts.toml", text)
    accounts, (told,) = read_accounts(Path())

    assert accounts == Accounts()
    assert told.startswith(f"finance/accounts.toml{problem}")


def test_a_silence_is_of_a_kind() -> None:
    """Agent, subject, last day and note may be left out."""
    write(
        "findings.toml", "[[silences]]", 'kind = "new_agent"', "[[silences]]", 'kind = "budget"',
        'agent = "baker"', 'subject = "all"', "until = 2026-12-31", 'note = "known"',
    )  # fmt: skip

    until = date(2026, 12, 31)
    assert FINDINGS.read(Path()).rows == {
        1: Silence(kind="new_agent"),
        2: Silence(kind="budget", agent="baker", subject="all", until=until, note="known"),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[silence]]", ":1: there is no setting `silence` (did you mean `silences`?)"),
        ("silences = 1", ":1: `silences` must be tables [[silences]]; nothing is silenced"),
        ("[[silences]]\n" * 1001, ":1: there are more than 1,000 silences; nothing is silenced"),
        ("[[silences]]\n\nkind = 'new_agent", ":3: it is not valid TOML: Expected"),
        ("[[silences]]", ":1: there must be a setting `silences.kind`; it silences nothing"),
        ("[[silences]]\nkind = 'new'", ":2: `silences.kind` must be version_worse, "),
        ("[[silences]]\nkinds = 'data'", ":1: there must be a setting `silences.kind`"),
        ("[[silences]]\nkind = 'data'\nagent = 1", ":3: `silences.agent` must be a text"),
        ("[[silences]]\nkind = 'data'\nuntil = 'soon'", ":3: `silences.until` must be a day"),
    ],
    ids=range(9),
)
def test_a_wrong_silence_is_named_and_silences_nothing(text: str, problem: str) -> None:
    """A problem has the file, the line where TOML knows it, the reason, and a suggestion."""
    write("findings.toml", text)
    found = FINDINGS.read(Path())

    assert found.rows == {}
    assert found.problems[0].startswith(f"finance/findings.toml{problem}")
