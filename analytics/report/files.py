"""The files of a site: written, or taken over from the site before where their inputs are equal."""

from __future__ import annotations

import os
import shutil
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

MANIFEST = "manifest.json"


class _Manifest(msgspec.Struct):
    """The SHA-256 of each file, and the inputs of those that can be taken over."""

    as_of: str = ""
    files: dict[str, str] = {}
    inputs: dict[str, str] = {}


class Files:
    """Writes the files of a site into `target`, and keeps those of the site in `published`.

    A published file that differs from what was written is not taken over.
    """

    def __init__(self, target: Path, published: Path | None) -> None:
        self._target, self._published = target, published
        self._before = _read(published / MANIFEST) if published else _Manifest()
        self._now = _Manifest()
        self._folders: set[Path] = set()
        self.count = 0
        self.byte_count = 0
        self.kept_count = 0

    def keep(self, path: str, inputs: str) -> bool:
        """Take over a published file that was made of the same inputs; False if there is none."""
        if self._published is None or self._before.inputs.get(path) != inputs:
            return False
        source, digest = self._published / path, self._before.files.get(path, "")
        try:
            content = source.read_bytes()
        except OSError:
            return False
        if sha256(content).hexdigest() != digest:
            return False
        _link(source, self._made(path))
        self._note(path, digest, inputs, len(content))
        self.kept_count += 1
        return True

    def write(self, path: str, content: bytes, inputs: str = "") -> None:
        """Write a file; one with `inputs` may be taken over by the next site."""
        self._made(path).write_bytes(content)
        self._note(path, sha256(content).hexdigest(), inputs, len(content))

    def finish(self, as_of: datetime) -> None:
        """Write the manifest: the digest of every other file."""
        self._now.as_of = as_of.isoformat()
        content = msgspec.json.encode(self._now, order="sorted")
        (self._target / MANIFEST).write_bytes(content)

    def _made(self, path: str) -> Path:
        file = self._target / path
        if file.parent not in self._folders:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._folders.add(file.parent)
        return file

    def _note(self, path: str, digest: str, inputs: str, size: int) -> None:
        self._now.files[path] = digest
        if inputs:
            self._now.inputs[path] = inputs
        self.count += 1
        self.byte_count += size


def _read(file: Path) -> _Manifest:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Manifest)
    except (OSError, msgspec.MsgspecError):
        return _Manifest()


def _link(source: Path, target: Path) -> None:
    """The same file under both names; a copy where the file system knows no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
