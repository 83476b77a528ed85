"""The commands that write data: a batch, a collection of lists, and a rebuild."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.cli.options import LongHere

if TYPE_CHECKING:
    from analytics.batch.progress import Progress

Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Go on although the API's own figures differ by more than [controls] allows.",
    ),
]


def _print_summary(here: LongHere, progress: Progress) -> None:
    """Print the summary of what was published; where that cannot be written, only warn."""
    from analytics.cli.printed import drop_output, pages_address
    from analytics.report.summary import read_file, terminal_lines

    site = here.layout.site
    if not (site / "summary.json").exists():
        return
    try:
        summary = read_file(site / "summary.json")
        print(*terminal_lines(summary, pages_address(here.settings, site)), sep="\n")
        print(f"Reports:   {(site / 'index.html').absolute().as_uri()}")
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has gone
        drop_output()
    except OSError as error:
        progress.warn(f"published, but the summary cannot be printed: {error.strerror}")
        drop_output()


def nightly(
    here: LongHere,
    force: Force = False,
) -> None:
    """Run the whole flow, from reading to publishing, as cron does.

    Example: LEVAIN_API_KEY=levain_… analytics nightly --data-dir /srv/analytics
    """
    from analytics.batch.extract import require_all
    from analytics.batch.nightly import nightly as run

    with here.progress() as progress:
        outcomes = run(here.settings, progress, force=force)
        _print_summary(here, progress)
        require_all(outcomes)


def collect(
    here: LongHere,
) -> None:
    """Land new runs for the next batch, by run lists alone.

    It is two requests a workspace, to be made every few minutes where an agent starts more than 200
    runs between two batches: the API lists no more of them.

    Example: analytics collect --quiet
    """
    from analytics.batch.collect import collect as run

    with here.progress() as progress:
        run(here.settings, progress)


def rebuild(
    here: LongHere,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Publish nothing: compare with what batches brought up to date; exit 1 names the"
            " first row that differs.",
        ),
    ] = False,
    force: Force = False,
) -> None:
    """Make all anew from landing files and books, and publish.

    Until everything is built and checked, no file is replaced.

    Example: analytics rebuild --verify
    """
    from analytics.batch import rebuild as run

    with here.progress() as progress:
        if verify:
            run.verify(here.settings, progress)
            return
        run.rebuild(here.settings, progress, force=force)
        _print_summary(here, progress)
