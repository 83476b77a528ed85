"""Endpoints that no run depends on: what the API refuses to an account stays unknown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Unpack

from analytics.extract.extraction import Extraction
from analytics.extract.landing import Landing, Subject, Window
from analytics.levain import ForbiddenError, LevainError, NotFoundError, Page, RefusedError

REFUSED = (ForbiddenError, NotFoundError)
"""The errors of an endpoint that an account lacks: 403 and 404."""


@dataclass
class Endpoint:
    """The endpoint of a source, and what came of its requests in this batch.

    `unknown` says in words what stays unknown without it. `failures` are errors of a request that
    tell neither that the account lacks the endpoint nor that the run or agent is gone.
    """

    source: str
    name: str
    unknown: str
    answer_count: int = 0
    refusals: list[LevainError] = field(default_factory=list)
    failures: list[LevainError] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        """Return True if every request of this batch was refused."""
        return bool(self.refusals) and not self.answer_count

    async def land(
        self,
        extraction: Extraction,
        landing: Landing,
        reading: Awaitable[Page[Any]],
        expected: tuple[type[LevainError], ...] = (RefusedError,),
        *,
        is_there: bool = True,
        days_at: Callable[[datetime], Window] | None = None,
        **about: Unpack[Subject],
    ) -> LevainError | None:
        """Land an answer, or one of the `expected` errors, which is returned.

        An answer is about the days that `days_at` tells of its time, where it is given. A 404 may
        as well be of the subject, unless that is known to be there.
        """
        try:
            page = await reading
        except expected as error:
            landing.add_missing(self.source, error, extraction.began_at, **about)
            if isinstance(error, REFUSED) and (is_there or isinstance(error, ForbiddenError)):
                self.refusals.append(error)
            elif not isinstance(error, NotFoundError):
                self.failures.append(error)
            return error
        self.answer_count += 1
        if days_at:
            about["window"] = days_at(page.answer.fetched_at)
        landing.add(self.source, page.answer, page.records, **about)
        return None

    def conclude(self, extraction: Extraction) -> None:
        """Note whether the API refuses the endpoint to the account, and warn of it."""
        if self.is_refused:
            extraction.refused.add(self.source)
        if self.refusals:
            part = "" if self.is_refused else " in part"
            extraction.warnings.append(
                f"the API refuses {self.name} to this account{part} ({self.refusals[0].cause}): "
                f"{self.unknown}; what was read before is kept, and all else is published"
            )
