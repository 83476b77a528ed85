"""Endpoints that the API refuses to an account: their part stays unknown, the rest is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from analytics.levain import ForbiddenError, NotFoundError, RefusedError

REFUSED = (ForbiddenError, NotFoundError)
"""The errors of an endpoint that an account lacks: 403 and 404."""


@dataclass
class Endpoint:
    """An endpoint that no run depends on, and how often this batch was answered or refused.

    `unknown` says in words what stays unknown without it.
    """

    name: str
    unknown: str
    answer_count: int = 0
    refusals: list[RefusedError] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        """Return True if every request of this batch was refused."""
        return bool(self.refusals) and not self.answer_count

    def refuses(self, error: RefusedError, *, is_there: bool) -> bool:
        """Note an error, and return True, if it refuses the endpoint.

        A 404 may as well be of the agent or run that was asked for, unless that is known to be
        there.
        """
        is_refusal = isinstance(error, REFUSED) and (is_there or isinstance(error, ForbiddenError))
        if is_refusal:
            self.refusals.append(error)
        return is_refusal

    def warning(self) -> str:
        """Return a warning that names the endpoint, the refusal and what is unknown."""
        part = "" if self.is_refused else " in part"
        return (
            f"the API refuses {self.name} to this account{part} ({self.refusals[0].cause}): "
            f"{self.unknown}; what was read before is kept, and all else is published"
        )
