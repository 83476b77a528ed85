"""The ledger of a fleet's findings: of two merges neither sends what the other may have sent."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("obstore", reason="needs the extra `fleet`: make test-fleet")

from analytics.alerts.delivery import deliver
from analytics.alerts.found import Found
from analytics.alerts.ledger import State
from analytics.alerts.messages import Message
from analytics.alerts.sender import Address, Outcome
from analytics.custom.findings import Finding
from analytics.errors import AnalyticsError
from analytics.fleet.alerts import StoredLedger
from analytics.fleet.merges import Merge, begin
from analytics.fleet.store import Store, StoreError

FOUND = Found({"x": Finding("alert", "A", "info", 1, 1, "x", "x")}, {"alert": True})
TO = [Address("1", "address 1", "json://localhost")]


class Post:
    """A storage, and what merges sent and told."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(str(folder))
        self.sent: list[str] = []
        self.told: list[str] = []
        self.overtaking: list[Merge] = []

    def deliver(self, merge: Merge) -> None:
        """Let a merge send the finding."""
        deliver(StoredLedger(merge), FOUND, TO, self.send, self.told.append)

    def send(self, _address: Address, message: Message) -> Outcome:
        self.sent.append(message.body)
        if self.overtaking:
            self.deliver(self.overtaking.pop())
        return Outcome(State.sent, "")


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


def test_what_one_merge_sent_no_later_one_sends(post: Post) -> None:
    """The ledger of each merge has what those before it sent."""
    for _ in range(3):
        post.deliver(begin(post.store))

    assert (len(post.sent), post.told) == (1, [])


def test_an_overtaken_merge_sends_nothing(post: Post) -> None:
    """What it has not sent, the one that began later does."""
    older, later = begin(post.store), begin(post.store)

    with pytest.raises(AnalyticsError, match="Another merge has begun"):
        post.deliver(older)
    assert post.sent == []
    post.deliver(later)

    assert (len(post.sent), post.told) == (1, [])


def test_what_is_being_sent_is_sent_by_no_other(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merge that begins while another one sends tells that the finding may have arrived."""
    merge = begin(post.store)
    monkeypatch.setattr(post, "overtaking", [])
    send = post.send

    def overtaken(*given: object) -> Outcome:
        post.overtaking.append(begin(post.store))
        return send(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(post, "send", overtaken)
    with pytest.raises(AnalyticsError, match="Another merge has begun"):
        post.deliver(merge)

    assert len(post.sent) == 1
    (told,) = post.told
    assert "may not have been delivered" in told


def test_without_a_ledger_nothing_is_sent(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the storage fails, the finding waits for the next merge."""

    def failing(_store: Store, path: str, _content: object) -> None:
        raise StoreError(f"{path} could not be written.")

    monkeypatch.setattr(Store, "put", failing)
    with pytest.raises(StoreError):
        post.deliver(begin(post.store))
    assert post.sent == []
    monkeypatch.undo()
    post.deliver(begin(post.store))

    assert len(post.sent) == 1
