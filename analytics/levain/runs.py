"""Runs: trigger, watch and cancel them; read their log, events and counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from analytics.levain.answers import Answer, Params
from analytics.levain.downloads import download
from analytics.levain.errors import AnswerBrokenError, LevainError, NotFoundError, RefusedError
from analytics.levain.paging import Page, one_page, pages
from analytics.levain.paths import api_path, omit_none
from analytics.levain.polling import Polling
from analytics.levain.records import DailyCount, FileUrl, LogEvent, Run, typed
from analytics.levain.sessions import Sessions
from analytics.levain.transport import Transport

LONGEST_COUNT_DAYS = 90
LONGEST_LIST = 200
"""The API lists at most the newest 200 runs, of the workspace or of one agent."""

LogEvents = list[LogEvent]


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


class Runs:
    """`/runs`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

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
        return await self._transport.change(
            "POST",
            api_path("agents", agent, *where),
            Run,
            omit_none(prompt=prompt, initial_state=initial_state),
        )

    def pages(
        self, agent_id: str | None = None, *, limit: int = LONGEST_LIST
    ) -> AsyncIterator[Page[Run]]:
        """Read runs, newest first, of the workspace or of one agent, page by page."""
        params: Params = {"limit": limit} | ({"agent_id": agent_id} if agent_id else {})
        return pages(self._transport, "/api/v1/runs/", params, Run)

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
        return await self._transport.get_record(api_path("runs", run_id))

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
        polling, last = Polling(interval), None
        while True:
            run = await self.get(run_id)
            if run != last:
                yield run
            if run.has_ended:
                return
            await asyncio.sleep(polling.pause(has_changed=run != last))
            last = run

    async def wait(self, run_id: str, *, interval: float = 1.0) -> Run:
        """Wait until a run has ended, and return it."""
        async for run in self.watch(run_id, interval=interval):
            ended = run
        return ended

    async def follow(self, run_id: str, *, interval: float = 1.0) -> AsyncIterator[Progress]:
        """Yield states as `watch` does, with the new log events.

        If the API returns a run's events only after its end, they all come with the last state; if
        it refuses them, states come without.
        """
        polling, last, tail = Polling(interval), None, _Tail()
        while True:
            answer = await self.read(
                run_id
            )  # before the events: none from before the end is missed
            run = typed(answer.record, Run)
            page, refused = await self._events_so_far(run_id, tail.seq)
            events, unreadable = tail.new(page)
            has_changed = bool(events or unreadable) or run != last
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
            await asyncio.sleep(polling.pause(has_changed=has_changed))
            last = run

    async def log_events(self, run_id: str, *, since: int | None = None) -> Page[LogEvent]:
        """Read a run's structured log events, oldest first; with `since`, those after that `seq`.

        >>> for event in levain.runs.log_events(run_id):
        ...     print(event.level, event.msg)  # doctest: +ELLIPSIS
        INFO BOOT  node agent
        ...
        INFO DONE  finished
        """
        params: Params | None = None if since is None else {"since": since}
        return await one_page(
            self._transport, api_path("runs", run_id, "log", "events"), LogEvent, params
        )

    async def log_url(self, run_id: str) -> FileUrl:
        """Read a time-limited URL of the full raw log; NotFoundError until the run has ended."""
        return await self._transport.read(api_path("runs", run_id, "log"), FileUrl)

    async def download_log(self, run_id: str, target: Path) -> int:
        """Write the full raw log (mostly JSON lines) to `target`, and return its size in bytes."""
        transport = self._transport
        return await download(
            transport.files, lambda: self.log_url(run_id), target, hidden=transport.hidden
        )

    async def cancel(self, run_id: str) -> Run:
        """Cancel a run by its session, and return it: still running its last step, or cancelled.

        The session's other runs end too. A run that has ended is left alone, because its session
        may be executing another run. LevainError also if the run was cancelled, and only could not
        be read since, as it says.
        """
        run = await self.get(run_id)
        if run.has_ended:
            return run
        if run.session_id is None:
            raise LevainError(f"cancel {run_id}", "the run belongs to no session")
        await Sessions(self._transport).cancel(run.session_id)
        try:
            return await self.get(run_id)
        except LevainError as error:
            cause = f"it was accepted, and the run could then not be read: {error.cause}"
            raise LevainError(f"cancel {run_id}", cause) from error

    async def daily(self, agent_id: str, days: int = 7) -> Page[DailyCount]:
        """Read the number of an agent's runs by UTC day and status.

        `days` is 1 to 90, today included.
        """
        params: Params = {"agent_id": agent_id, "days": days}
        return await one_page(self._transport, api_path("runs", "daily"), DailyCount, params)

    async def _events_so_far(
        self, run_id: str, since: int | None
    ) -> tuple[Page[LogEvent] | None, RefusedError | None]:
        try:
            return await self.log_events(run_id, since=since), None
        except NotFoundError:
            return None, None  # the run exists; its events appear when it ends
        except RefusedError as error:
            return None, error


class _Tail:
    """The position in a growing list of events, whether the API numbers the events or not."""

    def __init__(self) -> None:
        self.seq: int | None = None
        self._unnumbered = 0
        self._unreadable: set[str] = set()

    def new(self, page: Page[LogEvent] | None) -> tuple[LogEvents, list[AnswerBrokenError]]:
        """Return the events and errors that are new, even if the API ignores `since`."""
        broken: list[AnswerBrokenError] = []
        events = list(page.readable(broken.append)) if page else []
        unreadable = [error for error in broken if str(error) not in self._unreadable]
        self._unreadable.update(map(str, unreadable))
        return self._fresh(events), unreadable

    def _fresh(self, events: LogEvents) -> LogEvents:
        fresh = [e for e in events if e.seq is not None and (self.seq is None or e.seq > self.seq)]
        self.seq = max((e.seq for e in fresh if e.seq is not None), default=self.seq)
        unnumbered = [e for e in events if e.seq is None]
        fresh += unnumbered[self._unnumbered :]
        self._unnumbered = max(self._unnumbered, len(unnumbered))
        return fresh
