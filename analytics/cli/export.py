"""`analytics export`: files for finance, one command a kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analytics.cli.options import Config, DataDir, format_of

export = typer.Typer(
    help="Write files for finance from the published figures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@export.command()
def month(
    month: Annotated[str, typer.Argument(help="The month, as 2026-10.", metavar="YYYY-MM")],
    form: Annotated[
        str | None,
        typer.Option(
            "--format", help="csv, xlsx or parquet [as --output ends, else csv].", metavar="FORMAT"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write to this file, `-` to standard output [levain-YYYY-MM.FORMAT].",
            metavar="FILE",
        ),
    ] = None,
    workspace: Annotated[
        str | None, typer.Option(help="Only this one: its identifier or name.")
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write what a month cost: a line per workspace and agent, and a total that adds up.

    Cost, gap, billed, not billed, restated; runs, failure rate, failed cost. Every amount is
    exact, an unknown one is empty. The definitions go into a sheet of the spreadsheet, else into
    a second file beside it.

    Example: analytics export month 2026-10 --format xlsx
    """
    from analytics.published.export.files import Format, print_statement, write_statement
    from analytics.published.export.month import read_month
    from analytics.published.sandbox import open_published
    from analytics.settings import load_settings
    from analytics.warehouse.layout import Layout

    chosen = format_of(Format, form, output, Format.csv)
    layout = Layout(load_settings(data_dir, config).data_dir)
    with open_published(layout.published) as con:
        statement = read_month(con, month, workspace)
    if output == Path("-"):
        print_statement(statement, chosen)
        return
    file = output or Path(f"levain-{month}.{chosen.value}")
    for written in write_statement(statement, chosen, file):
        typer.echo(f"wrote {written}", err=True)
