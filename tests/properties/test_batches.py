"""For any history of a workspace and its batches, the figures equal the ledger's."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from analytics.batch.collect import collect
from analytics.batch.progress import Progress
from tests.batches import Batch, Published, publish, read, read_until_killed
from tests.conftest import optimized
from tests.properties.oracle import ZERO, Knowledge, Oracle
from tests.properties.story import (
    BEGINS,
    TIMEZONES,
    Chapter,
    Event,
    Life,
    chapters,
    lasting,
    living,
)
from tests.worlds import NOW


class Tale:
    """A history, its batch, and its publications."""

    def __init__(self, life: Life, batch: Batch) -> None:
        self.life = life
        self.batch = batch
        self.knowledge = Knowledge(life)

    def run_batch(self, chapter: Chapter) -> None:
        match chapter.act:
            case "missed":
                return
            case "killed":
                died = read_until_killed(self.batch, chapter.number)
                self.knowledge.attempt(is_whole=not died)
            case "unpublished":
                read(self.batch)
                self.knowledge.attempt(is_whole=True)
            case "collected":
                collect(self.batch.settings, Progress())
                self.knowledge.attempt(is_whole=True)
            case "whole":
                self.whole_batch()
            case "twice":
                if self.life.hidden:  # a run that is gone is final from its second 404 on
                    self.whole_batch()
                first = self.whole_batch()
                assert self.whole_batch().figures == first.figures

    def whole_batch(self) -> Published:
        read(self.batch)
        self.knowledge.attempt(is_whole=True)
        published = publish(self.batch)
        self._prove(published)
        return published

    def _prove(self, published: Published) -> None:
        timezone = self.batch.settings.reporting.timezone
        self.knowledge.check_runs(published["fct_runs"])
        oracle = Oracle(self.life, published["fct_runs"], timezone)
        prove_sums(published, oracle)
        prove_controls(published, oracle, self.life.world.now.date())
        prove_checks(published, oracle)


MEASURES = (
    "run_count", "succeeded_count", "failed_count", "cancelled_count", "open_count", "cost_usd",
    "tokens_in", "tokens_out", "listed_run_count", "listed_cost_usd", "unlisted_run_count",
    "unlisted_cost_usd", "unlisted_failed_count", "failed_cost_usd", "failed_cost_high_usd",
)  # fmt: skip


BOOKED = (
    ("reconciliation_days", (), ("metered_cost_usd",)),
    ("fct_charges", ("agent_id",), ("metered_cost_usd", "billed_usd")),
    ("fct_billing_days", ("provider",), ("metered_cost_usd", "billed_usd")),
    (
        "fct_model_days", ("agent_id", "model", "provider"),
        ("metered_cost_usd", "tokens_in", "tokens_out"),
    ),
)  # fmt: skip
"""Tables of what the ledger books, by what they sum it, and the measures that it knows."""


def prove_sums(published: Published, oracle: Oracle) -> None:
    """Each line of each date has the figures of all its runs; workspaces and months add them up."""
    expected = {
        key: {name: figures.get(name, 0) for name in MEASURES}
        for key, figures in oracle.agent_days().items()
    }
    assert {
        (row["agent_id"], row["date"]): {name: row[name] for name in MEASURES}
        for row in published["fct_agent_days"]
    } == expected
    for table, time in (("fct_workspace_days", "date"), ("fct_workspace_months", "month")):
        sums: defaultdict[date, Counter[str]] = defaultdict(Counter)
        for (_, day), figures in expected.items():
            sums[day if time == "date" else day.replace(day=1)].update(figures)
        assert {row[time]: {name: row[name] for name in MEASURES} for row in published[table]} == {
            day: {name: figures[name] for name in MEASURES} for day, figures in sums.items()
        }


def prove_controls(published: Published, oracle: Oracle, today: date) -> None:
    """Every dollar of the meter is explained, and the bill is that of the ledger."""
    stale, lost = oracle.stale_agents(), oracle.lost()
    for row in published.marts.get("int_agent_days_vs_api", []):  # no published table
        is_explained = not row["unexplained_usd"]
        is_lost = row["agent_id"] == "(platform)" and lost.get(row["utc_date"])
        assert is_explained or row["utc_date"] >= today or row["agent_id"] in stale or is_lost, row
    platform = oracle.platform()
    for row in published["reconciliation_days"]:
        assert row["platform_cost_usd"] == platform.get(row["utc_date"], (ZERO,))[0]
    for table, by, measures in BOOKED:
        sums: defaultdict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
        for row in published[table]:
            key = (row["utc_date"], *(row[name] for name in by))
            sums[key].update({name: row[name] or 0 for name in measures})
        expected = oracle.booked(*by)
        assert {key: {**sum_} for key, sum_ in sums.items() if any(sum_.values())} == {
            key: {name: expected[key][name] for name in measures} for key in expected
        }, table
    for table in ("fct_billing_days", "fct_charges"):
        for row in published[table]:
            parts = row["metered_cost_usd"] + row["surcharge_usd"] - row["own_key_usd"]
            assert parts == row["billed_usd"]


def prove_checks(published: Published, oracle: Oracle) -> None:
    """Checks of our own pass; controls too, unless the API no longer shows a run that changed."""
    is_hidden = oracle.stale_agents() or any(oracle.lost().values())
    for check in published.checks:
        if not check.control or not is_hidden:
            assert check.ok, check.finding


def tell(story: list[Chapter], timezone: str, begins_at: datetime) -> None:
    """Play a story, and check the figures of each of its batches."""
    with living(timezone, begins_at) as (life, batch):
        tale = Tale(life, batch)
        for chapter in story:
            life.live(chapter)
            tale.run_batch(chapter)
        tale.run_batch(Chapter([], 0, "twice"))
        life.pass_time(timedelta(days=1))
        tale.run_batch(Chapter([], 0, "whole"))


STORY = [
    Chapter(
        [Event("burst", 1, 7), Event("start"), Event("launch"), Event("own_key", 1)], 1, "whole"
    ),
    Chapter([Event("meter", 0, 5), Event("fail"), Event("platform", 0, 3)], 24, "killed", 40),
    Chapter([Event("correct"), Event("rename"), Event("burst", 2, 5)], 25, "unpublished"),
    Chapter([Event("hide", 2), Event("no_usage", 2), Event("agentless", 0, 4)], 48, "whole"),
    Chapter([Event("hire", 1), Event("burst", 0, 11), Event("delete")], 24, "collected"),
    Chapter([Event("correct", 1), Event("own_key", 1), Event("start", 1)], 24 * 5, "missed"),
]


def test_figures_are_the_ledgers() -> None:
    """Each batch's marts equal the emulator's ledger, and a second batch changes none."""
    tell(STORY, "Europe/Berlin", NOW.replace(month=3, day=20))


@pytest.mark.long
@settings(lasting, max_examples=200)
@given(chapters(), TIMEZONES, BEGINS)
def test_figures_of_many_lives(story: list[Chapter], timezone: str, begins_at: datetime) -> None:
    """The same of other lives each time; a failure prints how to repeat it."""
    with optimized():
        tell(story, timezone, begins_at)
