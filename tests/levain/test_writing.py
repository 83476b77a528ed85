"""Changes are sent once: a change that may have been carried out is not repeated."""

from __future__ import annotations

import httpx
import pytest

from analytics.emulator.records import Workspace
from analytics.emulator.server import Emulator
from analytics.levain import (
    AsyncLevain,
    ConnectionFailedError,
    LevainError,
    OutcomeUnknownError,
    Run,
    ServerFailedError,
    Session,
    TooManyRequestsError,
    TransientError,
)
from analytics.levain.pace import TRIES
from tests.levain.answering import Server, using

RUN = {"id": "r", "status": "pending", "created_at": "2026-11-20T06:00:00Z"}
BUSY = httpx.Response(429, headers={"Retry-After": "0"})


async def trigger(levain: AsyncLevain) -> Run:
    return await levain.runs.trigger("baker", prompt="Bread?")


@pytest.mark.parametrize(
    ("answer", "sent", "error"),
    [
        (httpx.Response(500), 1, OutcomeUnknownError),
        (httpx.Response(503), 1, OutcomeUnknownError),
        (httpx.Response(408), 1, OutcomeUnknownError),
        (httpx.Response(425), TRIES, ServerFailedError),
        (BUSY, TRIES, TooManyRequestsError),
        (httpx.ConnectError("refused"), TRIES, ConnectionFailedError),
        (httpx.ReadTimeout("gone"), 1, OutcomeUnknownError),
        (httpx.ReadError("gone"), 1, OutcomeUnknownError),
        (httpx.WriteError("gone"), 1, OutcomeUnknownError),
        *(
            (httpx.Response(200, content=body), 1, OutcomeUnknownError)
            for body in (b"", b"{", b"{}", b"[]", b"null")
        ),
    ],
)
def test_a_change_that_may_have_been_made_is_not_sent_again(
    answer: httpx.Response | Exception, sent: int, error: type[LevainError]
) -> None:
    """Only what surely changed nothing is sent again; else the error says that it may have."""
    server = Server(answer)

    with pytest.raises(error, match=r"^POST https://api\.test.*/agents/baker/runs: ") as raised:
        server.ask(trigger)

    assert [request.method for request in server.requests] == ["POST"] * sent
    assert isinstance(raised.value, TransientError) == (error is not OutcomeUnknownError)
    if answer is not BUSY and getattr(answer, "status_code", 0) >= 500:
        assert isinstance(raised.value.__cause__, ServerFailedError)


@pytest.mark.usefixtures("agent")
def test_a_run_whose_answer_is_cut_is_one_run(api: Emulator, workspace: Workspace) -> None:
    """The API has started it, and is not asked for another one."""
    api.faults.add("/runs$", "cut")

    with pytest.raises(OutcomeUnknownError):
        using(api, trigger)

    assert (len(workspace.agent_runs), len(api.requests)) == (1, 1)


@pytest.mark.usefixtures("agent")
def test_what_may_be_done_twice_is_tried_again(api: Emulator) -> None:
    """An idempotent change, such as a cancellation, is retried after any failure."""
    api.faults.add("/cancel$", "503", 2)
    api.faults.add("/cancel$", "cut", 1)

    async def start_and_cancel(levain: AsyncLevain) -> Session:
        return await levain.sessions.cancel((await trigger(levain)).session_id)

    assert using(api, start_and_cancel).state == "terminated"


def test_a_state_is_sent_digit_for_digit() -> None:
    """Money and large numbers of a state keep their digits; omitted fields are not sent."""
    server = Server(httpx.Response(201, json=RUN))
    state = {"amount": 10**30, "text": "🥖 =cmd()"}
    server.ask(lambda levain: levain.runs.trigger("a/b", initial_state=state))

    assert [request.content for request in server.requests] == [
        '{"initial_state":{"amount":1000000000000000000000000000000,"text":"🥖 =cmd()"}}'.encode()
    ]
