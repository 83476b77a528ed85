"""Messages of findings: short, exact, and inert."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from analytics.alerts.messages import message_of, without_markup
from analytics.project.build import Finding

DATA_TO = datetime(2026, 11, 20, 6, tzinfo=UTC)
LINK = "https://agents.example.com/index.html#from=2026-11-01&to=2026-11-28&by=model&at=cost"


def findings(count: int, text: str = "cost_usd: 1.25", of: int = 0) -> list[Finding]:
    return [
        Finding("costs", "Expensive days", "failure", n, of or count, str(n), text)
        for n in range(1, count + 1)
    ]


def test_a_message_has_the_findings() -> None:
    """A message has the title, the number of new findings, their figures and pages, the cut-off."""
    message = message_of(findings(2, of=7), DATA_TO, {"2": LINK})

    assert (message.title, message.severity) == ("Expensive days", "failure")
    assert message.body.splitlines() == [
        "2 new of 7 findings. Data to 2026-11-20 06:00 UTC.",
        "- cost_usd: 1.25",
        "- cost_usd: 1.25",
        f"  {LINK}",
    ]
    assert message_of(findings(2), None, {}).body.startswith("2 new findings.\n")
    assert message_of(findings(1), None, {}).body.startswith("1 new finding.\n")


def test_a_message_is_short() -> None:
    """A message has at most 20 findings, and is never too long for a service."""
    many, long = (
        message_of(findings(100), DATA_TO, {}),
        message_of(findings(9, "x" * 500), DATA_TO, {}),
    )

    assert many.body.count("\n- ") == 20
    assert many.body.endswith("\nand 80 more: analytics status --json")
    assert long.body.endswith("\nand 6 more: analytics status --json")
    assert len(long.body) < 2000


def test_names_are_inert() -> None:
    """No name mentions anybody, links anywhere, or is markup; ordinary names are as they are."""
    hostile = "@everyone <!channel> [x](http://e.example) **b** `c` _i_ #g e.example"
    for name in (*hostile.split(), "shop24.e.example/login"):
        message = message_of([replace(findings(1, name)[0], title=name)], DATA_TO, {})
        for text in (message.title, message.body):
            assert not set("<>@#*`[]").intersection(text)
            assert "://" not in text
            assert "e.example" not in text
    for host in ("shop24.com", "10.0.0.1/x", "4.1.e1"):
        assert "." not in without_markup(host)
    for number in ("1.25", "-1,234.50", "1.5e+300", "gpt-4.1-mini", "05:00:00.1 UTC", "1.5 %."):
        assert without_markup(number) == number
    assert without_markup("_i_") == "\uff3fi\uff3f"
    assert without_markup("support_triage-2 (none), 1.5 %") == "support_triage-2 (none), 1.5 %"
