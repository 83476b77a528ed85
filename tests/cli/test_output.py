"""Places that `--output` may name, and who can read what is written there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from analytics.batch.failures import failure_of
from analytics.errors import UsageError
from analytics.export.pack import made_folder
from analytics.query.output import place_of, replacing
from analytics.report.files import Files


@pytest.mark.parametrize(
    "output",
    [
        "books/2026-10/r1/lines.csv", "landing/x.csv", "site/x.csv", "last-batch.json",
        "metrics.prom", "warehouse.duckdb.wal", "build.duckdb.wal.checkpoint", "build.next.duckdb",
    ],
)  # fmt: skip
def test_no_export_replaces_what_the_batch_keeps(output: str, tmp_path: Path) -> None:
    """A path of the batch, its books or its pages is refused, and nothing is written."""
    data = tmp_path / "kept"
    (data / "landing").mkdir(parents=True)
    (data / ".lock").touch()
    with (
        pytest.raises(UsageError, match="belongs to the data of the batch"),
        replacing(data / output),
    ):
        pass

    assert sorted(path.name for path in data.iterdir()) == [".lock", "landing"]


FULL = Path("/dev/full")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("open_umask")
def test_an_export_is_for_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file is 0600; one that is there keeps its mode, unless it is another user's."""
    new, shared, theirs = (tmp_path / name for name in ("new", "shared", "theirs"))
    shared.touch(mode=0o640)
    theirs.touch(mode=0o644)
    for file in (new, shared):
        with replacing(file) as output:
            output.write(b"a")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with replacing(theirs) as output:
        output.write(b"a")

    assert [mode(new), mode(shared), mode(theirs)] == [0o600, 0o640, 0o600]
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == dict.fromkeys(
        ("new", "shared", "theirs"), b"a"
    )


@pytest.mark.usefixtures("open_umask")
def test_a_pack_is_for_its_owner(tmp_path: Path) -> None:
    """The folder of a pack is 0700, and its files are 0600."""
    with made_folder(tmp_path / "pack") as folder:
        (folder / "lines.csv").touch()

    assert mode(tmp_path / "pack") == 0o700
    assert mode(tmp_path / "pack" / "lines.csv") == 0o600


def test_an_export_follows_no_link_of_others(tmp_path: Path) -> None:
    """Where others may write into the folder, they know no name under which it is written."""
    kept, output = tmp_path / "kept", tmp_path / "x.csv"
    kept.write_bytes(b"of the owner")
    for name in ("x.csv.unfinished", ".x.csv.unfinished"):
        (tmp_path / name).symlink_to(kept)

    with replacing(output) as file:
        file.write(b"a")

    assert (kept.read_bytes(), output.read_bytes()) == (b"of the owner", b"a")


@pytest.fixture(params=[0o1777, 0o777])
def shared(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder where all may write, with the bit that /tmp has beside, or without."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(request.param)
    return folder


def give_away(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Give what stands at paths to another user; without that right, be another user."""
    if os.geteuid():
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
        return
    for path in paths:
        os.chown(path, 65534, 65534, follow_symlinks=False)


def test_an_export_leads_through_no_link_or_pipe_of_others(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder where all may write, one of another user is refused, also within links of ours.

    What it leads to stays as it is.
    """
    home, ours = shared.parent / "home", shared.parent / "ours"
    home.mkdir()
    (home / "kept").write_bytes(b"of the owner")
    link, gone, folder, pipe = (shared / name for name in ("link", "gone", "folder", "pipe"))
    trap = shared / "trap"
    trap.mkdir()
    (trap / "kept").symlink_to(home / "kept")
    (trap / "within").mkdir()
    (trap / "within" / "pipe").symlink_to("../../pipe")
    link.symlink_to(home / "kept")
    gone.symlink_to("../home/new")
    folder.symlink_to("../home")
    os.mkfifo(pipe)
    ours.symlink_to("shared/folder")
    give_away([link, gone, folder, pipe, trap, *trap.rglob("*")], monkeypatch)

    by_a_link = (link, gone, folder / "kept", folder, pipe, ours / "kept", ours / ".." / "x")
    for output in (*by_a_link, trap / "kept", trap / "within" / "pipe"):
        with (
            pytest.raises(UsageError, match="another user's link or pipe, below a folder where"),
            replacing(output),
        ):
            pass
        with pytest.raises(UsageError, match="another user's"), made_folder(output / "pack"):
            pass

    assert [(path.name, path.read_bytes()) for path in home.iterdir()] == [
        ("kept", b"of the owner")
    ]


def test_an_export_replaces_what_links_of_its_user_lead_to(shared: Path) -> None:
    """Also in a folder where all may write, and where nothing is there yet; the links stay."""
    home = shared.parent / "home"
    home.mkdir()
    (shared / "folder").symlink_to(home)
    (shared / "link").symlink_to("folder/../home/new")
    for content in (b"a", b"b"):
        with replacing(shared / "link") as file:
            file.write(content)

    assert (shared / "link").is_symlink()
    assert [(path.name, path.read_bytes()) for path in home.iterdir()] == [("new", b"b")]


def test_an_export_follows_links_in_the_folder_of_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where not all may write, what a colleague has laid out is used as it is."""
    theirs = tmp_path / "theirs"
    (theirs / "2026-10").mkdir(parents=True)
    (theirs / "now").symlink_to("2026-10")
    if os.geteuid() == 0:  # no other user may give a folder away
        give_away([theirs, theirs / "now"], monkeypatch)

    assert place_of(theirs / "now" / "x.csv") == theirs / "2026-10" / "x.csv"


def test_a_file_in_the_place_of_a_device_is_not_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came, or a link to it, since the device was found there."""
    kept = tmp_path / "kept"
    kept.write_bytes(b"of the owner")
    monkeypatch.setattr("analytics.files.is_device", lambda _path: True)

    with pytest.raises(FileExistsError, match=str(kept)), replacing(kept) as file:
        file.write(b"a")
    assert kept.read_bytes() == b"of the owner"


def test_no_path_leads_up_from_what_is_not_there(tmp_path: Path) -> None:
    """The system finds no such file, and none is replaced, nor a pipe or device."""
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for way, error in (("none", FileNotFoundError), ("file", NotADirectoryError)):
        with pytest.raises(error), replacing(tmp_path / way / ".." / "pipe") as file:
            file.write(b"a")

    assert (tmp_path / "pipe").is_fifo()


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    """Such a link is named, and stays."""
    (tmp_path / "x.csv").symlink_to("x.csv")
    with pytest.raises(UsageError, match="is a link that leads to itself"):
        place_of(tmp_path / "x.csv")


def test_a_full_disk_is_told_by_the_path_that_its_user_named() -> None:
    """The hidden name of an unfinished file is in no error, and there is advice."""
    with pytest.raises(OSError, match="No space left") as raised, replacing(FULL) as file:
        file.write(b"a")

    text = failure_of(raised.value).text
    assert text.startswith("No space left on device: /dev/full.\nMake room on its disk")


def test_a_page_on_a_full_disk_is_told_by_its_path(tmp_path: Path) -> None:
    """The system names no file in the error of a write."""
    (tmp_path / "index.html").symlink_to(FULL)
    with pytest.raises(OSError, match="No space left") as raised:
        Files(tmp_path, None).write("index.html", b"a")

    text = failure_of(raised.value).text
    assert text.startswith(f"No space left on device: {tmp_path}/index.html.\nMake room")
