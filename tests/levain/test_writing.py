"""Changes are sent once: a change that may have been carried out is not repeated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import httpx
import pytest

from analytics.emulator.records import Workspace
from analytics.emulator.server import Emulator
from analytics.levain import (
    AsyncLevain,
    ConnectionFailedError,
    OutcomeUnknownError,
    RefusedError,
    Run,
    ServerFailedError,
    TooManyRequestsError,
    TransientError,
)
from analytics.levain.transport import TRIES

Use = Callable[[AsyncLevain], Awaitable[Any]]


def using(api: Emulator, use: Use) -> Any:
    async def run() -> Any:
        async with AsyncLevain(api.world.workspaces[0].api_key, api.url) as levain:
            return await use(levain)

    return asyncio.run(run())


def usage_errors(handler: Callable[[httpx.Request], httpx.Response], use: Use) -> Any:
    async def run() -> Any:
        transport = httpx.MockTransport(handler)
        async with AsyncLevain("levain_k", "https://api.test", transport=transport) as levain:
            return await use(levain)

    return asyncio.run(run())


def triggering(levain: AsyncLevain) -> Awaitable[Run]:
    return levain.runs.trigger("baker", prompt="Bread?")


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("answer", ["cut", "truncated", "invalid"])
def test_a_run_that_may_have_started_is_not_started_again(
    api: Emulator, workspace: Workspace, answer: Literal["cut", "truncated", "invalid"]
) -> None:
    """A broken response leaves one run, and raises an error that the run may exist."""
    api.faults.add("/runs$", answer)

    with pytest.raises(OutcomeUnknownError, match=r"POST http.*/agents/baker/runs"):
        using(api, triggering)

    assert len(workspace.agent_runs) == int(answer != "invalid")
    assert [request.method for request in api.requests] == ["POST"]


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("status", ["500", "503"])
def test_a_failing_server_is_not_asked_again(api: Emulator, status: Literal["500", "503"]) -> None:
    """A 5xx may follow a change: OutcomeUnknownError, with the server's error as its cause."""
    api.faults.add("/runs$", status)

    with pytest.raises(OutcomeUnknownError) as raised:
        using(api, triggering)

    assert isinstance(raised.value.__cause__, ServerFailedError)
    assert not isinstance(raised.value, TransientError)
    assert len(api.requests) == 1


@pytest.mark.usefixtures("agent")
def test_too_many_requests_are_waited_out(api: Emulator, workspace: Workspace) -> None:
    """A 429 changed nothing: the run is started once, at the last attempt."""
    api.faults.add("/runs$", "429", TRIES - 1, retry_after_seconds=0)

    run = using(api, triggering)

    assert (run.status, len(workspace.agent_runs)) == ("pending", 1)


@pytest.mark.usefixtures("agent")
def test_too_many_requests_for_ever_are_an_error(api: Emulator) -> None:
    """A 429 at each attempt raises TooManyRequestsError, because nothing was changed."""
    api.faults.add("/runs$", "429", TRIES, retry_after_seconds=0)

    with pytest.raises(TooManyRequestsError):
        using(api, triggering)


def test_what_was_not_sent_is_sent_again() -> None:
    """A refused connection is retried, and raises ConnectionFailedError in the end."""
    asked: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        raise httpx.ConnectError("refused")

    with pytest.raises(ConnectionFailedError):
        usage_errors(refuse, triggering)

    assert asked == ["POST"] * TRIES


@pytest.mark.parametrize(
    ("status", "sent", "error"), [(408, 1, OutcomeUnknownError), (425, TRIES, ServerFailedError)]
)
def test_a_change_that_timed_out_may_have_been_made(
    status: int, sent: int, error: type[Exception]
) -> None:
    """A 408 may follow a change, so it is not sent again; a 425 is sent before anything is done."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(status)

    with pytest.raises(error):
        usage_errors(answer, triggering)

    assert asked == ["POST"] * sent


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ReadError, httpx.WriteError])
def test_a_silent_server_may_have_acted(error: type[httpx.TransportError]) -> None:
    """A time-out, or a connection lost after sending, is not retried."""
    asked: list[str] = []

    def drop(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        raise error("gone")

    with pytest.raises(OutcomeUnknownError, match="gone"):
        usage_errors(drop, triggering)

    assert asked == ["POST"]


@pytest.mark.usefixtures("agent")
def test_what_may_be_done_twice_is_tried_again(api: Emulator) -> None:
    """An idempotent change, such as a cancellation, is retried after any failure."""
    api.faults.add("/cancel$", "503", 2)
    api.faults.add("/cancel$", "cut", 1)

    async def start_and_cancel(levain: AsyncLevain) -> Run:
        return await levain.runs.cancel((await triggering(levain)).id)

    assert using(api, start_and_cancel).status == "cancelled"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null"])
def test_a_change_is_confirmed_by_its_record(body: bytes) -> None:
    """A 2xx without the record of the run says that it may have started, and which request."""
    asked = []

    def confirm(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(200, content=body)

    with pytest.raises(OutcomeUnknownError, match=r"^POST https://api\.test.*/agents/baker/runs: "):
        usage_errors(confirm, triggering)

    assert asked == ["POST"]


def test_an_empty_answer_confirms_a_deletion() -> None:
    """A 204 without a body is accepted; a read without a body is not."""
    gone = usage_errors(lambda _: httpx.Response(204), lambda levain: levain.byok.revoke("k"))

    assert gone is None


def test_a_state_is_sent_digit_for_digit() -> None:
    """Money and large numbers of a state keep their digits; omitted fields are not sent."""
    sent: list[bytes] = []
    run = {"id": "r", "status": "pending", "created_at": "2026-11-20T06:00:00Z"}

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(201, json=run)

    state = {"amount": 10**30, "text": "🥖 =cmd()"}
    usage_errors(take, lambda levain: levain.runs.trigger("a/b", initial_state=state))

    assert sent == [
        '{"initial_state":{"amount":1000000000000000000000000000000,"text":"🥖 =cmd()"}}'.encode()
    ]


@pytest.mark.usefixtures("agent")
def test_both_inputs_or_none_are_refused(api: Emulator) -> None:
    """The API requires exactly one input, and its message reaches the caller."""
    for given in ({}, {"prompt": "a", "initial_state": {}}):
        with pytest.raises(RefusedError, match="prompt or initial_state"):
            using(api, lambda levain, given=given: levain.runs.trigger("baker", **given))  # type: ignore[misc]
