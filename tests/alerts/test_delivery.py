"""Which findings are sent, to which addresses, and what is told of the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from analytics.alerts import delivery
from analytics.alerts.delivery import deliver
from analytics.alerts.found import Found
from analytics.alerts.ledger import Ledger, State
from analytics.alerts.messages import Message
from analytics.alerts.sender import SECONDS, Address, Outcome
from analytics.custom.findings import Finding
from analytics.errors import AnalyticsError

ONE, TWO = Address("1", "address 1 (json)", "json://one"), Address("2", "address 2 (json)", "…")


@dataclass
class Post:
    """Takes messages, or does with those to an address what `outcomes` says."""

    file: Path
    outcomes: dict[str, State] = field(default_factory=dict)
    refused: str = ""
    """A finding that servers refuse."""
    sent: list[tuple[str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def batch(self, findings: str, *addresses: Address, is_whole: bool = True) -> list[str]:
        """Deliver the findings of a batch, one letter each; return what arrived where."""
        self.sent.clear()
        self.told.clear()
        found = {n: Finding("b" if n == "z" else "a", "A", "info", 1, 1, n, n) for n in findings}
        asked = {finding.alert: is_whole for finding in found.values()} or {"a": is_whole}
        deliver(Ledger(self.file), Found(found, asked), addresses, self.send, self.told.append)
        return [f"{address} {text}" for address, text in self.sent]

    def send(self, address: Address, message: Message) -> Outcome:
        if self.refused and self.refused in message.body:
            return Outcome(State.failed, "it said no", is_answered=True)
        state = self.outcomes.get(address.id, State.sent)
        if state is State.sent:
            self.sent += [(address.id, line[2:]) for line in message.body.splitlines()[1:]]
        return Outcome(state, "" if state is State.sent else "it said no")


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path / "alerts.json")


def test_a_finding_is_sent_once(post: Post) -> None:
    """Each finding goes to each address once, in however many batches it is found."""
    assert post.batch("x", ONE, TWO) == ["1 x", "2 x"]
    assert post.batch("xy", ONE, TWO) == ["1 y", "2 y"]
    assert post.batch("xy", ONE, TWO) == []
    assert post.told == []


def test_a_finding_that_comes_back_is_new(post: Post) -> None:
    """A finding is new again after a batch whose alert did not find it."""
    post.batch("xy", ONE)
    post.batch("y", ONE)

    assert post.batch("xy", ONE) == ["1 x"]


def test_an_alert_that_tells_not_all_forgets_nothing(post: Post) -> None:
    """A finding is not gone because its alert failed, is no longer there, or found too much."""
    post.batch("xy", ONE)
    post.batch("z", ONE, is_whole=False)
    deliver(Ledger(post.file), Found(), [ONE], post.send, post.told.append)

    assert post.batch("xyz", ONE) == []


def test_what_certainly_failed_is_sent_by_the_next_batch(post: Post) -> None:
    """An address that failed gets the finding later, and no other gets it again."""
    post.outcomes["2"] = State.failed
    assert post.batch("x", ONE, TWO) == ["1 x"]
    (told,) = post.told
    assert told == (
        "alert a: 1 finding could not be sent; the next batch tries again"
        " (address 2 (json): it said no)"
    )
    post.outcomes.clear()

    assert post.batch("x", ONE, TWO) == ["2 x"]


def test_a_refused_message_keeps_no_other_alert_back(post: Post) -> None:
    """Where a server answers, the alerts after a refused one are sent all the same."""
    post.refused = "- x"

    assert post.batch("xz", ONE) == ["1 z"]
    assert "alert a: 1 finding could not be sent" in post.told[0]


def test_what_may_have_arrived_is_not_sent_again(post: Post) -> None:
    """An uncertain finding is told, stays uncertain, and is not sent again."""
    post.outcomes["1"] = State.uncertain
    post.batch("xy", ONE)
    assert "2 findings may not have been delivered; not sent again" in post.told[0]
    post.outcomes.clear()

    assert post.batch("xy", ONE) == []
    assert post.told == []
    assert Ledger(post.file).entries["x"].state is State.uncertain


def test_a_new_address_gets_new_findings(post: Post) -> None:
    """A finding that arrived is not sent to an address that is added later."""
    post.batch("x", ONE)

    assert post.batch("xy", ONE, TWO) == ["1 y", "2 y"]


def test_a_corrected_address_gets_what_arrived_nowhere(post: Post) -> None:
    """What arrived nowhere is sent once there is an address, or another one."""
    assert post.batch("x") == []
    post.outcomes["1"] = State.failed
    assert post.batch("x", ONE) == []
    assert post.batch("x") == []

    assert post.batch("x", TWO) == ["2 x"]
    assert post.batch("x", TWO) == []


def test_a_finding_that_goes_unsent_is_told(post: Post) -> None:
    """A warning says that an alert no longer finds what could not be sent."""
    post.outcomes["1"] = State.failed
    post.batch("x", ONE)
    post.batch("", ONE)

    assert post.told == ["alert a: it no longer finds 1 finding that could not be sent"]


def test_a_dead_address_costs_limited_time(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """After one failure, an address is left to the next batch; so are all with too little time."""
    found = Found({n: Finding(n, n, "info", 1, 1, n, n) for n in "ab"}, {"a": True, "b": True})
    post.outcomes["1"] = State.failed
    deliver(Ledger(post.file), found, [ONE], post.send, post.told.append)
    assert len(post.told) == 1
    post.told.clear()
    post.outcomes.clear()
    monkeypatch.setattr(delivery, "ALL_SECONDS", SECONDS - 0.001)
    deliver(Ledger(post.file), found, [ONE], post.send, post.told.append)

    assert post.told == [
        "no time was left to send findings to address 1 (json); the next batch sends them"
    ]


def test_what_cannot_be_tried_is_sent_later(post: Post) -> None:
    """Where nothing can be sent at all, findings wait."""

    def broken(*_: object) -> Outcome:
        raise AnalyticsError("Apprise is not installed.")

    found = Found({"x": Finding("a", "A", "info", 1, 1, "x", "x")}, {"a": True})
    with pytest.raises(AnalyticsError):
        deliver(Ledger(post.file), found, [ONE], broken, post.told.append)

    assert post.batch("x", ONE) == ["1 x"]


@pytest.mark.parametrize("content", [b'{"x": ', b'{"\xff": {}}'])
def test_a_damaged_ledger_sends_nothing(post: Post, content: bytes) -> None:
    """A ledger that is not as we wrote it is an error, which says what to do."""
    post.file.write_bytes(content)

    with pytest.raises(AnalyticsError, match="move it away"):
        post.batch("x", ONE)
    assert post.sent == []
