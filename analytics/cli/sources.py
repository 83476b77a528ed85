"""`analytics export sources`: the published tables for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analytics.cli.options import Config, DataDir, layout_of


def sources(
    output: Annotated[
        Path | None,
        typer.Option(
            help="Write to this file, `-` to standard output [levain-sources.yml].", metavar="FILE"
        ),
    ] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write the published tables as sources of dbt, from their comments.

    YAML with each schema, table and column, its type and its meaning. The sources are in database
    `analytics`: attach the published file under this name.

    Example: analytics export sources --output models/sources.yml
    """
    from analytics.published.export import sources as made
    from analytics.published.output import replacing_text
    from analytics.published.sandbox import open_published

    with open_published(layout_of(data_dir, config).published) as con:
        text = made.sources(con)
    if output == Path("-"):
        print(text, end="")
        return
    chosen = output or Path("levain-sources.yml")
    with replacing_text(chosen) as file:
        file.write(text)
    typer.echo(f"wrote {chosen}", err=True)
