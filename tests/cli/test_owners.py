"""Owners of agents, from `finance/owners.csv` to SQL and to the files for finance."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.emulator.world import World
from tests.cli.conftest import Command, book_a_few_runs, publish_again, shell_in
from tests.conftest import NOW, hire_baker

OWNERS = """workspace,agent,cost_center,account,owner,valid_from,valid_to
*,baker,C-1,6200,=Bread(),,2026-11-19
*,baker,C-2,6200,Cake,2026-11-20,
"""
MONTH = "2026-11"


def own(text: str) -> None:
    """Write the file beside the settings."""
    Path("finance").mkdir(exist_ok=True)
    Path("finance/owners.csv").write_text(text, encoding="utf-8")


def focus(analytics: Command) -> list[dict[str, str]]:
    """Return the charges of a month as FOCUS has them."""
    assert analytics("export", "focus", MONTH, "--output", "bill").code == 0
    file = Path("bill", f"levain-focus-{MONTH}-cost-and-usage.csv")
    return [*csv.DictReader(file.read_text(encoding="utf-8").splitlines())]


def lines(analytics: Command) -> list[dict[str, str]]:
    """Return the lines of a month."""
    sql = "select * from fct_month_lines where usage_month = '2026-11-01' order by owner"
    return [*csv.DictReader(analytics("sql", sql, "--format", "csv").out.splitlines())]


@dataclass(frozen=True)
class Owned:
    """A folder with published figures by owner, and figures of the same without owners."""

    folder: Path
    month: list[dict[str, str]]
    focus: list[dict[str, str]]


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Owned:
    """A batch of a small world without owners, built once more with them."""
    world = World.empty(1, NOW)
    book_a_few_runs(world, hire_baker(world))
    folder = tmp_path_factory.mktemp("owned")
    with shell_in(folder, world) as run:
        assert run("nightly").code == 0
        exports = lines(run), focus(run)
        own(OWNERS)
        publish_again()
    return Owned(folder, *exports)


@pytest.fixture
def published(owned: Owned, analytics: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, in that folder."""
    monkeypatch.chdir(owned.folder)
    return analytics


def test_a_month_has_a_line_for_each_owner_of_an_agent(owned: Owned, published: Command) -> None:
    """Its lines add up to the line of a month without owners."""
    baker = [line for line in lines(published) if line["agent_name"] == "Baker"]
    (whole,) = (line for line in owned.month if line["agent_name"] == "Baker")
    assert [(line["owner"], line["cost_center"], line["cost_usd"]) for line in baker] == [
        ("=Bread()", "C-1", "1.1000000000"),
        ("Cake", "C-2", "0.4000000000"),
    ]
    assert (whole["owner"], whole["cost_center"]) == ("(none)", "(none)")
    for column in whole:
        if column.endswith(("_usd", "_count")) and whole[column]:
            assert sum(Decimal(line[column]) for line in baker) == Decimal(whole[column])


def test_focus_tags_each_owner(owned: Owned, published: Command) -> None:
    """A row has its owner and cost center as tags, which take no amount from it."""
    rows = focus(published)
    tags = [json.loads(row["Tags"]) for row in rows if row["Tags"]]

    assert {row["Tags"] for row in owned.focus} == {""}
    assert tags[0] == {"owner": "=Bread()", "cost_center": "C-1", "account": "6200"}
    assert [row | {"Tags": ""} for row in rows] == owned.focus


def test_a_name_that_nothing_has_is_told(command: Command) -> None:
    """A rule that matches no workspace or agent is a warning of a batch with its line, no error."""
    own(
        f"{OWNERS}*,bakre,C-3,,Typo,,\n*,?akre*,C-3,,Typo,,\nNowhere,*,C-3,,Typo,,\n"
        "*,(none),C-3,,None,,\n*,*,C-3,,All,,\n*,BAKE*,C-3,,Unused,,\n"
    )
    result = command("nightly")

    assert result.code == 0
    assert [
        line.partition("warning: ")[2] for line in result.err.splitlines() if "misspelt" in line
    ] == [
        "finance/owners.csv:4: no agent matches; is a name misspelt?",
        "finance/owners.csv:5: no agent matches; is a name misspelt?",
        "finance/owners.csv:6: no workspace matches; is a name misspelt?",
    ]
