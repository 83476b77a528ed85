"""What reading the API needs to know of what is stored: the warehouse seen from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol

from analytics.extract.listing import Mark


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: how many records it read, stored as new versions, and quarantined.

    `touched_days` are the UTC days on which runs lived that turned out new or changed.
    """

    record_count: int = 0
    new_version_count: int = 0
    quarantined_count: int = 0
    touched_days: frozenset[date] = field(default_factory=frozenset)


class Store(Protocol):
    """The stored state of one workspace."""

    def load(self, folder: Path) -> Loaded:
        """Load a landing folder; one that was loaded before changes nothing."""

    def has_runs(self) -> bool:
        """Tell whether any run list was ever read."""

    def agent_ids(self) -> set[str]:
        """All agents that were ever heard of."""

    def agent_names(self) -> dict[str, str]:
        """What each agent is called, by its id, as far as it has a name."""

    def list_marks(self) -> dict[str | None, Mark]:
        """Where the last pull of each list ended; None stands for the unfiltered list."""

    def days_read(self, source: str) -> set[date]:
        """The UTC days of a windowed source that were read a day after they ended, or later."""

    def first_day_read(self, source: str) -> date | None:
        """The oldest UTC day of a windowed source that was ever read."""

    def counted_on(self) -> dict[str, date]:
        """The UTC day on which each agent's runs were last counted."""

    def counted_from(self) -> dict[str, date]:
        """The oldest UTC day on which each agent's runs were ever counted."""

    def agents_active_on(self) -> dict[str, date]:
        """The last UTC day on which the API's own sums know each agent to have started runs."""

    def provisional_runs(self) -> list[str]:
        """Runs that are open, or ended too lately to be taken as final."""

    def differing_agent_days(self, first: date, end: date) -> list[tuple[str, date]]:
        """Agent-days in `[first, end)` whose stored cost is not the API's, in a new way."""

    def runs_of(self, agent_days: Sequence[tuple[str, date]]) -> list[str]:
        """The stored runs that agents started on UTC days."""

    def record_api_differences(
        self, agent_days: Sequence[tuple[str, date]], first: date, end: date
    ) -> None:
        """Remember what still differs, so that it is not looked into every batch."""

    def pending_details(self) -> list[str]:
        """Ended runs whose costs and events are to be read, in the order to read them in."""

    def agents_with_unread_versions(self) -> list[str]:
        """Agents whose versions are to be read, in the order to read them in.

        The API was not asked for them since the agent was first heard of, its record changed, or a
        run of this batch named a version that is not stored; or it failed to answer.
        """

    def unknown_statuses(self) -> dict[str, int]:
        """How many runs have a status that is new to us, by status."""

    def begin(self, api: str, api_key_env: str) -> None:
        """Note whose data this is, and which setting names its key."""
