"""Files of a site that need no rebuilding, because what they are made of has not changed."""

from __future__ import annotations

import os
import shutil
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MANIFEST = "manifest.json"


class _Page(msgspec.Struct):
    """What a page was made of, and the SHA-256 of each of its files."""

    inputs: str
    files: dict[str, str]


class Manifest:
    """Which inputs each page of a site was made of; pages with the same inputs are taken over.

    `published` is the folder of the site before, if there is one. A file of it that is not what
    was written then is not taken over.
    """

    def __init__(self, target: Path, published: Path | None) -> None:
        self._target, self._published = target, published
        self._before = _read(published / MANIFEST) if published else {}
        self._pages: dict[str, _Page] = {}
        self.kept_count = 0

    def keeps(self, page: str, inputs: str) -> bool:
        """Takes over the files of a page that was made of the same inputs, if they are sound."""
        before = self._before.get(page)
        if self._published is None or before is None or before.inputs != inputs:
            return False
        for path, digest in before.files.items():
            if not _is_sound(self._published / path, digest):
                return False
        for path in before.files:
            _link(self._published / path, self._target / path)
        self._pages[page] = before
        self.kept_count += 1
        return True

    def add(self, page: str, inputs: str, files: Sequence[str]) -> None:
        """Notes what the files of a page, just written, were made of."""
        digests = {path: _digest(self._target / path) for path in files}
        self._pages[page] = _Page(inputs, digests)

    def write(self) -> None:
        """Writes the manifest beside the pages."""
        (self._target / MANIFEST).write_bytes(msgspec.json.encode(self._pages, order="sorted"))


def _read(file: Path) -> dict[str, _Page]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, _Page])
    except (OSError, msgspec.MsgspecError):
        return {}


def _is_sound(file: Path, digest: str) -> bool:
    return file.is_file() and _digest(file) == digest


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _link(source: Path, target: Path) -> None:
    """The same file under both names; a copy where the file system knows no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
