"""Runs: from the lists, by id while they may change, and by id where the sums disagree."""

from __future__ import annotations

from collections.abc import Iterable

from analytics.extract.batch import WorkspaceBatch, together
from analytics.extract.landing import RUNS, Landing
from analytics.extract.listing import Mark, Pull, Row, joins, pull, pulls_by_agent
from analytics.extract.meters import CORRECTION_DAYS
from analytics.levain import RefusedError
from analytics.levain.runs import LONGEST_LIST

SHOWN_AGENTS = 3

BATCH = 250
"""Lists per load: one batch is loaded while the next is read."""


async def read_lists(batch: WorkspaceBatch) -> None:
    """The unfiltered list, and each agent's where that does not join its last pull."""
    await batch.loaded()
    marks, known = batch.store.list_marks(), batch.store.agent_ids()
    async with batch.step("lists") as landing:
        rows, is_joined = await _read_list(batch, landing, None, marks)
    if not is_joined:
        agents = sorted(known | {row.agent_id for row in rows if row.agent_id})
        for start in range(0, len(agents), BATCH):
            async with batch.step("lists") as landing:
                await together(
                    _read_agent_list(batch, landing, agent_id, marks)
                    for agent_id in agents[start : start + BATCH]
                )
    await batch.loaded()
    _tell_gaps(batch)


def _tell_gaps(batch: WorkspaceBatch) -> None:
    """A gap is a warning; what lay behind the lists before the first batch is not."""
    gaps = [gap for gap in batch.gaps if gap.gap_after is not None]
    if gaps:
        batch.warnings.append(
            f"{_agents(len(gaps))} started more runs since the last reading than the API lists "
            f"({LONGEST_LIST}): {_named(batch, gaps)}. What lies between was not seen; when its "
            "day has ended, fct_listing_gaps tells how many runs, and what they cost. "
            "Run the batch more often."
        )
    if first := len(batch.gaps) - len(gaps):
        batch.say(
            f"older runs of {_agents(first)} are beyond the {LONGEST_LIST} that the API lists"
        )


def _named(batch: WorkspaceBatch, gaps: list[Pull]) -> str:
    names = batch.store.agent_names()
    named = sorted(names.get(gap.agent_id or "", gap.agent_id or "") for gap in gaps)
    more = len(named) - SHOWN_AGENTS
    return ", ".join(named[:SHOWN_AGENTS]) + (f" and {more:,} more" if more > 0 else "")


def _agents(count: int) -> str:
    return "1 agent" if count == 1 else f"{count:,} agents"


async def _read_agent_list(
    batch: WorkspaceBatch, landing: Landing, agent_id: str, marks: dict[str | None, Mark]
) -> None:
    try:
        await _read_list(batch, landing, agent_id, marks)
    except RefusedError as error:
        batch.warnings.append(f"the runs of agent {agent_id} cannot be listed: {error}")


async def _read_list(
    batch: WorkspaceBatch, landing: Landing, agent_id: str | None, marks: dict[str | None, Mark]
) -> tuple[list[Row], bool]:
    """Read a list until it joins its last pull or ends; the rows, and whether it joined."""
    mark = marks.get(agent_id)
    rows: list[Row] = []
    page_count = record_count = 0
    is_whole = True
    pulled_at = batch.began_at
    async for page in batch.client.runs.pages(agent_id):
        rows += landing.add_list(page.answer, page.records)
        record_count += len(page.records)
        pulled_at = page.answer.fetched_at
        page_count += 1
        if joins(rows, mark, is_whole=False):
            is_whole = False
            break
    # Without cursors, a full page says nothing of what lies behind it.
    is_whole = is_whole and (page_count > 1 or record_count < LONGEST_LIST)
    batch.seen.update(row.run_id for row in rows)
    # Of an agent that had started nothing yet, all was seen up to the last unfiltered pull.
    known_until = mark if mark and mark.run_id else marks.get(None)
    this = pull(agent_id, rows, mark, is_whole=is_whole, pulled_at=pulled_at, since=known_until)
    landing.add_pull(this)
    if this.gap_before is not None:
        batch.gaps.append(this)
    if agent_id is None and this.is_joined:
        for proven in pulls_by_agent(this, rows):
            landing.add_pull(proven)
    return rows, this.is_joined


async def reread_provisional(batch: WorkspaceBatch) -> None:
    """Open runs, and ended ones until they are final, where this batch's lists lack them."""
    await batch.loaded()
    run_ids = batch.store.provisional_runs()
    async with batch.step("provisional") as landing:
        await _read_by_id(batch, landing, run_ids)


async def reread_corrected(batch: WorkspaceBatch) -> None:
    """The runs of past days whose sum is no longer what the API says it is.

    Only days that ended before the batch began are judged. What still differs after reading
    (runs that the lists hide) is remembered, and looked into again only when it changes.
    """
    await batch.loaded()
    trailing = set(batch.days_back(CORRECTION_DAYS))
    first, end = min(trailing & batch.days_held("agent_rollups")), batch.today
    agent_days = batch.store.differing_agent_days(first, end)
    if not agent_days:
        return
    run_ids = batch.store.runs_of(agent_days)
    async with batch.step("corrected") as landing:
        await _read_by_id(batch, landing, run_ids)
    await batch.loaded()
    batch.store.record_api_differences(agent_days, first, end)


async def _read_by_id(batch: WorkspaceBatch, landing: Landing, run_ids: Iterable[str]) -> None:
    async def read(run_id: str) -> None:
        try:
            answer = await batch.client.runs.read(run_id)
        except RefusedError as error:
            landing.add_missing(RUNS, error, batch.began_at, run_id=run_id)
        else:
            landing.add(RUNS, answer, [answer.record], run_id=run_id)

    wanted = [run_id for run_id in run_ids if run_id not in batch.seen]
    await together(read(run_id) for run_id in wanted)
    batch.seen.update(wanted)
