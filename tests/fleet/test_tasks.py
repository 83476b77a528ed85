"""Batches as tasks of Ray: on several node processes, whatever is killed, and within one budget."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import duckdb
import msgspec
import pytest

pytest.importorskip("ray", reason="no extra `fleet` here: make test-all")

from ray.cluster_utils import Cluster

from analytics.batch.last_batch import read_last_batch
from analytics.errors import AnalyticsError, UsageError
from analytics.fleet.settings import load_fleet
from analytics.fleet.tasks import nightly, run_batches
from tests.fleet.fleets import Given, fleet_of, quiet

ROOT = Path(__file__).parents[2]
RUNS = [6, 9, 4, 7]
SHARDS = ["a", "b", "c", "d"]
NEVER = datetime.min.replace(tzinfo=UTC)

LOOK = """
import json, os, socket, sys
from contextlib import suppress
from pathlib import Path

from analytics.fleet.settings import load_fleet
from analytics.fleet.tasks import run_batches

outcomes = run_batches(load_fleet(Path(sys.argv[1])), ["a"], None)
outcome = next(outcomes)

import grpc, psutil, ray

def status(token):
    asking = grpc.insecure_channel(ray.get_runtime_context().gcs_address).unary_unary(
        "/ray.rpc.NodeInfoGcsService/GetAllNodeInfo"
    )
    try:
        asking(b"", metadata=[("authorization", f"Bearer {token}")] if token else None)
    except grpc.RpcError as error:
        return error.code().name

seen = []
for one in [psutil.Process(), *psutil.Process().children(recursive=True)]:
    with suppress(psutil.NoSuchProcess):  # Ray ends those that it needs no longer
        seen.append((one.name(), one.cmdline(), one.net_connections("all"), one.open_files()))
ends = [each for *_, connections, _ in seen for each in connections]
paths = {
    *(each.laddr for each in ends if each.family == socket.AF_UNIX and each.laddr),
    *(each.path for *_, files in seen for each in files if each.mode != "r"),
}
token = os.environ["RAY_AUTH_TOKEN"]
print(json.dumps({
    "exit_code": outcome.exit_code,
    "processes": [name for name, *_ in seen],
    "listening": [each.laddr.ip for each in ends if each.status == psutil.CONN_LISTEN],
    "answers": [status(each) for each in (None, "0" * 64, token)],
    "commands_with_token": [name for name, command, *_ in seen if token in " ".join(command)],
    "paths": sorted(paths),
    "open_to_others": [each for each in sorted(paths)
                       if all(folder.stat().st_mode & 0o077 for folder in Path(each).parents)],
}))
outcomes.close()
"""
"""A batch in a cluster of its own, which is looked at before it ends."""

pytestmark = pytest.mark.filterwarnings("default")  # Ray leaves sockets and files to Python


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    """Four shards, whose keys, and whose time, all node processes of the cluster have."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        root, now = tmp_path_factory.mktemp("fleet"), datetime.now(UTC)
        with fleet_of(root, monkeypatch, RUNS, SHARDS, now) as made:
            yield made


@pytest.fixture(scope="module")
def cluster(given: Given) -> Iterator[Any]:  # noqa: ARG001 - with the keys of the fleet
    """Two node processes of one processor each."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    yield made
    made.shutdown()


def ends(given: Given) -> dict[str, datetime]:
    """The end of the last batch of each shard."""
    batches = {shard: read_last_batch(given.fleet.layout(shard)) for shard in SHARDS}
    return {shard: each.ended_at if each else NEVER for shard, each in batches.items()}


def require_good(given: Given, before: dict[str, datetime], shards: Sequence[str] = SHARDS) -> None:
    """Each of these shards has had another batch, which published all runs."""
    for shard in shards:
        batch = read_last_batch(given.fleet.layout(shard))
        assert batch
        assert (batch.failure, batch.ended_at > before[shard]) == (None, True)
        with duckdb.connect(given.file(shard), read_only=True) as con:
            found = con.execute("select workspace_id, count(*) from marts.fct_runs group by 1")
            ((workspace_id, count),) = found.fetchall()
        assert count == RUNS[SHARDS.index(shard)]
        assert workspace_id == given.fleet.shards[shard][0].workspace_id


@contextmanager
def once(is_there: Callable[[], bool], act: Callable[[], object]) -> Iterator[None]:
    """Act beside the block as soon as something is there."""
    ended = Event()

    def watch() -> None:
        while not ended.wait(0.02):
            if is_there():
                act()
                return

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def tasks_at_work() -> list[int]:
    """The processes in which a batch is at work."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            command = (each / "cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::_run"):
            found.append(int(each.name))
    return found


def test_a_killed_task_is_tried_again(given: Given, cluster: Any) -> None:
    """A process that dies in the middle of a batch costs no shard its figures, on two nodes."""
    before = ends(given)

    with once(lambda: bool(tasks_at_work()), lambda: os.kill(tasks_at_work()[0], signal.SIGKILL)):
        nightly(given.fleet, [], cluster.address, quiet())

    require_good(given, before)


def test_one_failed_shard_costs_no_other_its_figures(given: Given, cluster: Any) -> None:
    """The others are brought on; the error names the one that failed."""
    wrong = given.fleet.shards["b"][0].model_copy(update={"api": "http://127.0.0.1:9"})
    fleet = msgspec.structs.replace(given.fleet, shards={**given.fleet.shards, "b": [wrong]})
    before = ends(given)

    with pytest.raises(AnalyticsError, match=r"1 of 4 batches failed.*\nb: "):
        nightly(fleet, [], cluster.address, quiet())

    require_good(given, before, ["a", "c", "d"])
    batch = read_last_batch(given.fleet.layout("b"))
    assert batch
    assert batch.exit_code


def test_a_batch_asks_the_budget_for_each_request(given: Given, cluster: Any) -> None:
    """With a small budget the requests of a batch take as long as it says."""
    fleet = msgspec.structs.replace(given.fleet, requests_per_second=5.0)
    given.emulator.requests.clear()
    began = time.monotonic()

    assert all(each.exit_code == 0 for each in run_batches(fleet, ["a"], cluster.address))

    count = len(given.emulator.requests)
    assert count > 20
    assert time.monotonic() - began >= (count - 1) / 5


def test_a_lost_cluster_leaves_each_shard_whole(given: Given) -> None:
    """Where the head of the cluster dies, the command ends with 1, and the next one goes on."""
    before = ends(given)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "3")  # 60 by default
        own = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False}
        )
        with once(
            lambda: bool(tasks_at_work()),
            lambda: own.remove_node(own.head_node, allow_graceful=False),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "analytics", "fleet", "nightly", "--config",
                 given.fleet.file, "--address", own.address],
                capture_output=True, check=False, timeout=300,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        own.shutdown()
    assert done.returncode == 1

    nightly(given.fleet, [], None, quiet())

    require_good(given, before)


def test_a_local_fleet_is_closed_to_others(given: Given, tmp_path: Path) -> None:
    """It listens on the loopback alone, knows its own token, and hides its files and sockets."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK, given.fleet.file],
        capture_output=True, check=False, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path),
             "RAY_AUTH_MODE": "disabled"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)

    assert seen["exit_code"] == 0
    assert {"gcs_server", "raylet"} < set(seen["processes"])
    assert len(seen["listening"]) > 4
    assert {each.removeprefix("::ffff:") for each in seen["listening"]} == {"127.0.0.1"}
    assert seen["answers"] == ["UNAUTHENTICATED", "UNAUTHENTICATED", None]
    assert seen["commands_with_token"] == []
    assert [each for each in seen["paths"] if each.endswith(("/sockets/raylet", "/raylet.out"))]
    assert seen["open_to_others"] == []
    assert not any(map(os.path.lexists, seen["paths"]))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_token_is_told(given: Given, tmp_path: Path) -> None:
    """Where a cluster asks for a token and none is set, the error names the variables to set."""
    done = subprocess.run(
        [sys.executable, "-m", "analytics", "fleet", "nightly", "--config", given.fleet.file,
         "--address", "127.0.0.1:9"],
        capture_output=True, check=False, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path),
             "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": ""},
    )  # fmt: skip

    assert done.returncode == 2
    assert "set RAY_AUTH_MODE and RAY_AUTH_TOKEN as its machines have them" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_shard_is_refused(given: Given) -> None:
    """The shards that there are are named."""
    with pytest.raises(UsageError, match=r"has no shard e\.\nIt has a, b, c, d\."):
        nightly(given.fleet, ["e"], None, quiet())


def test_a_fleet_without_settings_is_refused(tmp_path: Path) -> None:
    """The message names the file, and what it needs."""
    with pytest.raises(UsageError, match=r"no settings of a fleet in .*fleet\.toml"):
        load_fleet(tmp_path / "fleet.toml")
