"""Alerts in whole batches: found, published, sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alerts.webhook import Webhook, webhook
from tests.cli.conftest import SETTINGS, Command, SettingsFile

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


@pytest.fixture
def alerting(published: Command, settings_file: SettingsFile) -> Command:
    """The command, with an alert that finds something."""
    settings_file(ALERTS)
    alert("costs", COSTS)
    return published


def alert(name: str, sql: str) -> None:
    file = Path(f"queries/alerts/{name}.sql")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(sql, encoding="utf-8")


def are_sent(command: Command) -> set[bool]:
    findings = json.loads(command("status", "--json").out)["findings"]
    return {each["is_sent"] for each in findings}


def test_a_finding_is_sent(
    alerting: Command, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch sends each finding, and no later one or rebuild does; the data keep it as sent."""
    monkeypatch.setenv("HOOKS", hook.address("s3cret"))

    first = alerting("nightly")
    codes = [alerting(each).code for each in ("rebuild", "nightly")]

    assert (first.code, codes) == (0, [0, 0])
    assert " of them sent now" in first.err
    assert hook.findings
    assert set(hook.findings.values()) == {1}
    (message,) = [message for _, message in hook.received]
    assert message["title"] == "Days of \uff20agents that cost"
    assert "agent_name: Baker" in message["message"]
    assert "cost_usd: " in message["message"]
    assert are_sent(alerting) == {True}
    assert " sent; --json has each." in alerting("status").out
    assert Path("data/alerts.json").stat().st_mode & 0o777 == 0o600
    told = "".join([first.out, first.err, Path("data/alerts.json").read_text("utf-8")])
    assert "s3cret" not in told


def test_findings_without_an_address_are_shown(
    alerting: Command, settings_file: SettingsFile
) -> None:
    """Without addresses, findings are printed, and one line says that they are not sent."""
    settings_file(SETTINGS)

    result = alerting("nightly")

    assert result.code == 0
    assert "alert costs: agent_name: " in result.err
    assert result.err.count("findings are not sent: there are no addresses (urls_env") == 1
    assert are_sent(alerting) == {False}
    assert "findings, 0 sent; --json has each." in alerting("status").out


def test_what_is_wrong_with_alerts_is_a_warning(
    alerting: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken alerts and addresses change no exit code, and no secret is told."""
    alert("broken", "select nope from fct_runs")
    monkeypatch.setenv("HOOKS", "json://127.0.0.1:1/s3cret slack://s3cret")

    result = alerting("nightly")

    assert result.code == 0
    assert "not used: queries/alerts/broken.sql:1: Binder Error" in result.err
    assert (
        "could not be sent; the next batch tries again (address 1 (json): it did not" in result.err
    )
    assert "(address 2 (slack): Apprise knows no such address)" in result.err
    assert "could not be sent" in alerting("status").out
    files = [each for each in Path("data").rglob("*") if each.is_file()]
    assert "s3cret" not in result.err + result.out
    assert [each for each in files if b"s3cret" in each.read_bytes()] == []


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
        "- A test alert did not arrive at address 2 (json): it cannot be reached.",
    ):
        assert line in result.out.splitlines()
    assert [path for path, _ in hook.received] == ["a", "b"]
