"""Progress of a batch on standard error: one line an event, and on a terminal a bar below them.

For machines an event is a JSON object of ASCII, whose fields `docs/operations.md` names.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from copy import copy
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TextIO

from analytics.terminal import escaped

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_WAITS_APART = 10.0  # seconds


class LogFormat(StrEnum):
    """Forms of an event: a line for people, or a JSON object on one line."""

    text = "text"
    json = "json"


class Done(Protocol):
    """Prints the event that ends a stage."""

    def __call__(self, text: str, workspace: str | None = None, **counts: float) -> None:
        """Print it with its seconds until now; for machines also with counts, by their fields."""


class Progress:
    """Prints events: with seconds since the start on a terminal, with the time in a log.

    `quiet` leaves all of them out, `verbose` adds each step, request, load and relation. `seconds`
    holds the time that each stage has taken, also one that failed. The name of the `workspace`, if
    the progress is of one, stands before its events.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        log_format: LogFormat = LogFormat.text,
        quiet: bool = False,
        verbose: bool = False,
    ) -> None:
        self._stream = stream or sys.stderr
        self._started = time.monotonic()
        self._is_json = log_format is LogFormat.json
        self._is_terminal = self._stream.isatty() and not self._is_json
        self._is_quiet = quiet
        self._is_verbose = verbose and not quiet
        self._last_wait = float("-inf")
        self.workspace: str | None = None
        self._stage: str | None = None
        self._bar: Bar | None = None
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[Done]:
        """Time a stage, with a bar on a terminal; the yielded function prints the event of its end.

        A stage within another one, as loading is, leaves the bar to that one.
        """
        is_outer, started = self._stage is None, time.monotonic()
        if is_outer:
            self._stage, self._bar = name, self._bar_of(name)

        def done(text: str, workspace: str | None = None, **counts: float) -> None:
            seconds = round(time.monotonic() - started, 3)
            of = self.of(workspace) if workspace else self
            of.tell(text, seconds=seconds, stage=name, fields=counts)

        try:
            with (self._bar if is_outer else None) or nullcontext():
                yield done
        finally:
            total = self.seconds.get(name, 0.0) + time.monotonic() - started
            self.seconds[name] = round(total, 3)
            if is_outer:
                self._stage = self._bar = None

    def of(self, workspace: str) -> Progress:
        """Return the progress of one workspace in the stage at work."""
        one = copy(self)
        one.workspace = workspace
        return one

    def say(self, text: str) -> None:
        """Print an event."""
        self.tell(text)

    def warn(self, text: str) -> None:
        """Print a warning; the batch goes on."""
        self.tell(text, level="warning")

    def fail(self, text: str, *, kind: str, exit_code: int) -> None:
        """Print the error that ends the command, also if quiet."""
        self.tell(text, level="error", fields={"kind": kind, "exit_code": exit_code})

    def detail(self, text: str) -> None:
        """Print an event that only `verbose` shows."""
        if self._is_verbose:
            self.tell(text, level="debug")

    def wait(self, reason: str) -> None:
        """Print the reason of a wait, at most every ten seconds, as many requests may share it.

        `verbose` prints all of them.
        """
        now = time.monotonic()
        if self._is_verbose or now - self._last_wait >= _WAITS_APART:
            self._last_wait = now
            self.say(reason)

    def begin(self, step: str, count: int = 0) -> None:
        """Begin a step of the stage, of so many requests or loads, if that is known.

        A log for people has a line for each stage, and for its steps only if verbose.
        """
        if self._bar:
            name = escaped(f"{self.workspace}: {step}" if self.workspace else step)
            (task,) = self._bar.tasks
            self._bar.reset(task.id, description=name)
            task.total = count or None
        elif self._is_json or self._is_terminal or self._is_verbose:
            self.say(step)

    def part(self, number: int, total: int, name: str) -> None:
        """Show on the bar that a part of the stage, the first is 1, is next; a log has no parts."""
        if self._bar:
            (task,) = self._bar.tasks
            if number <= 1 or total != task.total:
                self._bar.reset(task.id, total=total)
            self._bar.update(task.id, completed=number - 1, description=escaped(name))

    def expect(self, count: int) -> None:
        """Raise the number that the step is of, unless it is within the known one."""
        if self._bar:
            (task,) = self._bar.tasks
            self._bar.update(task.id, total=max(task.total or 0, task.completed + count))

    def advance(self) -> None:
        """Count a request or load of the step as done."""
        if self._bar:
            self._bar.advance(self._bar.task_ids[0])

    @contextmanager
    def logged_requests(self) -> Iterator[None]:
        """Print each request to the API, as its client logs it, if verbose."""
        logger, handler = logging.getLogger("analytics.levain"), logging.Handler()
        handler.emit = lambda record: self.detail(record.getMessage())  # type: ignore[method-assign]
        level = logger.level
        if self._is_verbose:
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            logger.setLevel(level)
            logger.removeHandler(handler)

    def _bar_of(self, stage: str) -> Bar | None:
        if self._is_quiet or not self._is_terminal:
            return None
        from analytics.batch.progress_bar import bar_of  # its library takes long to load

        return bar_of(self._stream, stage)

    def tell(
        self,
        text: str,
        *,
        level: str = "info",
        stage: str | None = None,
        seconds: float | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        """Print an event of a level, of the stage at work or another one, with further fields."""
        if self._is_quiet and level != "error":
            return
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        if self._is_json:
            event = {
                "time": moment.replace("+00:00", "Z"),
                "level": level,
                "stage": stage or self._stage,
                "workspace": self.workspace,
                "message": text,
                "seconds": seconds,
                **(fields or {}),
            }
            line = json.dumps({name: each for name, each in event.items() if each is not None})
        else:
            spent = f"{time.monotonic() - self._started:6.1f} s"
            stamp = spent if self._is_terminal else f"{moment[:19]}Z"
            before = f"{level}: " if level in {"warning", "error"} else ""
            before += f"{self.workspace}: " if self.workspace else ""
            after = "" if seconds is None else f" ({seconds:.1f} s)"
            line = f"{stamp}  {escaped(before + text + after)}"
        if self._bar:
            self._bar.console.out(line, highlight=False)
        else:
            print(line, file=self._stream, flush=True)
