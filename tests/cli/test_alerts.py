"""Alerts in whole batches: found, published, sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from analytics.batch.batch import begun
from analytics.batch.progress import Progress
from analytics.batch.stages import send_findings
from analytics.settings import load_settings
from tests.alerts.webhook import Webhook, webhook
from tests.cli.conftest import SETTINGS, Command, SettingsFile, publish_again
from tests.worlds import NOW

ALERTS = SETTINGS + '[alerts]\nurls_env = "HOOKS"\n'
COSTS = """\
-- Days of @agents that cost
-- key: agent_name, date
select agent_name, date, cost_usd from fct_agent_days where cost_usd > 0 order by date
"""


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as served:
        yield served


def alert(name: str, sql: str) -> None:
    file = Path(f"queries/alerts/{name}.sql")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(sql, encoding="utf-8")


def are_sent(command: Command) -> set[bool]:
    findings = json.loads(command("status", "--json").out)["alerts"]
    return {each["is_sent"] for each in findings}


def test_a_finding_is_sent(
    published: Command, settings_file: SettingsFile, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch sends each finding, and keeps that it was sent; no secret is told or kept.

    What needs a person has a link to the page that shows it. What is wrong with alerts and
    addresses is a warning, and changes no exit code.
    """
    settings_file(f'{ALERTS}[publish]\nurl = "https://agents.example.com/"\n')
    alert("costs", COSTS)
    alert("broken", "select nope from fct_runs")
    Path("finance").mkdir()
    budgets = f"scope,name,month,amount_usd\nall,,{NOW:%Y-%m},0.01\n"
    Path("finance/budgets.csv").write_text(budgets)
    refused = "json://127.0.0.1:1/s3cret slack://s3cret"
    monkeypatch.setenv("HOOKS", f"{hook.address('s3cret')} {refused}")

    result = published("nightly")

    assert result.code == 0
    assert "sent " in result.err
    assert set(hook.findings.values()) == {1}
    ours, message = (message for _, message in hook.received)
    assert ours["title"] == "Needs you"
    head, line, link = ours["message"].splitlines()
    assert head.startswith("1 new finding. Data to ")
    assert line.startswith("- Act now: All workspaces exceeded their budget on ")
    assert link == "  https://agents.example.com/index.html#budgets"
    assert message["title"] == "Days of \uff20agents that cost"
    assert "agent_name: Baker" in message["message"]
    assert "cost_usd: " in message["message"]
    assert are_sent(published) == {True}
    status = published("status").out
    assert " sent; --json has each." in status
    assert "could not be sent" in status
    assert "not used: queries/alerts/broken.sql:1: Binder Error" in result.err
    for words in (
        "could not be sent; the next batch tries again (address 2 (json): it did not",
        "(address 3 (slack): Apprise knows no such address)",
    ):
        assert words in result.err
    assert Path("data/alerts.json").stat().st_mode & 0o777 == 0o600
    assert "s3cret" not in result.err + result.out
    files = [each for each in Path("data").rglob("*") if each.is_file()]
    assert [each for each in files if b"s3cret" in each.read_bytes()] == []


def test_findings_without_an_address_are_shown(published: Command) -> None:
    """Without addresses, the first findings of one's own alerts are printed."""
    alert("costs", COSTS)
    publish_again()
    told = StringIO()
    with begun(load_settings(), Progress(told)) as batch:
        send_findings(batch)

    assert "alert costs: agent_name: " in told.getvalue()
    assert are_sent(published) == {False}
    assert "findings, 0 sent; --json has each." in published("status").out


@pytest.mark.usefixtures("connected")
def test_addresses_are_tested(
    analytics: Command, settings_file: SettingsFile, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`status --online` sends a message to each address, and names those that fail: exit 1.

    A comma between addresses, or after the last one, is part of none.
    """
    settings_file(ALERTS)
    unset = "the variable HOOKS, which urls_env in [alerts] names, is not set"
    assert analytics("status", "--online").out.count(unset) == 1
    assert unset in analytics("status").out
    monkeypatch.setenv("HOOKS", f"{hook.address('a')}, json://127.0.0.1:1/\n{hook.address('b')},\n")
    assert "address" not in analytics("status").out
    assert hook.received == []

    result = analytics("status", "--online")

    assert result.code == 1
    for line in (
        "address 1 (json): sent",
        "address 2 (json): it did not take the message",
        "address 3 (json): sent",
        "- A test alert did not arrive at address 2 (json): it did not take the message.",
    ):
        assert line in result.out.splitlines()
    assert [path for path, _ in hook.received] == ["a", "b"]
