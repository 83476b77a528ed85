"""The bar that a person sees below the events of a batch: one line that leaves nothing behind."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from analytics.terminal import escaped

_REDRAWS_PER_SECOND = 4
_BAR_WIDTH = 12
_FIRST_SECONDS = 0.5  # until then a rate would be an accident
_NARROW = 60  # columns in which a bar would leave no room for its words


@dataclass
class _Step:
    """A step of a stage: so many done of a total, which is 0 if it is unknown."""

    name: str
    total: int
    done: int = 0
    began: float = field(default_factory=time.monotonic)

    def measures(self) -> str:
        """Return the counts, the rate and the time left; without counts the time until now."""
        seconds = time.monotonic() - self.began
        if not self.total:
            return _clock(seconds)
        counts = f"{self.done:,}/{self.total:,}"
        if not self.done or seconds < _FIRST_SECONDS:
            return counts
        rate = self.done / seconds
        left = (self.total - self.done) / rate
        return f"{counts}  {rate:,.{0 if rate >= 10 else 1}f}/s  {_clock(left)} left"


def _clock(seconds: float) -> str:
    """Return whole seconds as `0:42` or `1:02:03`, whose width hardly changes."""
    return str(timedelta(seconds=round(seconds))).removeprefix("0:").removeprefix("0")


def open_bar(stream: TextIO, stage: str) -> ProgressBar | None:
    """Show a bar; None where the terminal cannot redraw a line, so that steps are printed."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    return ProgressBar(console, stage) if console.is_interactive else None


class ProgressBar:
    """One line at the foot of a terminal: the stage, counts, rate, time left, and the step.

    A step only counts; the line is drawn a few times a second, so that counting costs nothing.
    """

    def __init__(self, console: Console, stage: str) -> None:
        self._console = console
        self._stage = stage
        self._step = _Step("", 0)
        self._is_ascii = not console.encoding.startswith("utf")
        self._spinner = Spinner("line" if self._is_ascii else "dots")
        self._live = Live(
            console=console,
            get_renderable=self._line,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=_REDRAWS_PER_SECOND,
        )
        self._live.start(refresh=True)

    def begin(self, name: str, total: int) -> None:
        """Show the next step, of so many requests, loads or parts; 0 if that is unknown."""
        self._step = _Step(name, total)

    def part(self, number: int, total: int, name: str) -> None:
        """Show that a part of so many is next; the first one begins a step."""
        if number <= 1 or total != self._step.total:
            self._step = _Step("", total)
        self._step.name, self._step.done = name, number - 1

    def expect(self, count: int) -> None:
        """Raise the total, unless so many more are within the known one."""
        self._step.total = max(self._step.total, self._step.done + count)

    def advance(self) -> None:
        """Count one more as done."""
        self._step.done += 1

    def print_above(self, line: str) -> None:
        """Print a line that stays."""
        self._console.print(Text(line), soft_wrap=True)

    def close(self) -> None:
        """Remove the bar."""
        self._live.stop()

    def _line(self) -> Text:
        """Return the line; in a terminal that is too narrow its end is left out.

        What matters most comes first, and the names, which change most, last.
        """
        step = self._step
        frames = self._spinner.frames
        frame = frames[int(time.monotonic() * _REDRAWS_PER_SECOND) % len(frames)]
        line = Text(no_wrap=True, overflow="crop" if self._is_ascii else "ellipsis", end="")
        line.append(frame, "green").append(f" {self._stage} ")
        if step.total and self._console.width >= _NARROW:
            line.append_text(self._bar(step))
        line.append(f" {step.measures()}  {escaped(step.name)}".rstrip())
        return line

    def _bar(self, step: _Step) -> Text:
        full = min(_BAR_WIDTH, _BAR_WIDTH * step.done // step.total)
        done, left = ("=", "-") if self._is_ascii else ("━", "─")
        return Text.assemble(
            (done * full, "bar.complete"), (left * (_BAR_WIDTH - full), "bar.back")
        )
