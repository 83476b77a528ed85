"""The commands of `analytics runs`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.cli.options import Here, Json, command

if TYPE_CHECKING:
    from analytics.levain import Levain

runs = typer.Typer(
    help="Trigger, watch, read and cancel runs.",
    no_args_is_help=True,
)

RunId = Annotated[
    str,
    typer.Argument(metavar="RUN", help="Its id, or the beginning of one of the newest 200."),
]
Prompt = Annotated[str | None, typer.Option(help="What to do, in words.")]
PromptFile = Annotated[
    str | None,
    typer.Option(
        "--prompt-file", metavar="FILE", help="A file with the prompt; `-` reads standard input."
    ),
]


@dataclass
class RunsHere(Here):
    """The options of every command of runs."""

    workspace: Annotated[
        str | None,
        typer.Option(
            "--workspace",
            metavar="WORKSPACE",
            help="Which of several: the name of its key's variable, or its id.",
        ),
    ] = None

    def connected(self, *, is_patient: bool = False) -> AbstractContextManager[Levain]:
        """Connect to the workspace; a command that takes long is patient with the API."""
        from analytics.cli import connection

        tries = connection.PATIENT if is_patient else connection.QUICK
        return connection.connected(self.settings, self.workspace, self.config, tries=tries)


@command(runs)
def trigger(
    here: RunsHere,
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
) -> None:
    """Start a run; its id goes to standard output.

    Example: analytics runs trigger support-triage --prompt "I get a 403 when I log in." --watch
    """
    from analytics.cli import printed
    from analytics.cli.connection import hint
    from analytics.cli.runs import asked, followed

    given = asked.run_input(prompt, prompt_file, initial_state)
    with here.connected(is_patient=watch) as levain:
        found = asked.find_agent(levain, agent)
        run = followed.trigger(levain, found, given, version)
        if watch:
            run = followed.watch(levain, run, {found.id: found}, as_json=as_json)
            raise typer.Exit(followed.exit_code(run))
        if as_json:
            printed.print_json(run)
        else:
            print(run.id)
            printed.say(f"It is {run.status}. Watch it: {hint('watch', run.id)}")


@command(runs)
def send(
    here: RunsHere,
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run of the session, or the session's whole id.")
    ],
    prompt: Prompt = None,
    prompt_file: PromptFile = None,
    as_json: Json = False,
) -> None:
    """Send a message to the session of a run, which starts another run of it.

    The new run's id goes to standard output. It executes the version with which the session began,
    after the session's other runs.

    Example: analytics runs send 3fa91c22 --prompt "It happens on my phone, too."
    """
    from analytics.cli import printed
    from analytics.cli.connection import hint
    from analytics.cli.runs import asked, followed

    text = asked.message(prompt, prompt_file)
    with here.connected() as levain:
        session = followed.send(levain, asked.find_session_id(levain, run), text)
        if as_json:
            printed.print_json(session)
            return
        for run_id in filter(None, (event.run_id for event in session.events)):
            print(run_id)
            printed.say(f"Watch it: {hint('watch', run_id)}")


@command(runs, "list")
def list_runs(
    here: RunsHere,
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
) -> None:
    """List the newest runs, newest first.

    The API lists at most the newest 200; --status filters these.

    Example: analytics runs list --agent support-triage --status failed
    """
    from analytics.cli.runs import shown

    with here.connected() as levain:
        shown.show_runs(levain, agent, status, limit, as_json=as_json)


@command(runs)
def show(
    here: RunsHere,
    run: RunId,
    as_json: Json = False,
) -> None:
    """Show a run, and its usage of each model.

    Example: analytics runs show 3fa91c22
    """
    from analytics.cli.runs import asked, shown

    with here.connected() as levain:
        shown.show_run(levain, asked.find_run(levain, run), as_json=as_json)


@command(runs)
def watch(
    here: RunsHere,
    run: RunId,
    as_json: Json = False,
) -> None:
    """Watch a run until it ends.

    Shows its status, time, tokens, cost and last events. Exits with 0 when it has succeeded, 5 when
    it has failed, 6 when it was cancelled. Ctrl-C leaves it running. With --json, a line for each
    change.

    Example: analytics runs watch 3fa91c22 && echo done
    """
    from analytics.cli.runs import asked, followed

    with here.connected(is_patient=True) as levain:
        found = asked.find_run(levain, run)
        ended = followed.watch(levain, found, asked.agents_by_id(levain), as_json=as_json)
    raise typer.Exit(followed.exit_code(ended))


@command(runs)
def events(
    here: RunsHere,
    run: RunId,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until the run ends.")] = False,
    level: Annotated[
        str, typer.Option(help="The least level: DEBUG, INFO, WARNING, ERROR, CRITICAL.")
    ] = "DEBUG",
    as_json: Json = False,
) -> None:
    """Print a run's log events, oldest first.

    With --follow, also those to come; with --json too, a line for each event. Ctrl-C leaves the run
    running.

    Example: analytics runs events 3fa91c22 --follow --level WARNING
    """
    from analytics.cli.runs import asked, followed

    wanted = followed.at_least(level)
    with here.connected(is_patient=follow) as levain:
        found = asked.find_run(levain, run)
        if follow:
            followed.follow_events(levain, found, wanted, as_json=as_json)
        else:
            followed.show_events(levain, found, wanted, as_json=as_json)


@command(runs)
def log(
    here: RunsHere,
    run: RunId,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write to this file, replacing it; `-` is standard output."
        ),
    ] = None,
) -> None:
    """Download the raw log of a run that has ended.

    Most lines of the log are JSON. It holds prompts, tool calls and answers. A broken download
    begins anew; an existing file is replaced only by a complete one.

    Example: analytics runs log 3fa91c22 --output run.jsonl
    """
    from analytics.cli import printed
    from analytics.cli.runs import asked, files

    target = None if output == Path("-") else output
    with here.connected(is_patient=True) as levain:
        size = files.write_log(levain, asked.find_run(levain, run), target)
    if target is not None:
        printed.say(f"{size:,} bytes in {target}")


@command(runs)
def cancel(
    here: RunsHere,
    run: RunId,
    wait: Annotated[bool, typer.Option(help="Wait until the run has ended.")] = True,
    as_json: Json = False,
) -> None:
    """Cancel a run, and wait until it has ended.

    The step in flight is still finished, and paid for. The run's session ends, with its other runs:
    it takes no more messages; its events stay readable.

    Example: analytics runs cancel 3fa91c22
    """
    from analytics.cli.runs import asked, followed

    with here.connected(is_patient=True) as levain:
        found = asked.find_run(levain, run)
        followed.cancel(levain, found, is_awaited=wait, as_json=as_json)


@command(runs)
def conversation(
    here: RunsHere,
    run: RunId,
    as_json: Json = False,
) -> None:
    """Print the messages and steps of a run.

    Example: analytics runs conversation 3fa91c22
    """
    from analytics.cli.runs import asked, followed

    with here.connected() as levain:
        followed.show_conversation(levain, asked.find_run(levain, run), as_json=as_json)


@command(runs)
def artifacts(
    here: RunsHere,
    run: RunId,
    download: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save the files in this folder; none is overwritten."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the files that a run has published, or save them.

    Example: analytics runs artifacts 3fa91c22 --download files
    """
    from analytics.cli.runs import asked, shown

    with here.connected(is_patient=download is not None) as levain:
        shown.show_artifacts(levain, asked.find_run(levain, run), download, as_json=as_json)
