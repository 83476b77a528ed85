"""`analytics mcp`, asked by a real client."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import anyio
import anyio.from_thread
import pytest
from anyio.from_thread import start_blocking_portal
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from analytics.bounded import runner
from analytics.cli.emulator import command_at
from analytics.query.assistant import MOST_CHARACTERS, MOST_ROWS, server_of
from analytics.warehouse.database import open_marts
from analytics.warehouse.layout import Layout
from tests.cli.test_sql_hostile import FAMILIES, statements
from tests.queries.short_demo import INJECTION, project_of
from tests.worlds import NOW

Ask = Callable[..., dict[str, Any]]
ENDLESS = "select sum(range) from range(1000000000000)"
SOON = 30
"""Seconds: half of what a query may take."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of a short demo, in whose names and errors others wrote for an assistant."""
    return project_of(tmp_path_factory)


@pytest.fixture(scope="module")
def ask(folder: Path) -> Iterator[Ask]:
    """A tool's answer, from a command that a client has started."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(client(folder)) as session,
    ):

        def asked(tool: str, **arguments: Any) -> dict[str, Any]:
            answer = portal.call(session.call_tool, tool, arguments)
            text = answer.content[0].text
            assert len(text) <= MOST_CHARACTERS
            return dict(json.loads(text))

        asked.tools = portal.call(session.list_tools).tools  # type: ignore[attr-defined]
        yield asked


@asynccontextmanager
async def client(folder: Path, *options: str) -> AsyncIterator[ClientSession]:
    """A session of the SDK's own client."""
    command, *arguments = command_at(NOW, "mcp", "--data-dir", str(folder / "data"), *options)
    server = StdioServerParameters(command=command, args=arguments, env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        yield session


def test_an_answer_has_every_digit(ask: Ask, folder: Path) -> None:
    """Money is the text of the published amount; a count is a number, and a day its text."""
    columns = "cost_usd, tokens_in::bigint, run_count::bigint, date"
    sql = f"select {columns} from fct_agent_days order by cost_usd desc, date limit 50"
    with open_marts(folder / "data" / "analytics.duckdb") as con:
        rows = con.execute(sql).fetchall()

    assert ask("query", sql=sql)["rows"] == [
        [str(cost_usd), tokens, count, str(day)] for cost_usd, tokens, count, day in rows
    ]


def test_an_answer_says_what_it_lacks(ask: Ask) -> None:
    """It says to when its data go, what is unlisted, and what was cut; texts are named."""
    whole = ask("query", sql="select run_id, agent_name from fct_runs")
    many = ask("query", sql="select unnest(range(5000)) as n")

    assert whole["data"]["data_to"].startswith(f"{NOW:%Y-%m-%d}")
    assert whole["data"]["unlisted_run_count"] > 0
    assert whole["untrusted_columns"] == ["run_id", "agent_name"]
    assert many["cut"].startswith(f"{MOST_ROWS:,} of more than {MOST_ROWS:,} rows")


def test_questions_have_names_and_filters(ask: Ask) -> None:
    """A question is asked by its name, of an agent by any of its names; others are refused.

    An answer includes the question's notes, and so its caveats.
    """
    names = [name for name, _ in ask("ask")["rows"]]
    of_agent = ask("ask", question="waste", agent="pr-reviewer")

    assert {"waste", "what_if", "cost_per_outcome"} <= {*names}
    assert {row[1] for row in of_agent["rows"]} == {"Pull request reviewer"}
    assert "API does not report cached" in ask("ask", question="paid_against_list_price")["about"]
    assert "no question named" in ask("ask", question="nonsense")["error"]
    assert "no column for `model`" in ask("ask", question="waste", model="m")["error"]


def test_an_unknown_parameter_is_an_error(server: MCPServer) -> None:
    """It names the tool's parameters; the question is not answered without the filter."""
    allowed = "question, workspace, agent, month, model"
    with pytest.raises(ToolError, match=f"no parameter `months`. Its parameters: {allowed}"):
        anyio.run(server.call_tool, "ask", {"question": "waste", "months": "2026-11"})


def test_findings_tables_and_traces_are_told(ask: Ask) -> None:
    """Sentences come only where they are asked for; words explain columns."""
    plain, said = ask("findings"), ask("findings", texts=True)
    (run_id,) = ask("query", sql="select any_value(run_id) from fct_runs")["rows"][0]

    assert "sentence" not in plain["columns"]
    assert "sentence" in said["columns"]
    assert [row[2] for row in ask("describe")["rows"] if row[2] == "fct_waste"] == ["fct_waste"]
    assert ask("describe", name="fct_waste")["about"].startswith("Cost of runs that were")
    assert [row[0] for row in ask("describe", name="unlisted_cost")["rows"]] == [
        "unlisted_cost_usd"
    ]
    assert ask("trace", run=run_id)["runs"][0]["landing"]["is_verified"] is True
    assert "There is no agent" in ask("trace", agent="nobody", date="2026-11-19")["error"]


def test_texts_of_others_come_only_where_they_are_asked_for(ask: Ask) -> None:
    """A name or a message is in no other answer; where it is asked for, its column is named."""
    helper = "from dim_agents where agent_slug = 'helper'"
    ((agent_id,),) = ask("query", sql=f"select agent_id {helper}")["rows"]
    unasked = [
        ask("ask"),
        ask("describe"),
        ask("describe", name="fct_runs"),
        ask("describe", name="error"),
        ask("findings"),
        ask("trace", agent=agent_id, date=str((NOW - timedelta(hours=62)).date())),
        ask("query", sql="select agent_id, sum(cost_usd) from fct_runs group by all"),
    ]
    asked = [
        ask("ask", question="failure_rate_by_agent"),
        ask("ask", question="waste", agent="helper"),
        ask("query", sql="select error_message, cost_usd from fct_runs order by cost_usd desc"),
        ask("query", sql="select [{'a': agent_name}] as nested from dim_agents"),
        ask("query", sql="select to_json(agent_name) as j, 'nan'::double as n from dim_agents"),
    ]
    refused = ask("query", sql=f"select agent_name::int {helper}")

    assert [each for each in unasked if INJECTION[:20] in str(each)] == []
    for answer in asked:
        places = [answer["columns"].index(each) for each in answer["untrusted_columns"]]
        apart = [[value for place, value in enumerate(row) if place not in places]
                 for row in answer["rows"]]  # fmt: skip
        assert INJECTION[:20] in str(answer["rows"])
        assert INJECTION[:20] not in str({**answer, "rows": apart})
    assert INJECTION[:20] in refused["error"]
    assert refused["untrusted_columns"] == ["error"]
    assert {"sentence", "next_step"} <= {*ask("findings", texts=True)["untrusted_columns"]}


@pytest.mark.long
def test_hostile_statements_do_no_harm(folder: Path, tmp_path: Path) -> None:
    """Five hundred end as their family says, tell nothing of the machine, and change no file."""
    (tmp_path / "analytics.toml").write_text("[sql]\ntimeout_seconds = 3\n", encoding="utf-8")
    (folder / "data" / "secret.csv").write_text("secret\nhunter2\n", encoding="utf-8")
    tried = [(family["outcome"], each.replace("@FOLDER", str(folder / "data")))
             for family in FAMILIES for each in statements(family)]  # fmt: skip
    secrets = [str(folder), str(Path.home()), str(Path.cwd()), "hunter2", os.environ["PATH"]]
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    wrong = []
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(
            client(folder, "--config", str(tmp_path / "analytics.toml"))
        ) as session,
    ):
        for outcome, sql in tried[:: max(len(tried) // 500, 1)]:
            text = portal.call(session.call_tool, "query", {"sql": sql}).content[0].text
            is_refused = "error" in json.loads(text)
            is_cut = "cut" in json.loads(text) or " characters)" in text
            is_told = any(each in text and each not in sql for each in secrets)
            expected = {"refused": is_refused, "answered": not is_refused}
            if not expected.get(outcome, is_refused or is_cut) or is_told:
                wrong.append((outcome, sql, text))

    assert wrong == []
    assert {path: path.read_bytes() for path in before} == before
    assert {path for path in folder.rglob("*") if path.is_file()} == {*before}
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 4_000_000  # KiB


class PlainClient:
    """A client that writes its messages itself."""

    def __init__(self, process: subprocess.Popen[str], version: str) -> None:
        assert process.stdin
        assert process.stdout
        self.process, self.into, self.out = process, process.stdin, process.stdout
        about = {"protocolVersion": version, "capabilities": {}}
        self.send("initialize", 0, **about, clientInfo={"name": "old", "version": "1"})
        self.hello = self.reply(0)
        self.send("notifications/initialized")

    def send(self, method: str, number: int | None = None, **params: Any) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        named = {} if number is None else {"id": number}
        print(json.dumps(message | named), file=self.into, flush=True)

    def query(self, number: int, sql: str) -> None:
        self.send("tools/call", number, name="query", arguments={"sql": sql})

    def reply(self, number: int) -> dict[str, Any]:
        """Return the next reply, which is to this request."""
        reply = json.loads(self.out.readline())
        assert reply["id"] == number
        return dict(reply["result"])

    def end(self) -> int:
        """Close standard input, and return the exit code, which takes less than a query may."""
        self.into.close()
        return self.process.wait(timeout=SOON)


@contextmanager
def plain_client(folder: Path, version: str = "2025-06-18") -> Iterator[PlainClient]:
    """A client whose server ends with the context."""
    command = command_at(NOW, "mcp", "--data-dir", str(folder / "data"))
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
        try:
            yield PlainClient(process, version)
        finally:
            process.kill()


@pytest.mark.parametrize("version", ["2024-11-05", "2025-06-18"])
def test_a_client_that_shakes_hands_is_answered(folder: Path, version: str) -> None:
    """A client of an earlier protocol says which, lists the tools, and asks."""
    with plain_client(folder, version) as client:
        client.send("tools/list", 1)
        tools = client.reply(1)["tools"]
        client.query(2, "select 0.10 as cost_usd")
        called = client.reply(2)
        code = client.end()

    assert client.hello["protocolVersion"] == version
    assert client.hello["serverInfo"]["name"] == "analytics"
    assert [each["name"] for each in tools] == ["ask", "query", "describe", "findings", "trace"]
    assert json.loads(called["content"][0]["text"])["rows"] == [["0.10"]]
    assert code == 0


class Watched(runner._Child):
    """A process for queries, and all that were started; the latest is at `event` in a thread."""

    children: ClassVar[list[runner._Child]]
    event: ClassVar[Callable[[str], None]]

    def __init__(self) -> None:
        super().__init__()
        self.children.append(self)
        type(self).event("started")

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        type(self).event("asked")
        return super().ask(request, seconds)


@pytest.fixture
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> MCPServer:
    """A server in this process; its processes for queries are `Watched`."""
    monkeypatch.setattr(Watched, "children", [], raising=False)
    monkeypatch.setattr(Watched, "event", lambda _: None, raising=False)
    monkeypatch.setattr(runner, "_Child", Watched)
    return server_of(Layout(folder / "data"), folder, 3600, "0")


def test_one_query_runs_at_a_time(server: MCPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait, and each is answered."""
    running, answers = [], []

    def count(_: str) -> None:
        running.append(sum(each.process.returncode is None for each in Watched.children))

    async def query(number: int) -> None:
        answers.append(await server.call_tool("query", {"sql": f"select {number} as n"}))

    async def query_all() -> None:
        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(query, number)

    monkeypatch.setattr(Watched, "event", count)
    anyio.run(query_all)

    assert {each.content[0].text[-6:] for each in answers} == {f"[[{n}]]}}" for n in range(4)}
    assert running == [1] * 8


@pytest.mark.parametrize("at", ["started", "asked"])
def test_a_cancelled_query_ends(
    server: MCPServer, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Its process is killed before the next query starts, even if it had just been started."""

    async def cancel_and_query() -> Any:
        with anyio.CancelScope() as scope:

            def cancel(event: str) -> None:
                if event == at:
                    anyio.from_thread.run_sync(scope.cancel)

            monkeypatch.setattr(Watched, "event", cancel)
            await server.call_tool("query", {"sql": ENDLESS})
        monkeypatch.setattr(Watched, "event", lambda _: None)
        return Watched.children[0].process.returncode

    assert anyio.run(cancel_and_query) == -signal.SIGKILL


def test_a_query_ends_when_nobody_waits_for_it(folder: Path) -> None:
    """After a cancellation the next is answered; when its input ends, the server ends."""
    with plain_client(folder) as client:
        client.query(1, ENDLESS)
        client.send("notifications/cancelled", requestId=1)
        client.query(2, "select 1 as n")
        assert select.select([client.out], [], [], SOON)[0]
        client.reply(2)
        client.query(3, ENDLESS)

        assert client.end() == 0


def test_nothing_else_is_done(ask: Ask) -> None:
    """Statements that would write or read elsewhere are refused, with what to do."""
    for sql in (
        "copy fct_runs to 'x.csv'",
        "select * from read_csv('/etc/passwd')",
        "select 1; select 2",
        "",
    ):
        assert "error" in ask("query", sql=sql), sql


def test_tools_are_described_in_few_words(ask: Ask) -> None:
    """All descriptions together have at most 1,500 tokens, of three characters at least each."""
    told = json.dumps([each.model_dump(exclude_none=True) for each in ask.tools])  # type: ignore[attr-defined]

    assert len(told) < 1500 * 3
