"""The commands of a project: start it, look at its pages, and at a page of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analytics.cli.options import DataHere, Here
from analytics.cli.printed import say


def init(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="The project folder [the present one].", show_default=False
        ),
    ] = Path(),
    api_key_env: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="The variable that holds a workspace's key; may be given several times"
            " [LEVAIN_API_KEY].",
        ),
    ] = None,
    api: Annotated[
        str | None, typer.Option(metavar="URL", help="Base URL of the API [that of Levain].")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="NAME", help="Days and months of reports [UTC].")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Where all data will lie [`data`].")
    ] = None,
    config: Annotated[
        Path, typer.Option("--config", help="The settings file to write.", show_default=False)
    ] = Path("analytics.toml"),
) -> None:
    """Start a project: write its settings and example files.

    The examples are one of each kind of file of your own: a table, a check, a question, an alert, a
    page, and the owners of agents. No key is written: keys stay in the environment, and the
    settings name their variables; one that is set is tried. No file that is there is replaced.

    Example: analytics init my-project --timezone Europe/Berlin
    """
    from analytics.cli.init import start

    start(folder / config, data_dir, api_key_env or [], api, timezone or "UTC")


def demo(
    here: DataHere,
    days: Annotated[
        int | None,
        typer.Option(
            min=9,
            max=366,
            help="How long the companies have been at work [since two months were closed].",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Their last day, as 2026-11-30 [today]."),
    ] = None,
) -> None:
    """Try everything without a key: reports of two made-up companies.

    A local emulator of the Levain API plays about three months, which batches read and publish,
    and two of which finance closes. Data of an earlier demo are replaced, those of others refused.

    Example: analytics demo && analytics open
    """
    from analytics.cli.demo import fill
    from analytics.settings import data_dir_of

    if code := fill(data_dir_of(here.data_dir), days, until):
        raise typer.Exit(code)


def open_site(here: Here) -> None:
    """Open the published pages in the browser.

    Prints their address; without a display, only prints it.

    Example: analytics open
    """
    from analytics.errors import AnalyticsError

    layout = here.layout
    index = layout.site / "index.html"
    if not index.exists():
        raise AnalyticsError(
            f"No pages have been published in {layout.root}.\n"
            "Run `analytics nightly` first, or name the data with --data-dir."
        )
    _show(index)


def preview(
    here: Here,
    file: Annotated[Path, typer.Argument(help="The SQL file of a page.")],
    output: Annotated[
        Path | None,
        typer.Option(help="Write into this folder [a temporary one].", metavar="DIR"),
    ] = None,
    is_opened: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Make a page of your own from the published figures.

    Prints its address. Exits with 2 and each problem by file and line if something is wrong; the
    page says it, too. Its links to other pages lead nowhere, as these are not made.

    Example: analytics preview reports/pages/cost_per_ticket.sql --open
    """
    from analytics.errors import UsageError
    from analytics.query.pages import preview_page

    made, problems = preview_page(here.settings, file, output)
    _show(made, is_opened=is_opened)
    if problems:
        raise UsageError("\n".join(problems))


def _show(page: Path, *, is_opened: bool = True) -> None:
    """Print the address of a page, and open it where there is a display."""
    import webbrowser

    from analytics.settings import has_display

    url = page.absolute().as_uri()
    print(url)
    if is_opened and has_display() and not webbrowser.open(url):
        say("No browser could be started: open this address in one.")
