"""Which findings are sent to which addresses, and what is told of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from analytics.alerts.delivery import FINDINGS, Found, deliver, read_found, read_sent
from analytics.alerts.messages import Message
from analytics.alerts.sender import Address
from analytics.format import names
from analytics.project.build import Finding
from tests.batches import Killed

ONE, TWO = Address("1", "address 1 (json)", "json://one"), Address("2", "address 2 (json)", "…")


@dataclass
class Post:
    """Takes messages, but for those to addresses in `refusing` and with findings in `refused`."""

    file: Path
    refusing: set[str] = field(default_factory=set)
    refused: str = "-"
    is_killed: bool = False
    sent: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def batch(
        self,
        findings: str,
        *addresses: Address,
        is_whole: bool = True,
        day: int = 0,
        kept: str = "",
    ) -> list[str]:
        """Deliver the findings of a batch, one letter each; return what arrived where.

        Those of `kept`, some of them sent to nobody, are of ours: found on a `day` of November.
        """
        self.sent.clear()
        self.told.clear()
        found = {n: Finding("b" if n == "z" else "a", "A", "info", 1, 1, n, n) for n in findings}
        asked = {finding.alert: is_whole for finding in found.values()} or {"a": is_whole}
        data_to = datetime(2026, 11, day, 6, tzinfo=UTC) if day else None
        kept_to = {n: date(2026, 11, day + 3) for n in kept}
        batch = Found(found, asked, data_to, kept_to)
        count = deliver(self.file, batch, addresses, self.send, self.told.append)
        assert count == len({each.split()[1] for each in self.sent})
        return self.sent[:]

    def send(self, address: Address, messages: Sequence[Message]) -> list[str]:
        reasons = []
        for message in messages:
            texts = [line[2:] for line in message.body.splitlines()[1:]]
            if address.id in self.refusing or self.refused in texts:
                reasons.append("it said no")
                continue
            self.sent += [f"{address.id} {text}" for text in texts]
            reasons.append("")
        if self.is_killed:
            raise Killed
        return reasons


_PUBLISHED = """
create schema marts; create schema audit;
create table marts.dim_workspaces as
    select 'w' as workspace_id, 'Bakery' as workspace_name, 'Europe/Berlin' as reporting_timezone,
        timestamptz '2026-11-20 06:00Z' as last_batch_at, date '2026-11-20' as last_batch_date,
        date '2026-11-19' as last_complete_date;
create table marts.dim_agents as
    select 'w' as workspace_id, 'a' as agent_id, 'baker' as agent_slug;
create table audit.project_files as
    select 'alert' as kind, 'asked' as status, 'costs' as name, 1 as row_count;
create table audit.alert_findings as
    select 'costs' as alert_name, 'Costs' as title, 'info' as severity, 1 as finding_number,
        1 as finding_count, 'own' as finding_id, 'cost_usd: 1.00' as finding;
create table marts.fct_findings as
    select *, 'w' as workspace_id, 'a' as agent_id, 'Baker' as agent_name, 'v3' as subject,
        null as detail, timestamptz '2026-11-15 08:00Z' as since, null::timestamptz as until,
        'act now' as urgency
    from (values
        ('c', 'version_worse', 'Third.', false, false, 3),
        ('s', 'version_worse', 'Silenced.', true, false, 4),
        ('l', 'idle_runs', 'Lasts.', false, true, 5),
        ('a', 'budget', E'\u202eFirst.', false, false, 1))
        as t (finding_id, kind, sentence, is_silenced, is_chronic, rank);
"""


def test_new_findings_are_an_alert_of_their_own() -> None:
    """What is new is found beside the user's, with its page; not what is chronic or silenced."""
    with duckdb.connect() as con:
        con.execute(_PUBLISHED)
        found, without = read_found(con, "https://agents.example.com/"), read_found(con)

    assert found.alerts == {FINDINGS: True, "costs": True}
    assert [(each.id, each.text) for each in found.of(FINDINGS)] == [
        ("a", "Act now: ⟨U+202E⟩First."), ("c", "Act now: Third."),
    ]  # fmt: skip
    assert {(each.title, each.severity, each.count) for each in found.of(FINDINGS)} == {
        ("Needs you", "warning", 2)
    }
    assert [each.id for each in found.of("costs")] == ["own"]
    workspace, agent = names.workspace_page("w"), names.agent_page("w", "a")
    assert found.links == {
        "a": f"https://agents.example.com/{workspace}#budgets",
        "c": f"https://agents.example.com/{agent}#from=2026-11-15&to=2026-11-20&at=versions",
    }
    assert without.links == {}
    assert found.kept_to == dict.fromkeys("csl", date(2026, 11, 23))


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path / "alerts.json")


@pytest.mark.parametrize(
    "batches",
    [
        pytest.param([("x", 2, "1 x, 2 x"), ("xy", 2, "1 y, 2 y"), ("xy", 2, "")], id="sent once"),
        pytest.param([("xy", 1, "1 x, 1 y"), ("y", 1, ""), ("xy", 1, "1 x")], id="came back"),
        pytest.param(
            [("x", 0, ""), ("x", 1, "1 x"), ("xy", 2, "1 y, 2 x, 2 y")], id="new addresses"
        ),
    ],
)
def test_each_address_gets_each_finding_once(
    post: Post, batches: list[tuple[str, int, str]]
) -> None:
    """A finding is new again after a batch whose alert did not find it, or at a new address."""
    for findings, count, sent in batches:
        assert ", ".join(post.batch(findings, *(ONE, TWO)[:count])) == sent
    assert post.told == []


def test_a_finding_of_ours_that_comes_and_goes_is_sent_once(post: Post) -> None:
    """It is over once it was not found on three days; while it is there and not sent, it is not."""
    assert post.batch("x", ONE, day=1, kept="x") == ["1 x"]
    assert post.batch("", ONE, day=2) == []
    assert post.batch("x", ONE, day=4, kept="x") == []
    assert post.batch("", ONE, day=9, kept="x") == []  # chronic, or silenced
    assert post.batch("x", ONE, day=12, kept="x") == []
    assert post.batch("", ONE, day=16) == []
    assert post.batch("x", ONE, day=16, kept="x") == ["1 x"]


def test_an_alert_that_tells_not_all_forgets_nothing(post: Post) -> None:
    """A finding is not gone because its alert failed, is no longer there, or found too much."""
    post.batch("xy", ONE)
    post.batch("z", ONE, is_whole=False)
    deliver(post.file, Found(), [ONE], post.send, post.told.append)

    assert post.batch("xyz", ONE) == []


def test_what_an_address_did_not_take_is_sent_by_the_next_batch(post: Post) -> None:
    """An address that failed gets the finding later, and no other gets it again."""
    post.refusing = {"2"}
    assert post.batch("x", ONE, TWO) == ["1 x"]
    (told,) = post.told
    assert told == (
        "alert a: 1 finding could not be sent; the next batch tries again"
        " (address 2 (json): it said no)"
    )
    post.refusing = set()

    assert post.batch("x", ONE, TWO) == ["2 x"]


def test_a_refused_message_keeps_no_other_alert_back(post: Post) -> None:
    """The alerts after a refused message are sent all the same."""
    post.refused = "x"

    assert post.batch("xz", ONE) == ["1 z"]
    assert post.batch("xz", ONE) == []


def test_a_kill_while_sending_loses_no_finding(post: Post) -> None:
    """What was sent and not yet kept as sent is sent again."""
    post.is_killed = True
    with pytest.raises(Killed):
        post.batch("x", ONE)
    post.is_killed = False

    assert post.batch("x", ONE) == ["1 x"]
    assert post.batch("x", ONE) == []


@pytest.mark.parametrize("content", [b'{"x": ', b'{"\xff": {}}'])
def test_a_damaged_file_is_written_anew(post: Post, content: bytes) -> None:
    """Where what was sent cannot be read, all findings are sent once more."""
    post.file.write_bytes(content)

    assert post.batch("x", ONE) == ["1 x"]
    assert post.told == [f"{post.file} is damaged; all findings are sent once more"]
    assert read_sent(post.file)["x"].sent_to == ["1"]


def test_nothing_is_sent_that_cannot_be_kept_as_sent(post: Post) -> None:
    """Where the file cannot be written, findings wait: each batch would send them again."""
    post.file.mkdir()

    with pytest.raises(IsADirectoryError):
        post.batch("x", ONE)
    assert post.sent == []
