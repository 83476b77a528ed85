"""Runs: trigger and watch them; read their log, events, files and counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from analytics.levain.answers import Answer
from analytics.levain.downloads import download
from analytics.levain.errors import AnswerBrokenError, NotFoundError, RefusedError
from analytics.levain.paging import Page, Resource, api_path
from analytics.levain.records import ArtifactList, DailyCount, LogEvent, Run, typed

LONGEST_COUNT_DAYS = 90
LONGEST_LIST = 200
"""The API lists at most the newest 200 runs, of the workspace or of one agent."""

SLOWEST_POLL = 5.0  # seconds


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a run `at` an instant, and the log events since the previous poll.

    `unreadable` holds an error for each event that could not be decoded, `refused` the error with
    which the API refused the events, as to an account that may not read them.
    """

    run: Run
    at: datetime
    events: list[LogEvent]
    unreadable: list[AnswerBrokenError]
    refused: RefusedError | None = None


class Runs(Resource):
    """`/runs`."""

    async def trigger(
        self,
        agent: str,
        *,
        prompt: str | None = None,
        initial_state: Mapping[str, object] | None = None,
        version: int | None = None,
    ) -> Run:
        """Start a run of an agent (id or slug), and return at once, while it is `pending`.

        Give either `initial_state`, a payload that matches the agent's state schema, or a bare
        `prompt`. It executes against the active version, unless `version` names another one.
        RefusedError if the agent is paused or a draft, or the input does not fit;
        OutcomeUnknownError if the run may have started without a confirmation.

        >>> run = levain.runs.trigger(
        ...     "support-triage",
        ...     initial_state={
        ...         "subject": "Cannot access my account",
        ...         "body": "I get a 403 every time I try to log in.",
        ...     },
        ... )
        >>> run.status
        'pending'
        """
        where = ("versions", version, "runs") if version is not None else ("runs",)
        body = {"prompt": prompt, "initial_state": initial_state}
        given = {name: value for name, value in body.items() if value is not None}
        return await self._transport.change(api_path("agents", agent, *where), Run, given)

    def pages(
        self, agent_id: str | None = None, *, limit: int = LONGEST_LIST
    ) -> AsyncIterator[Page[Run]]:
        """Read runs, newest first, of the workspace or of one agent, page by page."""
        of_agent = {"agent_id": agent_id} if agent_id else {}
        return self._pages("/api/v1/runs/", Run, limit=limit, **of_agent)

    async def list(
        self, agent_id: str | None = None, *, limit: int = LONGEST_LIST
    ) -> AsyncIterator[Run]:
        """Read runs, newest first, of the workspace or of one agent (its id, not its slug).

        >>> for run in levain.runs.list(limit=3):
        ...     print(run.status, run.cost_usd, run.tokens_in, run.tokens_out)
        succeeded 0.25 1000 100
        """
        async for page in self.pages(agent_id, limit=limit):
            for run in page:
                yield run

    async def read(self, run_id: str) -> Answer:
        """Read one run, undecoded; NotFoundError if it does not exist."""
        path = api_path("runs", run_id)
        answer, _ = await self._transport.get(path, {}, lambda answer: answer.record)
        return answer

    async def get(self, run_id: str) -> Run:
        """Read one run: its status, and its cost and tokens so far.

        >>> run = levain.runs.get(run_id)
        >>> run.status
        'succeeded'
        >>> run.cost_usd  # exact: a Decimal with the digits that the API sent
        Decimal('0.25')
        """
        return await self._transport.read(api_path("runs", run_id), Run)

    async def watch(self, run_id: str, *, interval: float = 1.0) -> AsyncIterator[Run]:
        """Yield each state of a run that differs from the previous one, until the run has ended.

        Polls every `interval` seconds, and less often while nothing changes.

        >>> for run in levain.runs.watch(run_id):
        ...     print(run.status, run.tokens_in, run.tokens_out, run.cost_usd)
        succeeded 1000 100 0.25
        """
        async for state in self._polled(run_id, interval, None):
            yield state.run

    async def wait(self, run_id: str, *, interval: float = 1.0) -> Run:
        """Wait until a run has ended, and return it."""
        async for run in self.watch(run_id, interval=interval):
            ended = run
        return ended

    def follow(self, run_id: str, *, interval: float = 1.0) -> AsyncIterator[Progress]:
        """Yield states as `watch` does, with the new log events.

        If the API returns a run's events only after its end, they all come with the last state; if
        it refuses them, states come without.
        """
        return self._polled(run_id, interval, _Tail())

    async def _polled(
        self, run_id: str, interval: float, tail: _Tail | None
    ) -> AsyncIterator[Progress]:
        wait, last = 0.0, None
        while True:
            answer = await self.read(run_id)  # before events: none from before the end is missed
            run = typed(answer.record, Run)
            page, refused = None, None
            try:
                page = await self.log_events(run_id, since=tail.seq) if tail else None
            except NotFoundError:
                pass  # the run exists; its events appear when it ends
            except RefusedError as error:
                refused = error
            events, unreadable = tail.new(page) if tail else ([], [])
            has_changed, last = bool(events or unreadable) or run != last, run
            if has_changed:
                yield Progress(
                    run=run,
                    at=answer.fetched_at,
                    events=events,
                    unreadable=unreadable,
                    refused=refused,
                )
            if run.has_ended:
                return
            wait = next_wait(wait, interval, has_changed=has_changed)
            await asyncio.sleep(wait)

    async def log_events(self, run_id: str, *, since: int | None = None) -> Page[LogEvent]:
        """Read a run's structured log events, oldest first; with `since`, those after that `seq`.

        >>> for event in levain.runs.log_events(run_id):
        ...     print(event.level, event.msg)  # doctest: +ELLIPSIS
        INFO BOOT  node agent
        ...
        INFO DONE  finished
        """
        after = {} if since is None else {"since": since}
        return await self._page(api_path("runs", run_id, "log", "events"), LogEvent, **after)

    async def download_log(self, run_id: str, target: Path) -> int:
        """Write the full raw log (mostly JSON lines) to `target`, and return its size in bytes.

        NotFoundError until the run has ended.
        """
        return await download(self._transport, api_path("runs", run_id, "log"), target)

    async def artifacts(self, run_id: str) -> ArtifactList:
        """Read the list of files that a run has published, oldest first; at most 1,000."""
        return await self._transport.read(api_path("runs", run_id, "artifacts"), ArtifactList)

    async def download_artifact(self, run_id: str, key: str, target: Path) -> int:
        """Write one file to `target`, whole or not at all, and return its size in bytes.

        FileExistsError if `target` exists: no file is ever replaced.
        """
        path = api_path("runs", run_id, "artifacts", key, "url")
        return await download(self._transport, path, target, is_new=True)

    async def daily(self, agent_id: str, days: int = 7) -> Page[DailyCount]:
        """Read the number of an agent's runs by UTC day and status.

        `days` is 1 to 90, today included.
        """
        path = api_path("runs", "daily")
        return await self._page(path, DailyCount, agent_id=agent_id, days=days)


def next_wait(wait: float, interval: float, *, has_changed: bool) -> float:
    """Return the seconds until the next poll: more after each one without a change."""
    return interval if has_changed else max(interval, min(wait * 1.5, SLOWEST_POLL))


class _Tail:
    """The position in a growing list of events, whether the API numbers the events or not."""

    def __init__(self) -> None:
        self.seq: int | None = None
        self._unnumbered = 0
        self._unreadable: set[str] = set()

    def new(self, page: Page[LogEvent] | None) -> tuple[list[LogEvent], list[AnswerBrokenError]]:
        """Return the events and errors that are new, even if the API ignores `since`."""
        broken: list[AnswerBrokenError] = []
        events = list(page.readable(broken.append)) if page else []
        unreadable = [error for error in broken if str(error) not in self._unreadable]
        self._unreadable.update(map(str, unreadable))
        fresh = [e for e in events if e.seq is not None and (self.seq is None or e.seq > self.seq)]
        self.seq = max((e.seq for e in fresh if e.seq is not None), default=self.seq)
        unnumbered = [e for e in events if e.seq is None]
        fresh += unnumbered[self._unnumbered :]
        self._unnumbered = max(self._unnumbered, len(unnumbered))
        return fresh, unreadable
