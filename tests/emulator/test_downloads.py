"""Logs and artifacts, and their time-limited addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from analytics.emulator import World
from analytics.emulator.records import Artifact

from .conftest import NOW, Api, listening

if TYPE_CHECKING:
    from analytics.emulator.records import Run


@pytest.fixture
def api() -> Iterator[Api]:
    """A world behind a socket, to be filled by the test."""
    with listening(World.empty(1, NOW)) as api:
        yield api


@pytest.fixture(scope="module")
def demo_api(demo: World) -> Iterator[Api]:
    """The demo world behind a socket."""
    with listening(demo) as api:
        yield api


def ended(api: Api, text: str = "Bread?") -> dict[str, Any]:
    """Return a triggered run that has ended."""
    if not api.workspace.agent("baker"):
        api.world.add_agent(api.workspace, "Baker", "baker")
    run = api.post("/agents/baker/runs", {"prompt": text})
    api.world.pass_time(timedelta(seconds=30))
    record: dict[str, Any] = api.get(f"/runs/{run['id']}")
    return record


def address(api: Api, path: str) -> str:
    url: str = api.get(path)["url"]
    return url


def test_a_log_can_be_had_when_its_run_has_ended(api: Api) -> None:
    """The log is not found while the run works; afterwards its address needs no key."""
    api.world.add_agent(api.workspace, "Baker", "baker")
    run = api.post("/agents/baker/runs", {"prompt": "Bread 🍞?"})
    path = f"/runs/{run['id']}/log"
    for seconds in (0, 4):
        api.world.pass_time(timedelta(seconds=seconds))
        assert api.answer(path).status_code == 404
    api.world.pass_time(timedelta(seconds=30))

    answer = api.get(path)
    log = httpx.get(answer["url"])

    assert answer["expires_in_seconds"] == 300
    lines = [json.loads(line) for line in log.text.splitlines() if line.startswith("{")]
    assert log.headers["content-type"] == "text/plain; charset=utf-8"
    assert lines[0]["msg"] == "prompt_full: Bread 🍞?"
    events = api.get(f"{path}/events")["events"]
    assert [line["msg"] for line in lines[1:]] == [event["msg"] for event in events]


def test_logs_of_planned_runs_can_be_had_too(demo_api: Api) -> None:
    """A run that ended in the past has a log as well."""
    run = next(run for run in demo_api.workspace.agent_runs if run.started_at and not run.is_open)

    log = httpx.get(address(demo_api, f"/runs/{run.id}/log"))

    assert log.status_code == 200
    lines = [line for line in log.text.splitlines() if line.startswith("{")]
    assert all(json.loads(line)["run_id"] == run.id for line in lines)


def test_not_every_line_of_a_log_is_json(demo_api: Api) -> None:
    """The agent's driver prints plain lines among the records, the same each time."""
    runs = [r for r in demo_api.workspace.agent_runs.newest(60) if r.started_at and not r.is_open]
    labels: set[str] = set()
    for run in runs:
        path = f"/runs/{run.id}/log"
        log = httpx.get(address(demo_api, path)).text
        assert httpx.get(address(demo_api, path)).text == log
        plain = [line for line in log.splitlines() if not line.startswith("{")]
        assert len(plain) < len(log.splitlines()) / 2
        labels |= {line.split()[0] for line in plain}

    assert labels == {"MCP_DISCOVER", "TOOL", "TOOL_ERROR"}


def test_an_address_expires(api: Api) -> None:
    """Until its time is over an address works, then it is refused; a fresh one works again."""
    run = ended(api)
    url = address(api, f"/runs/{run['id']}/log")

    api.world.pass_time(timedelta(seconds=299))
    assert httpx.get(url).status_code == 200
    api.world.pass_time(timedelta(seconds=1))

    assert (httpx.get(url).status_code, httpx.get(url).json()["detail"]) == (
        403,
        "The address has expired",
    )
    assert httpx.get(address(api, f"/runs/{run['id']}/log")).status_code == 200


def test_how_long_an_address_works_can_be_set(api: Api) -> None:
    """The variant sets the announced and the actual lifetime."""
    run = ended(api)
    api.http.post("/emulator/variants", json={"url_ttl_seconds": 2}).raise_for_status()

    answer = api.get(f"/runs/{run['id']}/log")
    api.world.pass_time(timedelta(seconds=2))

    assert answer["expires_in_seconds"] == 2
    assert httpx.get(answer["url"]).status_code == 403


@pytest.mark.parametrize(
    "forge",
    [
        lambda url: url.split("?")[0],
        lambda url: url.replace("signature=", "signature=0"),
        lambda url: url.replace("signature=", "signature=%F0%9F%8D%9E"),
        lambda url: url.replace("expires=1", "expires=9"),
        lambda url: url.replace("expires=1", "expires=-1"),
        lambda url: url.replace("/log?", "/artifacts/1?"),
    ],
    ids=["bare", "signature", "emoji", "later", "negative", "path"],
)
def test_a_forged_address_is_refused(api: Api, forge: Any) -> None:
    """Without the signature of exactly this path and time, the request is refused, key or not."""
    run = ended(api, "[artifacts]")
    url = forge(address(api, f"/runs/{run['id']}/log"))

    response = api.http.get(url)

    assert response.status_code == 403
    assert response.json()["detail"] == "The signature does not match"


def test_addresses_of_another_world_do_not_open_this_one(api: Api, demo_api: Api) -> None:
    """Each world signs with its own secret."""
    run = next(run for run in demo_api.workspace.agent_runs if not run.is_open)
    path = address(demo_api, f"/runs/{run.id}/log").removeprefix(demo_api.emulator.url)

    assert httpx.get(demo_api.emulator.url + path).status_code == 200
    assert api.http.get(path.replace("expires=1", "expires=2")).status_code == 403


@pytest.mark.parametrize(
    ("asked", "part", "status"),
    [
        ("bytes=0-", slice(0, None), 206),
        ("bytes=100-", slice(100, None), 206),
        ("bytes=100-199", slice(100, 200), 206),
        ("bytes=-50", slice(-50, None), 206),
        ("bytes=100-99999999", slice(100, None), 206),
        ("bytes=-99999999", slice(0, None), 206),
        ("bytes=-", slice(0, None), 200),
        ("bytes=0-1,5-6", slice(0, None), 200),
        ("lines=1-2", slice(0, None), 200),
        ("bytes=99999999-", slice(0, 0), 416),
        ("bytes=9-8", slice(0, 0), 416),
        ("bytes=-0", slice(0, 0), 416),
        ("bytes=" + "9" * 5000 + "-", slice(0, None), 200),
    ],
)
def test_a_part_can_be_asked_for(api: Api, asked: str, part: slice, status: int) -> None:
    """A range returns that part and its position; an impossible range gives 416."""
    url = address(api, f"/runs/{ended(api)['id']}/log")
    whole = httpx.get(url).content

    response = httpx.get(url, headers={"Range": asked})

    assert (response.status_code, response.content) == (status, whole[part])
    if status == 206:
        first = len(whole) - len(whole[part]) if part.stop is None else part.start
        last = first + len(response.content) - 1
        assert response.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
    if status == 416:
        assert response.headers["content-range"] == f"bytes */{len(whole)}"


def test_a_broken_download_can_be_resumed(api: Api) -> None:
    """A range returns the rest of a cut download; a changed file is sent whole."""
    url = address(api, f"/runs/{ended(api)['id']}/log")
    whole = httpx.get(url)
    api.emulator.faults.add("^/files/", "cut")
    kept = bytearray()

    def download() -> None:
        with httpx.stream("GET", url) as broken:
            for chunk in broken.iter_raw():
                kept.extend(chunk)

    with pytest.raises(httpx.RemoteProtocolError):
        download()

    tail = {"Range": f"bytes={len(kept)}-", "If-Range": whole.headers["etag"]}
    rest = httpx.get(url, headers=tail)
    other = httpx.get(url, headers=tail | {"If-Range": '"other"'})

    assert 0 < len(kept) < len(whole.content)
    assert (rest.status_code, kept + rest.content) == (206, whole.content)
    assert (other.status_code, other.content) == (200, whole.content)


def test_files_appear_while_the_run_works(api: Api) -> None:
    """The list grows, oldest first, and a listed file can be downloaded at once."""
    api.world.add_agent(api.workspace, "Baker", "baker")
    run = api.post("/agents/baker/runs", {"prompt": "[artifacts]"})
    counts = []
    for _ in range(30):
        api.world.pass_time(timedelta(seconds=1))
        files = api.get(f"/runs/{run['id']}/artifacts")["artifacts"]
        assert api.get(f"/runs/{run['id']}")["artifact_count"] == len(files)
        counts.append(len(files))

    assert sorted(set(counts)) == [0, 1, 2, 3]
    assert counts == sorted(counts)
    for file in files:
        got = httpx.get(address(api, f"/runs/{run['id']}/artifacts/{file['key']}/url"))
        assert (got.headers["content-type"], len(got.content)) == (
            "text/markdown; charset=utf-8",
            file["size_bytes"],
        )


def test_more_than_1000_files_are_cut(api: Api) -> None:
    """1,000 files are listed, without the last names, and marked truncated; all addresses work."""
    run = ended(api, "[artifacts:1200]")

    body = api.get(f"/runs/{run['id']}/artifacts")

    names = [file["filename"] for file in body["artifacts"]]
    every = [f"report-{n}.md" for n in range(1, 1201)]
    assert body["truncated"] is True
    assert names == [name for name in every if name in set(sorted(every)[:1000])]
    assert (run["artifact_count"], run["artifact_count_truncated"]) == (1000, True)
    left_out = f"/runs/{run['id']}/artifacts/{run['id']}/1200/url"
    assert httpx.get(address(api, left_out)).status_code == 200


@pytest.mark.parametrize("key", ["a b/🍞?#%2F", "../../x", "url", "a/url"])
def test_a_files_key_may_hold_anything(api: Api, key: str) -> None:
    """Keys and names may hold spaces, dots, slashes and emoji."""
    record = ended(api)
    run: Run = api.workspace.runs[record["id"]]
    api.world.publish(run, Artifact(key, "../../etc/passwd", 10, api.world.now))

    url = address(api, f"/runs/{run.id}/artifacts/{quote(key, safe='')}/url")

    assert httpx.get(url).content == b"# ../../et"


def test_an_unknown_file_is_not_found(api: Api) -> None:
    """Only existing files have an address."""
    run = ended(api)

    assert api.answer(f"/runs/{run['id']}/artifacts/{run['id']}/1/url").status_code == 404
