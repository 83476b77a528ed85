"""Batches that fail or are stopped: message, remaining figures, and recovery by the next batch."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import socket
import subprocess
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest

from analytics.batch.last_batch import ended_batch
from analytics.cli import interrupt
from analytics.cli.emulator import command_at
from analytics.emulator.server import Emulator
from analytics.emulator.world import World
from analytics.errors import AnalyticsError
from analytics.warehouse.layout import Layout
from tests.batches import Batch, gone_from, without_pages
from tests.cli.conftest import Command, SettingsFile, publish_again
from tests.worlds import NOW, StartRun


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LEVAIN_API", "http://127.0.0.1:9"), ("HTTP_PROXY", "ftp://proxy.test")],
)
def test_an_unreachable_api_is_a_failure(
    variable: str, value: str, published: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused connection exits with 1; the published figures remain."""
    before = Path("data/analytics.duckdb").read_bytes()
    monkeypatch.setenv(variable, value)
    result = published("nightly")

    assert result.code == 1
    assert value in result.err
    assert Path("data/analytics.duckdb").read_bytes() == before


def test_a_full_disk_is_told_with_what_mends_it(
    published: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk exits with 1, and the message names the place and advises to free space."""

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    result = published("nightly")

    place = f"data/landing/{world.workspaces[0].id}"
    assert result.code == 1
    assert f"No space left on device: {place}.\nMake room on its disk" in result.err


@pytest.mark.usefixtures("published")
def test_a_summary_that_cannot_be_written_stops_no_batch() -> None:
    """A batch whose summary is lost has published by then, and exits as otherwise."""
    before = Path("data/analytics.duckdb").stat().st_ino
    with Path("/dev/full").open("w") as full:
        command = command_at(NOW, "nightly")
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)

    assert ended.returncode == 0
    assert Path("data/analytics.duckdb").stat().st_ino != before
    assert b"Traceback" not in ended.stderr


def test_a_failed_batch_keeps_the_figures_of_the_last(
    published: Command, start_run: StartRun
) -> None:
    """Records of a failed batch are in no figure until a batch completes."""
    start_run(hours_ago=0.5, cost="9")
    with gone_from("/log/events"):
        assert published("nightly").code == 1
    publish_again()
    stale = published("sql", "select sum(cost_usd) from fct_runs", "--format", "csv").out
    published("nightly")
    fresh = published("sql", "select sum(cost_usd) from fct_runs", "--format", "csv").out

    assert [text.split()[1] for text in (stale, fresh)] == ["1.5000000000", "10.5000000000"]


@pytest.mark.usefixtures("with_pages")
def test_one_workspace_that_fails_costs_no_other(
    command: Command,
    world: World,
    api: Emulator,
    settings_file: SettingsFile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other workspaces are published; the failed one keeps its figures, and the exit is 1."""
    other = world.add_workspace("Other")
    monkeypatch.setenv("GOOD", world.workspaces[0].api_key)
    monkeypatch.setenv("REVOKED", "levain_revoked_long_ago")
    monkeypatch.setenv("SECRET", "wJalr/of/another/service")
    monkeypatch.setenv("OTHER", other.api_key)
    monkeypatch.setenv("LOST", world.add_workspace("Lost").api_key)
    lost = {"workspace_name": "Lost"}
    world.lie("workspaces", match=lost, field="workspace_id", change="../../x")
    settings_file(
        "[extract]\nhistory_days = 3\n"
        + "".join(
            f'[[workspaces]]\napi_key_env = "{name}"\napi = "{api.url}"\n'
            for name in ("UNSET", "REVOKED", "SECRET", "LOST", "GOOD", "OTHER")
        )
    )
    with without_pages():
        result = command("nightly")

    assert result.code == 1
    assert "4 of 6 workspaces could not be read" in result.err
    assert "No API key: the variable UNSET is not set." in result.err
    assert "does not accept the key in REVOKED" in result.err
    assert "The variable SECRET holds no API key of Levain" in result.err
    assert "gives a workspace id that is no id: '../../x'." in result.err
    assert "It has no figures yet." in result.err
    rows = command("sql", "select workspace_name from dim_workspaces order by 1", "--format", "csv")
    assert rows.out.split("\n")[:3] == ["workspace_name", "Blank Slate", "Other"]

    monkeypatch.setenv("OTHER", world.workspaces[0].api_key)
    world.pass_time(timedelta(days=1))
    later = command("nightly")

    assert (later.code, "in 3 runs" in later.out) == (1, True)
    kept = "Other keeps its figures up to 2026-11-20 06:00 UTC."
    assert kept in later.err
    assert "The key in OTHER belongs to workspace Blank Slate" in later.err
    assert kept in command("status").out
    assert kept in Path("data/site/index.html").read_text(encoding="utf-8")


def test_a_batch_that_failed_leaves_its_warnings_too(tmp_path: Path) -> None:
    """They follow the error, without those that say the same of a workspace."""
    kept = "A keeps its figures up to today."
    lines = ["1 of 2 workspaces could not be read.", "A: no luck.", f"  {kept}"]
    warnings = [f"A could not be read. {kept}", "B: 1 record went to quarantine."]
    ended = ended_batch(Layout(tmp_path), NOW, {}, warnings, AnalyticsError("\n".join(lines)))

    assert (ended.exit_code, ended.messages) == (1, [*lines, warnings[1]])


def test_a_broken_check_publishes_nothing(
    published: Command, batch: Batch, start_run: StartRun
) -> None:
    """A failed check of ours stops a batch before publishing, also with --force: exit 3."""
    before = Path("data/analytics.duckdb").read_bytes()
    start_run(hours_ago=0.5)
    batch.rows(
        "insert into raw.runs by name select * replace (nextval('raw.version_ids') as version_id)"
        " from raw.runs limit 1"
    )
    result = published("nightly", "--force")

    assert result.code == 3
    assert "keys_are_unique_and_known (1 row): question fct_runs_key_is_unique" in result.err
    assert Path("data/analytics.duckdb").read_bytes() == before
    assert "failed (exit 3)" in published("status").out


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, None], ids=["shutdown", "closed terminal", "fault"]
)
def test_a_batch_that_was_stopped_is_not_told_as_the_one_before(
    published: Command, monkeypatch: pytest.MonkeyPatch, number: signal.Signals | None
) -> None:
    """`status` shows a batch that a shutdown, a closed terminal or a fault of ours stopped."""
    if number and signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("nohup ignores it, and so does a batch")

    def stopping(*_: object, **__: object) -> None:
        if number is None:
            raise RuntimeError("no such luck")
        signal.raise_signal(number)

    monkeypatch.setattr("analytics.batch.stages.transform", stopping)
    with nullcontext() if number else pytest.raises(RuntimeError):  # a fault of ours is shown
        result = published("nightly")
        assert result.code == 130
        assert "stopped; what was published before still stands" in result.err
    last = json.loads(published("status", "--json").out)["last_batch"]

    told = "It was stopped (KeyboardInterrupt)." if number else "no such luck"
    assert (last["exit_code"], last["messages"]) == (130 if number else 1, [told])


def test_a_shutdown_is_heard_while_an_answer_comes() -> None:
    """SIGTERM ends a batch also in a callback of the event loop, which swallows what it raises."""

    class Answering(asyncio.Protocol):
        def data_received(self, _: bytes) -> None:
            signal.raise_signal(signal.SIGTERM)

    async def receive() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            await asyncio.get_running_loop().create_connection(Answering, sock=ours)
            theirs.send(b"x")
            await asyncio.sleep(5)

    handlers = {signal.SIGTERM: interrupt, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(receive())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
