"""The `analytics` command: all commands, and those that read published data."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from analytics.cli import batch, project
from analytics.cli import books as month_end
from analytics.cli.completion import agents, questions_or_tables
from analytics.cli.export import export
from analytics.cli.fleet import fleet
from analytics.cli.options import Here, Json, Nowhere, command, format_of
from analytics.cli.printed import say
from analytics.cli.runs.commands import runs

app = typer.Typer(
    name="analytics",
    help="What your agents on Levain cost, how many tokens they use, and how often they fail.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(runs, name="runs")
app.add_typer(export, name="export")
app.add_typer(fleet, name="fleet")


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        from analytics import __version__

        print(f"levain-analytics {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Options of the command itself."""


def _decoded(text: str) -> str:
    """Return a text from outside, also where the locale is not UTF-8."""
    from analytics.errors import UsageError

    try:
        return text.encode(errors="surrogateescape").decode()
    except UnicodeError:
        raise UsageError("The query is not UTF-8: write it in that encoding.") from None


app.command()(project.init)
command(app)(project.demo)
command(app)(batch.nightly)
command(app)(batch.collect)
command(app)(batch.rebuild)
command(app)(month_end.close)
command(app)(month_end.books)
command(app, "open")(project.open_site)
command(app)(project.preview)


@command(app)
def sql(
    here: Here,
    query: Annotated[
        str | None,
        typer.Argument(
            help="One SELECT, or the name of a question; `-` reads SQL from standard input.",
            autocompletion=questions_or_tables,
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="table, csv, json, parquet or xlsx [as --output ends, else table]. A csv is for"
            " machines: names stay unchanged, also those that a spreadsheet takes for a formula."
            " For a spreadsheet, use xlsx.",
            metavar="FORMAT",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write to this file [standard output].", metavar="FILE")
    ] = None,
    expanded: Annotated[
        bool | None,
        typer.Option(
            "--expanded/--no-expanded",
            "-x",
            help="Print a line for each value [if the table is wider than the terminal].",
        ),
    ] = None,
    list_questions: Annotated[
        bool, typer.Option("--list", help="List the questions that have a name.")
    ] = False,
    list_tables: Annotated[
        bool, typer.Option("--tables", help="List the tables, or the columns of the one named.")
    ] = False,
) -> None:
    """Query the published figures, also while a batch is running.

    Questions that have a name are ours and the files of `queries/adhoc/` beside the settings file.
    [sql] in the settings limits its time.

    Money is DECIMAL. In a notebook, `.df()` for pandas makes floats of it; `.arrow()`,
    `.fetchall()` and `polars.DataFrame(con.sql(...))` keep every digit.

    \b
    Example:
    analytics sql "select agent_name, sum(cost_usd) from fct_agent_days group by 1 order by 2 desc"
    """  # noqa: D301 - after a backspace, click keeps the lines as they are
    from analytics.errors import UsageError
    from analytics.query.sql import Format, write_answer

    chosen = format_of(list(Format), form, output)
    settings = here.settings
    if list_questions:
        from analytics.query.questions import print_questions

        print_questions(settings.project)
        return
    layout = here.layout
    if list_tables:
        from analytics.query.tables import columns_query, print_tables, tables_query

        if chosen == Format.table and not (query or output or expanded):
            print_tables(layout.published_file)
            return
        comment, text = (
            columns_query(layout.published_file, query) if query else ("", tables_query())
        )
        expanded = bool(expanded)  # a comment takes the lines that it needs
        if comment and chosen == Format.table:
            say(comment)
    elif query is None:
        raise UsageError("There is no query. Try: analytics sql --tables")
    elif query == "-":
        text = _decoded(typer.get_text_stream("stdin").read())
    elif query.isidentifier():  # a single word is no query
        from analytics.query.questions import sql_of

        text = sql_of(query, settings.project)
    else:
        text = _decoded(query)
    target, seconds = None if output == Path("-") else output, settings.sql.timeout_seconds
    write_answer(layout, settings.project, seconds, text, chosen, target, expanded=expanded)


@command(app)
def status(
    here: Here,
    online: Annotated[
        bool,
        typer.Option("--online", help="Try each key too, and send a test to each alert address."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show how fresh the figures are, and what needs a hand.

    Settings, files of your own, keys, disk, data and books are looked at; without --online
    no request is made. Exits with 1 if anything needs a hand. Nothing is changed, and a batch may
    be at work meanwhile.

    Example: analytics status --online
    """
    from analytics.cli.printed import pages_address
    from analytics.cli.status import problems_of, try_addresses, try_keys, unknown_names
    from analytics.query import status as published
    from analytics.query.pages import page_problems

    settings = here.settings
    found = published.status(here.layout)
    wrong, hints = page_problems(settings)
    found["hints"] += hints
    found["problems"] += [*problems_of(settings), *wrong]
    found["problems"] += unknown_names(found.get("project_files", ()), settings)
    if online:
        for tried, wrong in (try_keys(settings), try_addresses(settings)):
            found["tried"] = found.get("tried", {}) | tried
            found["problems"] += wrong
    found["problems"] = [*dict.fromkeys(found["problems"])]
    if as_json:
        published.print_json(found)
    else:
        published.print_text(found, pages_address(settings, here.layout.site))
    if found["problems"]:
        raise typer.Exit(1)


@command(app)
def trace(
    here: Here,
    agent: Annotated[
        str | None,
        typer.Option(help="Its identifier, short name or name.", autocompletion=agents),
    ] = None,
    date: Annotated[
        str | None, typer.Option(help="A day of the reports.", metavar="YYYY-MM-DD")
    ] = None,
    workspace: Annotated[str | None, typer.Option(help="Its identifier or name.")] = None,
    run: Annotated[
        str | None, typer.Option(help="One run instead: its identifier, or how that begins.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, help="Show so many runs, the most expensive first.")
    ] = 20,
    as_json: Json = False,
) -> None:
    """Show the parts of a day's figure, down to its requests.

    Listed runs lead to their landing lines, unlisted ones to the API's own counts and totals.
    `no agent` and `platform` name the lines of a workspace without an agent. Landing files on disk
    are held against their hashes; exit 3 if one does not agree.

    Example: analytics trace --agent support-triage --date 2026-11-19
    """
    from analytics.query import trace as traced
    from analytics.query import trace_output
    from analytics.terminal import escaped_json

    found = traced.trace(here.layout, agent=agent, day=date, workspace=workspace, run_id=run)
    if as_json:
        print(escaped_json(trace_output.as_json(found, limit), sys.stdout.encoding))
    else:
        trace_output.print_text(found, limit)
    traced.require_agreement(found)


@command(app)
def mcp(here: Here) -> None:
    """Let an assistant ask, by the Model Context Protocol.

    On standard input and output it asks named questions, SELECTs, tables, findings and traces;
    nothing is written. Its client starts this command: docs/assistant.md shows how.

    Example: analytics mcp --data-dir /srv/analytics/data
    """
    from analytics import __version__
    from analytics.errors import extra_needed

    with extra_needed("An assistant", "mcp"):
        from analytics.query.assistant import server_of
    settings = here.settings
    seconds = settings.sql.timeout_seconds
    server_of(here.layout, settings.project, seconds, __version__).run("stdio")


@command(app, context_settings={"allow_interspersed_args": False})
def emulator(
    _here: Nowhere,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND]...",
            help="A command to run against it, on a machine whose clock is at its time, in place of"
            " serving others.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Loopback port; 0 takes a free one.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 1,
    now: Annotated[
        datetime | None, typer.Option(help="Where its clock starts, in UTC [the present].")
    ] = None,
) -> None:
    """Serve a local Levain API, to try all of it without a key.

    It has two made-up workspaces, and runs the runs that are triggered: each takes 8 to 20
    seconds and succeeds, unless its prompt or state holds one of these.

    \b
    [fail]          a step meets an error that no retry mends
    [flaky]         a step fails twice and is retried with back-off
    [broken]        a step fails five times, which ends the run
    [slow]          each step takes twenty times as long
    [endless]       no result, until the step limit
    [over-budget]   each step costs nearly half of the budget
    [artifacts]     publishes 3 files; [artifacts:1200] so many

    Its first line on standard output is JSON: its URL, and a key for each workspace.
    Ctrl-C or SIGTERM ends it, which is exit 0. A batch refuses a clock that is over a day
    from its machine's, so that one at another time is run as COMMAND, on the first workspace.

    Example: analytics emulator --port 8080 --seed 7
    Example: analytics emulator --now 2026-11-01 nightly --data-dir november
    """  # noqa: D301 - after a backspace, click keeps the lines as they are
    from analytics.cli.emulator import serve

    raise typer.Exit(serve(port, seed, now, arguments or []))
