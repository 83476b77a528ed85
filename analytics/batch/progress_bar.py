"""The bar that a person sees below the events of a batch: the step, its counts, the time left."""

from __future__ import annotations

from datetime import timedelta
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
)
from rich.table import Column
from rich.text import Text

from analytics.terminal import visible

_REDRAWS_PER_SECOND = 4


class _Counts(ProgressColumn):
    """Done of all, and the time left; until that is known, the time since the step began."""

    def render(self, task: Task) -> Text:
        """Render the counts."""
        counts = f"{task.completed:,.0f}/{task.total:,.0f}  " if task.total else ""
        left = task.time_remaining
        if task.total and left is not None and left >= 1:
            return Text(f"{counts}{_clock(left)} left")
        return Text(f"{counts}{_clock(task.elapsed or 0)}")


def _clock(seconds: float) -> str:
    """Return whole seconds as `0:42` or `1:02:03`, whose width hardly changes."""
    return str(timedelta(seconds=int(seconds))).removeprefix("0:").removeprefix("0")


def open_bar(stream: TextIO, step: str) -> ProgressBar | None:
    """Show a bar; None where the terminal cannot redraw a line, so that steps are printed."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    return ProgressBar(console, step) if console.is_interactive else None


class ProgressBar:
    """One line at the foot of a terminal, which leaves nothing behind when it is closed."""

    def __init__(self, console: Console, step: str) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
            BarColumn(bar_width=12),
            _Counts(table_column=Column(no_wrap=True)),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            refresh_per_second=_REDRAWS_PER_SECOND,
            expand=True,
        )
        self._task = self._progress.add_task(visible(step), total=None)
        self._progress.start()

    def begin(self, step: str, count: int) -> None:
        """Show the next step, of so many requests or loads; 0 if that is unknown."""
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task(visible(step), total=count or None)

    def expect(self, count: int) -> None:
        """Raise the total, unless so many more are within the known one."""
        (task,) = self._progress.tasks
        total = max(task.total or 0, task.completed + count)
        self._progress.update(self._task, total=total)

    def advance(self) -> None:
        """Count one more as done."""
        self._progress.advance(self._task)

    def print_above(self, line: str) -> None:
        """Print a line that stays."""
        self._console.print(Text(line), soft_wrap=True)

    def close(self) -> None:
        """Remove the bar."""
        self._progress.stop()
