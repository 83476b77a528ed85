"""The steps and failures that an executed run will have.

A run that is triggered works for 8 to 20 seconds and succeeds. For tests and demos, a mark
anywhere in its prompt or state lets it do something else:

[fail]         a step meets an error that no retry mends, and the run fails
[flaky]        a step fails twice, is retried with back-off, and the run succeeds
[broken]       a step fails five times, and the run fails
[slow]         each step takes twenty times as long
[endless]      the run never comes to a result, and fails at its step limit
[over-budget]  each step costs nearly half of the agent's budget, until the run fails
[artifacts]    the run publishes 3 files; [artifacts:1200] so many
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

MAX_ATTEMPTS = 5
_ARTIFACTS = re.compile(r"\[artifacts(?::(\d{1,5}))?\]")
_TROUBLED_STEP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Number and length of a run's steps, and their failures."""

    steps: int | None  # None: it never comes to a result
    pace: float = 1.0
    fatal_step: int | None = None
    failing_attempts: dict[int, int] = field(default_factory=dict)  # by step
    budget_share: Decimal | None = None  # that a step costs; None: what its tokens cost
    files: int = 0

    def files_after(self, step: int) -> int:
        """Return the number of published files after a step."""
        return self.files * step // self.steps if self.steps else 0


def plan(text: str, rng: random.Random) -> Plan:
    """Return the plan of a run with this text."""
    failing = MAX_ATTEMPTS if "[broken]" in text else 2 if "[flaky]" in text else 0
    files = _ARTIFACTS.search(text)
    return Plan(
        steps=None if "[endless]" in text else rng.randint(4, 6),
        pace=20.0 if "[slow]" in text else 1.0,
        fatal_step=_TROUBLED_STEP if "[fail]" in text else None,
        failing_attempts={_TROUBLED_STEP: failing},
        budget_share=Decimal("0.45") if "[over-budget]" in text else None,
        files=int(files[1] or 3) if files else 0,
    )
