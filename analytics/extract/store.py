"""The interface through which the extract queries stored records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

from analytics.extract.listing import Watermark


@dataclass(frozen=True, slots=True)
class Loaded:
    """The counts of a load: records read, stored as new versions; records and fields quarantined.

    `touched_days` are the UTC days of new or changed runs.
    """

    record_count: int = 0
    new_version_count: int = 0
    quarantined_count: int = 0
    touched_days: frozenset[date] = field(default_factory=frozenset)


class Store(Protocol):
    """The stored state of one workspace."""

    def load(self, folder: Path) -> Loaded:
        """Load a landing folder; loading one twice changes nothing."""

    def has_runs(self) -> bool:
        """Return True if any run list was ever read."""

    def known_runs(self, run_ids: Sequence[str]) -> set[str]:
        """Return those of these runs that are stored."""

    def agent_ids(self) -> set[str]:
        """Return all agents that any stored record names."""

    def watermarks(self) -> dict[str | None, Watermark]:
        """Return the end of each list's last snapshot; None is the key of the unfiltered list."""

    def refused_lists(self) -> dict[str, Watermark]:
        """Return the agents whose list was last refused, and the end of what is known of each."""

    def days_read(self, source: str, days_after: int) -> set[date]:
        """Return the UTC days of a windowed source that were read so many days after, or later."""

    def first_day_read(self, source: str) -> date | None:
        """Return the oldest UTC day of a windowed source that was ever read."""

    def counted_on(self) -> dict[str, tuple[date, date | None]]:
        """Return the UTC days on which each agent's count was last asked for, and last answered."""

    def first_wrong_count(self, first: date) -> dict[str, date]:
        """Return the oldest UTC day from `first` on that is to be counted again, by agent."""

    def counted_from(self) -> dict[str, date]:
        """Return the oldest UTC day for which each agent's runs were ever counted."""

    def agents_active_on(self) -> dict[str, date]:
        """Return the last UTC day on which each agent started runs, by the API's own totals."""

    def provisional_runs(self) -> list[str]:
        """Return runs that are open, or ended too recently to be final."""

    def given_up_runs(self) -> dict[str, str]:
        """Return open runs that this batch found to be gone, with the last status of each."""

    def differing_agent_days(self, first: date, end: date) -> list[tuple[str, date]]:
        """Return agent-days in `[first, end)` whose runs differ newly from the API's totals."""

    def runs_of(self, agent_days: Sequence[tuple[str, date]]) -> list[str]:
        """Return the stored runs that agents started on UTC days."""

    def record_api_differences(
        self, agent_days: Sequence[tuple[str, date]], first: date, end: date
    ) -> None:
        """Record the remaining differences, so that later batches do not look into them again."""

    def collect_pending_details(self) -> int:
        """Collect the pending details of ended runs, in their order; return their number."""

    def collected_details(self, places: Sequence[int]) -> list[tuple[str, str]]:
        """Return the run and the source of the collected details at these places."""

    def agents_with_unread_versions(self) -> list[str]:
        """Agents whose versions are to be read, in the order to read them in.

        The API was not asked for them since the agent was first heard of, its record changed, or a
        run of this batch named a version that is not stored; or it failed to answer.
        """

    def agents_with_unread_schedules(self) -> list[str]:
        """Agents that have runs since schedules were last read, or whose own were not answered."""

    def unknown_statuses(self) -> dict[str, int]:
        """Return the number of runs by status, for each status that is unknown to this release."""

    def begin(self, api: str, api_key_env: str) -> None:
        """Record the API's address and the setting that names the key."""
