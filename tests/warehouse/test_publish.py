"""Publishing is one act: whatever is killed, readers find file and site of one batch."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from analytics.errors import AnalyticsError
from analytics.report.files import read_manifest
from analytics.warehouse.damage import DamagedError
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from analytics.warehouse.publications import moments_on_record
from analytics.warehouse.publish import copying, require_places, tidy
from analytics.warehouse.publish import publish as publish_staged
from tests.batches import Killed, killed_before

CALLS: list[tuple[Any, str]] = [
    *((os, name) for name in ("mkdir", "rename", "replace", "link", "symlink", "unlink", "rmdir")),
    *((os, name) for name in ("chmod", "fsync")),
    (shutil, "copyfile"),
    (subprocess, "run"),
]
"""All by which a publication changes the disk."""

OWN = {".lock", "analytics.duckdb", "publications", "published", "site"}
"""All that lies in the data directory of these tests between batches."""


@pytest.fixture(autouse=True)
def without_syncs() -> Iterator[None]:
    """A process that is killed needs no disk, and hundreds of publications would wait for it."""
    with mock.patch.object(os, "fsync"):
        yield


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A data directory without a batch."""
    layout = Layout(tmp_path / "data")
    layout.root.mkdir()
    return layout


def moment_of(batch: int) -> datetime:
    """Return when a batch is published."""
    return datetime(2026, 11, 20, 6, tzinfo=UTC) + timedelta(days=batch)


def write(file: Path, site: Path, batch: int) -> None:
    """Write the file of a batch, and its site: each file names it, and one is of it alone."""
    files = {"index.html": f"{batch}", "data/days.js": f"{batch}", f"data/{batch}/x.js": "x"}
    for name, content in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(content)
    digests = {name: sha256(text.encode()).hexdigest() for name, text in files.items()}
    (site / "manifest.json").write_text(json.dumps({"as_of": f"{batch}", "files": digests}))
    file.write_text(f"{batch}")


def stage(layout: Layout, batch: int) -> None:
    """Make what a batch publishes, as its stages before do."""
    tidy(layout)
    require_places(layout)
    write(layout.staged_file, layout.staged_site, batch)


def publish(layout: Layout, batch: int, mode: int = 0o600) -> None:
    """Publish what is staged, as of the moment of a batch."""
    publish_staged(layout, moment_of(batch), mode, b"{}")
    tidy(layout)


def publish_all(layout: Layout, *batches: int) -> None:
    for batch in batches:
        stage(layout, batch)
        publish(layout, batch)


def published(layout: Layout) -> tuple[int | None, int | None]:
    """Return the batches of file and site, None for none; its files are those of its manifest."""
    file = int(layout.published_file.read_text()) if layout.published_file.exists() else None
    if not layout.site.exists():
        return file, None
    digests = {
        str(path.relative_to(layout.site)): sha256(path.read_bytes()).hexdigest()
        for path in layout.site.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    manifest = read_manifest(layout.site)
    assert digests == manifest.files
    return file, int(manifest.as_of)


def require_tidy(layout: Layout, batch: int) -> None:
    """Assert that all of a batch is published, and nothing else is there."""
    assert published(layout) == (batch, batch)
    assert {path.name for path in layout.root.iterdir()} <= OWN
    assert {layout.published_file.is_symlink(), layout.site.is_symlink()} == {True}
    kept = {path.name for path in layout.published.iterdir()}
    assert kept == {"now", str((layout.published / "now").readlink())}


def kills(layout: Layout, given: Callable[[], object], work: Callable[[], object]) -> Iterator[int]:
    """Do some work on what is given, and kill that at each call; yield after each kill."""
    for call in range(1000):
        shutil.rmtree(layout.root)
        layout.root.mkdir()
        given()
        try:
            with killed_before(call, CALLS):
                work()
        except Killed:
            yield call
        else:
            assert call > 5
            return


@pytest.mark.parametrize("of", [1, 2])
def test_a_kill_leaves_readers_one_whole_batch(layout: Layout, of: int) -> None:
    """Killed before each call, a publication is seen whole or not at all; so is its completion.

    A record is kept of what was published, and of nothing else. The next one publishes.
    """

    def given() -> None:
        publish_all(layout, *range(1, of))
        stage(layout, of)

    before = (of - 1, of - 1) if of > 1 else (None, None)
    seen = set()
    for call in kills(layout, given, lambda: publish(layout, of)):
        found = published(layout)
        assert found in {before, (of, of)}, call
        for again in range(100):
            try:
                with killed_before(again, CALLS):
                    tidy(layout)
            except Killed:
                assert published(layout) in {found, (of, of)}, (call, again)
            else:
                break
        tidied = published(layout)
        assert tidied in {found, (of, of)}, call
        on_record = [moment_of(each) for each in range(1, (tidied[0] or 0) + 1)]
        assert moments_on_record(layout) == on_record, call
        publish_all(layout, of + 1)
        require_tidy(layout, of + 1)
        seen.add(tidied)
    assert seen == {before, (of, of)}


def test_a_restored_file_and_site_are_carried_over(layout: Layout) -> None:
    """A file and a folder go behind the links; readers find the file at each call, as it was.

    After a kill, the next batch completes that.
    """

    def given() -> None:
        write(layout.published_file, layout.site, 1)

    for call in kills(layout, given, lambda: require_places(layout)):
        assert layout.published_file.read_text() == "1", call
        tidy(layout)
        require_places(layout)
        require_tidy(layout, 1)
    publish_all(layout, 2)
    require_tidy(layout, 2)


@pytest.mark.parametrize(
    "copy", ["tar -cf - data | tar -xf - -C to", "cp -pR data to", "cp -RL data to"]
)
def test_a_copy_is_a_data_directory(layout: Layout, copy: str) -> None:
    """A copy has the figures of its time wherever it lies, with links or what they lead to."""
    publish_all(layout, 1)
    target = layout.root.parent / "to"
    target.mkdir()
    subprocess.run(copy, shell=True, cwd=target.parent, check=True)
    publish_all(layout, 2)
    copied = Layout(target / "data")

    assert published(copied) == (1, 1)
    with batch_lock(copied):
        require_tidy(copied, 1)
    publish_all(copied, 3)
    require_tidy(copied, 3)
    require_tidy(layout, 2)


@pytest.mark.parametrize("target", ["{root}/published/{name}", "../published/{name}", "gone", ".."])
def test_a_link_that_others_led_elsewhere_loses_nothing(layout: Layout, target: str) -> None:
    """The newest whole publication is there after the next lock, with its record."""
    publish_all(layout, 1, 2)
    now = layout.published / "now"
    name = now.readlink().name
    records = moments_on_record(layout)
    now.unlink()
    now.symlink_to(target.format(root=layout.root.resolve(), name=name))
    with batch_lock(layout):
        assert published(layout) == (2, 2)
    assert moments_on_record(layout) == records


def test_nothing_is_removed_where_a_link_stands_for_our_folder(
    layout: Layout, tmp_path: Path
) -> None:
    """Who can write beside the batch has it delete nothing elsewhere."""
    precious = tmp_path / "precious"
    (precious / "2025Z").mkdir(parents=True)
    layout.root.mkdir(exist_ok=True)
    layout.published.symlink_to(precious)
    refused = pytest.raises(AnalyticsError, match=r"published is a link.*\n.*Move it away")
    with refused, batch_lock(layout):
        pass

    assert (precious / "2025Z").is_dir()


def test_what_is_whole_stays_without_links(layout: Layout) -> None:
    """Of a copy that left the links out, the next batch finds what was published."""
    publish_all(layout, 1)
    for path in (layout.published_file, layout.site, layout.published / "now"):
        path.unlink()
    tidy(layout)

    require_tidy(layout, 1)


def test_a_file_that_was_removed_stays_so(layout: Layout) -> None:
    """Who removes it, to forget a workspace, finds the next one, and nothing of the old one."""
    publish_all(layout, 1)
    layout.published_file.unlink()
    stage(layout, 2)
    assert published(layout) == (None, 1)
    publish(layout, 2)

    require_tidy(layout, 2)


def test_who_followed_the_links_finds_what_they_led_to(layout: Layout) -> None:
    """What was replaced is there until the next batch begins."""
    publish_all(layout, 1)
    followed = layout.published_file.resolve()
    stage(layout, 2)
    publish_staged(layout, moment_of(2), 0o600, b"{}")
    assert (followed.read_text(), published(layout)) == ("1", (2, 2))
    with batch_lock(layout):
        require_tidy(layout, 2)


def test_all_is_on_the_disk_before_it_is_named(layout: Layout) -> None:
    """All that was written and named is synced before the rename that publishes it."""
    publish_all(layout, 1)
    stage(layout, 2)
    written = {str(path) for path in layout.staged.rglob("*")} | {str(layout.staged)}
    with recorded() as calls:
        publish_staged(layout, moment_of(2), 0o640, b"{}")
    switch = calls.index("replace now")

    assert {f"fsync {path}" for path in written} <= {*calls[:switch]}
    last = max(place for place, call in enumerate(calls) if not call.startswith("fsync"))
    assert last == switch
    assert calls[switch + 1 :] == [f"fsync {layout.published}"]
    assert layout.published_file.stat().st_mode & 0o777 == 0o640
    assert (layout.site / "data").stat().st_mode & 0o777 == 0o750
    assert layout.published.stat().st_mode & 0o777 == 0o750


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Yield the names of the calls of a publication; of some, what they are about too."""
    calls: list[str] = []
    with ExitStack() as patches:
        for owner, name in CALLS:
            original = getattr(owner, name)

            def call(*given: Any, original: Any = original, name: str = name, **more: Any) -> Any:
                of = ""
                if name == "fsync":
                    of = f" {Path(f'/proc/self/fd/{given[0]}').readlink()}"
                elif name == "replace":
                    of = f" {Path(given[1]).name}"
                calls.append(name + of)
                return original(*given, **more)

            patches.enter_context(mock.patch.object(owner, name, call))
        yield calls


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling link"])
def test_leftovers_of_any_kind_stop_nothing(layout: Layout, kind: str) -> None:
    """A file, folder or link by a name that batches use is removed, and what it leads to stays."""
    elsewhere = layout.root.with_name("elsewhere")
    (elsewhere / "folder").mkdir(parents=True)
    publish_all(layout, 1)
    for path in (*layout.leftovers, layout.staged):
        match kind:
            case "file":
                path.touch()
            case "folder":
                (path / "folder").mkdir(parents=True)
            case "link":
                path.symlink_to(elsewhere)
            case _:
                path.symlink_to("nowhere")
    with batch_lock(layout):
        require_tidy(layout, 1)
        assert (elsewhere / "folder").is_dir()
        layout.site.unlink()
        layout.site.touch()  # is no site of anybody
    publish_all(layout, 2)
    require_tidy(layout, 2)


@pytest.mark.parametrize("kind", ["folder", "link", "link of the site"])
def test_what_is_in_the_place_of_the_file_is_refused(layout: Layout, kind: str) -> None:
    """Nobody's folder is deleted, and nobody's link replaced; the message says what to do."""
    place = layout.site if kind == "link of the site" else layout.published_file
    if kind == "folder":
        place.mkdir(parents=True)
    else:
        place.symlink_to("elsewhere")
    found = place.lstat().st_ino
    with (
        pytest.raises(AnalyticsError, match=rf"is a {kind.split()[0]}.*\n.*Move it away"),
        batch_lock(layout),
    ):
        pass

    assert place.lstat().st_ino == found


@pytest.mark.parametrize("name", ["analytics.duckdb", "site"])
def test_a_mounted_file_or_site_is_named(layout: Layout, name: str) -> None:
    """A container that mounts the published file or site alone is told to mount its folder."""
    write(layout.published_file, layout.site, 1)

    def busy(original: Callable[[Path, Path], object]) -> Callable[[Path, Path], object]:
        def call(first: Path, second: Path) -> object:
            if name in {first.name, second.name} and layout.root in {first.parent, second.parent}:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(first))
            return original(first, second)

        return call

    with (
        mock.patch.object(Path, "replace", busy(Path.replace)),
        mock.patch.object(Path, "rename", busy(Path.rename)),
        pytest.raises(AnalyticsError, match=rf"{name} is mounted.*\n.*Mount the folder above"),
        batch_lock(layout),
    ):
        pass

    assert layout.published_file.read_text() == "1"


def test_where_nothing_can_be_published_the_batch_does_not_begin(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mount in the place of `published`, or a folder of another user, is told at once.

    A mount that came after the links does no harm.
    """
    rename = Path.replace

    def across(first: Path, second: Path) -> Path:
        if first.parent == layout.published != second.parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(first))
        return rename(first, second)

    monkeypatch.setattr(Path, "replace", across)
    mounted = pytest.raises(AnalyticsError, match=r"published is mounted.*\n.*Mount the folder")
    with mounted, batch_lock(layout):
        pass
    monkeypatch.setattr(Path, "replace", rename)
    publish_all(layout, 1)
    monkeypatch.setattr(Path, "replace", across)
    publish_all(layout, 2)
    require_tidy(layout, 2)
    monkeypatch.setattr(os, "geteuid", lambda: layout.published.stat().st_uid + 1)
    of_another = pytest.raises(AnalyticsError, match=r"published belongs to another user.*\n.*Run")
    with of_another, batch_lock(layout):
        pass
    require_tidy(layout, 2)


def test_a_file_system_without_links_is_named(layout: Layout) -> None:
    """Before anything is read, the batch says that it needs links; what is there stays."""
    write(layout.published_file, layout.site, 1)
    refused = OSError(errno.EPERM, os.strerror(errno.EPERM))
    with (
        mock.patch.object(os, "symlink", side_effect=refused),
        pytest.raises(AnalyticsError, match=r"without symbolic links .*\n.* --data-dir"),
        batch_lock(layout),
    ):
        pass

    assert published(layout) == (1, 1)


def test_what_cannot_be_named_is_not_published(layout: Layout) -> None:
    """After an error readers find the batch before, nothing is left over; the next is published."""
    publish_all(layout, 1)
    stage(layout, 2)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with mock.patch.object(os, "symlink", side_effect=full), pytest.raises(OSError, match="space"):
        publish(layout, 2)

    require_tidy(layout, 1)
    assert moments_on_record(layout) == [moment_of(1)]
    publish_all(layout, 2)
    require_tidy(layout, 2)


def test_no_record_stops_a_publication(layout: Layout) -> None:
    """Figures are not published where nothing can keep when that was."""
    layout.publications.touch()
    stage(layout, 1)
    with pytest.raises(AnalyticsError, match=r"publications is no folder.*\nNothing was published"):
        publish(layout, 1)

    assert published(layout) == (None, None)
    assert not layout.published_file.is_symlink()


def build(layout: Layout, batch: int) -> None:
    """Make a build file."""
    layout.marts.unlink(missing_ok=True)
    with duckdb.connect(layout.marts) as con:
        con.execute("create schema marts; create schema audit")
        con.execute(
            f"create table batch as select {batch} as number, hash(range) from range(200_000)"
        )


def test_the_build_file_is_verified_while_it_is_copied(layout: Layout) -> None:
    """After an error, such as damage, nothing is staged."""
    build(layout, 1)
    with copying(layout):
        pass
    assert layout.staged_file.read_bytes() == layout.marts.read_bytes()
    tidy(layout)
    with layout.marts.open("r+b") as file:
        file.seek(layout.marts.stat().st_size // 2)
        file.write(b"damage" * 100)
    with pytest.raises(DamagedError, match=r"build\.duckdb is damaged"), copying(layout):
        pass
    assert not layout.staged.exists()


WRITER = """
import duckdb, os, signal, sys
con = duckdb.connect(sys.argv[1])
con.execute("set checkpoint_threshold = '1TB'")
con.execute("delete from batch")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_log_of_a_killed_writer_spoils_no_later_file(layout: Layout) -> None:
    """It lies beside the file that was opened for writing, and goes with it."""

    def publish_file(batch: int) -> None:
        stage(layout, batch)
        build(layout, batch)
        shutil.copyfile(layout.marts, layout.staged_file)
        publish(layout, batch)

    publish_file(1)
    subprocess.run([sys.executable, "-c", WRITER, layout.published_file], check=False)
    assert layout.published_file.resolve().with_name("analytics.duckdb.wal").exists()
    publish_file(2)

    assert not [*layout.root.rglob("*.wal*")]
    with duckdb.connect(layout.published_file, read_only=True) as con:
        assert con.execute("select distinct number from batch").fetchall() == [(2,)]
