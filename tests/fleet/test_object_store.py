"""A fleet in an object store: the same as in a folder, and whole where requests fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl
import pytest

pytest.importorskip("obstore", reason="needs the extra `fleet`: make test-fleet")
pytest.importorskip("moto", reason="needs the extra `fleet`: make test-fleet")

from analytics.fleet.generations import PUBLISHED, become_head, head
from analytics.fleet.publication import merge
from analytics.fleet.store import Store, StoreError
from analytics.fleet.transfer import fetch_file
from tests.fleet.fleets import Given, fleet_of, quiet
from tests.fleet.s3 import S3, serving


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    """The server, which the environment names."""
    with serving() as (server, options), pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("AWS_ENDPOINT_URL", options["aws_endpoint"])
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        for name in ("aws_access_key_id", "aws_secret_access_key", "aws_region"):
            monkeypatch.setenv(name.upper(), options[name])
        yield server


@pytest.fixture(scope="module")
def given(s3: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:  # noqa: ARG001 - it is there
    """A fleet of two workspaces in two shards, in a bucket, after a batch of each."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        root = tmp_path_factory.mktemp("fleet")
        with fleet_of(root, monkeypatch, [8, 5], ["a", "b"], storage="s3://fleet/levain") as made:
            for shard in "ab":
                assert made.batch(shard).number == 1
            yield made


def test_batches_and_merge_work_in_a_bucket(given: Given, tmp_path: Path) -> None:
    """The published tables and files have the runs of both shards."""
    merge(given.fleet, quiet())

    target = Store(given.fleet.publish.url)
    runs = pl.scan_delta(f"{given.fleet.publish.url}/tables/fct_runs").collect()
    target.fetch(PUBLISHED, tmp_path / PUBLISHED)
    assert runs.height == 13
    assert target.read("site/index.html")
    assert (tmp_path / PUBLISHED).stat().st_size > 100_000


@pytest.mark.parametrize(
    ("method", "part"),
    [("GET", "/files/"), ("PUT", "/landing/"), ("PUT", "/files/"), ("PUT", "/log/")],
)
def test_refused_requests_leave_the_shard_as_it_was(
    given: Given, s3: S3, method: str, part: str
) -> None:
    """Of a batch whose read, write or conditional write fails, the head knows nothing."""
    before = head(given.store, "a")
    given.emulator.world.start_run(
        next(iter(given.emulator.world.workspaces[0].agents.values())), prompt="one more"
    )
    s3.refuses = lambda asked, path: asked == method and part in path and "/shards/a/" in path
    try:
        with pytest.raises(StoreError, match="could not be"):
            given.batch("a")
    finally:
        s3.refuses = lambda _method, _path: False
    assert head(given.store, "a") == before

    after = given.batch("a")

    assert before
    assert (after.number, after.exit_code) == (before.number + 1, 0)


def test_the_conditional_write_has_one_winner(given: Given) -> None:
    """Of two records of one number the store takes the first."""
    generation = head(given.store, "b")
    assert generation
    other = msgspec.structs.replace(generation, messages=["another task"])

    assert not become_head(given.store, "b", other)
    assert head(given.store, "b") == generation


def test_a_record_whose_answer_is_lost_is_the_head(given: Given, s3: S3) -> None:
    """Who wrote the head is no loser, also where the store took the record and said otherwise."""
    generation = head(given.store, "b")
    assert generation
    after = msgspec.structs.replace(generation, number=generation.number + 1)
    s3.loses = lambda method, path: method == "PUT" and "/log/" in path

    assert become_head(given.store, "b", after)
    assert head(given.store, "b") == after


def test_a_file_that_was_cut_off_is_known(given: Given, tmp_path: Path) -> None:
    """An object that is not what was written is never taken for it."""
    generation = head(given.store, "b")
    assert generation
    file = generation.files[PUBLISHED]
    given.store.fetch(file.path, tmp_path / "whole")
    given.store.put(file.path, (tmp_path / "whole").read_bytes()[:-1])

    assert not fetch_file(given.store, file, tmp_path / "cut off")
