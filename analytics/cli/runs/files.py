"""Logs and artifacts on disk, under safe names."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from analytics.cli.connection import hint
from analytics.errors import AnalyticsError, UsageError
from analytics.files import is_device
from analytics.levain import Artifact, Levain, LevainError, NotFoundError, Run
from analytics.query.output import place_of, replacing
from analytics.terminal import escaped_lines

AT_A_TIME = 4
LONGEST_NAME = 200  # bytes, below every file system's limit, with room for a number

_UNSAFE = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|(analytics|fleet)\.toml")
"""Names of devices, and of files that say where keys are sent."""


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """The result of saving an artifact: new at `path`, there before, or an error."""

    key: str
    filename: str | None
    path: str
    is_new: bool = False
    error: str | None = None


def write_log(levain: Levain, run: Run, output: Path | None) -> int:
    """Write a run's raw log, and return its size in bytes.

    A file is replaced, at the end of links. A device, a pipe or standard output (None) gets the log
    once it is complete.
    """
    place = output and place_of(output)
    if place and place.is_dir():
        raise UsageError(f"{output} is a folder: name a file in it with --output.")
    if place and not place.parent.is_dir():
        raise UsageError(f"There is no folder {place.parent}.")
    try:
        if output and place and not is_device(output):
            return levain.runs.download_log(run.id, place)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "log"
            size = levain.runs.download_log(run.id, file)
            _copy(file, output)
            return size
    except NotFoundError:
        if run.has_ended:
            raise AnalyticsError(f"Run {run.id} has left no log.") from None
        raise AnalyticsError(
            f"Run {run.id} is {run.status}: its log is written when it has ended.\n"
            f"See what it does now: {hint('events', run.id, '--follow')}"
        ) from None


def _copy(file: Path, output: Path | None) -> None:
    with file.open("rb") as lines:
        if output is not None:
            with replacing(output) as out:
                shutil.copyfileobj(lines, out)
        elif sys.stdout.isatty():
            for line in lines:
                print(escaped_lines(line.decode(errors="replace").rstrip("\r\n")))
        else:
            shutil.copyfileobj(lines, sys.stdout.buffer)
            sys.stdout.buffer.flush()


def save_artifacts(
    levain: Levain, run: Run, artifacts: Sequence[Artifact], folder: Path
) -> list[Saved]:
    """Download artifacts into a folder; existing files are kept, and one failure stops no other."""
    place = place_of(folder)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = safe_names([artifact.filename or artifact.key for artifact in artifacts])

    def save(artifact: Artifact, name: str) -> Saved:
        target = place / name
        saved = Saved(key=artifact.key, filename=artifact.filename, path=str(folder / name))
        try:
            if target.exists():
                return saved
            levain.runs.download_artifact(run.id, artifact.key, target)
        except FileExistsError:
            return saved
        except LevainError as error:
            return msgspec.structs.replace(saved, error=str(error))
        return msgspec.structs.replace(saved, is_new=True)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        try:
            return list(pool.map(save, artifacts, names))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def safe_names(filenames: Sequence[str]) -> list[str]:
    """Return a name for each file: inside its folder, not hidden, and distinct."""
    taken: set[str] = set()
    names = []
    for filename in filenames:
        stem, suffix = _safe(filename)
        name, number = stem + suffix, 1
        while _same(name) in taken:
            number += 1
            name = f"{stem} ({number}){suffix}"
        taken.add(_same(name))
        names.append(name)
    return names


def _safe(filename: str) -> tuple[str, str]:
    """Return stem and suffix of the last part of a path, cut and cleaned."""
    last = re.split(r"[/\\]", filename)[-1]
    clean = "".join(char if char.isprintable() else "_" for char in last)
    clean = _UNSAFE.sub("_", clean).strip(" .") or "artifact"
    if _RESERVED.fullmatch(_plain(clean)):
        clean = f"_{clean}"
    suffix = _cut(Path(clean).suffix, LONGEST_NAME // 4)
    return _cut(clean.removesuffix(Path(clean).suffix), LONGEST_NAME - len(suffix.encode())), suffix


def _plain(name: str) -> str:
    """Return the least that some file system tells a name by: small, and without marks."""
    return unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()


def _cut(text: str, size: int) -> str:
    """Return as many whole characters as fit into `size` bytes."""
    return text.encode()[:size].decode(errors="ignore")


def _same(name: str) -> str:
    """Return a key that is equal for names that a file system may treat as one."""
    return unicodedata.normalize("NFC", name).casefold()
