"""The bar that a person sees below the events of a batch: one line that leaves nothing behind."""

from __future__ import annotations

from datetime import timedelta
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

_NARROW = 60  # columns in which a bar would leave no room for its words


class _Measures(ProgressColumn):
    """Counts, rate and time left of a step; the time until now of one without counts."""

    def render(self, task: Task) -> Text:
        if not task.total:
            return Text(_clock(task.elapsed))
        counts = f"{int(task.completed):,}/{int(task.total):,}"
        if not (rate := task.speed):
            return Text(counts)
        speed = f"{rate:,.{0 if rate >= 10 else 1}f}/s"
        return Text(f"{counts}  {speed}  {_clock(task.time_remaining)} left")


def _clock(seconds: float | None) -> str:
    """Return whole seconds as `0:42` or `1:02:03`, whose width hardly changes."""
    return str(timedelta(seconds=round(seconds or 0))).removeprefix("0:").removeprefix("0")


def bar_of(stream: TextIO, stage: str) -> Progress | None:
    """Return the bar of a stage, of one task; None where the terminal cannot redraw a line.

    In a terminal that is too narrow its end is left out: names, which change most, come last.
    """
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if not console.is_interactive:
        return None
    is_ascii = not console.encoding.startswith("utf")
    whole = Column(no_wrap=True)
    cut = Column(no_wrap=True, overflow="crop" if is_ascii else "ellipsis", ratio=1)
    bar = Progress(
        SpinnerColumn("line" if is_ascii else "dots", style="green"),
        TextColumn(stage, style="none", table_column=whole),
        *([BarColumn(12)] if console.width >= _NARROW else []),
        _Measures(table_column=whole),
        TextColumn("{task.description}", style="none", markup=False, table_column=cut),
        console=console,
        expand=True,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        refresh_per_second=4,
    )
    bar.add_task("", total=None)
    return bar
