"""The commands of `analytics runs`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analytics.cli.options import Config, DataDir, Json

runs = typer.Typer(
    help="Trigger, watch, read and cancel runs.",
    no_args_is_help=True,
)

RunId = Annotated[
    str,
    typer.Argument(metavar="RUN", help="Its id, or the beginning of one of the newest 200."),
]
Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        metavar="WORKSPACE",
        help="Which of several: the name of its key's variable, or its id.",
    ),
]
Prompt = Annotated[str | None, typer.Option(help="What to do, in words.")]
PromptFile = Annotated[
    str | None,
    typer.Option(
        "--prompt-file", metavar="FILE", help="A file with the prompt; `-` reads standard input."
    ),
]


@runs.command()
def trigger(
    agent: Annotated[str, typer.Argument(help="Its slug or id, or the beginning of one.")],
    prompt: Prompt = None,
    prompt_file: PromptFile = None,
    initial_state: Annotated[
        str | None,
        typer.Option(
            "--initial-state",
            metavar="FILE",
            help="A JSON object that matches the agent's state; `-` reads standard input.",
        ),
    ] = None,
    version: Annotated[
        int | None, typer.Option(help="Run this version, which must be active.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Watch the run until it ends.")] = False,
    as_json: Json = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Start a run; its id goes to standard output.

    Example: analytics runs trigger support-triage --prompt "I get a 403 when I log in." --watch
    """
    from analytics.cli import connection, printed
    from analytics.cli.runs import hints, triggering
    from analytics.cli.runs.lookup import find_agent
    from analytics.cli.runs.watching import exit_code
    from analytics.cli.runs.watching import watch as watch_run

    given = triggering.run_input(prompt, prompt_file, initial_state)
    tries = connection.PATIENT if watch else connection.QUICK
    with connection.connected(workspace, data_dir, config, tries=tries) as levain:
        found = find_agent(levain, agent)
        run = triggering.trigger(levain, found, given, version)
        if watch:
            run = watch_run(levain, run, {found.id: found}, as_json=as_json)
            raise typer.Exit(exit_code(run))
        if as_json:
            printed.print_json(run)
        else:
            print(run.id)
            printed.say(f"It is {run.status}. Watch it: {hints.command('watch', run.id)}")


@runs.command()
def send(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run of the session, or the session's whole id.")
    ],
    prompt: Prompt = None,
    prompt_file: PromptFile = None,
    as_json: Json = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Send a message to the session of a run, which starts another run of it.

    The new run's id goes to standard output. It executes the version with which the session began,
    after the session's other runs.

    Example: analytics runs send 3fa91c22 --prompt "It happens on my phone, too."
    """
    from analytics.cli import connection, printed
    from analytics.cli.runs import hints, triggering
    from analytics.cli.runs.lookup import find_session_id

    text = triggering.message(prompt, prompt_file)
    with connection.connected(workspace, data_dir, config) as levain:
        session = triggering.send(levain, find_session_id(levain, run), text)
        if as_json:
            printed.print_json(session)
            return
        for run_id in filter(None, (event.run_id for event in session.events)):
            print(run_id)
            printed.say(f"Watch it: {hints.command('watch', run_id)}")


@runs.command("list")
def list_runs(
    agent: Annotated[
        str | None,
        typer.Option(help="Of this agent alone (slug or id; of a deleted one its whole id)."),
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(help="pending, running, succeeded, failed or cancelled.", metavar="STATUS"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    as_json: Json = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """List the newest runs, newest first.

    The API lists at most the newest 200; --status filters these.

    Example: analytics runs list --agent support-triage --status failed
    """
    from analytics.cli import connection
    from analytics.cli.runs import showing

    with connection.connected(workspace, data_dir, config) as levain:
        showing.show_runs(levain, agent, status, limit, as_json=as_json)


@runs.command()
def show(
    run: RunId,
    as_json: Json = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show a run, and its usage of each model.

    Example: analytics runs show 3fa91c22
    """
    from analytics.cli import connection
    from analytics.cli.runs import showing
    from analytics.cli.runs.lookup import find_run

    with connection.connected(workspace, data_dir, config) as levain:
        showing.show_run(levain, find_run(levain, run), as_json=as_json)


@runs.command()
def watch(
    run: RunId,
    as_json: Json = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Watch a run until it ends.

    Shows its status, time, tokens, cost and last events. Exits with 0 when it has succeeded, 5 when
    it has failed, 6 when it was cancelled. Ctrl-C leaves it running. With --json, a line for each
    change.

    Example: analytics runs watch 3fa91c22 && echo done
    """
    from analytics.cli import connection
    from analytics.cli.runs.lookup import find_run
    from analytics.cli.runs.readable import agents_by_id
    from analytics.cli.runs.watching import exit_code
    from analytics.cli.runs.watching import watch as watch_run

    with connection.connected(workspace, data_dir, config, tries=connection.PATIENT) as levain:
        found = find_run(levain, run)
        ended = watch_run(levain, found, agents_by_id(levain), as_json=as_json)
    raise typer.Exit(exit_code(ended))


@runs.command()
def events(
    run: RunId,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until the run ends.")] = False,
    level: Annotated[
        str, typer.Option(help="The least level: DEBUG, INFO, WARNING, ERROR, CRITICAL.")
    ] = "DEBUG",
    as_json: Json = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Print a run's log events, oldest first.

    With --follow, also those to come; with --json too, a line for each event. Ctrl-C leaves the run
    running.

    Example: analytics runs events 3fa91c22 --follow --level WARNING
    """
    from analytics.cli import connection
    from analytics.cli.runs import timeline
    from analytics.cli.runs.lookup import find_run

    wanted = timeline.at_least(level)
    tries = connection.PATIENT if follow else connection.QUICK
    with connection.connected(workspace, data_dir, config, tries=tries) as levain:
        found = find_run(levain, run)
        if follow:
            timeline.follow(levain, found, wanted, as_json=as_json)
        else:
            timeline.show(levain, found, wanted, as_json=as_json)


@runs.command()
def log(
    run: RunId,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write to this file, replacing it; `-` is standard output."
        ),
    ] = None,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Download the raw log of a run that has ended.

    Most lines of the log are JSON. It holds prompts, tool calls and answers. A broken download
    begins anew; an existing file is replaced only by a complete one.

    Example: analytics runs log 3fa91c22 --output run.jsonl
    """
    from analytics.cli import connection, printed
    from analytics.cli.runs import files
    from analytics.cli.runs.lookup import find_run

    target = None if output == Path("-") else output
    with connection.connected(workspace, data_dir, config, tries=connection.PATIENT) as levain:
        size = files.write_log(levain, find_run(levain, run), target)
    if target is not None:
        printed.say(f"{size:,} bytes in {target}")


@runs.command()
def cancel(
    run: RunId,
    wait: Annotated[bool, typer.Option(help="Wait until the run has ended.")] = True,
    as_json: Json = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Cancel a run, and wait until it has ended.

    The step in flight is still finished, and paid for. The run's session ends, with its other runs:
    it takes no more messages; its events stay readable.

    Example: analytics runs cancel 3fa91c22
    """
    from analytics.cli import connection
    from analytics.cli.runs import watching
    from analytics.cli.runs.lookup import find_run

    with connection.connected(workspace, data_dir, config, tries=connection.PATIENT) as levain:
        found = find_run(levain, run)
        watching.cancel(levain, found, is_awaited=wait, as_json=as_json)


@runs.command()
def conversation(
    run: RunId,
    as_json: Json = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Print the messages and steps of a run.

    Example: analytics runs conversation 3fa91c22
    """
    from analytics.cli import connection
    from analytics.cli.runs import timeline
    from analytics.cli.runs.lookup import find_run

    with connection.connected(workspace, data_dir, config) as levain:
        timeline.show_conversation(levain, find_run(levain, run), as_json=as_json)


@runs.command()
def artifacts(
    run: RunId,
    download: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save the files in this folder; none is overwritten."),
    ] = None,
    as_json: Json = False,
    workspace: Workspace = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """List the files that a run has published, or save them.

    Example: analytics runs artifacts 3fa91c22 --download files
    """
    from analytics.cli import connection
    from analytics.cli.runs import showing
    from analytics.cli.runs.lookup import find_run

    tries = connection.PATIENT if download else connection.QUICK
    with connection.connected(workspace, data_dir, config, tries=tries) as levain:
        showing.show_artifacts(levain, find_run(levain, run), download, as_json=as_json)
