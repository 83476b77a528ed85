"""The commands for pages of one's own: check them, and look at one, without a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analytics.cli.options import Config, DataDir

page = typer.Typer(
    help="Check pages of your own, and look at them, without a batch.", no_args_is_help=True
)


@page.command()
def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="SQL files of pages [all of reports/pages]."),
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Say what pages of your own will draw; exit 2 with each problem by file and line.

    Nothing is run: columns are checked against the published file.

    Example: analytics page check reports/pages/cost_per_ticket.sql
    """
    from analytics.errors import UsageError
    from analytics.published.pages import check_pages
    from analytics.settings import load_settings
    from analytics.terminal import escaped

    lines, problems = check_pages(load_settings(data_dir, config), files or [])
    for line in lines:
        print(escaped(line))
    if problems:
        raise UsageError("\n".join(problems))
    if not lines:
        print("There are no pages in reports/pages.")


@page.command()
def preview(
    file: Annotated[Path, typer.Argument(help="The SQL file of a page.")],
    output: Annotated[
        Path | None,
        typer.Option(help="Write into this folder [a temporary one].", metavar="DIR"),
    ] = None,
    is_opened: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make one page from the published figures, and print its address.

    Exits with 2 and each problem if something is wrong; the page says it, too. Its links to other
    pages lead nowhere, as these are not made.

    Example: analytics page preview reports/pages/cost_per_ticket.sql --open
    """
    import webbrowser

    from analytics.errors import UsageError
    from analytics.published.pages import preview_page
    from analytics.settings import has_display, load_settings

    made, problems = preview_page(load_settings(data_dir, config), file, output)
    url = made.resolve().as_uri()
    print(url)
    if is_opened and has_display() and not webbrowser.open(url):
        typer.echo("No browser could be started: open this address in one.", err=True)
    if problems:
        raise UsageError("\n".join(problems))
