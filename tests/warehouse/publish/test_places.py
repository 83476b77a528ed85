"""In the places of file and site may stand what a copy, a mount or others put there."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from analytics.errors import AnalyticsError
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from analytics.warehouse.publications import moments_on_record
from analytics.warehouse.publish import require_places, tidy
from tests.warehouse.publish.numbered import (
    kills,
    publish,
    publish_all,
    published,
    require_tidy,
    stage,
    write,
)


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
