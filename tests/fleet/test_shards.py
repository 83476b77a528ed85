"""The state of a shard: whole in the storage, whatever fails, and never of two tasks at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import msgspec
import pytest

pytest.importorskip("obstore", reason="needs the extra `fleet`: make test-fleet")

from analytics.emulator.records import Agent
from analytics.errors import BusyError, UsageError
from analytics.fleet.generations import PUBLISHED, head, landing_of, load_object, loads_in
from analytics.fleet.shard import export_data, import_data
from analytics.fleet.status import read_state
from analytics.fleet.store import Store, StoreError
from analytics.fleet.transfer import fetch_file
from tests.fleet.fleets import KEEP, Given, fleet_of


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Given]:
    """A fleet of one shard with one small workspace."""
    with fleet_of(tmp_path, monkeypatch, [12], ["a"]) as made:
        yield made


def run_count(file: Path) -> int:
    """The runs in a published file."""
    with duckdb.connect(file, read_only=True) as con:
        ((number,),) = con.execute("select count(*) from marts.fct_runs").fetchall()
    return int(number)


def agent_of(given: Given) -> Agent:
    """An agent of the first workspace."""
    return next(iter(given.emulator.world.workspaces[0].agents.values()))


def published(given: Given, shard: str = "a") -> int:
    """The runs that the head of a shard has published."""
    generation = head(given.store, shard)
    assert generation
    file = given.root / f"published-{generation.number}.duckdb"
    file.unlink(missing_ok=True)
    assert fetch_file(given.store, generation.files[PUBLISHED], file)
    return run_count(file)


class Failing(Store):
    """A storage that cannot write below a folder of a shard, when it has written so many there."""

    def __init__(self, url: str, folder: str, after: int) -> None:
        super().__init__(url)
        self._below, self._left = f"/{folder}/", after

    def put(self, path: str, content: bytes | Path) -> None:
        """Write an object."""
        self._count(path)
        super().put(path, content)

    def create(self, path: str, content: bytes) -> bool:
        """Create an object."""
        self._count(path)
        return super().create(path, content)

    def _count(self, path: str) -> None:
        if self._below in path:
            self._left -= 1
            if self._left < 0:
                raise StoreError(f"{path} could not be written: the disk is full\nMake room.")


def test_batches_bring_a_shard_on(given: Given) -> None:
    """Each batch is a generation, which goes on from the one before and has its new runs."""
    first = given.batch("a")
    assert (first.number, first.exit_code, published(given)) == (1, 0, 12)
    given.emulator.world.start_run(agent_of(given), prompt="one more")

    second = given.batch("a")

    assert (second.number, second.exit_code, published(given)) == (2, 0, 13)
    assert set(second.loads) == set(first.loads) == {given.emulator.world.workspaces[0].id}


def test_a_failed_batch_keeps_what_was_published(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its generation has the error, and the file of the batch before."""
    first = given.batch("a")
    monkeypatch.setenv("KEY_0", "levain_of_nobody_000")

    second = given.batch("a")

    assert second.exit_code == 2
    assert "does not accept the key" in second.messages[0]
    assert second.files[PUBLISHED] == first.files[PUBLISHED]
    assert first.failure is None
    two = msgspec.structs.replace(second, messages=["no disk", "no network"])
    assert two.failure == "no disk (and 1 more)"
    (state,) = read_state(given.fleet).shards
    assert (state.message, state.messages) == (second.failure, second.messages)


def test_wrong_settings_make_no_shard(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first batch with a wrong key leaves nothing in the storage."""
    monkeypatch.setenv("KEY_0", "levain_of_nobody_000")

    with pytest.raises(UsageError, match="does not accept"):
        given.batch("a")

    assert given.store.names("shards/") == {}


def test_of_two_tasks_one_wins(given: Given) -> None:
    """Who began with a head that is none any more writes nothing, and leaves nothing."""
    given.batch("a")
    before = given.store.names("shards/")

    class Overtaken(Store):
        """A storage in which another task is quicker."""

        def commit(self, path: str, content: bytes) -> bool:
            """Create an object after another task did."""
            Store(self.url).create(path, content + b" ")  # another's, and readable
            return super().commit(path, content)

    with pytest.raises(BusyError, match="Another task has brought the shard a on"):
        given.batch("a", Overtaken(given.fleet.storage))

    left = given.store.names("shards/").keys() - before.keys()
    assert [*left] == ["shards/a/log/0000000002.json"]


def test_loads_of_one_name_are_of_one_task(given: Given) -> None:
    """Of two tasks that began within one second, one keeps its loads; the other leaves none."""
    given.batch("a")
    before = given.store.names("shards/")

    class Overtaken(Store):
        """A storage to which another task brings the load of the lists."""

        def create(self, path: str, content: bytes) -> bool:
            """Create an object; of lists, after another task did."""
            if path.endswith("-lists.tar"):
                Store(self.url).create(path, b"other")
            return super().create(path, content)

    with pytest.raises(BusyError, match="Another task has brought the shard a on"):
        given.batch("a", Overtaken(given.fleet.storage))

    (left,) = given.store.names("shards/").keys() - before.keys()
    assert given.store.read(left) == b"other"


def test_a_batch_lists_new_loads_alone(given: Given) -> None:
    """However many loads there are, a batch lists those after the newest that its head holds."""
    first = given.batch("a")
    (load,) = first.loads.items()
    later = load_object("a", load[0], "99990101T000000Z-000001-lists")
    given.store.create(later, b"")

    assert loads_in(given.store, "a", first.loads).keys() == {later}
    assert load_object("a", *load) in loads_in(given.store, "a")


@pytest.mark.parametrize(
    ("folder", "after"), [("landing", 0), ("landing", 2), ("files", 0), ("files", 2), ("log", 0)]
)
def test_a_storage_that_fails_leaves_the_shard_as_it_was(
    given: Given, folder: str, after: int
) -> None:
    """Wherever writing ends, the head stands; what was landed is loaded by the next batch."""
    world = given.emulator.world
    first = given.batch("a")
    run = world.start_run(agent_of(given), prompt="one more")

    with pytest.raises(StoreError):
        given.batch("a", Failing(given.fleet.storage, folder, after))

    assert head(given.store, "a") == first
    assert published(given) == 12
    if folder != "landing":
        world.hide_run(run)  # so that the next batch can have it from the storage alone
    assert given.batch("a").exit_code == 0
    assert published(given) == 13


def test_loads_of_a_first_batch_that_failed_are_loaded(given: Given) -> None:
    """What was landed before there was a head is in the first one."""
    world = given.emulator.world
    run = world.start_run(agent_of(given), prompt="one more")
    with pytest.raises(StoreError):
        given.batch("a", Failing(given.fleet.storage, "files", 0))
    world.hide_run(run)

    first = given.batch("a")

    assert (first.number, first.exit_code, published(given)) == (1, 0, 13)


@pytest.mark.parametrize("damage", ["cut off", "gone"])
@pytest.mark.parametrize("name", ["warehouse.duckdb", PUBLISHED, "site.tar.zst"])
def test_damaged_files_are_made_anew(given: Given, name: str, damage: str) -> None:
    """A file that is not what was written is never worked on: landing and books make it anew."""
    first = given.batch("a")
    file = Path(given.fleet.storage, first.files[name].path)
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1000])

    second = given.batch("a")

    assert (second.exit_code, published(given)) == (0, 12)


def test_old_generations_are_deleted(given: Given) -> None:
    """What ended longer ago than it is kept leaves its record and files; the loads stay."""
    first = given.batch("a")
    loads = loads_in(given.store, "a")
    old = msgspec.structs.replace(first, ended_at=first.ended_at - KEEP)
    record = Path(given.fleet.storage, "shards/a/log/0000000001.json")
    record.write_bytes(msgspec.json.encode(old))

    given.batch("a")

    names = given.store.names("shards/a/").keys()
    assert [name for name in names if "/log/" in name] == ["shards/a/log/0000000002.json"]
    assert first.files[PUBLISHED].path not in names
    assert loads.keys() <= names


def test_a_data_directory_goes_in_and_out(given: Given, tmp_path: Path) -> None:
    """What is exported is a data directory with all loads; imported, it is a shard again."""
    given.batch("a")

    export_data(given.store, "a", tmp_path / "out")
    other = import_data(given.store, "b", tmp_path / "out")

    assert run_count(tmp_path / "out" / PUBLISHED) == 12
    assert [*given.store.names(landing_of("a"))] == [
        name.replace("/b/", "/a/") for name in given.store.names(landing_of("b"))
    ]
    assert other.files[PUBLISHED].sha256 == head(given.store, "a").files[PUBLISHED].sha256  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="The shard b has data"):
        import_data(given.store, "b", tmp_path / "out")
    with pytest.raises(UsageError, match="is not empty"):
        export_data(given.store, "a", tmp_path / "out")
